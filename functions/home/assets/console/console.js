// The operators' console. Shows the view that the URL names, once an operator has signed in.

import { ApiError, errorMessage } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { audit } from "./audit.js";
import { lead, leads } from "./leads.js";
import { overview } from "./overview.js";
import { currentRoute, linkTo } from "./route.js";
import { search, searchBox } from "./search.js";
import { onSignOut, signIn, signOut } from "./session.js";
import { tenant } from "./tenant.js";
import { tenants } from "./tenants.js";

/**
 * @typedef {object} View
 * @property {string} title
 * @property {import("../common/dom.js").Child[]} shown
 * @property {() => void} [onClose]
 */

const app = document.body.dataset.app ?? "";
const main = h("main", { id: "view", tabindex: "-1" });
const box = searchBox();
/** Counts navigations, so that a view that loads too late is discarded. */
let navigation = 0;
/** @type {View | undefined} */
let current;

/** @param {import("./route.js").Route} route @returns {Promise<View>} */
function view({ path: [noun, id], query }) {
  if (noun === "tenants") return id ? tenant(id) : tenants(query);
  if (noun === "leads") return id ? lead(id) : leads(query);
  if (noun === "audit") return audit(query);
  if (noun === "search") return search(query);
  return overview();
}

async function show() {
  const mine = ++navigation;
  current?.onClose?.();
  current = undefined;
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  const route = currentRoute();
  box.follow(route);
  document.querySelectorAll("nav [data-noun]").forEach((link) => {
    if (link instanceof HTMLElement && link.dataset.noun === (route.path[0] ?? "")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  main.setAttribute("aria-busy", "true");
  /** @type {View} */
  const next = await view(route).catch((problem) => ({
    title: "Error",
    shown: [h("h1", { tabindex: "-1" }, problem instanceof ApiError && problem.status === 404 ? "Not found" : "Something went wrong"),
      h("p", { class: "status wrong", role: "alert" }, errorMessage(problem)),
      h("p", {}, h("button", { class: "plain", onclick: show }, "Try again"))],
  }));
  if (mine !== navigation) return next.onClose?.();
  current = next;
  document.title = `${next.title} – ${app}`;
  main.removeAttribute("aria-busy");
  fill(main, ...next.shown);
  main.querySelector("h1")?.focus();
}

function showConsole() {
  /** @param {string} noun @param {string} name */
  const link = (noun, name) => h("a", { href: linkTo(noun), "data-noun": noun }, name);
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#view", onclick: (/** @type {Event} */ event) => { event.preventDefault(); main.focus(); } }, "Skip to content"),
    h("header", {}, h("p", { class: "app" }, app),
      h("nav", { "aria-label": "Console" }, link("", "Overview"), link("tenants", "Tenants"), link("leads", "Leads"), link("audit", "Audit")),
      box.form,
      h("button", { class: "plain", onclick: () => signOut() }, "Sign out")),
    main);
  window.addEventListener("hashchange", show);
  show();
}

/** @param {string} reason why the operator was signed out, if known */
function showSignIn(reason) {
  navigation++;
  current?.onClose?.();
  window.removeEventListener("hashchange", show);
  fill(main);
  const form = h("form", { novalidate: true },
    h("h1", { tabindex: "-1" }, "Console"),
    h("p", {}, reason || "Sign in with an operator’s token. It is discarded when you close or leave this page."),
    h("label", { for: "token" }, "Token"),
    h("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false" }),
    h("button", {}, "Sign in"));
  onSubmit(form, async ({ token }) => {
    await signIn(token);
    showConsole();
  }, { messages: { 401: "This token isn’t valid or has expired.", 403: "This token doesn’t belong to an operator." } });
  document.title = `Console – ${app}`;
  document.body.replaceChildren(h("main", { class: "card" }, h("p", { class: "app" }, app), form));
  form.querySelector("h1")?.focus();
}

onSignOut(showSignIn);
showSignIn("");
