// Tables of lists, which a narrow screen shows as cards, and the controls above them.

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
  // Cards are not laid out as a table, so the roles are stated.
  /** @param {Column} column */
  const head = ({ name, className }) =>
    (name ? h("th", { scope: "col", role: "columnheader", class: className }, name) : h("td", { role: "cell", class: className }));
  /** @param {any} item */
  const row = (item) => h("tr", { role: "row" },
    ...columns.map(({ name, cell, className }) => h("td", { role: "cell", class: className, "data-name": name }, h("div", {}, cell(item)))));
  return h("table", { role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...columns.map(head))),
    h("tbody", { role: "rowgroup" }, ...items.map(row)));
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
 * @param {unknown[]} [list.include]
 * @param {URLSearchParams} list.query
 * @param {Record<string, unknown>} list.where
 * @param {Column[]} list.columns
 */
export async function listPanel({ path, include, caption, query, where, columns }) {
  const order = query.get("order") === "oldest" ? { order: "createdOn ASC" } : {};
  const filter = { ...(Object.keys(where).length ? { where } : {}), ...(include ? { include } : {}), ...order, limit: LIMIT };
  const { items, next } = await list(path, filter, query.get("cursor") ?? "");
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
  if (Object.keys(where).length) return `No ${path} have this status.`;
  if (path === "operators") return "No operators yet. They appear here when they sign in for the first time.";
  if (path === "plans") return "No plans yet. Create one, then activate it.";
  return path === "leads" ? "No leads yet. They appear here when customers sign up." : `No ${path} yet. Create one, or share the sign-up page.`;
}

/**
 * Returns the form that selects the status and the order of a list. Only orders that an index serves are offered.
 * @param {string} path
 * @param {URLSearchParams} query
 * @param {[string, string][]} statuses
 */
export function controls(path, query, statuses) {
  /** @param {string} name @param {string} label @param {[string, string][]} all */
  const select = (name, label, all) => h("div", {}, h("label", { for: `list-${name}` }, label),
    h("select", { id: `list-${name}`, name }, ...all.map(([value, text]) =>
      h("option", { value, selected: value === query.get(name) }, text))));
  const form = h("form", { class: "controls", "aria-label": "List", novalidate: true },
    select("status", "Status", statuses),
    select("order", "Order", [["", "Newest first"], ["oldest", "Oldest first"]]),
    h("button", { class: "plain" }, "Show"));
  onSubmit(form, async (values) => navigate(path, values));
  return form;
}
