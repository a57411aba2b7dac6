// The panel of a tenant's subscription: subscribe, change the plan after seeing what that costs, cancel and resume.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { eventually } from "./plane.js";
import { closed, signIn, submitDialog } from "./steps.js";

/** @param {import("playwright-core").Page} page @param {string} name */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Creates an active plan for tenants of the pool. @param {string} name @param {number} price @returns {Promise<any>} */
async function activePlan(name, price, terms = { tier: "STANDARD", isolation: "pool" }) {
  const billingCycle = { duration: 1, durationUnit: "month" };
  const features = { seats: price };
  const plan = await plane.call("POST", "/plans", { name, ...terms, price, features, currencyCode: "EUR", billingCycle });
  await plane.call("POST", `/plans/${plan.id}/activate`);
  return plan;
}

for (const viewport of SIZES) {
  test(`a subscription from its start to its end, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const [small, large] = [await activePlan(`Small ${viewport.width}`, 10), await activePlan(`Large ${viewport.width}`, 31)];
    const { id } = await plane.tenant(`sub${viewport.width}`);
    await plane.call("POST", `/tenants/${id}/provision`, { id: "facade-1", plan: { tier: "STANDARD" } });
    await eventually(async () => (await plane.call("GET", `/tenants/${id}`)).status === 0);

    await signIn(page, plane, `#tenants/${id}`);
    const titled = (/** @type {string} */ title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) });
    const panel = titled("Subscription");
    await titled("Entitlements").getByText("No features yet.").waitFor();
    await titled("Invoices").getByText("No invoices yet.").waitFor();
    await panel.getByText("No subscription.").waitFor();
    await press(page, "Subscribe");
    await check(page, "subscribe");
    await submitDialog(page, { planId: small.id });
    await closed(page);
    await panel.getByText(`Small ${viewport.width}, €10.00 per month`).waitFor();
    await panel.locator(".badge", { hasText: "Active" }).waitFor();
    await panel.getByText("Renews on").waitFor();
    assert.equal(await page.evaluate("document.activeElement.tagName"), "H1", "the focus is not lost with the button");
    await titled("Entitlements").locator("tr", { hasText: "seats" }).getByText("10", { exact: true }).waitFor();
    await titled("Invoices").locator("tbody tr").first().waitFor();
    await check(page, "subscribed");

    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByText("recurring revenue per month").waitFor();
    await check(page, "overview with subscriptions");
    await page.goBack();
    await panel.getByText("Renews on").waitFor();

    await press(page, "Change plan");
    await submitDialog(page, { planId: large.id, proration: "credit" });
    const dialog = page.locator("dialog");
    await dialog.getByText(/^Credit of €10.00 for \d+ of \d+ days$/).waitFor();
    await dialog.getByText(/^Charge of €31.00 for \d+ of \d+ days$/).waitFor();
    await check(page, "what the change costs");
    await submitDialog(page, {});
    await closed(page);
    await panel.getByText(`Large ${viewport.width}, €31.00 per month`).waitFor();
    await titled("Entitlements").locator("tr", { hasText: "seats" }).getByText("31", { exact: true }).waitFor();
    await panel.getByText("On the next invoice").first().waitFor({ state: "attached" });

    const silo = await activePlan(`Silo ${viewport.width}`, 90, { tier: "PREMIUM", isolation: "silo" });
    await press(page, "Change plan");
    await submitDialog(page, { planId: silo.id });
    await dialog.getByText("Its users can go on working meanwhile.").waitFor();
    await check(page, "a move");
    await dialog.getByRole("button", { name: "Move workspace" }).click();
    await closed(page);
    await panel.getByText(`Silo ${viewport.width}, €90.00 per month`).waitFor();
    await page.getByText("(pool), removed on").waitFor();
    await page.getByText("2. Move").waitFor();
    await press(page, "Retire previous resources");
    await check(page, "retire");
    await submitDialog(page, {});
    await closed(page);
    await page.getByText("3. Retire previous resources").waitFor();
    await page.getByText("(pool), removed on").waitFor({ state: "detached" });

    await press(page, "Cancel subscription");
    await submitDialog(page, { reason: "Too expensive" });
    await closed(page);
    await panel.getByText(/^Ends on .* because it was cancelled\.$/).waitFor();
    await panel.getByText("Too expensive").waitFor();
    await check(page, "cancelled at the end");
    await press(page, "Resume");
    await submitDialog(page, {});
    await closed(page);
    await panel.getByText("Renews on").waitFor();

    await press(page, "Cancel subscription");
    await submitDialog(page, { when: "now" });
    await closed(page);
    await panel.locator(".badge", { hasText: "Cancelled" }).waitFor();
    await panel.getByRole("button", { name: "Subscribe" }).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });
}
