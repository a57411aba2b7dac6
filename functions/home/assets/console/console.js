// The operators' console. Shows the view that the URL names, once an operator has signed in.

import { ApiError, errorMessage } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { accountMenu } from "./account.js";
import { hideBanner, showBanner, signedIn } from "./banner.js";
import { signInCard } from "./card.js";
import { lead, leads } from "./leads.js";
import { currentRoute, linkTo } from "./route.js";
import { search, searchBox } from "./search.js";
import { can, listen, me, resume } from "./session.js";

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

/** Returns the first view that the operator may see. */
function firstView() {
  if (can("10207")) return "overview";
  return can("10300") ? "operators" : "sessions";
}

/**
 * Returns the view of a route. The larger views are modules that load when they are first shown.
 * @param {import("./route.js").Route} route @returns {Promise<View>}
 */
async function view({ path: [noun = firstView(), id], query }) {
  if (noun === "tenants") return id ? (await import("./tenant.js")).tenant(id) : (await import("./tenants.js")).tenants(query);
  if (noun === "leads") return id ? lead(id) : leads(query);
  if (noun === "plans") return id ? (await import("./plans.js")).plan(id) : (await import("./plans.js")).plans(query);
  if (noun === "audit") return (await import("./audit.js")).audit(query);
  if (noun === "search") return search(query);
  if (noun === "signed-in") return signedIn();
  if (noun === "sessions") return (await import("./people.js")).mySessions();
  if (noun !== "operators") return (await import("./overview.js")).overview();
  const { people, person } = await import("./people.js");
  return id ? person(id) : people(query);
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

/** The sections of the console, each with the permission to view it. @type {[string, string, string][]} */
const sections = [["", "Overview", "10207"], ["tenants", "Tenants", "10207"], ["leads", "Leads", "10203"], ["plans", "Plans", "7008"], ["operators", "People", "10300"], ["audit", "Audit", "10310"]];

function showConsole() {
  hideBanner();
  const links = sections.filter(([, , permission]) => can(permission)).map(([noun, name]) =>
    h("a", { href: linkTo(noun), "data-noun": noun }, name));
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#view", onclick: (/** @type {Event} */ event) => { event.preventDefault(); main.focus(); } }, "Skip to content"),
    h("header", {}, h("p", { class: "app" }, app),
      h("nav", { "aria-label": "Console" }, ...links),
      ...(can("10207") ? [box.form] : []),
      accountMenu()),
    main);
  window.addEventListener("hashchange", show);
  show();
}

/** @param {string} reason why the operator was signed out, if known */
async function showSignIn(reason) {
  navigation++;
  current?.onClose?.();
  hideBanner();
  window.removeEventListener("hashchange", show);
  fill(main);
  document.title = `Console – ${app}`;
  const card = await signInCard(app, reason, showConsole, () => showSignIn(reason));
  document.body.replaceChildren(card);
  card.querySelector("h1")?.focus();
}

listen({
  onSignedOut: showSignIn,
  onEnded: showBanner,
  // Another operator, or one with other permissions, starts on a fresh page.
  onRenewed: (before) => {
    hideBanner();
    const now = me();
    if (before && (before.id !== now?.id || before.permissions.join() !== now?.permissions.join())) showConsole();
  },
});
resume().then((found) => (found ? showConsole() : showSignIn("")), () => showSignIn(""));
