// Tables of lists, and the search form above them.

import { errorMessage } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { linkTo, navigate } from "./route.js";
import { list } from "./session.js";

/** Items per page. */
const LIMIT = 20;

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {(item: any) => import("../common/dom.js").Child} cell
 * @property {string} [className]
 */

/**
 * @param {string} caption
 * @param {Column[]} columns
 * @param {any[]} items
 */
export function table(caption, columns, items) {
  return h("table", { "aria-label": caption },
    h("thead", {}, h("tr", {}, ...columns.map(({ name, className }) =>
      (name ? h("th", { scope: "col", class: className }, name) : h("td", { class: className }))))),
    h("tbody", {}, ...items.map((item) => h("tr", {}, ...columns.map(({ cell, className }) => h("td", { class: className }, cell(item)))))));
}

/**
 * Returns a button that loads the next page of a list, or `null` on the last page.
 * @param {string} next the cursor of the next page
 * @param {(cursor: string) => Promise<void>} load
 */
export function showMore(next, load) {
  if (!next) return null;
  const failed = h("span", { class: "status wrong", role: "alert" });
  const button = h("button", { class: "plain", onclick: more }, "Show more");
  async function more() {
    if (button.disabled) return;
    button.disabled = true;
    fill(failed);
    await load(next).catch((problem) => {
      button.disabled = false;
      fill(failed, errorMessage(problem));
    });
  }
  return h("div", { class: "bar" }, button, failed);
}

/**
 * Returns one page of a list as a panel. The URL's query selects the page.
 * @param {object} list
 * @param {string} list.path
 * @param {string} list.caption
 * @param {string} [list.source] the API's list to read, if it differs from `path`
 * @param {string[]} [list.include]
 * @param {URLSearchParams} list.query
 * @param {Record<string, unknown>} list.where
 * @param {Column[]} list.columns
 */
export async function listPanel({ path, source = path, include, caption, query, where, columns }) {
  const filter = { ...(Object.keys(where).length ? { where } : {}), ...(include ? { include } : {}), limit: LIMIT };
  const { items, next } = await list(source, filter, query.get("cursor") ?? "");
  const parameters = Object.fromEntries(query);
  return h("section", { class: "panel" },
    items.length ? table(caption, columns, items) : h("p", { class: "soft" }, emptyMessage(path, where)),
    h("nav", { class: "bar", "aria-label": "Pages" },
      parameters.cursor ? h("a", { href: linkTo(path, { ...parameters, cursor: "" }) }, "First page") : null,
      next ? h("a", { href: linkTo(path, { ...parameters, cursor: next }), rel: "next" }, "Next page") : null));
}

/**
 * @param {string} path
 * @param {Record<string, unknown>} where
 */
function emptyMessage(path, where) {
  if (Object.keys(where).length) return `No ${path} match your search.`;
  return path === "leads" ? "No leads yet. They appear here when customers sign up." : `No ${path} yet. Create one, or share the sign-up page.`;
}

/**
 * @param {string} path
 * @param {URLSearchParams} query
 * @param {[string, [string, string][]]} statusOptions the label and options of the status filter
 * @param {[string, string][]} searchFields
 */
export function search(path, query, [label, options], searchFields) {
  /** @param {string} name @param {string} text @param {[string, string][]} all */
  const select = (name, text, all) => h("div", {}, h("label", { for: `search-${name}` }, text),
    h("select", { id: `search-${name}`, name }, ...all.map(([value, label]) =>
      h("option", { value, selected: value === query.get(name) }, label))));
  const form = h("form", { class: "search", role: "search", novalidate: true },
    select("status", label, options),
    select("by", "Search by", searchFields),
    h("div", {}, h("label", { for: "search-for" }, "Search for"),
      h("input", { id: "search-for", name: "for", type: "search", value: query.get("for") ?? "", maxlength: 100 })),
    h("button", {}, "Search"));
  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.name === "status") form.requestSubmit();
  });
  onSubmit(form, async (values) => navigate(path, values));
  return form;
}

/** Returns an `ilike` pattern that matches values containing `text`. @param {string} text */
export const contains = (text) => `%${text.replace(/[\\%_]/g, "\\$&")}%`;
