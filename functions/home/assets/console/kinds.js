// Contacts, configuration entries and invoices: the columns and form fields of each.

import { ApiError } from "../common/api.js";
import { h, userText } from "../common/dom.js";
import { formatDate } from "../common/format.js";
import { ExactNumber, parse, stringify } from "../common/json.js";
import { save } from "./session.js";
import { badge, invoices as statuses } from "./statuses.js";

/** @type {import("./children.js").Kind} */
export const contacts = {
  path: "contacts", title: "Contacts", singular: "contact",
  permits: { view: "10211", create: "10208", edit: "10209", remove: "10210" },
  columns: [
    { name: "Name", cell: ({ firstName, lastName, isPrimary }) => h("span", {}, userText(`${firstName} ${lastName}`), isPrimary ? " (primary)" : "") },
    { name: "Email", cell: ({ email }) => userText(email) },
  ],
  fields: (contact) => [
    { name: "firstName", label: "First name", value: contact?.firstName, maxLength: 100 },
    { name: "lastName", label: "Last name", value: contact?.lastName, maxLength: 100 },
    { name: "email", label: "Email", type: "email", value: contact?.email, maxLength: 100 },
    { name: "type", label: "Type", value: contact?.type ?? "", optional: true, maxLength: 100 },
    { name: "isPrimary", label: "Primary contact", type: "checkbox", value: String(contact?.isPrimary ?? false), optional: true },
  ],
};

/** @type {import("./children.js").Kind} */
export const configs = {
  path: "tenant-configs", title: "Configuration", singular: "setting",
  permits: { view: "10221", create: "10220", edit: "10222", remove: "10223" },
  columns: [
    { name: "Key", cell: ({ configKey }) => userText(configKey) },
    { name: "Value", cell: ({ configValue }) => h("code", {}, stringify(configValue)) },
  ],
  fields: (config) => [
    { name: "configKey", label: "Key", value: config?.configKey, maxLength: 100 },
    { name: "configValue", label: "Value (JSON object)", type: "textarea", value: stringify(config?.configValue ?? {}, 2), read: readJson },
  ],
};

/** @param {string} text */
function readJson(text) {
  try {
    return parse(text);
  } catch {
    throw new ApiError(422, { details: [{ path: "/configValue", code: "format", message: "", info: { format: "JSON object" } }] });
  }
}

/** @param {string | undefined} time */
const day = (time) => time?.slice(0, 10) ?? "";

/** @param {any} invoice */
const pdfButton = (invoice) => h("button", {
  class: "plain",
  onclick: (/** @type {Event} */ { currentTarget }) => savePdf(/** @type {HTMLButtonElement} */ (currentTarget), invoice.id),
}, "PDF");

/** @param {HTMLButtonElement} button @param {string} id */
async function savePdf(button, id) {
  button.disabled = true;
  await save(`invoices/${id}/download`, `invoice-${id}.pdf`).finally(() => { button.disabled = false; });
}

/** @type {import("./children.js").Kind} */
export const invoices = {
  path: "invoices", title: "Invoices", singular: "invoice",
  permits: { view: "10215", create: "10212", edit: "10213", remove: "10214" },
  columns: [
    { name: "Period", cell: ({ startDate, endDate }) => `${formatDate(startDate)} – ${formatDate(endDate)}` },
    { name: "Amount", cell: ({ amount, currencyCode }) => `${String(amount)} ${currencyCode}`, className: "number" },
    { name: "Due", cell: ({ dueDate }) => formatDate(dueDate) },
    { name: "Status", cell: ({ status }) => badge(statuses[status]) },
  ],
  fields: (invoice) => [
    { name: "startDate", label: "From", type: "date", value: day(invoice?.startDate) },
    { name: "endDate", label: "To", type: "date", value: day(invoice?.endDate) },
    { name: "amount", label: "Amount", pattern: "[0-9]+([.][0-9]+)?", hint: "For example, 49.90.", value: String(invoice?.amount ?? ""), read: (text) => new ExactNumber(text) },
    { name: "currencyCode", label: "Currency", value: invoice?.currencyCode ?? "EUR", pattern: "[A-Z]{3}", hint: "A three-letter code, for example EUR." },
    { name: "dueDate", label: "Due", type: "date", value: day(invoice?.dueDate) },
    { name: "status", label: "Status", value: String(invoice?.status ?? 0), options: statuses.map(([name], number) => [String(number), name]), read: Number },
  ],
  extraAction: pdfButton,
  isFinal: ({ status }) => status !== 0,
};
