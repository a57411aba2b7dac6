// Every attempt at building a tenant or taking it down.

import { h, theirs } from "../common/dom.js";
import { link, steps } from "../common/timeline.js";
import { when } from "../common/words.js";
import { badge, jobs as states } from "./statuses.js";

/** @param {import("../common/timeline.js").Job} job */
function shown(job) {
  const what = job.kind === "provision" ? "Build" : "Take down";
  return h("article", { class: "job", "aria-label": `Attempt ${job.attempt}` },
    h("div", { class: "bar" }, h("b", {}, `${job.attempt}. ${what}`), badge(states.get(job.state)),
      h("span", { class: "soft" }, theirs(job.tier), ` on the ${job.isolation}`), link(job.logUrl, "Log")),
    h("ol", { class: "timeline" }, ...steps(job)),
    job.reason && h("p", { class: "reason" }, "Reason: ", theirs(job.reason)),
    job.state === "queued" || job.state === "running" ? h("p", { class: "soft" }, `Given up at ${when(job.deadline)}`) : null);
}

/** @param {import("../common/timeline.js").Job[]} jobs @param {HTMLElement | null} more */
export function jobs(jobs, more) {
  return h("section", { class: "panel" }, h("h2", {}, "Jobs"),
    ...(jobs.length ? jobs.map(shown) : [h("p", { class: "soft" }, "Nothing was built yet.")]), more);
}
