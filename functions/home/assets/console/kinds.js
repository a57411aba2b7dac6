// Contacts, configurations and invoices: how each is shown and asked for.

import { Refusal, amount } from "../common/api.js";
import { h, theirs } from "../common/dom.js";
import { onDay } from "../common/words.js";
import { save } from "./session.js";
import { badge, invoices as statuses } from "./statuses.js";

/** @type {import("./children.js").Kind} */
export const contacts = {
  path: "contacts", title: "Contacts", one: "contact",
  columns: [
    { name: "Name", cell: ({ firstName, lastName, isPrimary }) => h("span", {}, theirs(`${firstName} ${lastName}`), isPrimary ? " (primary)" : "") },
    { name: "E-mail", cell: ({ email }) => theirs(email) },
  ],
  fields: (contact) => [
    { name: "firstName", label: "First name", value: contact?.firstName, longest: 100 },
    { name: "lastName", label: "Last name", value: contact?.lastName, longest: 100 },
    { name: "email", label: "E-mail", type: "email", value: contact?.email, longest: 100 },
    { name: "type", label: "Type", value: contact?.type ?? "", optional: true, longest: 100 },
    { name: "isPrimary", label: "Hears of the tenant first", type: "checkbox", value: String(contact?.isPrimary ?? false), optional: true },
  ],
  body: ({ isPrimary, type, ...contact }) => ({ ...contact, type: type ?? null, isPrimary: isPrimary === "true" }),
};

/** @type {import("./children.js").Kind} */
export const configs = {
  path: "tenant-configs", title: "Configuration", one: "setting", conflict: "configKey",
  columns: [
    { name: "Key", cell: ({ configKey }) => theirs(configKey) },
    { name: "Value", cell: ({ configValue }) => h("code", {}, JSON.stringify(configValue)) },
  ],
  fields: (config) => [
    { name: "configKey", label: "Key", value: config?.configKey, longest: 100 },
    { name: "configValue", label: "Value, a JSON object", type: "textarea", value: JSON.stringify(config?.configValue ?? {}, null, 2) },
  ],
  body: ({ configKey, configValue }) => ({ configKey, configValue: json(configValue) }),
};

/** @param {string} text */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(422, { details: [{ path: "/configValue", code: "format", message: "", info: { format: "JSON object" } }] });
  }
}

/** @param {string | undefined} time */
const day = (time) => time?.slice(0, 10) ?? "";

/** @param {any} invoice */
const pdf = (invoice) => h("button", {
  class: "plain",
  onclick: (/** @type {Event} */ { currentTarget }) => saved(/** @type {HTMLButtonElement} */ (currentTarget), invoice.id),
}, "PDF");

/** @param {HTMLButtonElement} button @param {string} id */
async function saved(button, id) {
  button.disabled = true;
  await save(`invoices/${id}/download`, `invoice-${id}.pdf`).finally(() => { button.disabled = false; });
}

/** @type {import("./children.js").Kind} */
export const invoices = {
  path: "invoices", title: "Invoices", one: "invoice",
  columns: [
    { name: "Period", cell: ({ startDate, endDate }) => `${onDay(startDate)} – ${onDay(endDate)}`, look: "wide" },
    { name: "Amount", cell: ({ amount: text, currencyCode }) => `${text} ${currencyCode}`, look: "number" },
    { name: "Due", cell: ({ dueDate }) => onDay(dueDate), look: "wide" },
    { name: "Status", cell: ({ status }) => badge(statuses[status]) },
  ],
  fields: (invoice) => [
    { name: "startDate", label: "From", type: "date", value: day(invoice?.startDate) },
    { name: "endDate", label: "To", type: "date", value: day(invoice?.endDate) },
    { name: "amount", label: "Amount", pattern: "[0-9]+([.][0-9]+)?", hint: "As in 49.90.", value: String(invoice?.amount ?? "") },
    { name: "currencyCode", label: "Currency", value: invoice?.currencyCode ?? "EUR", pattern: "[A-Z]{3}", hint: "Three letters, as in EUR." },
    { name: "dueDate", label: "Due", type: "date", value: day(invoice?.dueDate) },
    { name: "status", label: "Status", value: String(invoice?.status ?? 0), options: statuses.map(([name], number) => [String(number), name]) },
  ],
  body: ({ amount: text, status, ...invoice }) => ({ ...invoice, amount: amount(text), status: Number(status) }),
  more: pdf,
};
