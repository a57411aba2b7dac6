// The features that a tenant may use, with the values that override its plan's.

import { fill, h, userText } from "../common/dom.js";
import { parse, stringify } from "../common/json.js";
import { openDialog } from "./dialog.js";
import { can, read, send } from "./session.js";
import { table } from "./table.js";

/** @typedef {{ key: string, value: unknown, source: "plan" | "override" }} Feature */

/** Reads a value: `true`, `false`, a number, a quoted text, or any other text as it is. @param {string} text */
function readValue(text) {
  try {
    const value = parse(text);
    return value === null || Array.isArray(value) ? text : value;
  } catch {
    return text;
  }
}

/** Returns the text that `readValue` reads as this value. @param {unknown} value */
const valueText = (value) => (typeof value === "string" && readValue(value) === value ? value : stringify(value));

/** @param {unknown} value */
const shownValue = (value) => (typeof value === "boolean" ? (value ? "Yes" : "No") : userText(String(value)));

/**
 * Returns the entitlements of a tenant as a panel, with a function that reads them again.
 * @param {string} tenant
 */
export async function entitlements(tenant) {
  const path = `tenants/${tenant}/entitlements`;
  const rows = h("div");
  const refresh = async () => draw(await read(path));
  /** @param {Feature} [feature] */
  const override = (feature) => openDialog({
    title: feature ? h("span", {}, "Override ", userText(feature.key)) : "New override", button: "Save override",
    fields: [
      ...(feature ? [] : [{ name: "key", label: "Feature", pattern: "[A-Za-z][A-Za-z0-9_.\\-]{0,63}", hint: "Starts with a letter, then letters, digits, “_”, “.” and “-”." }]),
      { name: "value", label: "Value", value: feature ? valueText(feature.value) : "", maxLength: 257, hint: "true, false, a number or a text. Put a text that looks like a number in quotes.", read: readValue },
    ],
    submit: async ({ key, value }) => {
      await send("PUT", `${path}/${encodeURIComponent(feature?.key ?? key)}`, { value });
      await refresh();
    },
  });
  /** @param {Feature} feature */
  const remove = ({ key }) => openDialog({
    title: h("span", {}, "Remove the override of ", userText(key), "?"), button: "Remove override", danger: true,
    text: ["The value of the plan applies again. Without one, the tenant loses the feature."],
    submit: async () => {
      await send("DELETE", `${path}/${encodeURIComponent(key)}`);
      await refresh();
    },
  });
  /** @param {Feature} feature */
  const buttons = (feature) => [
    h("button", { class: "plain", onclick: () => override(feature) }, feature.source === "plan" ? "Override" : "Edit"),
    feature.source === "override" && h("button", { class: "danger", onclick: () => remove(feature) }, "Remove"),
  ];
  /** @type {import("./table.js").Column[]} */
  const columns = [
    { name: "Feature", cell: ({ key }) => userText(key) },
    { name: "Value", cell: ({ value }) => shownValue(value) },
    { name: "Source", cell: ({ source }) => (source === "plan" ? "Plan" : "Override") },
    ...(can("7002") ? [{
      name: "", className: "acts",
      cell: (/** @type {any} */ feature) => h("div", {}, h("span", {}, ...buttons(feature)),
        h("details", { class: "menu" }, h("summary", {}, "Actions"), h("div", {}, ...buttons(feature)))),
    }] : []),
  ];
  /** @param {{ features: Record<string, { value: unknown, source: string }> }} found */
  function draw({ features }) {
    const items = Object.entries(features).map(([key, feature]) => ({ key, ...feature }));
    fill(rows, items.length ? table("Entitlements", columns, items)
      : h("p", { class: "soft" }, "No features yet. They appear here when the tenant has a plan or an override."));
  }
  await refresh();
  const panel = h("section", { class: "panel" },
    h("div", { class: "bar" }, h("h2", {}, "Entitlements"), can("7002") && h("button", { class: "plain", onclick: () => override() }, "New override")), rows);
  return { panel, refresh };
}
