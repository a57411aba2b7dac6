// The steps of a job's work: the stages and actions of its pipeline, and what its build reports.

import { h, link, userText } from "./dom.js";
import { durationBetween } from "./format.js";

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {"job" | "pipeline" | "build"} source
 * @property {"running" | "succeeded" | "failed" | "stopped"} state
 * @property {string} time
 * @property {string} startedOn
 * @property {string | null} endedOn
 * @property {string | null} summary
 * @property {string | null} link
 */

const words = new Map([["succeeded", "took"], ["failed", "failed after"], ["stopped", "stopped after"]]);

/** @param {Step} step */
export const isWork = ({ source }) => source !== "job";

/**
 * Returns a step of the work as a list item. Leads see neither the summary nor the link.
 * @param {Step} step
 * @returns {HTMLLIElement}
 */
export function workStep({ name, state, startedOn, endedOn, summary, link: url }) {
  const ended = words.get(state);
  const text = ended && endedOn ? `${ended} ${durationBetween(startedOn, endedOn)}` : "in progress";
  const details = link(url, "Details");
  details?.setAttribute("aria-label", `Details of ${name}`);
  return h("li", { class: `work past ${ended ? state : "now"}` },
    h("b", {}, userText(name)), " ", h("time", { datetime: endedOn ?? startedOn }, text),
    summary && h("span", { class: "detail" }, userText(summary)), details && h("span", { class: "detail" }, details));
}
