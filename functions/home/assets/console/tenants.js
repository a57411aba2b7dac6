// All tenants.

import { h, theirs } from "../common/dom.js";
import { onDay } from "../common/words.js";
import { ask } from "./dialog.js";
import { go, to } from "./place.js";
import { send } from "./session.js";
import { badge, tenants as statuses } from "./statuses.js";
import { pageOf, search, within } from "./table.js";

function create() {
  ask({
    title: "New tenant", action: "Create", conflict: "key",
    fields: [
      { name: "name", label: "Name", longest: 100 },
      { name: "key", label: "Key", pattern: "[a-z0-9]{1,10}", hint: "1 to 10 small letters and digits. It stays for good." },
      { name: "domains", label: "Domains", hint: "Where its people have their mail, separated by commas." },
      { name: "contact/firstName", label: "Contact’s first name", longest: 100 },
      { name: "contact/lastName", label: "Contact’s last name", longest: 100 },
      { name: "contact/email", label: "Contact’s e-mail", type: "email", longest: 100 },
      { name: "city", label: "City", optional: true, longest: 100 },
      { name: "country", label: "Country", optional: true, longest: 25 },
    ],
    act: async ({ domains, contact, ...tenant }) => {
      const body = { ...tenant, domains: domains.split(/[\s,;]+/).filter(Boolean), contact: { ...contact, isPrimary: true } };
      const { id } = await send("POST", "tenants", body);
      go(`tenants/${id}`);
    },
  });
}

/**
 * The tenants whose contacts these are.
 * @param {URLSearchParams} query
 * @param {Record<string, unknown>} where
 * @param {import("./table.js").Column[]} columns
 */
function byContact(query, where, columns) {
  const theirTenant = columns.map((column) => ({ ...column, cell: (/** @type {any} */ contact) => column.cell(contact.tenant) }));
  const contact = { name: "Contact", cell: (/** @type {any} */ { firstName, lastName }) => theirs(`${firstName} ${lastName}`) };
  return pageOf({ path: "tenants", of: "contacts", caption: "Tenants", query, where, include: ["tenant"], columns: [...theirTenant, contact] });
}

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function tenants(query) {
  const [status, by, sought] = [query.get("status"), query.get("by") ?? "key", query.get("for")];
  const where = {
    ...(status ? { status: Number(status) } : {}),
    ...(sought && by === "name" ? { name: { ilike: within(sought) } } : {}),
    ...(sought && by === "key" ? { key: sought.toLowerCase() } : {}),
  };
  const columns = [
    { name: "Name", cell: (/** @type {any} */ tenant) => h("a", { href: to(`tenants/${tenant.id}`) }, theirs(tenant.name)) },
    { name: "Key", cell: (/** @type {any} */ tenant) => h("code", {}, tenant.key) },
    { name: "Status", cell: (/** @type {any} */ tenant) => badge(statuses[tenant.status]) },
    { name: "Onboarded", cell: (/** @type {any} */ tenant) => onDay(tenant.createdOn), look: "wide number" },
  ];
  /** @type {[string, string][]} */
  const options = statuses.map(([name], number) => [String(number), name]);
  return {
    title: "Tenants",
    shown: [
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, "Tenants"), h("button", { onclick: create }, "New tenant")),
      search("tenants", query, ["Status", [["", "All"], ...options]], [["key", "Key"], ["name", "Name"], ["email", "E-mail"]]),
      sought && by === "email"
        ? await byContact(query, { email: sought }, columns)
        : await pageOf({ path: "tenants", caption: "Tenants", query, where, columns }),
    ],
  };
}
