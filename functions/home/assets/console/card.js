// The card on which operators sign in.

import { errorMessage } from "../common/api.js";
import { h, userText } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { config, signIn, signInAddress } from "./session.js";

/**
 * Returns a form that takes an operator's token.
 * @param {() => void} onSignedIn
 */
function tokenForm(onSignedIn) {
  const form = h("form", { novalidate: true },
    h("label", { for: "token" }, "Token"),
    h("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-hint" }),
    h("p", { class: "hint", id: "token-hint" }, "An operator’s token. It is discarded when you close or leave this page."),
    h("button", {}, "Sign in"));
  onSubmit(form, async ({ token }) => {
    await signIn(token);
    onSignedIn();
  }, { messages: { 401: "This token isn’t valid or has expired.", 403: "This token doesn’t belong to an operator." } });
  return form;
}

/**
 * Returns the ways to sign in.
 * @param {() => void} onSignedIn
 */
async function ways(onSignedIn) {
  const { signIn: hasProvider, name, pastedTokens } = await config();
  if (!hasProvider && !pastedTokens) return [h("p", {}, "No identity provider is connected. Ask your administrator to set one up.")];
  if (!hasProvider) return [tokenForm(onSignedIn)];
  return [
    h("p", { class: "soft" }, "For operators only."),
    h("a", { class: "button", href: signInAddress(location.hash) }, h("span", {}, "Sign in with ", userText(name))),
    pastedTokens && h("details", {}, h("summary", {}, "Use a token"), tokenForm(onSignedIn)),
  ];
}

/**
 * Returns the card.
 * @param {string} app
 * @param {string} reason why the operator was signed out, if known
 * @param {() => void} onSignedIn
 * @param {() => void} retry
 */
export async function signInCard(app, reason, onSignedIn, retry) {
  const shown = await ways(onSignedIn).catch((problem) => [
    h("p", { class: "status wrong", role: "alert" }, errorMessage(problem)),
    h("p", {}, h("button", { class: "plain", onclick: retry }, "Try again"))]);
  return h("main", { class: "card" }, h("p", { class: "app" }, app),
    h("h1", { tabindex: "-1" }, "Console"), reason && h("p", { role: "status" }, reason), ...shown);
}
