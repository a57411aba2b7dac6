// The list of tenants.

import { h, userText } from "../common/dom.js";
import { readList } from "../common/form.js";
import { formatDate } from "../common/format.js";
import { openDialog } from "./dialog.js";
import { navigate, linkTo } from "./route.js";
import { can, send } from "./session.js";
import { badge, tenants as statuses } from "./statuses.js";
import { controls, listPanel } from "./table.js";

function create() {
  openDialog({
    title: "New tenant", button: "Create tenant",
    fields: [
      { name: "name", label: "Name", maxLength: 100 },
      { name: "key", label: "Key", pattern: "[a-z0-9]{1,10}", hint: "Up to 10 lowercase letters and digits. It can’t be changed later." },
      { name: "domains", label: "Domains", hint: "The tenant’s email domains, separated by commas.", read: readList },
      { name: "contact/firstName", label: "Contact’s first name", maxLength: 100 },
      { name: "contact/lastName", label: "Contact’s last name", maxLength: 100 },
      { name: "contact/email", label: "Contact’s email", type: "email", maxLength: 100 },
      { name: "city", label: "City", optional: true, maxLength: 100 },
      { name: "country", label: "Country", optional: true, maxLength: 25 },
    ],
    submit: async ({ contact, ...tenant }) => {
      const body = { ...tenant, contact: { ...contact, isPrimary: true } };
      const { id } = await send("POST", "tenants", body);
      navigate(`tenants/${id}`);
    },
  });
}

/** The primary contact of each tenant. */
const include = [{ relation: "contacts", scope: { where: { isPrimary: true }, limit: 1 } }];

/** @param {any} tenant */
function primaryContact({ contacts: [contact] = [] }) {
  return contact ? userText(`${contact.firstName} ${contact.lastName}`) : "–";
}

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function tenants(query) {
  const status = query.get("status");
  const where = status ? { status: Number(status) } : {};
  const columns = [
    { name: "Name", cell: (/** @type {any} */ tenant) => h("a", { href: linkTo(`tenants/${tenant.id}`) }, userText(tenant.name)) },
    { name: "Key", cell: (/** @type {any} */ tenant) => h("code", {}, tenant.key) },
    { name: "Status", cell: (/** @type {any} */ tenant) => badge(statuses[tenant.status]) },
    { name: "Tier", cell: (/** @type {any} */ tenant) => tenant.tier ? userText(tenant.tier) : "–" },
    ...(can("10211") ? [{ name: "Primary contact", cell: primaryContact }] : []),
    { name: "Onboarded", cell: (/** @type {any} */ tenant) => formatDate(tenant.createdOn), className: "number" },
  ];
  /** @type {[string, string][]} */
  const options = statuses.map(([name], number) => [String(number), name]);
  return {
    title: "Tenants",
    shown: [
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, "Tenants"), can("10204") ? h("button", { onclick: create }, "New tenant") : null),
      controls("tenants", query, [["", "All"], ...options]),
      await listPanel({ path: "tenants", caption: "Tenants", query, where, ...(can("10211") ? { include } : {}), columns }),
    ],
  };
}
