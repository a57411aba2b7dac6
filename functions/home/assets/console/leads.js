// Who asks for a workspace.

import { call } from "../common/api.js";
import { h, theirs } from "../common/dom.js";
import { onDay, when } from "../common/words.js";
import { ask } from "./dialog.js";
import { to } from "./place.js";
import { read } from "./session.js";
import { badge } from "./statuses.js";
import { pageOf, search, within } from "./table.js";

/** @param {any} lead */
const state = ({ isValidated }) => badge(isValidated ? ["Confirmed", "good"] : ["Not confirmed", "busy"]);

/** @param {any} lead */
const name = ({ firstName, lastName }) => theirs(`${firstName} ${lastName}`);

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function leads(query) {
  const [status, by, sought] = [query.get("status"), query.get("by"), query.get("for")];
  const where = {
    ...(status ? { isValidated: status === "confirmed" } : {}),
    ...(sought && by === "company" ? { companyName: { ilike: within(sought) } } : {}),
    ...(sought && by !== "company" ? { email: sought } : {}),
  };
  const columns = [
    { name: "Name", cell: (/** @type {any} */ lead) => h("a", { href: to(`leads/${lead.id}`) }, name(lead)) },
    { name: "Company", cell: (/** @type {any} */ lead) => theirs(lead.companyName) },
    { name: "E-mail", cell: (/** @type {any} */ lead) => theirs(lead.email), look: "wide" },
    { name: "State", cell: state },
    { name: "Asked", cell: (/** @type {any} */ lead) => onDay(lead.createdOn), look: "wide number" },
  ];
  return {
    title: "Leads",
    shown: [
      h("h1", { tabindex: "-1" }, "Leads"),
      search("leads", query, ["State", [["", "All"], ["confirmed", "Confirmed"], ["open", "Not confirmed"]]], [["email", "E-mail"], ["company", "Company"]]),
      await pageOf({ path: "leads", caption: "Leads", query, where, columns }),
    ],
  };
}

/** @param {string} id @returns {Promise<import("./console.js").View>} */
export async function lead(id) {
  const filter = encodeURIComponent(JSON.stringify({ include: ["tenant", "address"] }));
  const known = await read(`leads/${id}?filter=${filter}`);
  const resend = () => ask({
    title: "Send another verification mail", action: "Send",
    text: ["It goes to ", theirs(known.email), ". Its link is good from now on, and the earlier one as long as it was. An address gets five a day at most."],
    act: () => call("POST", "leads/resend", { body: { email: known.email, leadId: known.id } }),
  });
  const { address, tenant } = known;
  const parts = address && [address.address, address.zip, address.city, address.state, address.country].filter(Boolean).join(", ");
  return {
    title: "Lead",
    shown: [
      h("p", { class: "crumb" }, h("a", { href: to("leads") }, "Leads")),
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, name(known)), state(known),
        tenant ? null : h("button", { class: "plain", onclick: resend }, "Send mail again")),
      h("section", { class: "panel" }, h("dl", { class: "facts" },
        h("dt", {}, "Company"), h("dd", {}, theirs(known.companyName)),
        h("dt", {}, "E-mail"), h("dd", {}, theirs(known.email)),
        h("dt", {}, "Address"), h("dd", {}, theirs(parts || null)),
        h("dt", {}, "Asked"), h("dd", {}, when(known.createdOn)),
        h("dt", {}, "Tenant"), h("dd", {}, tenant ? h("a", { href: to(`tenants/${tenant.id}`) }, theirs(tenant.name)) : "none yet"))),
    ],
  };
}
