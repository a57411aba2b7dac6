// A modal dialog with a form: to create, edit or confirm something.

import { h } from "../common/dom.js";
import { onSubmit, readWith } from "../common/form.js";

/**
 * @typedef {object} DialogField
 * @property {string} name the field's name in the API
 * @property {string} label
 * @property {string} [type]
 * @property {string} [value]
 * @property {string} [hint]
 * @property {boolean} [optional]
 * @property {string} [pattern]
 * @property {number} [maxLength]
 * @property {[string, string][]} [options]
 * @property {(text: string) => unknown} [read] converts the field's text to its value in the API
 */

/**
 * @param {DialogField} field
 * @returns {HTMLElement[]}
 */
function field({ name, label, type = "text", value = "", hint, optional, pattern, maxLength, options, read }) {
  const id = `dialog-${name.replaceAll("/", "-")}`;
  const described = { "aria-describedby": hint && `${id}-hint` };
  const attributes = { id, name, required: !optional, ...described };
  if (type === "checkbox") {
    const box = h("input", { id, name, type, value: "true", checked: value === "true" });
    return [h("label", { class: "check", for: id }, box, label)];
  }
  const input = options
    ? h("select", attributes, ...options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)))
    : type === "textarea"
      ? h("textarea", { ...attributes, spellcheck: "false" }, value)
      : h("input", { ...attributes, type, value, pattern, title: pattern && hint, maxlength: maxLength, autocomplete: "off" });
  if (read) readWith(input, read);
  return [
    h("label", { for: id }, optional ? `${label} (optional)` : label),
    input,
    ...(hint ? [h("p", { class: "hint", id: `${id}-hint` }, hint)] : []),
  ];
}

/**
 * Opens a dialog. It closes when it was submitted successfully or canceled. If `submit` returns a function, it is called then.
 * @param {object} dialog
 * @param {import("../common/dom.js").Child} dialog.title
 * @param {import("../common/dom.js").Child[]} [dialog.text]
 * @param {HTMLElement} [dialog.content] shown between the text and the fields
 * @param {DialogField[]} [dialog.fields]
 * @param {string} dialog.button the label of the button that submits
 * @param {boolean} [dialog.danger]
 * @param {(values: import("../common/form.js").Values, changes: import("../common/form.js").Values) => Promise<unknown>} dialog.submit
 */
export function openDialog({ title, text = [], content, fields = [], button, danger, submit }) {
  const form = h("form", { novalidate: true },
    h("h2", { id: "dialog-title" }, title),
    ...(text.length ? [h("p", {}, ...text)] : []),
    ...(content ? [content] : []),
    ...fields.flatMap(field),
    h("div", { class: "foot" },
      h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"),
      h("button", { class: danger ? "danger" : "" }, button)));
  const dialog = h("dialog", { "aria-labelledby": "dialog-title", onclose: () => dialog.remove() }, form);
  onSubmit(form, async (values, changes) => {
    const next = await submit(values, changes);
    dialog.close();
    if (typeof next === "function") return next();
    // The button that opened the dialog may be gone by now, and the focus with it.
    const focused = document.activeElement;
    if (focused === document.body || dialog.contains(focused)) document.querySelector("main")?.querySelector("h1")?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}
