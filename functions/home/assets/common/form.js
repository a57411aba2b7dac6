// Forms: one act at a time, and what the API refuses is said at the field that it names.

import { Refusal, told } from "./api.js";
import { h } from "./dom.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */
/** @typedef {{ [name: string]: any }} Values */

/**
 * @param {HTMLFormElement} form
 * @returns {Field[]}
 */
function fields(form) {
  return /** @type {Field[]} */ ([...form.elements].filter((field) => "name" in field && field.name && "validity" in field));
}

/**
 * What is in a form; `address/city` is the city in an address, and what is empty is left out.
 * @param {HTMLFormElement} form
 * @returns {Values}
 */
function values(form) {
  /** @type {Values} */
  const all = {};
  for (const [name, value] of new FormData(form)) {
    const text = String(value).trim();
    if (!text) continue;
    const [own = "", ...below] = name.split("/");
    if (below.length === 0) all[own] = text;
    else (all[own] ??= {})[below.join("/")] = text;
  }
  return all;
}

/**
 * Says what is wrong with a field; nothing, where `text` is empty.
 * @param {Field} field
 * @param {string} text
 */
export function mark(field, text) {
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
 * @param {Field} field
 * @returns {string}
 */
function unfit({ validity, type, title }) {
  if (validity.valid) return "";
  if (validity.valueMissing) return "Fill this in.";
  if (validity.typeMismatch && type === "email") return "This is no e-mail address.";
  if (validity.patternMismatch && title) return title;
  return "This does not fit.";
}

/**
 * @param {import("./api.js").Violation} violation
 * @returns {string}
 */
function inWords({ code, message, info = {} }) {
  if (code === "required") return "Fill this in.";
  if (code === "format") return info.format === "email" ? "This is no e-mail address." : `This is no ${info.format}.`;
  if (code === "maxLength") return `At most ${info.limit ?? info.maxLength ?? "so many"} characters fit.`;
  return `It ${message}.`;
}

/**
 * Marks what was refused where it stands in the form; what has no place there is returned.
 * @param {HTMLFormElement} form
 * @param {Refusal} refusal
 * @param {string | undefined} conflict
 */
function place(form, refusal, conflict) {
  const rest = [];
  const all = fields(form);
  for (const violation of refusal.details) {
    const missing = violation.info?.missingProperty;
    const path = `${violation.path.slice(1)}${missing ? `/${missing}` : ""}`.replace(/^\//, "");
    const field = all.find(({ name }) => path === name || path.startsWith(`${name}/`));
    if (field) mark(field, inWords(violation));
    else rest.push(`${path} ${violation.message}`);
  }
  const own = refusal.status === 409 && all.find(({ name }) => name === conflict);
  if (own) mark(own, refusal.message.startsWith("Unique") ? "This is taken. Choose another." : refusal.message);
  return rest;
}

/**
 * @typedef {object} Manner
 * @property {string} [conflict] the field that a 409 is about
 * @property {Record<number, string>} [meanings] what refusals mean here, by their status
 */

/**
 * Does `act` with what is in a form when that is sent, one at a time.
 * @param {HTMLFormElement} form
 * @param {(values: Values) => Promise<void>} act
 * @param {Manner} [manner]
 */
export function onSubmit(form, act, { conflict, meanings = {} } = {}) {
  const status = h("p", { class: "status", role: "status" });
  form.append(status);
  let busy = false;
  /** @param {string} text @param {boolean} wrong */
  const say = (text, wrong) => {
    status.textContent = text;
    status.classList.toggle("wrong", wrong);
    if (!wrong) return;
    const bad = form.querySelector("[aria-invalid=true]") ?? form.querySelector("button:not([type=button])");
    if (bad instanceof HTMLElement) bad.focus();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    const all = fields(form);
    for (const field of all) mark(field, unfit(field));
    if (all.some(({ validity }) => !validity.valid)) return say("Look at the marked fields.", true);
    busy = true;
    form.setAttribute("aria-busy", "true");
    say("One moment …", false);
    try {
      await act(values(form));
      say("", false);
    } catch (problem) {
      const rest = problem instanceof Refusal ? place(form, problem, conflict) : [];
      const meaning = problem instanceof Refusal ? meanings[problem.status] : undefined;
      const marked = form.querySelector("[aria-invalid=true]") && rest.length === 0;
      say(meaning ?? (marked ? "Look at the marked fields." : rest.join(", ") || told(problem)), true);
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });
}
