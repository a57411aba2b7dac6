// The audit log in the console: the history of a tenant, filters, export and verification.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { eventually } from "./plane.js";
import { signIn } from "./steps.js";

/** @param {import("playwright-core").Page} page @param {string} title */
const panel = (page, title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) });

/** Waits until the latest entry of a tenant has this action. @param {string} id @param {string} action */
const recorded = (id, action) => eventually(async () => (await plane.call("GET", `/tenants/${id}/audit?limit=1`))[0]?.action === action);

for (const viewport of SIZES) {
  test(`a tenant's history shows who changed what, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant(`hist${viewport.width}`, "Before");
    for (let change = 0; change < 20; change++) await plane.call("PATCH", `/tenants/${id}`, { name: `Name ${change}` });
    await plane.call("PATCH", `/tenants/${id}`, { name: "<b>After</b>", city: "Paris", domains: ["a.test", "b.test"] });
    await eventually(async () => (await plane.call("GET", `/tenants/${id}/audit`)).length === 23);
    await signIn(page, plane, `#/tenants/${id}`);
    const history = panel(page, "History");
    const newest = history.getByRole("row").nth(1);
    await newest.getByText("Tenant updated").waitFor();
    assert.match(await newest.innerText(), /local-operator \(operator, by the API\)/);
    assert.match(await newest.innerText(), /name Name 19 → <b>After<\/b>/);
    assert.match(await newest.innerText(), /address changed \(personal, not kept\)/);
    assert.equal(await history.getByRole("row").count(), 21);
    await check(page, "history");
    await history.scrollIntoViewIfNeeded();
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/history-${viewport.width}.png`, fullPage: true });
    await history.getByRole("button", { name: "Show more" }).click();
    await history.getByText("Tenant created").waitFor();
    const created = history.getByRole("row", { name: /Tenant created/ });
    await created.locator("summary").click();
    assert.match(await created.innerText(), /status Pending/);
    assert.deepEqual(errors, []);
    await context.close();
  });

  test(`entries are filtered, exported and verified, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant(`aud${viewport.width}`);
    await plane.call("PATCH", `/tenants/${id}`, { name: "Renamed" });
    await recorded(id, "tenant.updated");
    await signIn(page, plane);
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByRole("heading", { name: "Audit" }).waitFor();
    await check(page, "audit");
    await page.getByLabel("Tenant ID").fill(id);
    await page.getByLabel("Action").fill("tenant.updated");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 1);
    assert.match(await panel(page, "Entries").innerText(), /name aud\d+ → Renamed/);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/audit-${viewport.width}.png`, fullPage: true });

    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export entries" }).click();
    const saved = await download;
    assert.equal(saved.suggestedFilename(), "audit.csv");
    const lines = (await readFile(await saved.path(), "utf8")).trim().split("\r\n");
    assert.match(String(lines[0]), /^time,chain,seq,/);
    // The entry of the export itself may already be there.
    const exported = lines.filter((line) => !line.includes("audit.exported"));
    assert.equal(exported.length, 4, "the tenant, its contact and the change");
    await page.getByText("The export is in the log.").waitFor();
    await recorded(id, "audit.exported");

    await page.getByRole("button", { name: "Verify chain" }).click();
    await page.getByText("All 4 entries are genuine, and none is missing.").waitFor();
    const pk = { S: `AUDIT#tenant:${id}` };
    const key = { pk, sk: { S: "000000000002" } };
    const values = { ":entry": { S: "{}" } };
    await plane.table("UpdateItem", { Key: key, UpdateExpression: "SET #entry = :entry", ExpressionAttributeNames: { "#entry": "entry" }, ExpressionAttributeValues: values });
    await page.getByRole("button", { name: "Verify chain" }).click();
    await page.getByText("Entry 2 is missing or was changed.").waitFor();
    await check(page, "a broken chain");

    await page.goto(`${plane.url}/console#/audit?action=none`);
    await signIn(page, plane, "#/audit?action=none");
    await page.getByText("No entry matches these filters.").waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });
}
