// What belongs to a tenant and can be made, changed and deleted: a panel of each kind.

import { fill, h } from "../common/dom.js";
import { ask } from "./dialog.js";
import { list, send } from "./session.js";
import { showMore, table } from "./table.js";

/** How many are shown at once. A page of large ones holds fewer. */
const LIMIT = 100;

/**
 * @typedef {object} Kind
 * @property {string} path
 * @property {string} title
 * @property {string} one
 * @property {string} [conflict]
 * @property {import("./table.js").Column[]} columns
 * @property {(item: any) => import("./dialog.js").Asked[]} fields
 * @property {(values: any) => unknown} body
 * @property {(item: any) => HTMLElement} [more] another action
 */

/**
 * @param {Kind} kind
 * @param {string} tenant
 */
export async function children({ path, title, one, conflict, columns, fields, body, more }, tenant) {
  const asked = { where: { tenantId: tenant }, limit: LIMIT };
  const found = await list(path, asked);
  let next = found.next;
  // A list is about a second behind: what is done here is shown at once.
  let items = found.items;
  const rows = h("div");
  const shared = conflict ? { conflict } : {};
  const make = () => ask({
    title: `New ${one}`, action: "Create", fields: fields(null), ...shared,
    act: async (values) => draw([await send("POST", path, { .../** @type {object} */ (body(values)), tenantId: tenant }), ...items]),
  });
  /** @param {any} item */
  const change = (item) => ask({
    title: `Change ${one}`, action: "Save", fields: fields(item), ...shared,
    act: async (values) => {
      await send("PATCH", `${path}/${item.id}`, body(values));
      const changed = await list(path, { where: { id: item.id } });
      draw(items.map((each) => (each === item ? (changed.items[0] ?? each) : each)));
    },
  });
  /** @param {any} item */
  const remove = (item) => ask({
    title: `Delete this ${one}?`, text: ["It is out of sight then, for everybody."], action: "Delete", danger: true,
    act: async () => {
      await send("DELETE", `${path}/${item.id}`);
      draw(items.filter((each) => each !== item));
    },
  });
  const acts = {
    name: "", look: "acts",
    cell: (/** @type {any} */ item) => h("span", {},
      more?.(item),
      h("button", { class: "plain", onclick: () => change(item) }, "Change"),
      h("button", { class: "danger", onclick: () => remove(item) }, "Delete")),
  };
  /** @param {any[]} now */
  function draw(now) {
    items = now;
    fill(rows,
      items.length ? table(title, [...columns, acts], items) : h("p", { class: "soft" }, "There are none."),
      showMore(next, nextPage));
  }
  /** @param {string} cursor */
  async function nextPage(cursor) {
    const page = await list(path, asked, cursor);
    next = page.next;
    const shown = new Set(items.map(({ id }) => id));
    draw([...items, ...page.items.filter(({ id }) => !shown.has(id))]);
  }
  draw(items);
  return h("section", { class: "panel" },
    h("div", { class: "bar" }, h("h2", {}, title), h("button", { class: "plain", onclick: make }, `New ${one}`)), rows);
}
