// Asks for a new link if the one that was opened doesn't work.

import { byId, find } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { LinkUnusable, lead } from "./access.js";
import { requestLink } from "./mailed.js";
import { show } from "./steps.js";

/** Why a new link is needed, as a heading and a sentence. */
const reasons = /** @type {const} */ ({
  expired: ["This link has expired", "Links work for a limited time, and only if they are complete."],
  incomplete: ["This link is incomplete", "A part of the link is missing. Open the link in your email again, or get a new one."],
  superseded: ["This link was replaced", "This email address has already been confirmed with another link."],
  gone: ["This sign-up no longer exists", "It was never confirmed, so it was deleted. If you have signed up again since, get a link for that."],
});

/** @typedef {keyof typeof reasons} Reason */

/**
 * Shows the form, also after a reload.
 * @param {Reason} reason
 */
export function renew(reason) {
  history.replaceState({ ...history.state, renew: reason }, "");
  const [heading, sentence] = reasons[reason];
  const form = byId("renew");
  find(form, "h1", HTMLElement).textContent = heading;
  find(form, ".why", HTMLElement).textContent = sentence;
  show("renew");
}

onSubmit(find(document, "#renew", HTMLFormElement), ({ email }) => {
  // The last part of the URL's path may be any text.
  const leadId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(lead) ? lead : null;
  return requestLink({ email, leadId });
});

/**
 * Runs a step. If its link doesn't work any more, another one is offered.
 * @param {() => Promise<unknown>} step
 */
export async function withLink(step) {
  try {
    await step();
  } catch (problem) {
    if (!(problem instanceof LinkUnusable)) throw problem;
    renew(problem.reason);
  }
}
