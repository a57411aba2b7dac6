// The step that says that a link was sent, and sends another. It is an entry of the tab's history, so that "Back" leads to
// the form before it, and a reload shows it again.

import { call } from "../common/api.js";
import { find } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { show } from "./steps.js";

/** @typedef {{ email: string, leadId: string | null }} Request */

const form = find(document, "#sent", HTMLFormElement);
const button = find(form, "button", HTMLButtonElement);
const label = button.textContent;

/** @returns {Request | undefined} */
const current = () => history.state?.mailed;

onSubmit(form, async () => {
  await call("POST", "leads/resend", { body: current() });
  button.textContent = "Email sent. Send it again";
});

/**
 * Asks for a link.
 * @param {Request} request
 */
export async function requestLink(request) {
  await call("POST", "leads/resend", { body: request });
  showMailed(request);
}

/**
 * Adds the step to the history and shows it.
 * @param {Request} request
 */
export function showMailed(request) {
  history.pushState({ ...history.state, mailed: request }, "");
  resume();
}

/** Shows the step if the history is at it. Returns whether it is. */
export function resume() {
  const request = current();
  if (!request) return false;
  find(form, ".email", HTMLElement).textContent = request.email;
  button.textContent = label;
  show("sent");
  return true;
}
