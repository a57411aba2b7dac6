// Plans in the console: creates, edits, activates, archives and deletes them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { eventually } from "./plane.js";
import { closed, signIn, submitDialog } from "./steps.js";

/** @param {import("playwright-core").Page} page @param {string} title */
const panel = (page, title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) });

/** @param {import("playwright-core").Page} page @param {string} name */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

for (const viewport of SIZES) {
  test(`a plan is created, edited, activated, archived and deleted, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const name = `<b>Premium ${viewport.width}</b>`;
    await signIn(page, plane);
    await page.getByRole("link", { name: "Plans" }).click();
    await press(page, "New plan");
    await check(page, "new plan");
    await submitDialog(page, { name, price: "49,9", features: "seats = 25\nsso = true\nregion = eu\ncode = \"7\"" });
    await page.locator("#dialog-price-error", { hasText: "For example, 49.90." }).waitFor();
    await submitDialog(page, { price: "49.90", tier: "GOLD", billingCycle: "3 months" });
    await page.locator("#dialog-tier-error", { hasText: "must be one of" }).waitFor();
    await submitDialog(page, { tier: "PREMIUM", trialDays: "14" });
    await page.getByRole("heading", { name }).waitFor();
    await page.getByRole("status").getByText("Draft").waitFor();
    const id = page.url().split("/").pop();
    const stored = await plane.call("GET", `/plans/${id}`);
    assert.deepEqual(stored.features, { seats: 25, sso: true, region: "eu", code: "7" });
    assert.deepEqual([stored.price, stored.billingCycle, stored.trialDays], [49.9, { duration: 3, durationUnit: "month" }, 14]);
    assert.match(await panel(page, "Terms").innerText(), /49\.9 EUR per 3 months/);
    assert.match(await panel(page, "Features").innerText(), /seats\s+25/);
    await check(page, "draft");

    await press(page, "Edit");
    await submitDialog(page, {});
    await closed(page);
    assert.equal((await plane.call("GET", `/plans/${id}`)).modifiedOn, stored.modifiedOn, "saving changes nothing");
    await press(page, "Edit");
    assert.equal(await page.locator("dialog [name=features]").inputValue(), "code = \"7\"\nregion = eu\nseats = 25\nsso = true");
    await page.locator("dialog [name=public]").check();
    await submitDialog(page, { description: "For teams" });
    await closed(page);
    await press(page, "Activate");
    await page.getByText("opens the catalog for good").waitFor();
    await submitDialog(page, {});
    await page.getByRole("status").getByText("Active").waitFor();
    const catalog = async () => (await plane.call("GET", "/catalog")).filter((/** @type {any} */ plan) => plan.id === id);
    assert.equal((await catalog())[0].description, "For teams");

    await press(page, "Edit");
    await submitDialog(page, { price: "59" });
    await closed(page);
    await page.locator(".panel dd", { hasText: "59 EUR per 3 months" }).waitFor();
    assert.equal((await plane.call("GET", `/plans/${id}`)).revision, 2);
    await eventually(async () => (await plane.call("GET", `/audit?filter[where][targetId]=${id}`)).length === 4);
    await page.reload();
    await signIn(page, plane, `#/plans/${id}`);
    assert.match(await panel(page, "Versions").innerText(), /price 49\.9 → 59/);
    await check(page, "active plan");
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/plan-${viewport.width}.png`, fullPage: true });

    await press(page, "Archive");
    await submitDialog(page, {});
    await page.getByRole("status").getByText("Archived").waitFor();
    assert.deepEqual(await catalog(), []);
    await page.locator(".crumb").getByRole("link", { name: "Plans" }).click();
    await page.getByLabel("Status").selectOption("Archived");
    await press(page, "Show");
    await page.getByRole("link", { name }).waitFor();
    await check(page, "plans");
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/plans-${viewport.width}.png`, fullPage: true });
    await page.getByRole("link", { name }).click();
    await press(page, "Delete");
    await submitDialog(page, {});
    await page.getByRole("heading", { name: "Plans" }).waitFor();
    assert.equal((await fetch(`${plane.url}/plans/${id}`, { headers: { authorization: `Bearer ${plane.token}` } })).status, 404);
    assert.deepEqual(errors, []);
    await context.close();
  });
}
