// The search box in the header, and the page of its results.

import { h, userText } from "../common/dom.js";
import { statusBadge } from "./leads.js";
import { linkTo, navigate } from "./route.js";
import { read } from "./session.js";
import { badge, tenants as statuses } from "./statuses.js";
import { table } from "./table.js";

/** Maximum number of results. */
const LIMIT = 50;

/** Returns the search box and a function that sets its text. */
export function searchBox() {
  const input = h("input", { name: "q", type: "search", maxlength: 200, "aria-label": "Search tenants and leads", placeholder: "Name, key, domain or email", autocomplete: "off", spellcheck: "false" });
  const form = h("form", { class: "find", role: "search" }, input, h("button", { class: "plain" }, "Search"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) navigate("search", { q: input.value.trim() });
    else input.focus();
  });
  /** @param {import("./route.js").Route} route */
  const follow = ({ path: [noun], query }) => { input.value = (noun === "search" && query.get("q")) || ""; };
  return { form, follow };
}

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function search(query) {
  const text = query.get("q") ?? "";
  const hits = await read(`search?${new URLSearchParams({ q: text, limit: String(LIMIT) })}`);
  const columns = [
    { name: "Name", cell: (/** @type {any} */ { kind, id, name }) => h("a", { href: linkTo(`${kind}s/${id}`) }, userText(name)) },
    { name: "Kind", cell: (/** @type {any} */ { kind }) => (kind === "tenant" ? "Tenant" : "Lead") },
    { name: "Key or company", cell: (/** @type {any} */ { key, companyName }) => (key ? h("code", {}, key) : userText(companyName)) },
    { name: "Email", cell: (/** @type {any} */ { email }) => userText(email) },
    { name: "Status", cell: (/** @type {any} */ hit) => (hit.kind === "tenant" ? badge(statuses[hit.status]) : statusBadge(hit)) },
  ];
  return {
    title: "Search",
    shown: [
      h("h1", { tabindex: "-1" }, "Search results"),
      h("section", { class: "panel" },
        h("p", { class: "soft", role: "status" }, summary(hits.length), " for ", userText(text)),
        hits.length ? table("Search results", columns, hits) : h("p", {}, "Search by the start of any word of a name, by key, by domain or by email address. New tenants and leads are found after a second.")),
    ],
  };
}

/** @param {number} count */
function summary(count) {
  if (count === LIMIT) return `The first ${LIMIT} results`;
  return count === 1 ? "1 result" : `${count || "No"} results`;
}
