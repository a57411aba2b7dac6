// The features of a plan: names with a boolean, a number or a text. In a form, each is a line such as `seats = 25`.

import { h, userText } from "../common/dom.js";
import { ExactNumber, parse, stringify } from "../common/json.js";
import { table } from "./table.js";

/** @param {unknown} value */
const isPlain = (value) => typeof value === "boolean" || typeof value === "number" || value instanceof ExactNumber;

/** Reads a value: `true`, `false`, a number, a text in quotation marks, or any other text. @param {string} text */
function readValue(text) {
  try {
    const value = parse(text);
    return isPlain(value) || typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}

/** Writes a value so that it is read as the same value. @param {unknown} value */
const valueText = (value) => (typeof value === "string" && readValue(value) === value ? value : stringify(value));

/** @param {Record<string, unknown>} features */
export const featuresText = (features) => Object.entries(features).map(([name, value]) => `${name} = ${valueText(value)}`).join("\n");

/** @param {string} text */
export function readFeatures(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => {
    const [name = "", ...rest] = line.split("=");
    return [name.trim(), rest.length ? readValue(rest.join("=").trim()) : true];
  }));
}

/** Returns the panel of a plan's features. @param {Record<string, unknown>} features */
export function featuresOf(features) {
  const columns = [
    { name: "Feature", cell: (/** @type {[string, unknown]} */ [name]) => userText(name) },
    { name: "Value", cell: (/** @type {[string, unknown]} */ [, value]) => (value === true ? "Yes" : value === false ? "No" : userText(String(value))) },
  ];
  const all = Object.entries(features);
  return h("section", { class: "panel" }, h("h2", {}, "Features"),
    all.length ? table("Features", columns, all) : h("p", { class: "soft" }, "No features yet. Edit the plan to add them."));
}
