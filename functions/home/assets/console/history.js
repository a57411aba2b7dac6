// Entries of the audit log: who changed what, with the values before and after. The panel of one tenant.

import { ApiError } from "../common/api.js";
import { fill, h, userText } from "../common/dom.js";
import { formatTime } from "../common/format.js";
import { stringify } from "../common/json.js";
import { list, listUnfiltered } from "./session.js";
import { tenants as statuses } from "./statuses.js";
import { showMore, table } from "./table.js";

/** Entries per page. */
const LIMIT = 20;

/** Changes that are shown without unfolding them. */
const SHORT = 3;

/**
 * @typedef {{ path: string, from?: unknown, to?: unknown, personal?: true, secret?: true }} Change
 * @typedef {object} Entry
 * @property {string} chain
 * @property {number} seq
 * @property {string} time
 * @property {string} action
 * @property {string} via
 * @property {{ type: string, id: string | null, name?: string | null }} actor
 * @property {{ type: string, id: string | null, name: string | null }} target
 * @property {string | null} tenantId
 * @property {Change[]} changes
 * @property {string | null} reason
 */

/** @type {Record<string, string>} */
const actors = { operator: "Operator", machine: "Machine", lead: "Lead", build: "Build", system: "System" };

/** @type {Record<string, string>} */
const ways = { console: "in the console", api: "by the API" };

/** @param {string} action */
export function actionName(action) {
  const words = action.replace(/[._]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {Entry} entry */
function actorText({ actor, via }) {
  const way = ways[via];
  return h("span", {}, userText(actor.name ?? actor.id ?? actors[actor.type] ?? actor.type),
    h("span", { class: "soft" }, ` (${[actors[actor.type]?.toLowerCase(), way].filter(Boolean).join(", ")})`));
}

/** @param {Entry} entry */
function actionText({ action, target, reason }) {
  return h("span", {}, actionName(action), target.name ? h("span", { class: "soft" }, " ", userText(target.name)) : null,
    reason ? h("q", { class: "soft" }, userText(reason)) : null);
}

/** @param {unknown} value @param {boolean} isStatus */
function valueText(value, isStatus) {
  if (isStatus && typeof value === "number") return statuses[value]?.[0] ?? String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ");
  return typeof value === "string" ? value : stringify(value);
}

/** @param {Change} change @param {boolean} ofTenant */
function changeItem({ path, from, to, personal, secret }, ofTenant) {
  const name = h("code", {}, path.slice(1).replaceAll("~1", "/").replaceAll("~0", "~"));
  if (personal || secret) return h("li", {}, name, h("span", { class: "soft" }, personal ? " changed (personal, not kept)" : " changed (not kept)"));
  const isStatus = ofTenant && path === "/status";
  return h("li", {}, name, " ",
    from === undefined ? null : h("del", {}, userText(valueText(from, isStatus))),
    from !== undefined && to !== undefined ? " → " : null,
    to === undefined ? null : h("ins", {}, userText(valueText(to, isStatus))));
}

/** @param {Entry} entry */
function changeList({ changes, target }) {
  if (!changes.length) return "–";
  const list = h("ul", { class: "changes" }, ...changes.map((change) => changeItem(change, target.type === "tenant")));
  if (changes.length <= SHORT) return list;
  return h("details", {}, h("summary", {}, `${changes.length} values`), list);
}

/** The columns of a table of entries. @type {import("./table.js").Column[]} */
export const columns = [
  { name: "Time", cell: ({ time }) => h("time", { datetime: time }, formatTime(time)) },
  { name: "Actor", cell: actorText },
  { name: "Action", cell: actionText },
  { name: "Changes", cell: changeList },
];

/**
 * Returns the history of a tenant as a panel, or `null` if the operator may not see it.
 * @param {string} tenant
 */
export const history = (tenant) => entriesPanel("History", (cursor) => listUnfiltered(`tenants/${tenant}/audit`, LIMIT, cursor));

/**
 * Returns the changes of an entity as a panel, or `null` if the operator may not see them. Only entries of its chain are read.
 * @param {string} title
 * @param {{ chain: string, targetId: string }} where
 */
export const changesOf = (title, where) => entriesPanel(title, (cursor) => list("audit", { where, limit: LIMIT }, cursor));

/**
 * @param {string} title
 * @param {(cursor?: string) => Promise<{ items: any[], next: string }>} page
 */
async function entriesPanel(title, page) {
  const first = await page().catch((problem) => {
    if (problem instanceof ApiError && problem.status === 403) return null;
    throw problem;
  });
  if (!first) return null;
  const rows = h("div");
  /** @param {any[]} entries @param {string} next */
  function draw(entries, next) {
    fill(rows,
      entries.length ? table(title, columns, entries) : h("p", { class: "soft" }, "No changes yet. They appear here about a second after they are made."),
      showMore(next, async (cursor) => {
        const more = await page(cursor);
        draw([...entries, ...more.items], more.next);
      }));
  }
  draw(first.items, first.next);
  return h("section", { class: "panel" }, h("h2", {}, title), rows);
}
