// The list of operators, the page of one operator, and the page of one's own sessions.

import { fill, h, userText } from "../common/dom.js";
import { formatTime } from "../common/format.js";
import { openDialog } from "./dialog.js";
import { linkTo } from "./route.js";
import { can, isSession, me, read, send } from "./session.js";
import { badge } from "./statuses.js";
import { listPanel, table } from "./table.js";

/** @param {any} person */
const statusBadge = ({ disabled }) => badge(disabled ? ["Disabled", "wrong"] : ["Enabled", "good"]);

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function people(query) {
  const columns = [
    { name: "Name", cell: (/** @type {any} */ { id, name }) => h("a", { href: linkTo(`operators/${id}`) }, userText(name)) },
    { name: "Email", cell: (/** @type {any} */ { email }) => userText(email) },
    { name: "Roles", cell: (/** @type {any} */ { roles }) => userText(roles.join(", ")) },
    { name: "Status", cell: statusBadge },
    { name: "Last sign-in", cell: (/** @type {any} */ { lastSignInOn }) => formatTime(lastSignInOn), className: "number" },
  ];
  return {
    title: "People",
    shown: [h("h1", { tabindex: "-1" }, "People"), await listPanel({ path: "operators", caption: "People", query, where: {}, columns })],
  };
}

/** @param {any} reason */
const reasonText = ({ role, claim, value }) =>
  h("li", {}, h("b", {}, userText(role)), " from ", h("code", {}, claim), value === null ? null : h("span", {}, ": ", userText(value)));

/** @param {any} person */
function facts({ email, reasons, lastSignInOn, createdOn, issuer, subject }) {
  return h("section", { class: "panel" }, h("h2", {}, "Operator"), h("dl", { class: "facts" },
    h("dt", {}, "Email"), h("dd", {}, userText(email)),
    h("dt", {}, "Roles"), h("dd", {}, reasons.length ? h("ul", { class: "reasons" }, ...reasons.map(reasonText)) : "None"),
    ...(issuer ? [
      h("dt", {}, "Last sign-in"), h("dd", {}, formatTime(lastSignInOn)),
      h("dt", {}, "First sign-in"), h("dd", {}, formatTime(createdOn)),
      h("dt", {}, "Identity provider"), h("dd", {}, userText(issuer)),
      h("dt", {}, "Subject"), h("dd", {}, h("code", {}, subject))] : [])));
}

/**
 * Returns a panel of an operator's open sessions.
 * @param {string} id
 */
async function sessionsPanel(id) {
  const body = h("div");
  const isChangeable = can("10301") || me()?.id === id;
  /** @param {any} session */
  const end = (session) => openDialog({
    title: "End this session?", button: "End session", danger: true,
    text: ["Its browser is signed out when its current token expires, at the latest."],
    submit: async () => {
      await send("DELETE", `operators/${id}/sessions/${session.id}`);
      await draw();
    },
  });
  const columns = [
    { name: "Started", cell: (/** @type {any} */ { createdOn, current }) => h("span", {}, formatTime(createdOn), current ? " (this one)" : "") },
    { name: "Last seen", cell: (/** @type {any} */ { lastSeenOn }) => formatTime(lastSeenOn) },
    { name: "Address", cell: (/** @type {any} */ { address }) => userText(address) },
    { name: "Browser", cell: (/** @type {any} */ { userAgent }) => userText(userAgent) },
    { name: "", className: "one", cell: (/** @type {any} */ session) =>
      (isChangeable && !session.current ? h("button", { class: "danger", onclick: () => end(session) }, "End") : null) },
  ];
  async function draw() {
    const sessions = await read(`operators/${id}/sessions`);
    fill(body, sessions.length ? table("Sessions", columns, sessions) : h("p", { class: "soft" }, "No open sessions."));
  }
  await draw();
  return h("section", { class: "panel" }, h("h2", {}, "Sessions"), body);
}

/** @param {any} person @param {() => Promise<void>} refresh */
function change({ id, name, disabled }, refresh) {
  const verb = disabled ? "Enable" : "Disable";
  openDialog({
    title: h("span", {}, `${verb} `, userText(name), "?"), button: `${verb} operator`, danger: !disabled,
    text: [disabled ? "They can sign in again." : "Their sessions end, and they can’t sign in. A token that was already issued remains valid until it expires."],
    submit: async () => {
      await send("PATCH", `operators/${id}`, { disabled: !disabled });
      await refresh();
    },
  });
}

/** @param {string} id @returns {Promise<import("./console.js").View>} */
export async function person(id) {
  const body = h("div");
  async function refresh() {
    const found = await read(`operators/${id}`);
    const button = can("10301") ?
      h("button", { class: found.disabled ? "plain" : "danger", onclick: () => change(found, refresh) }, found.disabled ? "Enable" : "Disable") : null;
    fill(body,
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, userText(found.name)), h("span", { role: "status" }, statusBadge(found)), button),
      facts(found), await sessionsPanel(id));
  }
  await refresh();
  return { title: "Operator", shown: [h("p", { class: "crumb" }, h("a", { href: linkTo("operators") }, "People")), body] };
}

/** @returns {Promise<import("./console.js").View>} */
export async function mySessions() {
  const found = await read("operators/me");
  return {
    title: "My sessions",
    shown: [h("h1", { tabindex: "-1" }, "My sessions"), facts(found),
      isSession() ? await sessionsPanel(found.id) : h("p", { class: "soft" }, "You use a token, which has no session.")],
  };
}
