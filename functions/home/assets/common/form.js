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

/**
 * Returns a form's values. A name such as `address/city` becomes a nested object; empty fields are omitted.
 * @param {HTMLFormElement} form
 * @returns {Values}
 */
function values(form) {
  /** @type {Values} */
  const all = {};
  for (const [name, value] of new FormData(form)) {
    const text = String(value).trim();
    if (!text) continue;
    const [first = "", ...rest] = name.split("/");
    if (rest.length === 0) all[first] = text;
    else (all[first] ??= {})[rest.join("/")] = text;
  }
  return all;
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
 * Runs `action` with the form's values when the form is submitted, one submission at a time.
 * @param {HTMLFormElement} form
 * @param {(values: Values) => Promise<void>} action
 * @param {SubmitOptions} [options]
 */
export function onSubmit(form, action, { messages = {} } = {}) {
  const status = h("p", { class: "status", role: "status" });
  form.append(status);
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
      await action(values(form));
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
