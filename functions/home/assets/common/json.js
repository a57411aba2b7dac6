// JSON that keeps every number as it is written. A JavaScript number has 53 bits; the API's numbers are not limited to that.

/** A number that JavaScript would change, as JSON text. */
export class ExactNumber {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }

  valueOf() {
    return Number(this.text);
  }
}

const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Marks the text of a number. Nobody can guess it, so no text of an answer is taken for a number. */
const mark = `${crypto.getRandomValues(new Uint32Array(4)).join("-")}:`;
const marked = new RegExp(`"${mark}([^"]*)"`, "g");

/**
 * Parses JSON. A number that JavaScript would change is an `ExactNumber`.
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  const exact = text.replace(stringOrNumber, (found) =>
    (found.startsWith('"') || String(Number(found)) === found ? found : `"${mark}${found}"`));
  return JSON.parse(exact, (_, value) =>
    (typeof value === "string" && value.startsWith(mark) ? new ExactNumber(value.slice(mark.length)) : value));
}

/**
 * Writes JSON.
 * @param {unknown} value
 * @param {number} [indent]
 */
export function stringify(value, indent) {
  const text = JSON.stringify(value, (_, each) => (each instanceof ExactNumber ? mark + each.text : each), indent);
  return text.replace(marked, "$1");
}
