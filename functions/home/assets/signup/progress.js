// Shows the state of a workspace: its job's progress, and whether it is ready, failed or was removed.

import { ApiError, errorMessage } from "../common/api.js";
import { byId, fill, find, h, link } from "../common/dom.js";
import { formatTime } from "../common/format.js";
import { endedInIdentity, isOpen, steps } from "../common/timeline.js";
import { LinkUnusable, send } from "./access.js";
import { choosePlan, findPlans, otherInfrastructure } from "./plan.js";
import { withLink } from "./renew.js";
import { show } from "./steps.js";

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const section = byId("progress");
const [heading, text] = [find(section, "h1", HTMLElement), find(section, ".message", HTMLElement)];
const [list, next] = [find(section, ".timeline", HTMLElement), find(section, ".next", HTMLElement)];

/**
 * @param {string} title
 * @param {...import("../common/dom.js").Child} message
 */
function say(title, ...message) {
  if (heading.textContent !== title) heading.textContent = title;
  text.classList.remove("wrong");
  fill(text, ...message);
  fill(next);
  show("progress");
}

export function showRemoved() {
  say("Your workspace was removed", "It can’t be used any more. Contact us if you need a new one.");
  fill(list);
}

/** @param {{ note: string | null, deprovisionOn: string | null }} suspension */
export function showSuspended({ note, deprovisionOn }) {
  const kept = deprovisionOn ? `Its data is deleted on ${formatTime(deprovisionOn)}. Contact us before that day`
    : "Its data is kept. Contact us";
  say("Your workspace is suspended", `${kept} to use it again.`,
    note && h("span", { class: "reason" }, "Note: ", h("bdi", {}, note)));
  fill(list);
}

/** The number of times that a job was followed: only the last one goes on. */
let runs = 0;

/**
 * Follows the latest job of a tenant.
 * @param {string} tenant
 */
export const follow = (tenant) => withLink(() => followJob(tenant));

/** @param {string} tenant */
async function followJob(tenant) {
  const run = ++runs;
  let shown = "";
  say("Your workspace", "Please wait …");
  fill(list);
  for (let wait = 500; ; wait = Math.min(wait * 1.2, 5000)) {
    try {
      const jobs = await send("GET", `tenants/${tenant}/jobs?limit=20`);
      if (run !== runs) return;
      // The removal of what a move has left behind doesn’t concern the customer.
      const [job] = jobs.filter((/** @type {import("../common/timeline.js").Job} */ { kind }) => kind !== "retire");
      if (!job) return await choosePlan();
      if (!isOpen(job)) return showResult(jobs);
      if (shown !== job.id || text.classList.contains("wrong")) sayOpen(job);
      shown = job.id;
      fill(list, ...steps(job));
    } catch (problem) {
      if (run !== runs) return;
      if (problem instanceof LinkUnusable) throw problem;
      if (problem instanceof ApiError && problem.status === 404) return showRemoved();
      text.classList.add("wrong");
      fill(text, errorMessage(problem));
    }
    await pause(wait);
  }

  /** @param {import("../common/timeline.js").Job} job */
  function sayOpen({ kind }) {
    if (kind === "deprovision") say("Your workspace is being removed", "It can’t be used any more.");
    else if (kind === "change") say("Your workspace is moving to other infrastructure", "You can go on working meanwhile.");
    else say("Setting up your workspace", "This usually takes a few minutes. You can close this page; we’ll email you when it’s done.");
  }

  /** @param {import("../common/timeline.js").Job[]} jobs newest first */
  function showResult(jobs) {
    // A failed deprovisioning leaves the workspace as the last build made it.
    const job = jobs.find(({ kind, state }) => kind === "provision" || (kind !== "retire" && state === "succeeded"));
    if (!job || job.kind === "deprovision") return showRemoved();
    if (job.state === "succeeded") {
      const workspaceLink = link(job.appPlaneUrl, "Open your workspace");
      workspaceLink?.classList.add("button");
      say("Your workspace is ready", workspaceLink ?? "We’ve emailed you how to sign in.");
    } else {
      say("We couldn’t set up your workspace", "Your details are saved, so you can try again.",
        job.reason && h("span", { class: "reason" }, "Reason: ", h("bdi", {}, job.reason)));
      fill(next, retryButton(job));
    }
    fill(list, ...steps(job));
  }

  /** @param {import("../common/timeline.js").Job} job */
  function retryButton(job) {
    const button = h("button", { onclick: () => withLink(retry) }, "Try again");
    return button;

    async function retry() {
      if (button.disabled) return;
      button.disabled = true;
      try {
        if (!endedInIdentity(job) || !(await resumeIdentity())) {
          const { offered, waiting } = await findPlans();
          if (offered.length > 0 && !waiting) return await choosePlan();
          // The whole subscription, with members that this page doesn't know.
          await send("POST", `tenants/${tenant}/provision`, waiting ? { planId: waiting.id } : job.subscription);
        }
      } catch (problem) {
        if (problem instanceof LinkUnusable) throw problem;
        const isOther = problem instanceof ApiError && problem.code === "TENANT_STATE";
        // Other conflicts mean that another page has started a job already; this page then follows it.
        if (isOther || !(problem instanceof ApiError && problem.status === 409)) {
          button.disabled = false;
          return fill(text, isOther ? otherInfrastructure : errorMessage(problem));
        }
      }
      await followJob(tenant);
    }

    /** Returns whether the set-up goes on. If the subscription has ended, the workspace needs a plan again. */
    async function resumeIdentity() {
      try {
        await send("POST", `tenants/${tenant}/identity`);
        return true;
      } catch (problem) {
        if (problem instanceof ApiError && problem.code === "SUBSCRIPTION_STATE") return false;
        throw problem;
      }
    }
  }
}
