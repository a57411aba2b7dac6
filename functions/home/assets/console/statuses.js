// What the numbers of the API are called.

import { h } from "../common/dom.js";

/** Tenants: a name, a look, and what an operator may do then. */
export const tenants = /** @type {const} */ ([
  ["Active", "good", "deprovision"],
  ["Waiting", "busy", "provision"],
  ["Building", "busy", ""],
  ["Failed", "wrong", "retry"],
  ["Closing", "busy", ""],
  ["Inactive", "", ""],
]);

export const invoices = /** @type {const} */ ([["Pending", "busy"], ["Paid", "good"], ["Cancelled", ""]]);

export const jobs = new Map([
  ["queued", ["Queued", "busy"]],
  ["running", ["Running", "busy"]],
  ["succeeded", ["Succeeded", "good"]],
  ["failed", ["Failed", "wrong"]],
  ["timed_out", ["Timed out", "wrong"]],
]);

export const reasons = new Map([
  ["failed", ["Failed", "wrong"]],
  ["timed_out", ["Timed out", "wrong"]],
  ["pending", ["Waiting", "busy"]],
  ["slow", ["Takes long", "busy"]],
]);

/** @param {readonly string[] | undefined} status */
export function badge(status) {
  const [name = "Unknown", look = ""] = status ?? [];
  return h("span", { class: `badge ${look}` }, name);
}
