// A form in front of the page: to make something, to change it, to be sure.

import { h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";

/**
 * @typedef {object} Asked a field of a dialog
 * @property {string} name as the API names it
 * @property {string} label
 * @property {string} [type]
 * @property {string} [value]
 * @property {string} [hint]
 * @property {boolean} [optional]
 * @property {string} [pattern]
 * @property {number} [longest]
 * @property {[string, string][]} [options]
 */

/**
 * @param {Asked} asked
 * @returns {HTMLElement[]}
 */
function field({ name, label, type = "text", value = "", hint, optional, pattern, longest, options }) {
  const id = `dialog-${name.replaceAll("/", "-")}`;
  const told = { "aria-describedby": hint && `${id}-hint` };
  const shared = { id, name, required: !optional, ...told };
  if (type === "checkbox") {
    const box = h("input", { id, name, type, value: "true", checked: value === "true" });
    return [h("label", { class: "check", for: id }, box, label)];
  }
  const input = options
    ? h("select", shared, ...options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)))
    : type === "textarea"
      ? h("textarea", { ...shared, spellcheck: "false" }, value)
      : h("input", { ...shared, type, value, pattern, title: pattern && hint, maxlength: longest, autocomplete: "off" });
  return [
    h("label", { for: id }, optional ? `${label} (optional)` : label),
    input,
    ...(hint ? [h("p", { class: "hint", id: `${id}-hint` }, hint)] : []),
  ];
}

/**
 * @param {object} dialog
 * @param {string} dialog.title
 * @param {import("../common/dom.js").Child[]} [dialog.text]
 * @param {Asked[]} [dialog.fields]
 * @param {string} dialog.action
 * @param {boolean} [dialog.danger]
 * @param {string} [dialog.conflict] the field that a 409 is about
 * @param {(values: import("../common/form.js").Values) => Promise<unknown>} dialog.act
 */
export function ask({ title, text = [], fields = [], action, danger, conflict, act }) {
  const form = h("form", { novalidate: true },
    h("h2", { id: "dialog-title" }, title),
    ...(text.length ? [h("p", {}, ...text)] : []),
    ...fields.flatMap(field),
    h("div", { class: "foot" },
      h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"),
      h("button", { class: danger ? "danger" : "" }, action)));
  const dialog = h("dialog", { "aria-labelledby": "dialog-title", onclose: () => dialog.remove() }, form);
  onSubmit(form, async (values) => {
    await act(values);
    dialog.close();
  }, conflict ? { conflict } : {});
  document.body.append(dialog);
  dialog.showModal();
}
