// The steps of a job, as a timeline.

import { h } from "./dom.js";
import { durationBetween, formatTime } from "./format.js";

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

const stepNames = new Map([
  ["queued", "Requested"],
  ["running", "Started"],
  ["succeeded", "Completed"],
  ["failed", "Failed"],
  ["timed_out", "Timed out"],
]);

/** @param {Job} job */
export const isOpen = ({ state }) => state === "queued" || state === "running";

/** @param {string} name */
const preposition = (name) => (name === "succeeded" ? "in" : "after");

/**
 * Returns the past and the upcoming steps of a job as list items.
 * @param {Job} job
 * @returns {HTMLLIElement[]}
 */
export function steps(job) {
  const first = job.steps[0]?.time ?? job.createdOn;
  const past = job.steps.map(({ name, time }, position) =>
    h("li", { class: `past ${name}` }, h("b", {}, stepNames.get(name) ?? name), " ",
      h("time", { datetime: time }, position === 0 ? formatTime(time) : `${preposition(name)} ${durationBetween(first, time)}`)));
  const ahead = { queued: ["running", "succeeded"], running: ["succeeded"] }[job.state] ?? [];
  return [...past, ...ahead.map((name, position) =>
    h("li", { class: position === 0 ? "now" : "ahead" }, stepNames.get(name) ?? name))];
}

/**
 * Returns a link to a URL that a build reported, or `null` if it isn't an HTTP URL.
 * @param {string | null} url
 * @param {string} text
 */
export function link(url, text) {
  return url && /^https?:\/\//.test(url) ? h("a", { href: url, rel: "noopener noreferrer" }, text) : null;
}
