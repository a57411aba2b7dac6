// The operators' console: who is signed in sees the view that the address names.

import { Refusal, told } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { lead, leads } from "./leads.js";
import { overview } from "./overview.js";
import { here, to } from "./place.js";
import { enter, leave, onLeave } from "./session.js";
import { tenant } from "./tenant.js";
import { tenants } from "./tenants.js";

/**
 * @typedef {object} View
 * @property {string} title
 * @property {import("../common/dom.js").Child[]} shown
 * @property {() => void} [left]
 */

const app = document.body.dataset.app ?? "";
const main = h("main", { id: "view", tabindex: "-1" });
let turn = 0;
/** @type {View | undefined} */
let current;

/** @param {import("./place.js").Place} place @returns {Promise<View>} */
function view({ path: [noun, id], query }) {
  if (noun === "tenants") return id ? tenant(id) : tenants(query);
  if (noun === "leads") return id ? lead(id) : leads(query);
  return overview();
}

async function show() {
  const mine = ++turn;
  current?.left?.();
  current = undefined;
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  const place = here();
  document.querySelectorAll("nav [data-noun]").forEach((link) => {
    if (link instanceof HTMLElement && link.dataset.noun === (place.path[0] ?? "")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  main.setAttribute("aria-busy", "true");
  /** @type {View} */
  const next = await view(place).catch((problem) => ({
    title: "Error",
    shown: [h("h1", { tabindex: "-1" }, problem instanceof Refusal && problem.status === 404 ? "It is not there" : "That did not work"),
      h("p", { class: "status wrong", role: "alert" }, told(problem)),
      h("p", {}, h("button", { class: "plain", onclick: show }, "Try again"))],
  }));
  if (mine !== turn) return next.left?.();
  current = next;
  document.title = `${next.title} – ${app}`;
  main.removeAttribute("aria-busy");
  fill(main, ...next.shown);
  main.querySelector("h1")?.focus();
}

function signedIn() {
  /** @param {string} noun @param {string} name */
  const link = (noun, name) => h("a", { href: to(noun), "data-noun": noun }, name);
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#view", onclick: (/** @type {Event} */ event) => { event.preventDefault(); main.focus(); } }, "To the content"),
    h("header", {}, h("p", { class: "app" }, app),
      h("nav", { "aria-label": "Console" }, link("", "Overview"), link("tenants", "Tenants"), link("leads", "Leads")),
      h("button", { class: "plain", onclick: () => leave() }, "Sign out")),
    main);
  window.addEventListener("hashchange", show);
  show();
}

/** @param {string} why */
function signedOut(why) {
  turn++;
  current?.left?.();
  window.removeEventListener("hashchange", show);
  fill(main);
  const form = h("form", { novalidate: true },
    h("h1", { tabindex: "-1" }, "Console"),
    h("p", {}, why || "Sign in with an operator’s token. It stays in this page, and is forgotten when you leave it."),
    h("label", { for: "token" }, "Token"),
    h("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false" }),
    h("button", {}, "Sign in"));
  onSubmit(form, async ({ token }) => {
    await enter(token);
    signedIn();
  }, { meanings: { 401: "This token is not good, or not any more.", 403: "This is no operator’s token." } });
  document.title = `Console – ${app}`;
  document.body.replaceChildren(h("main", { class: "card" }, h("p", { class: "app" }, app), form));
  form.querySelector("h1")?.focus();
}

onLeave(signedOut);
signedOut("");
