// One tenant: where it is, what happened to it, and what can be done.

import { told } from "../common/api.js";
import { fill, h, theirs } from "../common/dom.js";
import { isOpen } from "../common/timeline.js";
import { when } from "../common/words.js";
import { children } from "./children.js";
import { ask } from "./dialog.js";
import { jobs } from "./jobs.js";
import { configs, contacts, invoices } from "./kinds.js";
import { go, to } from "./place.js";
import { part, read, send } from "./session.js";
import { badge, tenants as statuses } from "./statuses.js";
import { showMore, table } from "./table.js";

/** How often a tenant with an open job is looked at, in milliseconds. */
const OFTEN = 1500;

/** @type {[string, string][]} */
const tiers = [["STANDARD", "Standard: shared resources"], ["PREMIUM", "Premium: resources of its own"]];

/**
 * Has a tenant built; where that failed, for what it was to be built for.
 * @param {any} tenant
 * @param {import("../common/timeline.js").Job | undefined} failed
 * @param {() => Promise<void>} look
 */
function provision(tenant, failed, look) {
  const { id = crypto.randomUUID(), plan = { tier: "STANDARD" }, ...rest } = failed?.subscription ?? {};
  const known = tiers.some(([tier]) => tier === plan.tier);
  ask({
    title: failed ? "Try again to build it" : "Build it", action: failed ? "Retry" : "Provision",
    fields: [
      { name: "tier", label: "Tier", value: plan.tier, options: known ? tiers : [[plan.tier, plan.tier], ...tiers] },
      { name: "id", label: "Subscription", value: id, longest: 100 },
    ],
    act: async (asked) => {
      await send("POST", `tenants/${tenant.id}/provision`, { ...rest, id: asked.id, plan: { ...plan, tier: asked.tier } });
      await look();
    },
  });
}

/**
 * Removes what is built for a tenant, which has to be done before it is deleted.
 * @param {any} tenant
 * @param {boolean} deleting
 * @param {() => Promise<void>} look
 */
function deprovision(tenant, deleting, look) {
  ask({
    title: deleting ? "Deprovision it first?" : "Take it down?", action: "Deprovision", danger: true,
    text: [
      ...(deleting ? ["A tenant with resources can't be deleted. Deprovision it, then delete it. "] : []),
      theirs(tenant.name), " stops working. What was built for it is taken down by the pipeline that built it."],
    act: async () => {
      await send("POST", `tenants/${tenant.id}/deprovision`);
      await look();
    },
  });
}

/** @param {any} tenant @param {() => Promise<void>} look */
function change(tenant, look) {
  ask({
    title: "Change tenant", action: "Save",
    fields: [
      { name: "name", label: "Name", value: tenant.name, longest: 100 },
      { name: "domains", label: "Domains", value: tenant.domains.join(", "), hint: "Separated by commas." },
    ],
    act: async ({ name, domains }) => {
      await send("PATCH", `tenants/${tenant.id}`, { name, domains: domains.split(/[\s,;]+/).filter(Boolean) });
      await look();
    },
  });
}

/** @param {any} tenant */
function remove(tenant) {
  ask({
    title: "Delete this tenant?", action: "Delete", danger: true,
    text: ["Its contacts, settings and invoices go with it. Its key stays taken."],
    fields: [{ name: "key", label: `Type its key, ${tenant.key}, to be sure`, pattern: tenant.key, hint: "Its key, as it stands above." }],
    act: async () => {
      await send("DELETE", `tenants/${tenant.id}`);
      go("tenants");
    },
  });
}

/**
 * @param {any} tenant
 * @param {import("../common/timeline.js").Job[]} jobs
 * @param {any[]} built
 * @param {() => Promise<void>} look
 */
function actions(tenant, jobs, built, look) {
  const [, , next] = statuses[tenant.status] ?? [];
  const busy = tenant.status === 2 || tenant.status === 4;
  const stands = next === "deprovision" || (next === "retry" && built.length > 0);
  return h("div", { class: "bar" },
    next === "provision" ? h("button", { onclick: () => provision(tenant, undefined, look) }, "Provision") : null,
    next === "retry" ? h("button", { onclick: () => provision(tenant, jobs[0], look) }, "Retry") : null,
    stands ? h("button", { class: "plain", onclick: () => deprovision(tenant, false, look) }, "Deprovision") : null,
    h("button", { class: "plain", onclick: () => change(tenant, look) }, "Change"),
    busy ? null : h("button", { class: "danger", onclick: () => (stands ? deprovision(tenant, true, look) : remove(tenant)) }, "Delete"));
}

/** @param {any} tenant */
function facts({ key, domains, createdOn, address, leadId, id }) {
  const parts = address && [address.address, address.zip, address.city, address.state, address.country].filter(Boolean).join(", ");
  return h("section", { class: "panel" }, h("h2", {}, "Tenant"), h("dl", { class: "facts" },
    h("dt", {}, "Key"), h("dd", {}, h("code", {}, key)), h("dt", {}, "Domains"), h("dd", {}, theirs(domains.join(", "))),
    h("dt", {}, "Address"), h("dd", {}, theirs(parts || null)), h("dt", {}, "Onboarded"), h("dd", {}, when(createdOn)),
    h("dt", {}, "Lead"), h("dd", {}, leadId ? h("a", { href: to(`leads/${leadId}`) }, "Who asked for it") : "none"),
    h("dt", {}, "Id"), h("dd", {}, h("code", {}, id))));
}

/** How many jobs and how many resources are shown at first. */
const [JOBS, RESOURCES] = [20, 100];

/** @param {any[]} built @param {HTMLElement | null} more */
function resources(built, more) {
  const columns = [
    { name: "Type", cell: (/** @type {any} */ { type }) => theirs(type) },
    { name: "Name", cell: (/** @type {any} */ { externalIdentifier }) => theirs(externalIdentifier) },
  ];
  return h("section", { class: "panel" }, h("h2", {}, "Resources"),
    built.length ? table("Resources", columns, built) : h("p", { class: "soft" }, "No resources."), more);
}

/** @param {string} id @returns {Promise<import("./console.js").View>} */
export async function tenant(id) {
  const [head, life, made] = [h("div"), h("div"), h("div")];
  let timer = 0;
  let gone = false;
  let last = "";
  const filter = encodeURIComponent(JSON.stringify({ include: ["address"] }));
  /** What was asked for beyond the first pages. @type {{ jobs: any[], resources: any[] }} */
  const beyond = { jobs: [], resources: [] };
  /** @param {{ next: string }} page @param {"jobs" | "resources"} noun @param {number} limit */
  const more = (page, noun, limit) => showMore(page.next, async (cursor) => {
    const { items, next } = await part(`tenants/${id}/${noun}`, limit, cursor);
    beyond[noun].push(...items);
    page.next = next;
    draw();
  });
  /** @type {() => void} */
  let draw = () => {};
  async function look() {
    const [known, attempts, parts] = await Promise.all(
      [read(`tenants/${id}?filter=${filter}`), part(`tenants/${id}/jobs`, JOBS), part(`tenants/${id}/resources`, RESOURCES)]);
    const [all, built] = [attempts.items, parts.items];
    const now = JSON.stringify([known, all, built]);
    clearTimeout(timer);
    if (gone) return;
    if (all.some(isOpen)) timer = window.setTimeout(again, OFTEN);
    // What is the same stays, and with it the focus.
    if (now === last) return;
    last = now;
    const focused = head.contains(document.activeElement);
    fill(head, h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, theirs(known.name)), h("span", { role: "status" }, badge(statuses[known.status])), actions(known, all, built, look)), facts(known));
    beyond.jobs = [];
    beyond.resources = [];
    draw = () => {
      fill(life, jobs([...all, ...beyond.jobs], more(attempts, "jobs", JOBS)));
      fill(made, resources([...built, ...beyond.resources], more(parts, "resources", RESOURCES)));
    };
    draw();
    if (focused) head.querySelector("h1")?.focus();
  }
  const again = () => look().catch((problem) => {
    last = "";
    fill(life, h("p", { class: "status wrong", role: "alert" }, told(problem)));
    if (!gone) timer = window.setTimeout(again, OFTEN * 4);
  });
  const [, ...panels] = await Promise.all([look(), ...[contacts, configs, invoices].map((kind) => children(kind, id))]);
  return {
    title: "Tenant",
    shown: [h("p", { class: "crumb" }, h("a", { href: to("tenants") }, "Tenants")), head,
      h("div", { class: "grid" }, life, made), ...panels],
    left: () => {
      gone = true;
      clearTimeout(timer);
    },
  };
}
