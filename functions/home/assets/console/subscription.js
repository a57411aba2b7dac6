// The panel of a tenant's subscription: its phase, its period, what happens next, and the actions on it.

import { errorMessage } from "../common/api.js";
import { fill, h, userText } from "../common/dom.js";
import { formatDate, formatPrice } from "../common/format.js";
import { openDialog } from "./dialog.js";
import { can, list, read, send } from "./session.js";
import { badge, phases } from "./statuses.js";
import { table } from "./table.js";

/** Plans that can be chosen. A catalog with more is not meant to be chosen from in a list. */
const PLANS = 100;

/** Shows an answer of the API, or else reads the subscription again. @typedef {(answer?: any) => Promise<void>} Refresh */

/** @type {[string, string][]} */
const times = [["period_end", "At the end of the period"], ["now", "Now"]];

/** @type {[string, string][]} */
const prorations = [["none", "Not at all"], ["credit", "By the day: credit the old plan, charge the new one"]];

/**
 * Returns what happens next and when.
 * @param {any} subscription
 */
export function nextStep({ phase, currentPeriodEnd, trialEndsOn, graceEndsOn, autoRenew, cancelAtPeriodEnd, pendingChange }) {
  const [end, trialEnd] = [formatDate(currentPeriodEnd), formatDate(trialEndsOn)];
  if (phase === "pending") return "Starts when the tenant is active with the plan’s tier.";
  if (phase === "cancelled" || phase === "expired") return "Nothing. Subscribe the tenant again to bring it back.";
  if (phase === "suspended") return "Continues when nothing is overdue.";
  if (cancelAtPeriodEnd) return `Ends on ${end}, because it was cancelled.`;
  if (phase === "past_due") return graceEndsOn ? `Is suspended on ${formatDate(graceEndsOn)} if an invoice is still overdue.` : "An invoice is overdue. That has no effect under this plan.";
  if (phase === "trialing") return autoRenew ? `The trial ends on ${trialEnd}. The first paid period follows.` : `Ends on ${trialEnd}, with the trial.`;
  if (!autoRenew) return `Ends on ${end}, because it does not renew.`;
  return pendingChange ? `Renews on ${end}, with another plan.` : `Renews on ${end}.`;
}

/**
 * Opens a dialog with the plans that take subscribers, or explains why there is none.
 * @param {string} title
 * @param {(plan: any) => boolean} fits
 * @param {(plans: any[]) => void} open
 */
async function withPlans(title, fits, open) {
  try {
    const { items } = await list("plans", { where: { state: "active" }, limit: PLANS });
    const plans = items.filter(fits);
    if (plans.length) open(plans);
    else explain(title, "There is no other active plan. Create one under “Plans” and activate it first.");
  } catch (problem) {
    explain(title, errorMessage(problem));
  }
}

/** @param {string} title @param {string} text */
const explain = (title, text) => openDialog({ title, text: [text], button: "Close", submit: async () => {} });

/** @param {any[]} plans @returns {import("./dialog.js").DialogField} */
const planField = (plans) => ({
  name: "planId", label: "Plan",
  options: plans.map((plan) => [plan.id, `${plan.name}, ${formatPrice(plan)}`]),
});

/**
 * @param {string} tenant
 * @param {Refresh} refresh
 */
const subscribe = (tenant, refresh) => withPlans("Subscribe tenant", () => true, (plans) => openDialog({
  title: "Subscribe tenant", button: "Subscribe",
  fields: [planField(plans), { name: "trial", label: "Start with the plan’s trial", type: "checkbox", value: "true" }],
  submit: async (values) => refresh(await send("POST", "subscriptions", { ...values, subscriberId: tenant })),
}));

/** @param {any} line */
const lineText = ({ type, amount, currencyCode, days, ofDays }) =>
  `${type === "credit" ? "Credit" : "Charge"} of ${formatPrice({ price: amount, currencyCode })} for ${days} of ${ofDays} days`;

/**
 * Asks for another plan, shows what the change costs, and makes it when that is confirmed.
 * @param {any} subscription
 * @param {Refresh} refresh
 */
const change = ({ id, planId }, refresh) => withPlans("Change plan", (plan) => plan.id !== planId, (plans) => openDialog({
  title: "Change plan", button: "Show what changes",
  fields: [planField(plans),
    { name: "when", label: "When", value: "now", options: [...times].reverse() },
    { name: "proration", label: "Charge the rest of this period", value: "none", options: prorations }],
  submit: async (values) => {
    const path = `subscriptions/${id}/change`;
    const quote = await send("POST", `${path}?dryRun=true`, values);
    const plan = plans.find((each) => each.id === values.planId);
    return () => confirmChange(path, values, plan, quote, refresh);
  },
}));

/**
 * @param {string} path
 * @param {import("../common/form.js").Values} values
 * @param {any} plan
 * @param {any} quote the answer of the dry run
 * @param {Refresh} refresh
 */
function confirmChange(path, values, plan, quote, refresh) {
  openDialog({
    title: h("span", {}, "Change to ", userText(plan.name), "?"), button: quote.needsJob ? "Move workspace" : "Change plan",
    text: [`From ${formatDate(quote.on)} on. `, quote.needsJob ? "The workspace moves to other infrastructure. Its users can go on working meanwhile." : "The workspace stays where it is."],
    content: h("ul", {}, ...(quote.lines.length ? quote.lines.map((/** @type {any} */ line) => h("li", {}, lineText(line))) : [h("li", {}, "No credit and no charge")])),
    submit: async () => refresh(await send("POST", path, values)),
  });
}

/**
 * @param {any} subscription
 * @param {Refresh} refresh
 */
function cancel({ id }, refresh) {
  openDialog({
    title: "Cancel the subscription?", button: "Cancel subscription", danger: true,
    text: ["When the cancellation takes effect, the tenant is suspended. Its data is kept. If automatic deprovisioning is on, the data is deleted after the retention period."],
    fields: [{ name: "when", label: "When", value: "period_end", options: times }, { name: "reason", label: "Reason", optional: true, maxLength: 1000, hint: "The audit log keeps it." }],
    submit: async (values) => refresh(await send("POST", `subscriptions/${id}/cancel`, values)),
  });
}

/** @param {any} subscription @param {Refresh} refresh */
function resume({ id }, refresh) {
  openDialog({
    title: "Resume the subscription?", button: "Resume subscription",
    text: ["It renews again at the end of its period."],
    submit: async () => refresh(await send("POST", `subscriptions/${id}/resume`)),
  });
}

/**
 * @param {any | undefined} subscription the tenant's latest subscription
 * @param {string} tenant
 * @param {Refresh} refresh
 */
function actions(subscription, tenant, refresh) {
  const hasEnded = !subscription || subscription.phase === "cancelled" || subscription.phase === "expired";
  const isRunning = !hasEnded && subscription.phase !== "pending" && subscription.phase !== "suspended";
  return h("div", { class: "bar" },
    hasEnded && can("7001") && can("7008") ? h("button", { onclick: () => subscribe(tenant, refresh) }, "Subscribe") : null,
    isRunning && can("7002") && can("7008") ? h("button", { onclick: () => change(subscription, refresh) }, "Change plan") : null,
    isRunning && subscription.cancelAtPeriodEnd && can("7002") ? h("button", { class: "plain", onclick: () => resume(subscription, refresh) }, "Resume") : null,
    !hasEnded && !subscription.cancelAtPeriodEnd && can("7003") ? h("button", { class: "danger", onclick: () => cancel(subscription, refresh) }, "Cancel subscription") : null);
}

/** @param {any} subscription */
function facts(subscription) {
  const { plan, phase, currentPeriodStart, currentPeriodEnd, pendingChange, cancelReason, overdue } = subscription;
  return h("dl", { class: "facts" },
    h("dt", {}, "Plan"), h("dd", {}, userText(plan.name), `, ${formatPrice(plan)}`),
    h("dt", {}, "Phase"), h("dd", {}, badge(phases.get(phase))),
    h("dt", {}, "Period"), h("dd", {}, currentPeriodStart ? `${formatDate(currentPeriodStart)} to ${formatDate(currentPeriodEnd)}` : "–"),
    h("dt", {}, "Next"), h("dd", {}, nextStep(subscription)),
    ...(pendingChange ? [h("dt", {}, "Changes on"), h("dd", {}, formatDate(pendingChange.on))] : []),
    ...(cancelReason ? [h("dt", {}, "Cancelled because"), h("dd", {}, userText(cancelReason))] : []),
    ...(overdue.length ? [h("dt", {}, "Overdue"), h("dd", {}, overdue.length === 1 ? "1 invoice" : `${overdue.length} invoices`)] : []));
}

/** The credits and charges of the next invoice. @param {any} subscription */
function adjustments({ adjustments: lines }) {
  if (!lines.length) return null;
  return table("Next invoice", [{ name: "On the next invoice", cell: lineText }, { name: "Since", cell: ({ on }) => formatDate(on) }], lines);
}

/**
 * Returns the subscription of a tenant as a panel, with a function that reads it again, and one that
 * returns the subscription while it waits for the tenant to be built.
 * @param {string} tenant
 * @param {() => Promise<void>} changed called after each action, which may also change the tenant
 * @param {() => Promise<void>} follow called when the subscription has changed for any reason
 */
export async function subscriptionPanel(tenant, changed, follow) {
  const content = h("div");
  let shown = "";
  const { items: [latest] } = await list("subscriptions", { where: { tenantId: tenant }, order: "createdOn DESC", limit: 1 });
  let subscription = latest;
  /** @type {Refresh} */
  async function refresh(answer) {
    if (answer) subscription = answer;
    else if (subscription) subscription = await read(`subscriptions/${subscription.id}`);
    if (answer) await changed();
    // An unchanged panel is not redrawn, so that it keeps its focus.
    const now = JSON.stringify(subscription ?? null);
    if (now === shown) return;
    const isFirst = shown === "";
    shown = now;
    fill(content,
      ...(subscription ? [facts(subscription), adjustments(subscription)] : [h("p", { class: "soft" }, "No subscription. The tenant is not billed.")]),
      actions(subscription, tenant, refresh));
    if (!isFirst) await follow();
  }
  // Lists are eventually consistent, so the subscription itself is read.
  await refresh();
  return { panel: h("section", { class: "panel" }, h("h2", {}, "Subscription"), content), refresh: () => refresh(), waiting: () => (subscription?.phase === "pending" ? subscription : null) };
}
