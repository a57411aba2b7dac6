// Follows a job until the workspace is there, or says what went wrong.

import { Refusal, call, told } from "../common/api.js";
import { byId, fill, find, h } from "../common/dom.js";
import { isOpen, link, steps } from "../common/timeline.js";

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * @param {string} tenant
 * @param {string} bearer
 */
export async function follow(tenant, bearer) {
  const section = byId("progress");
  const [heading, text] = [find(section, "h1", HTMLElement), find(section, ".told", HTMLElement)];
  const [list, next] = [find(section, ".timeline", HTMLElement), find(section, ".next", HTMLElement)];
  heading.textContent = "We are building it";
  fill(text, "This takes a few minutes at most. You may close the page: we mail you when it is done.");
  fill(next);
  for (let wait = 500; ; wait = Math.min(wait * 1.2, 5000)) {
    try {
      const [job] = await call("GET", `tenants/${tenant}/jobs?limit=1`, { bearer });
      if (!job) return;
      fill(list, ...steps(job));
      if (!isOpen(job)) return end(job);
      if (text.classList.contains("wrong")) fill(text, "We go on.");
      text.classList.remove("wrong");
    } catch (problem) {
      text.classList.add("wrong");
      if (problem instanceof Refusal && problem.status === 401) {
        return fill(text, "This page was open for too long. Open the link in your mail again to go on.");
      }
      fill(text, told(problem));
    }
    await pause(wait);
  }

  /** @param {import("../common/timeline.js").Job} job */
  function end(job) {
    heading.focus();
    text.classList.remove("wrong");
    if (job.state === "succeeded") {
      heading.textContent = "Your workspace is ready";
      const door = link(job.appPlaneUrl, "Open your workspace");
      door?.classList.add("button");
      return fill(text, door ?? "We have mailed you how to log in.");
    }
    heading.textContent = "That did not work";
    fill(text, "Your workspace could not be built. What you told us is kept, and you can try again.",
      job.reason && h("span", { class: "reason" }, "What we were told: ", h("bdi", {}, job.reason)));
    const button = h("button", { onclick: retry }, "Try again");
    fill(next, button);

    async function retry() {
      if (button.disabled) return;
      button.disabled = true;
      const { id, plan } = job.subscription;
      try {
        await call("POST", `tenants/${tenant}/provision`, { bearer, body: { id, plan } });
      } catch (problem) {
        if (!(problem instanceof Refusal && problem.status === 409)) {
          button.disabled = false;
          return fill(text, told(problem));
        }
      }
      follow(tenant, bearer);
    }
  }
}
