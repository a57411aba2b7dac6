// Shows a job's progress until the workspace is ready or provisioning has failed.

import { ApiError, call, errorMessage } from "../common/api.js";
import { byId, fill, find, h } from "../common/dom.js";
import { isOpen, link, steps } from "../common/timeline.js";

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Follows the latest job of a tenant.
 * @param {string} tenant
 * @param {string} bearer
 */
export async function follow(tenant, bearer) {
  const section = byId("progress");
  const [heading, text] = [find(section, "h1", HTMLElement), find(section, ".message", HTMLElement)];
  const [list, next] = [find(section, ".timeline", HTMLElement), find(section, ".next", HTMLElement)];
  heading.textContent = "Setting up your workspace";
  fill(text, "This usually takes a few minutes. You can close this page; we’ll email you when it’s ready.");
  fill(next);
  for (let wait = 500; ; wait = Math.min(wait * 1.2, 5000)) {
    try {
      const [job] = await call("GET", `tenants/${tenant}/jobs?limit=1`, { bearer });
      if (!job) return;
      fill(list, ...steps(job));
      if (!isOpen(job)) return showResult(job);
      if (text.classList.contains("wrong")) fill(text, "Reconnected.");
      text.classList.remove("wrong");
    } catch (problem) {
      text.classList.add("wrong");
      if (problem instanceof ApiError && problem.status === 401) {
        return fill(text, "This page was open for too long. Open the link in your email again to continue.");
      }
      fill(text, errorMessage(problem));
    }
    await pause(wait);
  }

  /** @param {import("../common/timeline.js").Job} job */
  function showResult(job) {
    heading.focus();
    text.classList.remove("wrong");
    if (job.state === "succeeded") {
      heading.textContent = "Your workspace is ready";
      const workspaceLink = link(job.appPlaneUrl, "Open your workspace");
      workspaceLink?.classList.add("button");
      return fill(text, workspaceLink ?? "We’ve emailed you how to sign in.");
    }
    heading.textContent = "We couldn’t set up your workspace";
    fill(text, "Your details are saved, so you can try again.",
      job.reason && h("span", { class: "reason" }, "Reason: ", h("bdi", {}, job.reason)));
    const button = h("button", { onclick: retry }, "Try again");
    fill(next, button);

    async function retry() {
      if (button.disabled) return;
      button.disabled = true;
      const { id, plan } = job.subscription;
      try {
        await call("POST", `tenants/${tenant}/provision`, { bearer, body: { id, plan } });
      } catch (problem) {
        // Conflicts mean that another page has started a job already; this page then follows it.
        if (!(problem instanceof ApiError && problem.status === 409)) {
          button.disabled = false;
          return fill(text, errorMessage(problem));
        }
      }
      follow(tenant, bearer);
    }
  }
}
