// Edits an entity at the version that its form shows. If another operator has changed the entity since, the operator sees both
// versions of each field and decides.

import { ApiError, errorMessage } from "../common/api.js";
import { h, userText } from "../common/dom.js";
import { openDialog } from "./dialog.js";
import { change, readTagged } from "./session.js";

/**
 * @typedef {object} Edit
 * @property {string} title
 * @property {string} path the path of the entity
 * @property {(item: any) => import("./dialog.js").DialogField[]} fields
 * @property {() => Promise<unknown>} saved called after the entity was changed
 */

/** @typedef {{ item: any, tag: string }} Version */
/** @typedef {import("../common/form.js").Values} Values */

/**
 * Opens a form with the entity as it is stored.
 * @param {Edit} edit
 */
export async function edit(edit) {
  const { title, path, fields } = edit;
  try {
    const opened = await readTagged(path);
    openDialog({
      title, button: "Save changes", fields: fields(opened.item),
      submit: async (_, changes) => save(edit, opened, changes),
    });
  } catch (problem) {
    openDialog({ title, text: [errorMessage(problem)], button: "Close", submit: async () => {} });
  }
}

/**
 * Saves what was changed, and makes no request if nothing was. If the entity has another version, returns how to go on.
 * @param {Edit} edit
 * @param {Version} opened
 * @param {Values} changes
 * @returns {Promise<(() => void) | undefined>}
 */
async function save(edit, opened, changes) {
  if (!Object.keys(changes).length) return undefined;
  try {
    await change(edit.path, changes, opened.tag);
  } catch (problem) {
    if (!(problem instanceof ApiError && problem.code === "PRECONDITION_FAILED")) throw problem;
    const stored = await readTagged(edit.path);
    return () => compare(edit, opened, stored, changes);
  }
  await edit.saved();
  return undefined;
}

/**
 * Returns the text of a field's value.
 * @param {import("./dialog.js").DialogField | undefined} field
 */
function textOf({ value = "", options, type } = { name: "", label: "" }) {
  if (type === "checkbox") return value === "true" ? "Yes" : "No";
  return options?.find(([key]) => key === value)?.[1] ?? value;
}

/**
 * Shows both versions of each field that differs, and saves the chosen ones. Only what both have changed needs a choice.
 * @param {Edit} edit
 * @param {Version} opened the version that the form showed
 * @param {Version} stored the version that is stored now
 * @param {Values} changes what the operator has changed
 */
function compare(edit, opened, stored, changes) {
  const mine = { ...opened.item, ...changes };
  const [before, theirs, ours] = [opened.item, stored.item, mine].map((item) => edit.fields(item).map(textOf));
  const rows = edit.fields(opened.item).map(({ name, label }, at) => (
    { name, label, before: before?.[at] ?? "", theirs: theirs?.[at] ?? "", ours: ours?.[at] ?? "" }
  )).filter((row) => row.theirs !== row.ours);
  const head = ["Field", "Saved now", "Yours"].map((name) => h("th", { scope: "col" }, name));
  const shown = rows.map(({ label, theirs, ours }) =>
    h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, userText(theirs || "(empty)")), h("td", {}, userText(ours || "(empty)"))));
  openDialog({
    title: "Another operator has changed this", button: "Save",
    text: rows.length ? ["Choose which version of each field to keep."] : ["Both versions are the same now. There is nothing left to save."],
    content: rows.length ? h("table", { class: "versions" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...shown)) : undefined,
    fields: rows.map(({ name, label, before, theirs, ours }) => ({
      name, label,
      value: ours === before ? "theirs" : theirs === before ? "ours" : "",
      options: [["", "Choose a version"], ["theirs", "Keep what is saved now"], ["ours", "Save yours"]],
    })),
    submit: async (chosen) => {
      const kept = rows.filter(({ name }) => chosen[name] === "ours");
      if (!kept.length) return edit.saved();
      return save(edit, stored, Object.fromEntries(kept.map(({ name }) => [name, mine[name]])));
    },
  });
}
