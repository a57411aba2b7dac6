// A panel for each kind of a tenant's child entities: lists them and creates, edits and deletes them.

import { fill, h } from "../common/dom.js";
import { openDialog } from "./dialog.js";
import { edit } from "./edit.js";
import { can, list, send } from "./session.js";
import { showMore, table } from "./table.js";

/** Items per page. A page holds fewer if its items are large. */
const LIMIT = 100;

/**
 * @typedef {object} Kind
 * @property {string} path
 * @property {string} title
 * @property {string} singular
 * @property {{ view: string, create: string, edit: string, remove: string }} permits the permission of each action
 * @property {import("./table.js").Column[]} columns
 * @property {(item: any) => import("./dialog.js").DialogField[]} fields
 * @property {(item: any) => HTMLElement} [extraAction]
 * @property {(item: any) => boolean} [isFinal] whether an item can no longer change
 */

/**
 * Returns the items of one kind as a panel, with a function that reads the first page again.
 * @param {Kind} kind
 * @param {string} tenant
 */
export async function children({ path, title, singular, permits, columns, fields, extraAction, isFinal }, tenant) {
  const filter = { where: { tenantId: tenant }, limit: LIMIT };
  const first = await list(path, filter);
  let next = first.next;
  // Lists are eventually consistent, so changes made in this panel are applied to its copy.
  let items = first.items;
  const rows = h("div");
  const create = () => openDialog({
    title: `New ${singular}`, button: `Create ${singular}`, fields: fields(null),
    submit: async (values) => draw([await send("POST", path, { ...values, tenantId: tenant }), ...items]),
  });
  /** @param {any} item */
  const change = (item) => edit({
    title: `Edit ${singular}`, path: `${path}/${item.id}`, fields,
    saved: async () => {
      const changed = await list(path, { where: { id: item.id } });
      draw(items.map((each) => (each === item ? (changed.items[0] ?? each) : each)));
    },
  });
  /** @param {any} item */
  const remove = (item) => openDialog({
    title: `Delete this ${singular}?`, text: ["It will no longer be visible to anyone."], button: `Delete ${singular}`, danger: true,
    submit: async () => {
      await send("DELETE", `${path}/${item.id}`);
      draw(items.filter((each) => each !== item));
    },
  });
  /** @param {any} item */
  const buttons = (item) => [
    extraAction?.(item),
    can(permits.edit) && !isFinal?.(item) && h("button", { class: "plain", onclick: () => change(item) }, "Edit"),
    can(permits.remove) && !isFinal?.(item) && h("button", { class: "danger", onclick: () => remove(item) }, "Delete"),
  ];
  const hasActions = extraAction || can(permits.edit) || can(permits.remove);
  // A wide screen shows the buttons, a narrow one a menu.
  const actions = {
    name: "", className: "acts",
    cell: (/** @type {any} */ item) => h("div", {}, h("span", {}, ...buttons(item)),
      h("details", { class: "menu" }, h("summary", {}, "Actions"), h("div", {}, ...buttons(item)))),
  };
  /** @param {any[]} newItems */
  function draw(newItems) {
    items = newItems;
    fill(rows,
      items.length ? table(title, hasActions ? [...columns, actions] : columns, items) : h("p", { class: "soft" }, `No ${singular}s yet.`),
      showMore(next, nextPage));
  }
  /** @param {string} cursor */
  async function nextPage(cursor) {
    const page = await list(path, filter, cursor);
    next = page.next;
    const shown = new Set(items.map(({ id }) => id));
    draw([...items, ...page.items.filter(({ id }) => !shown.has(id))]);
  }
  async function refresh() {
    const page = await list(path, filter);
    // An unchanged list is not redrawn, so that it keeps its focus.
    if (JSON.stringify(page.items) === JSON.stringify(items)) return;
    next = page.next;
    draw(page.items);
  }
  draw(items);
  const panel = h("section", { class: "panel" },
    h("div", { class: "bar" }, h("h2", {}, title), can(permits.create) && h("button", { class: "plain", onclick: create }, `New ${singular}`)), rows);
  return { panel, refresh };
}
