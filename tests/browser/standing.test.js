// Suspending and reactivating a tenant, and its entitlements.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { eventually } from "./plane.js";
import { act, closed, signIn, submitDialog } from "./steps.js";

/** @param {import("playwright-core").Page} page @param {string} name */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** @param {import("playwright-core").Page} page @param {string} name */
const status = (page, name) => page.locator(".bar .badge", { hasText: name }).first().waitFor();

/** @param {string} key */
async function active(key) {
  const { id } = await plane.tenant(key);
  await plane.call("POST", `/tenants/${id}/provision`, { id: "s", plan: { tier: "BASIC" } });
  await eventually(async () => (await plane.call("GET", `/tenants/${id}`)).status === 0);
  return id;
}

for (const viewport of SIZES) {
  test(`an operator suspends a tenant and reactivates it, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const id = await active(`lock${viewport.width}`);
    await signIn(page, plane, `#/tenants/${id}`);
    await status(page, "Active");
    await press(page, "Suspend");
    await check(page, "suspending");
    await submitDialog(page, { reason: "request", note: "Until <b>spring</b>" });
    await closed(page);
    await status(page, "Suspended");
    for (const text of ["The customer asked for it", "Until <b>spring</b>"]) await page.getByText(text, { exact: true }).first().waitFor();
    assert.equal(await page.getByRole("button", { name: "Suspend", exact: true }).count(), 0);
    await check(page, "suspended");
    await page.goto(`${plane.url}/console#/tenants?status=6`);
    await page.getByRole("row", { name: `lock${viewport.width}` }).getByText("Suspended").waitFor();
    await page.goBack();
    await press(page, "Reactivate");
    await submitDialog(page, {});
    await closed(page);
    await status(page, "Active");
    assert.equal(await page.getByText("The customer asked for it", { exact: true }).count(), 0);
    assert.deepEqual(errors, []);
    await context.close();
  });

  test(`an operator overrides features of a tenant, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant(`feat${viewport.width}`);
    await signIn(page, plane, `#/tenants/${id}`);
    const panel = page.locator(".panel", { has: page.getByRole("heading", { name: "Entitlements", exact: true }) });
    await panel.getByText("No features yet.").waitFor();
    for (const [key, value] of [["seats", "25"], ["sso", "true"], ["region", "eu-west-1"], ["version", '"2"']]) {
      await press(page, "New override");
      await submitDialog(page, { key: String(key), value: String(value) });
      await closed(page);
      await panel.getByText(String(key), { exact: true }).waitFor();
    }
    const values = async () => Object.fromEntries(Object.entries((await plane.call("GET", `/tenants/${id}/entitlements`)).features).map(([key, feature]) => [key, /** @type {any} */ (feature).value]));
    assert.deepEqual(await values(), { region: "eu-west-1", seats: 25, sso: true, version: "2" });
    await check(page, "entitlements");
    await press(page, "New override");
    await submitDialog(page, { key: "7seats", value: "1" });
    await page.locator("#dialog-key[aria-invalid=true]").waitFor();
    await check(page, "new override");
    await press(page, "Cancel");
    await closed(page);
    const version = panel.locator("tr", { hasText: "version" });
    await act(version, "Edit");
    assert.equal(await page.locator("dialog [name=value]").inputValue(), '"2"', "a text that looks like a number stays a text");
    await submitDialog(page, { value: "" });
    await page.locator("#dialog-value[aria-invalid=true]").waitFor();
    await submitDialog(page, { value: "3.5" });
    await closed(page);
    await version.getByText("3.5", { exact: true }).waitFor();
    await act(panel.locator("tr", { hasText: "seats" }), "Remove");
    await submitDialog(page, {});
    await closed(page);
    await eventually(async () => (await panel.locator("tbody tr").count()) === 3);
    assert.deepEqual(await values(), { region: "eu-west-1", sso: true, version: 3.5 });
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("the page of a lead says that its workspace is suspended", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[0] ?? null });
  const email = "ada@suspended.test";
  await plane.call("POST", "/leads", { firstName: "Ada", lastName: "L", companyName: "Locked", email });
  const link = new URL((await plane.links(email, 1))[0]);
  const lead = link.pathname.split("/").pop();
  const { token } = await plane.call("POST", `/leads/${lead}/verify`, null, link.searchParams.get("code") ?? "");
  const { id } = await plane.call("POST", `/leads/${lead}/tenants`, { key: "locked", domains: ["suspended.test"] }, token);
  await plane.call("POST", `/tenants/${id}/provision`, { id: "s", plan: { tier: "BASIC" } });
  await eventually(async () => (await plane.call("GET", `/tenants/${id}`)).status === 0);
  await plane.call("POST", `/tenants/${id}/suspend`, { note: "See our letter" });
  await page.goto(link.href);
  await page.locator("#confirm button").click();
  await page.getByRole("heading", { name: "Your workspace is suspended" }).waitFor();
  await page.getByText("See our letter").waitFor();
  await check(page, "suspended workspace");
  assert.deepEqual(errors, []);
  await context.close();
});
