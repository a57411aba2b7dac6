// Dashboard statistics, and the tenants that need attention.

import { h, userText } from "../common/dom.js";
import { formatAge, formatDuration, formatPrice, formatTime } from "../common/format.js";
import { bars, dots } from "./chart.js";
import { linkTo } from "./route.js";
import { read } from "./session.js";
import { badge, reasons, tenants } from "./statuses.js";

/** @param {any} overview */
function counts({ tenants: numbers, leads }) {
  /** @param {string} href @param {number} number @param {import("../common/dom.js").Child} name */
  const card = (href, number, name) => h("li", {}, h("a", { href }, h("b", {}, number.toLocaleString()), name));
  return h("ul", { class: "counts" },
    ...tenants.map((status, number) => card(linkTo("tenants", { status: String(number) }), numbers[number], badge(status))),
    card(linkTo("leads"), leads.total, h("span", { class: "soft" }, `leads, ${leads.validated.toLocaleString()} verified`)));
}

/** The panel of subscriptions, if there are any. @param {any} figures */
function subscriptionPanel({ revenue, trialing, pastDue, cancelled }) {
  if (revenue.length + trialing + pastDue + cancelled === 0) return "";
  /** @param {string} text @param {import("../common/dom.js").Child} name */
  const card = (text, name) => h("li", {}, h("div", {}, h("b", {}, text), name));
  /** @param {string} text */
  const soft = (text) => h("span", { class: "soft" }, text);
  return h("section", { class: "panel" },
    h("h2", {}, "Subscriptions"),
    h("ul", { class: "counts" },
      ...revenue.map((/** @type {any} */ { amount, currencyCode }) => card(formatPrice({ price: amount, currencyCode }), soft("recurring revenue per month"))),
      card(trialing.toLocaleString(), soft("in trial")),
      card(pastDue.toLocaleString(), soft("past due")),
      card(cancelled.toLocaleString(), soft("cancelled in 30 days"))));
}

/** @param {any[]} attention */
function attentionPanel(attention) {
  return h("section", { class: "panel" },
    h("h2", {}, "Needs attention"),
    attention.length === 0
      ? h("p", { class: "soft" }, "Nothing needs attention.")
      : h("ul", { class: "attention" }, ...attention.map(({ tenantId, name, key, reason, since: time }) =>
        h("li", {}, badge(reasons.get(reason)), h("a", { href: linkTo(`tenants/${tenantId}`) }, userText(name)),
          h("code", {}, key), h("time", { class: "soft", datetime: time, title: formatTime(time) }, formatAge(time))))));
}

/** @returns {Promise<import("./console.js").View>} */
export async function overview() {
  const statistics = await read("overview");
  /** @param {string} figure */
  const points = (figure) => statistics.days.map((/** @type {any} */ day) => ({ date: day.date, value: day[figure] }));
  const onboarded = statistics.days.reduce((/** @type {number} */ sum, /** @type {any} */ day) => sum + day.onboarded, 0);
  return {
    title: "Overview",
    shown: [
      h("h1", { tabindex: "-1" }, "Overview"),
      counts(statistics),
      attentionPanel(statistics.attention),
      subscriptionPanel(statistics.subscriptions),
      h("div", { class: "grid" },
        bars("Tenants onboarded", `${onboarded.toLocaleString()} in 30 days`, points("onboarded")),
        dots("Median time to active", statistics.medianSeconds === null ? "–" : `${formatDuration(statistics.medianSeconds)} over 30 days`, points("medianSeconds"))),
    ],
  };
}
