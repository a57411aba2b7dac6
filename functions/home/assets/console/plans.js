// The list of plans and the page of one plan: its terms, features and versions, and the actions on it.

import { fill, h, userText } from "../common/dom.js";
import { ExactNumber } from "../common/json.js";
import { openDialog } from "./dialog.js";
import { edit } from "./edit.js";
import { changesOf } from "./history.js";
import { featuresOf, featuresText, readFeatures } from "./features.js";
import { linkTo, navigate } from "./route.js";
import { can, readTagged, send } from "./session.js";
import { badge, plans as states } from "./statuses.js";
import { controls, listPanel } from "./table.js";

/** @param {{ duration: unknown, durationUnit: string }} cycle */
const cycleText = ({ duration, durationUnit }) => `${duration} ${durationUnit}${String(duration) === "1" ? "" : "s"}`;

/** @param {string} text */
function readCycle(text) {
  const [duration = "", unit = ""] = text.split(" ");
  return { duration: Number(duration), durationUnit: unit.replace(/s$/, "") };
}

/** @param {any} plan */
const priceText = ({ price, currencyCode, billingCycle }) => `${String(price)} ${currencyCode} per ${cycleText(billingCycle).replace(/^1 /, "")}`;

/** @param {any} plan */
const stateBadge = ({ state }) => badge(states.get(state));

/** @type {[string, string][]} */
const isolations = [["", "Default for the tier"], ["silo", "Dedicated infrastructure"], ["pool", "Shared infrastructure"]];

/** @type {[string, string][]} */
const effects = [["suspend", "Suspend the tenant"], ["none", "Nothing"]];

/** @param {any} plan @returns {import("./dialog.js").DialogField[]} */
const fields = (plan) => [
  { name: "name", label: "Name", value: plan?.name, maxLength: 100 },
  { name: "description", label: "Description", value: plan?.description ?? "", optional: true, maxLength: 1000 },
  { name: "tier", label: "Tier", value: plan?.tier ?? "STANDARD", maxLength: 100 },
  { name: "isolation", label: "Resources", value: plan?.isolation ?? "", options: isolations, optional: true },
  { name: "price", label: "Price", value: String(plan?.price ?? ""), pattern: "[0-9]+([.][0-9]+)?", hint: "For example, 49.90.", read: (text) => new ExactNumber(text) },
  { name: "currencyCode", label: "Currency", value: plan?.currencyCode ?? "EUR", pattern: "[A-Z]{3}", hint: "A three-letter code, for example EUR." },
  { name: "billingCycle", label: "Billed every", value: cycleText(plan?.billingCycle ?? { duration: 1, durationUnit: "month" }), pattern: "[0-9]+ (day|week|month|year)s?", hint: "For example, 1 month or 2 weeks.", read: readCycle },
  { name: "trialDays", label: "Trial in days", value: String(plan?.trialDays ?? 0), pattern: "[0-9]+", hint: "0 for no trial.", read: Number },
  { name: "graceDays", label: "Days of grace for an overdue invoice", value: String(plan?.graceDays ?? 7), pattern: "[0-9]+", hint: "A number of days.", read: Number },
  { name: "effectOfNonPayment", label: "After the days of grace", value: plan?.effectOfNonPayment ?? "suspend", options: effects },
  { name: "features", label: "Features", type: "textarea", value: featuresText(plan?.features ?? {}), optional: true, hint: "One per line, for example seats = 25 or sso = true.", read: readFeatures },
  { name: "public", label: "Show the plan to customers", type: "checkbox", value: String(plan?.public ?? false), optional: true },
];

function create() {
  openDialog({
    title: "New plan", button: "Create plan", fields: fields(null),
    text: ["It starts as a draft. Nobody can subscribe to it until you activate it."],
    submit: async (values) => {
      const { id } = await send("POST", "plans", values);
      navigate(`plans/${id}`);
    },
  });
}

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function plans(query) {
  const state = query.get("status");
  const columns = [
    { name: "Name", cell: (/** @type {any} */ plan) => h("a", { href: linkTo(`plans/${plan.id}`) }, userText(plan.name)) },
    { name: "Tier", cell: (/** @type {any} */ { tier }) => userText(tier) },
    { name: "Price", cell: (/** @type {any} */ plan) => priceText(plan), className: "number" },
    { name: "Version", cell: (/** @type {any} */ { revision }) => String(revision), className: "number" },
    { name: "Status", cell: stateBadge },
    { name: "Customers", cell: (/** @type {any} */ plan) => (plan.public ? "See it when active" : "Don’t see it") },
  ];
  /** @type {[string, string][]} */
  const options = [...states].map(([value, [name = ""]]) => [value, name]);
  return {
    title: "Plans",
    shown: [
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, "Plans"), can("7005") ? h("button", { onclick: create }, "New plan") : null),
      controls("plans", query, [["", "All"], ...options]),
      await listPanel({ path: "plans", caption: "Plans", query, where: state ? { state } : {}, columns }),
    ],
  };
}

/**
 * Confirms an action on a plan, and does it at the version that is shown.
 * @param {any} plan
 * @param {"activate" | "archive"} action
 * @param {() => Promise<void>} refresh
 */
function act(plan, action, refresh) {
  const isActivation = action === "activate";
  const activation = plan.public
    ? "Customers can choose it. The first public plan opens the catalog for good: from then on, customers choose one of its plans."
    : "You can subscribe tenants to it. Customers don’t see it.";
  openDialog({
    title: h("span", {}, isActivation ? "Activate " : "Archive ", userText(plan.name), "?"), button: isActivation ? "Activate plan" : "Archive plan", danger: !isActivation,
    text: [isActivation ? activation : "Nobody can subscribe to it any more. Its subscriptions go on, and you can activate it again."],
    submit: async () => {
      await send("POST", `plans/${plan.id}/${action}`);
      await refresh();
    },
  });
}

/** @param {any} plan */
function remove(plan) {
  openDialog({
    title: h("span", {}, "Delete ", userText(plan.name), "?"), button: "Delete plan", danger: true,
    text: ["It will no longer be visible to anyone. A plan that ever had a subscriber can only be archived."],
    submit: async () => {
      await send("DELETE", `plans/${plan.id}`);
      navigate("plans");
    },
  });
}

/** @param {any} plan @param {() => Promise<void>} refresh */
function actions(plan, refresh) {
  const changes = can("7006");
  return h("div", { class: "bar" },
    changes && plan.state !== "active" ? h("button", { onclick: () => act(plan, "activate", refresh) }, "Activate") : null,
    changes ? h("button", { class: "plain", onclick: () => edit({ title: "Edit plan", path: `plans/${plan.id}`, fields, saved: refresh }) }, "Edit") : null,
    changes && plan.state === "active" ? h("button", { class: "plain", onclick: () => act(plan, "archive", refresh) }, "Archive") : null,
    can("7007") ? h("button", { class: "danger", onclick: () => remove(plan) }, "Delete") : null);
}

/** @param {any} plan */
function facts(plan) {
  /** @param {[string, string][]} options @param {string} value */
  const named = (options, value) => options.find(([key]) => key === value)?.[1] ?? value;
  return h("section", { class: "panel" }, h("h2", {}, "Terms"), h("dl", { class: "facts" },
    h("dt", {}, "Price"), h("dd", {}, priceText(plan)), h("dt", {}, "Version"), h("dd", {}, String(plan.revision)),
    h("dt", {}, "Description"), h("dd", {}, userText(plan.description)),
    h("dt", {}, "Tier"), h("dd", {}, userText(plan.tier)), h("dt", {}, "Resources"), h("dd", {}, named(isolations, plan.isolation ?? "")),
    h("dt", {}, "Trial"), h("dd", {}, `${plan.trialDays} days`), h("dt", {}, "Grace"), h("dd", {}, `${plan.graceDays} days`),
    h("dt", {}, "Then"), h("dd", {}, named(effects, plan.effectOfNonPayment)),
    h("dt", {}, "Customers"), h("dd", {}, plan.public ? "See it when active" : "Don’t see it"),
    h("dt", {}, "ID"), h("dd", {}, h("code", {}, plan.id))));
}

/** @param {string} id @returns {Promise<import("./console.js").View>} */
export async function plan(id) {
  const body = h("div");
  async function refresh() {
    const [{ item }, versions] = await Promise.all([readTagged(`plans/${id}`), can("10310") ? changesOf("Versions", { chain: "plans", targetId: id }) : null]);
    fill(body,
      h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, userText(item.name)), h("span", { role: "status" }, stateBadge(item)), actions(item, refresh)),
      h("div", { class: "grid" }, facts(item), featuresOf(item.features)), versions);
  }
  await refresh();
  return { title: "Plan", shown: [h("p", { class: "crumb" }, h("a", { href: linkTo("plans") }, "Plans")), body] };
}
