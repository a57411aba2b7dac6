// Names of the statuses in the API.

import { h } from "../common/dom.js";

/** Tenant statuses: a name, a style, and the action that an operator can take. */
export const tenants = /** @type {const} */ ([
  ["Active", "good", "deprovision"],
  ["Pending", "busy", "provision"],
  ["Provisioning", "busy", ""],
  ["Failed", "wrong", "retry"],
  ["Deprovisioning", "busy", ""],
  ["Inactive", "", ""],
  ["Suspended", "wrong", "reactivate"],
]);

export const invoices = /** @type {const} */ ([["Pending", "busy"], ["Paid", "good"], ["Cancelled", ""]]);

/** Phases of subscriptions. */
export const phases = new Map([
  ["pending", ["Pending", "busy"]],
  ["trialing", ["Trial", "good"]],
  ["active", ["Active", "good"]],
  ["past_due", ["Past due", "wrong"]],
  ["suspended", ["Suspended", "wrong"]],
  ["cancelled", ["Cancelled", ""]],
  ["expired", ["Expired", ""]],
]);

export const plans = new Map([
  ["draft", ["Draft", "busy"]],
  ["active", ["Active", "good"]],
  ["archived", ["Archived", ""]],
]);

export const jobs = new Map([
  ["queued", ["Queued", "busy"]],
  ["running", ["Running", "busy"]],
  ["setting_up_identity", ["Setting up sign-in", "busy"]],
  ["succeeded", ["Succeeded", "good"]],
  ["failed", ["Failed", "wrong"]],
  ["timed_out", ["Timed out", "wrong"]],
]);

export const reasons = new Map([
  ["failed", ["Failed", "wrong"]],
  ["timed_out", ["Timed out", "wrong"]],
  ["pending", ["Pending", "busy"]],
  ["slow", ["Slow", "busy"]],
]);

/** @param {readonly string[] | undefined} status */
export function badge(status) {
  const [name = "Unknown", style = ""] = status ?? [];
  return h("span", { class: `badge ${style}` }, name);
}
