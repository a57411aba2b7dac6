// The page of one tenant: its facts, jobs, resources and child entities, and the actions on it.

import { errorMessage } from "../common/api.js";
import { fill, h, userText } from "../common/dom.js";
import { readList } from "../common/form.js";
import { formatTime } from "../common/format.js";
import { endedInIdentity, isOpen } from "../common/timeline.js";
import { children } from "./children.js";
import { openDialog } from "./dialog.js";
import { edit } from "./edit.js";
import { entitlements } from "./entitlements.js";
import { history } from "./history.js";
import { jobs } from "./jobs.js";
import { configs, contacts, invoices } from "./kinds.js";
import { previousFacts, retire } from "./previous.js";
import { linkTo, navigate } from "./route.js";
import { can, listUnfiltered, read, send } from "./session.js";
import { badge, tenants as statuses } from "./statuses.js";
import { subscriptionPanel } from "./subscription.js";
import { reactivate, suspend, suspensionFacts } from "./suspension.js";
import { showMore, table } from "./table.js";

/** Milliseconds between two refreshes while a job is open. */
const REFRESH_INTERVAL = 1500;
/** Refreshes after a job has closed: the last steps of its pipeline are reported later. */
const LATE_REFRESHES = 5;

/** @type {[string, string][]} */
const tiers = [["STANDARD", "Standard: shared infrastructure"], ["PREMIUM", "Premium: dedicated infrastructure"]];

/**
 * Provisions a tenant: for the plan that its subscription waits for, or else for a tier.
 * @param {any} tenant
 * @param {any} waiting the subscription that waits for the tenant, or `null`
 * @param {import("../common/timeline.js").Job | undefined} failed
 * @param {() => Promise<void>} refresh
 */
function provision(tenant, waiting, failed, refresh) {
  const title = failed ? "Retry provisioning" : "Provision tenant";
  if (!waiting) return provisionTier(title, tenant, failed, refresh);
  openDialog({
    title, button: title, text: ["It is built for its plan, ", userText(waiting.plan.name), ". The subscription then starts."],
    submit: async () => {
      await send("POST", `tenants/${tenant.id}/provision`, { planId: waiting.planId });
      await refresh();
    },
  });
}

/**
 * Asks for a subscription and provisions a tenant. A retry sends the failed job's subscription, with what is changed here.
 * @param {string} title
 * @param {any} tenant
 * @param {import("../common/timeline.js").Job | undefined} failed
 * @param {() => Promise<void>} refresh
 */
function provisionTier(title, tenant, failed, refresh) {
  const subscription = failed?.subscription ?? { id: crypto.randomUUID(), plan: { tier: "STANDARD" } };
  const { id, plan } = subscription;
  const known = tiers.some(([tier]) => tier === plan.tier);
  openDialog({
    title, button: title,
    fields: [
      { name: "tier", label: "Tier", value: plan.tier, options: known ? tiers : [[plan.tier, plan.tier], ...tiers] },
      { name: "id", label: "Subscription ID", value: id, maxLength: 100 },
    ],
    submit: async (_, { tier, ...changes }) => {
      const body = { ...subscription, ...changes, plan: tier ? { ...plan, tier } : plan };
      await send("POST", `tenants/${tenant.id}/provision`, body);
      await refresh();
    },
  });
}

/**
 * Confirms and repeats a failed identity set-up. The resources stay as they are.
 * @param {any} tenant
 * @param {() => Promise<void>} refresh
 */
function resume(tenant, refresh) {
  openDialog({
    title: "Resume sign-in set-up?", button: "Resume set-up",
    text: ["The workspace is built. Only its set-up at the identity provider is repeated."],
    submit: async () => {
      await send("POST", `tenants/${tenant.id}/identity`);
      await refresh();
    },
  });
}

/**
 * Confirms and starts deprovisioning. A tenant with resources must be deprovisioned before it can be deleted.
 * @param {any} tenant
 * @param {boolean} deleting
 * @param {() => Promise<void>} refresh
 */
function deprovision(tenant, deleting, refresh) {
  openDialog({
    title: h("span", {}, "Deprovision ", userText(tenant.name), deleting ? " first?" : "?"), button: "Deprovision tenant", danger: true,
    text: [
      ...(deleting ? ["A tenant with resources can’t be deleted: what was built for it would stay behind. Deprovision it, then delete it. "] : []),
      "Its workspace stops working and its resources are removed. This can’t be undone.",
    ],
    submit: async () => {
      await send("POST", `tenants/${tenant.id}/deprovision`);
      await refresh();
    },
  });
}

/** @param {any} tenant @returns {import("./dialog.js").DialogField[]} */
const fields = ({ name, domains }) => [
  { name: "name", label: "Name", value: name, maxLength: 100 },
  { name: "domains", label: "Domains", value: domains.join(", "), hint: "Separated by commas.", read: readList },
];

/** @param {any} tenant */
function remove(tenant) {
  openDialog({
    title: h("span", {}, "Delete ", userText(tenant.name), "?"), button: "Delete tenant", danger: true,
    text: ["Its contacts, settings and invoices are deleted too. Its key can’t be reused."],
    fields: [{ name: "key", label: `Enter the tenant’s key, ${tenant.key}, to confirm`, pattern: tenant.key, hint: "The key must match." }],
    submit: async () => {
      await send("DELETE", `tenants/${tenant.id}`);
      navigate("tenants");
    },
  });
}

/**
 * @param {any} tenant
 * @param {import("../common/timeline.js").Job[]} jobs
 * @param {any[]} resources
 * @param {() => any} waiting
 * @param {() => Promise<void>} refresh
 */
function actions(tenant, jobs, resources, waiting, refresh) {
  const [, , next] = statuses[tenant.status] ?? [];
  const busy = tenant.status === 2 || tenant.status === 4;
  const hasResources = next === "deprovision" || next === "reactivate" || (next === "retry" && resources.length > 0);
  const [provisions, deprovisions] = [can("10216"), can("10217")];
  return h("div", { class: "bar" },
    provisions && next === "provision" ? h("button", { onclick: () => provision(tenant, waiting(), undefined, refresh) }, "Provision") : null,
    provisions && next === "retry" && jobs[0] && endedInIdentity(jobs[0]) ?
      h("button", { onclick: () => resume(tenant, refresh) }, "Resume set-up") : null,
    provisions && next === "retry" ?
      h("button", { onclick: () => provision(tenant, waiting(), jobs.find(({ kind }) => kind === "provision"), refresh) }, "Retry") : null,
    can("10320") && next === "reactivate" ? h("button", { onclick: () => reactivate(tenant, refresh) }, "Reactivate") : null,
    can("10320") && next === "deprovision" ? h("button", { class: "plain", onclick: () => suspend(tenant, refresh) }, "Suspend") : null,
    deprovisions && hasResources ? h("button", { class: "plain", onclick: () => deprovision(tenant, false, refresh) }, "Deprovision") : null,
    provisions && tenant.previous ? h("button", { class: "plain", onclick: () => retire(tenant, refresh) }, "Retire previous resources") : null,
    can("10205") ? h("button", { class: "plain", onclick: () => edit({ title: "Edit tenant", path: `tenants/${tenant.id}`, fields, saved: refresh }) }, "Edit") : null,
    can("10206") && !busy && (deprovisions || !hasResources) ?
      h("button", { class: "danger", onclick: () => (hasResources ? deprovision(tenant, true, refresh) : remove(tenant)) }, "Delete") : null);
}

/** @param {any} tenant */
function facts({ key, domains, createdOn, address, leadId, id, suspension, previous }) {
  const parts = address && [address.address, address.zip, address.city, address.state, address.country].filter(Boolean).join(", ");
  return h("section", { class: "panel" }, h("h2", {}, "Tenant"), h("dl", { class: "facts" },
    ...suspensionFacts(suspension), ...previousFacts(previous),
    h("dt", {}, "Key"), h("dd", {}, h("code", {}, key)), h("dt", {}, "Domains"), h("dd", {}, userText(domains.join(", "))),
    h("dt", {}, "Address"), h("dd", {}, userText(parts || null)), h("dt", {}, "Onboarded"), h("dd", {}, formatTime(createdOn)),
    h("dt", {}, "Lead"), h("dd", {}, leadId && can("10203") ? h("a", { href: linkTo(`leads/${leadId}`) }, "View lead") : leadId ?? "None"),
    h("dt", {}, "ID"), h("dd", {}, h("code", {}, id))));
}

/** Items per page of jobs and of resources. */
const JOBS = 20;
const RESOURCES = 100;

/** @param {any[]} items @param {HTMLElement | null} more */
function resourcesPanel(items, more) {
  const columns = [
    { name: "Type", cell: (/** @type {any} */ { type }) => userText(type) },
    { name: "Name", cell: (/** @type {any} */ { externalIdentifier }) => userText(externalIdentifier) },
  ];
  return h("section", { class: "panel" }, h("h2", {}, "Resources"),
    items.length ? table("Resources", columns, items) : h("p", { class: "soft" }, "No resources yet. Jobs report the resources that they create."), more);
}

/** Milliseconds after which the list of invoices has the one of a subscription that has changed. */
const LISTED_AFTER = 1000;

/** @param {string} id @returns {Promise<import("./console.js").View>} */
export async function tenant(id) {
  const summary = h("div");
  const jobsPanel = h("div");
  const resourceList = h("div");
  let timer = 0;
  let left = 0;
  let closed = false;
  let shown = "";
  const filter = encodeURIComponent(JSON.stringify({ include: ["address"] }));
  /** The items after the first pages, loaded on demand. @type {{ jobs: any[], resources: any[] }} */
  const later = { jobs: [], resources: [] };
  /** @param {{ next: string }} page @param {"jobs" | "resources"} noun @param {number} limit */
  const more = (page, noun, limit) => showMore(page.next, async (cursor) => {
    const { items, next } = await listUnfiltered(`tenants/${id}/${noun}`, limit, cursor);
    later[noun].push(...items);
    page.next = next;
    draw();
  });
  /** @type {() => void} */
  let draw = () => {};
  /** Reads the subscription again, which changes when a job has moved the tenant. @type {() => Promise<void>} */
  let reread = async () => {};
  /** Returns the subscription that waits for the tenant to be built. @type {() => any} */
  let waiting = () => null;
  async function refresh() {
    const [found, jobsPage, resourcesPage] = await Promise.all(
      [read(`tenants/${id}?filter=${filter}`), listUnfiltered(`tenants/${id}/jobs`, JOBS), listUnfiltered(`tenants/${id}/resources`, RESOURCES)]);
    const [jobItems, resourceItems] = [jobsPage.items, resourcesPage.items];
    const now = JSON.stringify([found, jobItems, resourceItems]);
    clearTimeout(timer);
    if (closed) return;
    left = jobItems.some(isOpen) ? LATE_REFRESHES : left - 1;
    if (left > 0) timer = window.setTimeout(poll, REFRESH_INTERVAL);
    // An unchanged page is not redrawn, so that it keeps its focus.
    if (now === shown) return;
    shown = now;
    const focused = summary.contains(document.activeElement);
    fill(summary, h("div", { class: "bar" }, h("h1", { tabindex: "-1" }, userText(found.name)), h("span", { role: "status" }, badge(statuses[found.status])), actions(found, jobItems, resourceItems, () => waiting(), refresh)), facts(found));
    later.jobs = [];
    later.resources = [];
    draw = () => {
      fill(jobsPanel, jobs([...jobItems, ...later.jobs], more(jobsPage, "jobs", JOBS)));
      fill(resourceList, resourcesPanel([...resourceItems, ...later.resources], more(resourcesPage, "resources", RESOURCES)));
    };
    draw();
    if (focused) summary.querySelector("h1")?.focus();
    await reread();
  }
  const poll = () => refresh().catch((problem) => {
    shown = "";
    fill(jobsPanel, h("p", { class: "status wrong", role: "alert" }, errorMessage(problem)));
    if (!closed) timer = window.setTimeout(poll, REFRESH_INTERVAL * 4);
  });
  let listed = 0;
  /** Reads again what follows from the subscription: the features of its plan, and its invoices. */
  async function follow() {
    clearTimeout(listed);
    // If this fails, the next action tells why.
    listed = window.setTimeout(() => bills?.refresh().catch(() => {}), LISTED_AFTER);
    await features?.refresh();
  }
  const kinds = [contacts, configs, invoices].filter(({ permits }) => can(permits.view));
  const [, subscription, features, log, ...lists] = await Promise.all([
    refresh(), can("7004") ? subscriptionPanel(id, refresh, follow) : null, can("7004") ? entitlements(id) : null,
    can("10310") ? history(id) : null, ...kinds.map((kind) => children(kind, id))]);
  const bills = lists[kinds.indexOf(invoices)];
  if (subscription) ({ refresh: reread, waiting } = subscription);
  return {
    title: "Tenant",
    shown: [h("p", { class: "crumb" }, h("a", { href: linkTo("tenants") }, "Tenants")), summary,
      h("div", { class: "grid" }, jobsPanel, resourceList), subscription?.panel ?? null, features?.panel ?? null, ...lists.map(({ panel }) => panel), log],
    onClose: () => {
      closed = true;
      clearTimeout(timer);
      clearTimeout(listed);
    },
  };
}
