// The list of leads, and the page of one lead.

import { call } from "../common/api.js";
import { h, userText } from "../common/dom.js";
import { formatDate, formatTime } from "../common/format.js";
import { openDialog } from "./dialog.js";
import { linkTo } from "./route.js";
import { can, read } from "./session.js";
import { badge } from "./statuses.js";
import { controls, listPanel } from "./table.js";

/** @param {any} lead */
export const statusBadge = ({ isValidated }) => badge(isValidated ? ["Verified", "good"] : ["Not verified", "busy"]);

/** @param {any} lead */
const name = ({ firstName, lastName }) => userText(`${firstName} ${lastName}`);

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function leads(query) {
  const status = query.get("status");
  const where = status ? { isValidated: status === "verified" } : {};
  const columns = [
    { name: "Name", cell: (/** @type {any} */ lead) => h("a", { href: linkTo(`leads/${lead.id}`) }, name(lead)) },
    { name: "Company", cell: (/** @type {any} */ lead) => userText(lead.companyName) },
    { name: "Email", cell: (/** @type {any} */ lead) => userText(lead.email) },
    { name: "Status", cell: statusBadge },
    { name: "Signed up", cell: (/** @type {any} */ lead) => formatDate(lead.createdOn), className: "number" },
  ];
  return {
    title: "Leads",
    shown: [
      h("h1", { tabindex: "-1" }, "Leads"),
      controls("leads", query, [["", "All"], ["verified", "Verified"], ["unverified", "Not verified"]]),
      await listPanel({ path: "leads", caption: "Leads", query, where, columns }),
    ],
  };
}

/** @param {string} id @returns {Promise<import("./console.js").View>} */
export async function lead(id) {
  const filter = encodeURIComponent(JSON.stringify({ include: can("10207") ? ["tenant", "address"] : ["address"] }));
  const found = await read(`leads/${id}?filter=${filter}`);
  const resend = () => openDialog({
    title: "Send another link", button: "Resend email",
    text: ["A link that continues the sign-up is sent to ", userText(found.email), ". Earlier links still expire at their original time. At most five emails are sent to an address per day."],
    submit: () => call("POST", "leads/resend", { body: { email: found.email, leadId: found.id } }),
  });
  const { address, tenant } = found;
  const parts = address && [address.address, address.zip, address.city, address.state, address.country].filter(Boolean).join(", ");
  return {
    title: "Lead",
    shown: [
      h("p", { class: "crumb" }, h("a", { href: linkTo("leads") }, "Leads")),
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, name(found)), statusBadge(found),
        can("10204") ? h("button", { class: "plain", onclick: resend }, "Resend email") : null),
      h("section", { class: "panel" }, h("dl", { class: "facts" },
        h("dt", {}, "Company"), h("dd", {}, userText(found.companyName)),
        h("dt", {}, "Email"), h("dd", {}, userText(found.email)),
        h("dt", {}, "Address"), h("dd", {}, userText(parts || null)),
        h("dt", {}, "Signed up"), h("dd", {}, formatTime(found.createdOn)),
        h("dt", {}, "Tenant"), h("dd", {}, tenant ? h("a", { href: linkTo(`tenants/${tenant.id}`) }, userText(tenant.name)) : "None yet"))),
    ],
  };
}
