// The steps of a job, as a timeline.

import { h } from "./dom.js";
import { durationBetween, formatTime } from "./format.js";
import { isWork, workStep } from "./work.js";

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {"provision" | "deprovision" | "change" | "retire"} kind
 * @property {number} attempt
 * @property {string} state
 * @property {string} tier
 * @property {string} isolation
 * @property {string | null} identityProvider
 * @property {import("./work.js").Step[]} steps
 * @property {string} deadline
 * @property {string | null} logUrl
 * @property {string | null} appPlaneUrl
 * @property {string | null} reason
 * @property {any} subscription
 * @property {string} createdOn
 */

/** The state in which a tenant is set up at its identity provider. */
const identity = "setting_up_identity";

const stepNames = new Map([
  ["queued", "Requested"],
  ["running", "Started"],
  [identity, "Setting up sign-in"],
  ["succeeded", "Completed"],
  ["failed", "Failed"],
  ["timed_out", "Timed out"],
]);

/** @param {Job} job */
export const isOpen = ({ state }) => state === "queued" || state === "running" || state === identity;

/**
 * Whether the build of a job succeeded, and only its identity set-up is to be resumed.
 * @param {Job} job
 */
export const endedInIdentity = ({ state, steps }) =>
  (state === "failed" || state === "timed_out") && steps.some(({ source, name }) => source === "job" && name === identity);

/** @param {string} name */
const preposition = (name) => (name === "succeeded" ? "in" : "after");

/**
 * Returns the past and the upcoming steps of a job as list items.
 * @param {Job} job
 * @returns {HTMLLIElement[]}
 */
export function steps(job) {
  const first = job.steps[0]?.time ?? job.createdOn;
  const past = job.steps.map((step, position) => (isWork(step) || step.name === identity ?
    workStep({ ...step, name: isWork(step) ? step.name : "Setting up sign-in" }) :
    h("li", { class: `past ${step.name}` }, h("b", {}, stepNames.get(step.name) ?? step.name), " ",
      h("time", { datetime: step.time }, position === 0 ? formatTime(step.time) : `${preposition(step.name)} ${durationBetween(first, step.time)}`))));
  const end = job.identityProvider ? [identity, "succeeded"] : ["succeeded"];
  const ahead = { queued: ["running", ...end], running: end, [identity]: ["succeeded"] }[job.state] ?? [];
  const isWorking = job.steps.some((step) => step.state === "running");
  return [...past, ...ahead.map((name, position) =>
    h("li", { class: position === 0 && !isWorking ? "now" : "ahead" }, stepNames.get(name) ?? name))];
}
