// How things stand, and whom to look at.

import { h, theirs } from "../common/dom.js";
import { since, span, when } from "../common/words.js";
import { bars, dots } from "./chart.js";
import { to } from "./place.js";
import { read } from "./session.js";
import { badge, reasons, tenants } from "./statuses.js";

/** @param {any} overview */
function counts({ tenants: numbers, leads }) {
  /** @param {string} href @param {number} number @param {import("../common/dom.js").Child} name */
  const card = (href, number, name) => h("li", {}, h("a", { href }, h("b", {}, number.toLocaleString()), name));
  return h("ul", { class: "counts" },
    ...tenants.map((status, number) => card(to("tenants", { status: String(number) }), numbers[number], badge(status))),
    card(to("leads"), leads.total, h("span", { class: "soft" }, `leads, ${leads.validated.toLocaleString()} confirmed`)));
}

/** @param {any[]} attention */
function lookAt(attention) {
  return h("section", { class: "panel" },
    h("h2", {}, "Needs attention"),
    attention.length === 0
      ? h("p", { class: "soft" }, "Nobody waits, nothing failed.")
      : h("ul", { class: "attention" }, ...attention.map(({ tenantId, name, key, reason, since: time }) =>
        h("li", {}, badge(reasons.get(reason)), h("a", { href: to(`tenants/${tenantId}`) }, theirs(name)),
          h("code", {}, key), h("time", { class: "soft", datetime: time, title: when(time) }, since(time))))));
}

/** @returns {Promise<import("./console.js").View>} */
export async function overview() {
  const now = await read("overview");
  /** @param {string} of */
  const points = (of) => now.days.map((/** @type {any} */ day) => ({ date: day.date, value: day[of] }));
  const onboarded = now.days.reduce((/** @type {number} */ sum, /** @type {any} */ day) => sum + day.onboarded, 0);
  return {
    title: "Overview",
    shown: [
      h("h1", { tabindex: "-1" }, "Overview"),
      counts(now),
      lookAt(now.attention),
      h("div", { class: "grid" },
        bars("Onboarded", `${onboarded.toLocaleString()} in 30 days`, points("onboarded")),
        dots("Median time to active", now.medianSeconds === null ? "–" : `${span(now.medianSeconds)} in 30 days`, points("medianSeconds"))),
    ],
  };
}
