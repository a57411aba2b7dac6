// Forms: submits one request at a time and shows errors at the fields that they concern.

import { ApiError, errorMessage } from "./api.js";
import { h } from "./dom.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */
/** @typedef {{ [name: string]: any }} Values */

/**
 * Returns the named fields of a form.
 * @param {HTMLFormElement} form
 * @returns {Field[]}
 */
function fields(form) {
  return /** @type {Field[]} */ ([...form.elements].filter((field) => "name" in field && field.name && "validity" in field));
}

/** How to read a field whose value in the API isn't its text. @type {WeakMap<Field, (text: string) => unknown>} */
const readers = new WeakMap();

/** The content of fields when their form was opened. @type {WeakMap<Field, string>} */
const opened = new WeakMap();

/** @param {Field} field */
const isBox = (field) => field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");

/** @param {Field} field */
const content = (field) => (isBox(field) ? String(/** @type {HTMLInputElement} */ (field).checked) : field.value);

/**
 * Sets how a field is read.
 * @param {Field} field
 * @param {(text: string) => unknown} read
 */
export function readWith(field, read) {
  readers.set(field, read);
}

/**
 * Reads a list whose items are separated by commas, semicolons or white space.
 * @param {string} text
 */
export const readList = (text) => text.split(/[\s,;]+/).filter(Boolean);

/**
 * Declares the present content of a form unchanged, for example after it was filled in by a script.
 * @param {HTMLFormElement} form
 */
export function setUnchanged(form) {
  for (const field of fields(form)) opened.set(field, content(field));
}

/**
 * Returns the value of a field, or `undefined` if it is empty.
 * @param {Field} field
 * @returns {unknown}
 */
function valueOf(field) {
  if (field.type === "checkbox") return /** @type {HTMLInputElement} */ (field).checked;
  const text = field.value.trim();
  const read = readers.get(field);
  return !text ? undefined : read ? read(text) : text;
}

/**
 * Returns the values of fields. A name such as `address/city` becomes a nested object.
 * @param {Field[]} all
 * @param {null} [empty] the value of an empty field; without one, it is omitted
 * @returns {Values}
 */
function values(all, empty) {
  /** @type {Values} */
  const found = {};
  for (const field of all) {
    if (field.matches(":disabled") || (field.type === "radio" && !(/** @type {HTMLInputElement} */ (field).checked))) continue;
    const value = valueOf(field) ?? empty;
    if (value === undefined) continue;
    const [first = "", ...rest] = field.name.split("/");
    if (rest.length === 0) found[first] = value;
    else (found[first] ??= {})[rest.join("/")] = value;
  }
  return found;
}

/**
 * Shows an error at a field, or removes it if `text` is empty.
 * @param {Field} field
 * @param {string} text
 */
export function setFieldError(field, text) {
  const id = `${field.id}-error`;
  let error = document.getElementById(id);
  if (!error) {
    if (!text) return;
    error = h("p", { class: "error", id });
    field.after(error);
    field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${id}`.trim());
  }
  error.textContent = text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/**
 * Returns what is wrong with a field's value, or nothing if it is valid.
 * @param {Field} field
 * @returns {string}
 */
function validityMessage({ validity, type, title }) {
  if (validity.valid) return "";
  if (validity.valueMissing) return "Enter a value.";
  if (validity.typeMismatch && type === "email") return "Enter a valid email address.";
  if (validity.patternMismatch && title) return title;
  return "Enter a valid value.";
}

/**
 * @param {import("./api.js").Violation} violation
 * @returns {string}
 */
function violationMessage({ code, message, info = {} }) {
  if (code === "required") return "Enter a value.";
  if (code === "format") return `Enter a valid ${formats.get(info.format) ?? info.format}.`;
  const limit = info.limit ?? info.maxLength;
  if (code === "maxLength" && limit) return `Use ${limit} characters or fewer.`;
  return `This value ${message}.`;
}

/** Names of formats that differ from their names in the API. @type {Map<string, string>} */
const formats = new Map([["email", "email address"], ["hostname", "domain"]]);

/**
 * Errors that concern one field: the field, and the message shown there.
 * @type {Record<string, [string, string]>}
 */
const fieldErrors = {
  TENANT_KEY_TAKEN: ["key", "This key is taken. Choose another."],
  TENANT_KEY_RESERVED: ["key", "This key is reserved. Choose another."],
  DOMAIN_MISMATCH: ["domains", "The domain of the email address is missing."],
  CONFIG_KEY_TAKEN: ["configKey", "This key is taken. Choose another."],
};

/**
 * Shows the violations of a refused request at their fields, and returns those that have no field.
 * @param {HTMLFormElement} form
 * @param {ApiError} error
 */
function showViolations(form, error) {
  const rest = [];
  const all = fields(form);
  for (const violation of error.details) {
    const missing = violation.info?.missingProperty;
    const path = `${violation.path.slice(1)}${missing ? `/${missing}` : ""}`.replace(/^\//, "");
    const field = all.find(({ name }) => path === name || path.startsWith(`${name}/`));
    if (field) setFieldError(field, violationMessage(violation));
    else rest.push(`${path} ${violation.message}`);
  }
  const [name, message = ""] = fieldErrors[error.code] ?? [];
  const field = name && all.find((each) => each.name === name);
  if (field) setFieldError(field, message);
  return rest;
}

/**
 * @typedef {object} SubmitOptions
 * @property {Record<string | number, string>} [messages] messages for errors, by code or by status
 */

/**
 * Runs `action` when the form is submitted, one submission at a time, with all values that are not empty, and with those
 * that were changed since the form was opened. A changed value is `null` if its field was emptied.
 * @param {HTMLFormElement} form
 * @param {(values: Values, changes: Values) => Promise<void>} action
 * @param {SubmitOptions} [options]
 */
export function onSubmit(form, action, { messages = {} } = {}) {
  const status = h("p", { class: "status", role: "status" });
  form.append(status);
  setUnchanged(form);
  let busy = false;
  /** @param {string} text @param {boolean} failed */
  const showStatus = (text, failed) => {
    status.textContent = text;
    status.classList.toggle("wrong", failed);
    if (!failed) return;
    const target = form.querySelector("[aria-invalid=true]") ?? form.querySelector("button:not([type=button])");
    if (target instanceof HTMLElement) target.focus();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    const all = fields(form);
    for (const field of all) setFieldError(field, validityMessage(field));
    if (all.some(({ validity }) => !validity.valid)) return showStatus("Check the marked fields.", true);
    busy = true;
    form.setAttribute("aria-busy", "true");
    showStatus("Please wait …", false);
    try {
      await action(values(all), values(all.filter((field) => opened.get(field) !== content(field)), null));
      showStatus("", false);
    } catch (problem) {
      const rest = problem instanceof ApiError ? showViolations(form, problem) : [];
      const message = problem instanceof ApiError ? (messages[problem.code] ?? messages[problem.status]) : undefined;
      const marked = form.querySelector("[aria-invalid=true]") && rest.length === 0;
      showStatus(message ?? (marked ? "Check the marked fields." : rest.join(", ") || errorMessage(problem)), true);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });
}
