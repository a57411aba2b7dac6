// A tenant's jobs: its builds, moves and removals.

import { h, link, userText } from "../common/dom.js";
import { isOpen, steps } from "../common/timeline.js";
import { formatTime } from "../common/format.js";
import { badge, jobs as states } from "./statuses.js";

const kinds = { provision: "Provision", deprovision: "Deprovision", change: "Move", retire: "Retire previous resources" };

/** @param {import("../common/timeline.js").Job} job */
function jobItem(job) {
  return h("article", { class: "job", "aria-label": `Attempt ${job.attempt}` },
    h("div", { class: "bar" }, h("b", {}, `${job.attempt}. ${kinds[job.kind]}`), badge(states.get(job.state)),
      h("span", { class: "soft" }, userText(job.tier), ` (${job.isolation})`), link(job.logUrl, "Log")),
    h("ol", { class: "timeline" }, ...steps(job)),
    job.reason && h("p", { class: "reason" }, "Reason: ", userText(job.reason)),
    isOpen(job) ? h("p", { class: "soft" }, `Times out at ${formatTime(job.deadline)}`) : null);
}

/** @param {import("../common/timeline.js").Job[]} jobs @param {HTMLElement | null} more */
export function jobs(jobs, more) {
  return h("section", { class: "panel" }, h("h2", {}, "Jobs"),
    ...(jobs.length ? jobs.map(jobItem) : [h("p", { class: "soft" }, "No jobs yet. Provision the tenant to start one.")]), more);
}
