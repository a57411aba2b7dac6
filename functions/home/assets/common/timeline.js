// What happened to a job, step by step.

import { h } from "./dom.js";
import { between, when } from "./words.js";

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {"provision" | "deprovision"} kind
 * @property {number} attempt
 * @property {string} state
 * @property {string} tier
 * @property {string} isolation
 * @property {{ name: string, time: string }[]} steps
 * @property {string} deadline
 * @property {string | null} logUrl
 * @property {string | null} appPlaneUrl
 * @property {string | null} reason
 * @property {any} subscription
 * @property {string} createdOn
 */

const names = new Map([
  ["queued", "Asked for"],
  ["running", "Started"],
  ["succeeded", "Done"],
  ["failed", "Failed"],
  ["timed_out", "Given up: nobody reported in time"],
]);

/** @param {Job} job */
export const isOpen = ({ state }) => state === "queued" || state === "running";

/**
 * @param {Job} job
 * @returns {HTMLLIElement[]}
 */
export function steps(job) {
  const first = job.steps[0]?.time ?? job.createdOn;
  const past = job.steps.map(({ name, time }, position) =>
    h("li", { class: `past ${name}` }, h("b", {}, names.get(name) ?? name), " ",
      h("time", { datetime: time }, position === 0 ? when(time) : `after ${between(first, time)}`)));
  const ahead = { queued: ["running", "succeeded"], running: ["succeeded"] }[job.state] ?? [];
  return [...past, ...ahead.map((name, position) =>
    h("li", { class: position === 0 ? "now" : "ahead" }, names.get(name) ?? name))];
}

/**
 * A link out of a job, if it is one.
 * @param {string | null} url
 * @param {string} text
 */
export function link(url, text) {
  return url && /^https?:\/\//.test(url) ? h("a", { href: url, rel: "noopener noreferrer" }, text) : null;
}
