// The audit log of all tenants: filters, export, and the check that no entry was changed or removed.

import { errorMessage } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { columns } from "./history.js";
import { linkTo, navigate } from "./route.js";
import { can, list, saveAll, verifyChain } from "./session.js";
import { table } from "./table.js";

/** Entries per page. */
const LIMIT = 20;

/** The filters: the name of a member, its label, and a hint. @type {[string, string, string][]} */
const filters = [
  ["tenantId", "Tenant ID", ""],
  ["actorId", "Actor ID", ""],
  ["action", "Action", "tenant.updated"],
  ["targetId", "Changed item (ID)", ""],
];

/** @param {URLSearchParams} query */
function filterForm(query) {
  const field = (/** @type {[string, string, string]} */ [name, label, hint]) => h("div", {}, h("label", { for: `audit-${name}` }, label),
    h("input", { id: `audit-${name}`, name, value: query.get(name) ?? "", placeholder: hint || null, spellcheck: "false", autocomplete: "off" }));
  const form = h("form", { class: "controls wide", "aria-label": "Filter", novalidate: true }, ...filters.map(field), h("button", { class: "plain" }, "Show"));
  onSubmit(form, async (values) => navigate("audit", values));
  return form;
}

/** @param {URLSearchParams} query */
async function entriesPanel(query) {
  const given = filters.map(([name]) => [name, query.get(name) ?? ""]).filter(([, value]) => value);
  const where = Object.fromEntries(given);
  const { items, next } = await list("audit", { where, limit: LIMIT }, query.get("cursor") ?? "");
  const parameters = Object.fromEntries(query);
  const withTarget = [...columns.slice(0, 3), {
    name: "Tenant", cell: (/** @type {import("./history.js").Entry} */ { tenantId }) => (tenantId ? h("a", { href: linkTo(`tenants/${tenantId}`), "aria-label": `Tenant ${tenantId}` }, `${tenantId.slice(0, 8)}…`) : "–"),
  }, ...columns.slice(3)];
  return h("section", { class: "panel" }, h("h2", {}, "Entries"),
    items.length ? table("Entries", withTarget, items) : h("p", { class: "soft" }, given.length ? "No entry matches these filters." : "No entries yet. Every change is recorded here about a second after it is made."),
    h("nav", { class: "bar", "aria-label": "Pages" },
      parameters.cursor ? h("a", { href: linkTo("audit", { ...parameters, cursor: "" }) }, "First page") : null,
      next ? h("a", { href: linkTo("audit", { ...parameters, cursor: next }), rel: "next" }, "Next page") : null));
}

/** @param {URLSearchParams} query */
function exportForm(query) {
  const result = h("p", { class: "status", role: "status" });
  const tenantId = query.get("tenantId") ?? "";
  const form = h("form", { class: "controls wide", "aria-label": "Export", novalidate: true },
    h("div", {}, h("label", { for: "export-from" }, "From"), h("input", { id: "export-from", name: "from", type: "date" })),
    h("div", {}, h("label", { for: "export-to" }, "To"), h("input", { id: "export-to", name: "to", type: "date" })),
    h("div", {}, h("label", { for: "export-format" }, "Format"), h("select", { id: "export-format", name: "format" },
      h("option", { value: "csv" }, "CSV"), h("option", { value: "jsonl" }, "JSON lines"))),
    h("button", { class: "plain" }, "Export entries"));
  onSubmit(form, async ({ from, to, format }) => {
    fill(result, "Exporting…");
    const end = to && new Date(new Date(`${to}T00:00:00Z`).getTime() + 86_400_000).toISOString();
    const parameters = Object.entries({ tenantId, from: from && `${from}T00:00:00Z`, to: end, format }).filter(([, value]) => value);
    await saveAll(`audit/export?${new URLSearchParams(parameters)}`, `audit.${format}`).finally(() => fill(result));
    fill(result, "The entries were exported. The export is in the log.");
  });
  return h("section", { class: "panel" }, h("h2", {}, "Export"),
    h("p", { class: "soft" }, tenantId ? "Exports the entries of this tenant." : "Exports the entries of all tenants. Filter by tenant to export those of one."), form, result);
}

/** @param {URLSearchParams} query */
function verifyForm(query) {
  const result = h("p", { class: "status", role: "status" });
  const tenantId = query.get("tenantId") ?? "";
  const chains = [...(tenantId ? [`tenant:${tenantId}`] : []), "leads", "plans", "operators", "system"];
  const form = h("form", { class: "controls wide", "aria-label": "Verify", novalidate: true },
    h("div", {}, h("label", { for: "verify-chain" }, "Chain"), h("select", { id: "verify-chain", name: "chain" }, ...chains.map((chain) => h("option", { value: chain }, chain)))),
    h("button", { class: "plain" }, "Verify chain"));
  onSubmit(form, async ({ chain }) => {
    fill(result, "Verifying…");
    result.className = "status";
    const { ok, entries, brokenAt } = await verifyChain(chain).catch((problem) => {
      fill(result);
      throw problem;
    });
    result.className = ok ? "status" : "status wrong";
    fill(result, ok ? `All ${entries.toLocaleString()} entries are genuine, and none is missing.` : `Entry ${brokenAt} is missing or was changed.`);
  });
  return h("section", { class: "panel" }, h("h2", {}, "Verify"),
    h("p", { class: "soft" }, "Each entry is signed together with the one before. Filter by tenant to verify its chain."), form, result);
}

/** @param {URLSearchParams} query @returns {Promise<import("./console.js").View>} */
export async function audit(query) {
  const entries = await entriesPanel(query).catch((problem) => h("p", { class: "status wrong", role: "alert" }, errorMessage(problem)));
  return {
    title: "Audit",
    shown: [h("h1", { tabindex: "-1" }, "Audit"), filterForm(query), entries, h("div", { class: "grid" }, can("10311") ? exportForm(query) : null, verifyForm(query))],
  };
}
