// Suspends a tenant and reactivates it.

import { h, userText } from "../common/dom.js";
import { formatTime } from "../common/format.js";
import { openDialog } from "./dialog.js";
import { send } from "./session.js";

/** The reasons that an operator can give. @type {[string, string][]} */
const given = [["other", "Another reason"], ["request", "The customer asked for it"], ["abuse", "Abuse"]];

/** The reasons that follow from a subscription. @type {[string, string][]} */
const derived = [
  ["non_payment", "Not paid"], ["trial_ended", "The trial ended"], ["expired", "The subscription expired"],
  ["cancelled", "The subscription was cancelled"]];

const names = new Map([...given, ...derived]);

/**
 * Asks for a reason and suspends a tenant.
 * @param {any} tenant
 * @param {() => Promise<void>} refresh
 */
export function suspend(tenant, refresh) {
  openDialog({
    title: h("span", {}, "Suspend ", userText(tenant.name), "?"), button: "Suspend tenant", danger: true,
    text: ["Its workspace is locked, and its data and resources are kept. You can reactivate it at any time."],
    fields: [
      { name: "reason", label: "Reason", value: "other", options: given },
      { name: "note", label: "Note", optional: true, maxLength: 1000, hint: "The customer can read this note. The audit log keeps it." },
    ],
    submit: async (values) => {
      await send("POST", `tenants/${tenant.id}/suspend`, values);
      await refresh();
    },
  });
}

/**
 * Confirms and reactivates a tenant.
 * @param {any} tenant
 * @param {() => Promise<void>} refresh
 */
export function reactivate(tenant, refresh) {
  openDialog({
    title: h("span", {}, "Reactivate ", userText(tenant.name), "?"), button: "Reactivate tenant",
    text: ["Its workspace is unlocked, whatever the reason of its suspension is."],
    submit: async () => {
      await send("POST", `tenants/${tenant.id}/reactivate`);
      await refresh();
    },
  });
}

/**
 * Returns the facts about a suspension.
 * @param {{ reason: string, note: string | null, since: string, by: string, deprovisionOn: string | null } | null} suspension
 */
export function suspensionFacts(suspension) {
  if (!suspension) return [];
  const { reason, note, since, by, deprovisionOn } = suspension;
  return [
    h("dt", {}, "Suspended"), h("dd", {}, names.get(reason) ?? reason),
    ...(note ? [h("dt", {}, "Note"), h("dd", {}, userText(note))] : []),
    h("dt", {}, "Suspended on"), h("dd", {}, formatTime(since), " by ", userText(by)),
    ...(deprovisionOn ? [h("dt", {}, "Deprovisioned on"), h("dd", {}, formatTime(deprovisionOn))] : []),
  ];
}
