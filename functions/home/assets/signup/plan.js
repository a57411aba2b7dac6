// The step that chooses a plan: one of the catalog, or a tier as long as there is no public plan.

import { call } from "../common/api.js";
import { fill, find, h, userText } from "../common/dom.js";
import { formatPrice } from "../common/format.js";
import { ExactNumber } from "../common/json.js";
import { send } from "./access.js";
import { show } from "./steps.js";

export const form = find(document, "#plan", HTMLFormElement);
const choices = find(form, "fieldset", HTMLFieldSetElement);
const tiers = [...choices.children];

/** Why a plan can't be had after a failed attempt with another one. */
export const otherInfrastructure =
  "This plan needs different infrastructure from what your last attempt set up. Choose the plan of that attempt, or contact us.";

/** Returns the plans on offer, and the plan that the workspace waits for. @returns {Promise<{ offered: any[], waiting: any }>} */
export async function findPlans() {
  const [offered, subscriptions] = await Promise.all([call("GET", "catalog"), send("GET", "subscriptions")]);
  return { offered, waiting: subscriptions.find((/** @type {any} */ { phase }) => phase === "pending")?.plan };
}

/** Shows the plans. A workspace that waits for a plan can have only that one. */
export async function choosePlan() {
  const { offered, waiting } = await findPlans();
  const plans = waiting ? [waiting] : offered;
  fill(choices, ...(plans.length ? plans.map(card) : tiers));
  show("plan");
}

/** @param {any} plan @param {number} index */
function card(plan, index) {
  const { id, name, description, price, trialDays, features } = plan;
  const [field, details] = [`plan-${index}`, `plan-${index}-details`];
  const listed = Object.entries(features).map(featureText).filter(Boolean);
  return h("div", { class: "choice offer" },
    h("input", { type: "radio", name: "planId", value: id, id: field, checked: index === 0, "aria-describedby": details }),
    h("div", {},
      h("label", { for: field }, userText(name), h("span", { class: "price" }, Number(price) === 0 ? "Free" : formatPrice(plan))),
      h("div", { id: details },
        description && h("p", {}, userText(description)),
        trialDays > 0 && h("p", {}, `Free for the first ${trialDays === 1 ? "day" : `${trialDays} days`}`),
        listed.length > 0 && h("ul", {}, ...listed.map((text) => h("li", {}, text))))));
}

/** Returns a feature as a customer reads it, or nothing if the plan does not include it. @param {[string, unknown]} feature */
function featureText([key, value]) {
  const name = key.replace(/[_.-]+/g, " ");
  if (value === false) return null;
  if (value === true) return userText(name);
  const isNumber = typeof value === "number" || value instanceof ExactNumber;
  return userText(`${name}: ${isNumber ? new Intl.NumberFormat().format(Number(value)) : value}`);
}
