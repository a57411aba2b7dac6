// The resources that a tenant had before it was moved to another isolation.

import { h, userText } from "../common/dom.js";
import { formatTime } from "../common/format.js";
import { openDialog } from "./dialog.js";
import { send } from "./session.js";

/** @param {any} previous @returns {HTMLElement[]} */
export const previousFacts = (previous) => (previous ? [
  h("dt", {}, "Previous resources"),
  h("dd", {}, userText(previous.tier), ` (${previous.isolation}), removed on ${formatTime(previous.retireOn)}`),
] : []);

/** @param {any} tenant @param {() => Promise<void>} refresh */
export function retire(tenant, refresh) {
  openDialog({
    title: h("span", {}, "Retire the previous resources of ", userText(tenant.name), "?"), button: "Retire resources", danger: true,
    text: ["The resources from before the move are removed now. The workspace stays in use. This can’t be undone."],
    submit: async () => {
      await send("POST", `tenants/${tenant.id}/retire`);
      await refresh();
    },
  });
}
