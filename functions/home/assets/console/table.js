// Lists as tables, and the form that narrows them.

import { told } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { go, to } from "./place.js";
import { list } from "./session.js";

/** How many are on a page. */
const LIMIT = 20;

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {(item: any) => import("../common/dom.js").Child} cell
 * @property {string} [look]
 */

/**
 * @param {string} caption
 * @param {Column[]} columns
 * @param {any[]} items
 */
export function table(caption, columns, items) {
  return h("table", { "aria-label": caption },
    h("thead", {}, h("tr", {}, ...columns.map(({ name, look }) =>
      (name ? h("th", { scope: "col", class: look }, name) : h("td", { class: look }))))),
    h("tbody", {}, ...items.map((item) => h("tr", {}, ...columns.map(({ cell, look }) => h("td", { class: look }, cell(item)))))));
}

/**
 * A button that adds the next page of a list to what is shown; `null` on the last page.
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
      fill(failed, told(problem));
    });
  }
  return h("div", { class: "bar" }, button, failed);
}

/**
 * A page of a list, as its place says.
 * @param {object} of
 * @param {string} of.path
 * @param {string} of.caption
 * @param {string} [of.of] the list that is read, where it is not the one at `path`
 * @param {string[]} [of.include]
 * @param {URLSearchParams} of.query
 * @param {Record<string, unknown>} of.where
 * @param {Column[]} of.columns
 */
export async function pageOf({ path, of = path, include, caption, query, where, columns }) {
  const filter = { ...(Object.keys(where).length ? { where } : {}), ...(include ? { include } : {}), limit: LIMIT };
  const { items, next } = await list(of, filter, query.get("cursor") ?? "");
  const said = Object.fromEntries(query);
  return h("section", { class: "panel" },
    items.length ? table(caption, columns, items) : h("p", { class: "soft" }, "There are none."),
    h("nav", { class: "bar", "aria-label": "Pages" },
      said.cursor ? h("a", { href: to(path, { ...said, cursor: "" }) }, "First page") : null,
      next ? h("a", { href: to(path, { ...said, cursor: next }), rel: "next" }, "Next page") : null));
}

/**
 * @param {string} path
 * @param {URLSearchParams} query
 * @param {[string, [string, string][]]} narrowing
 * @param {[string, string][]} sought
 */
export function search(path, query, [label, options], sought) {
  /** @param {string} name @param {string} text @param {[string, string][]} all */
  const select = (name, text, all) => h("div", {}, h("label", { for: `search-${name}` }, text),
    h("select", { id: `search-${name}`, name }, ...all.map(([value, words]) =>
      h("option", { value, selected: value === query.get(name) }, words))));
  const form = h("form", { class: "search", role: "search", novalidate: true },
    select("status", label, options),
    select("by", "Search by", sought),
    h("div", {}, h("label", { for: "search-for" }, "Search for"),
      h("input", { id: "search-for", name: "for", type: "search", value: query.get("for") ?? "", maxlength: 100 })),
    h("button", {}, "Search"));
  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement && event.target.name === "status") form.requestSubmit();
  });
  onSubmit(form, async (values) => go(path, values));
  return form;
}

/** Text as a pattern of `ilike` that has it in it. @param {string} text */
export const within = (text) => `%${text.replace(/[\\%_]/g, "\\$&")}%`;
