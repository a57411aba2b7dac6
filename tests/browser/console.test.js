// The operators' console.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { withPlane, eventually } from "./plane.js";
import { submitDialog, closed, signIn } from "./steps.js";

/** @param {import("playwright-core").Page} page @param {string} name */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** @param {import("playwright-core").Page} page @param {string} title */
const panel = (page, title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) });

/** @param {import("playwright-core").Page} page @param {number} count */
const rows = (page, count) => eventually(async () => (await page.locator("tbody tr").count()) === count);

for (const viewport of SIZES) {
  test(`a tenant from creation to deletion, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport, colorScheme: viewport.width < 500 ? "dark" : "light" });
    const key = `acme${viewport.width}`;
    await signIn(page, plane, "#/tenants");
    await press(page, "New tenant");
    await check(page, "new tenant");
    await submitDialog(page, { name: "Acme", key: "No", domains: "acme.test" });
    assert.equal(await page.locator("dialog [aria-invalid=true]").count(), 4, "the key and three empty fields are marked");
    await submitDialog(page, { key, "contact/firstName": "Ada", "contact/lastName": "L", "contact/email": "ada@other.test" });
    await page.getByText(/domain of the email address is missing|does not match tenant domains/).waitFor();
    await submitDialog(page, { "contact/email": "ada@acme.test" });
    await page.getByRole("heading", { name: "Acme" }).waitFor();
    await check(page, "tenant, pending");

    await press(page, "Provision");
    await submitDialog(page, { tier: "PREMIUM" });
    await closed(page);
    await page.locator(".badge", { hasText: "Provisioning" }).waitFor();
    await page.locator(".badge", { hasText: "Active" }).waitFor();
    await panel(page, "Jobs").getByText("Succeeded").waitFor();
    assert.ok(await panel(page, "Resources").locator("tbody tr").count() > 0);

    await press(page, "New contact");
    await submitDialog(page, { firstName: "Bob", lastName: "B", email: "bob@other.test" });
    await closed(page);
    const bob = panel(page, "Contacts").locator("tr", { hasText: "bob@other.test" });
    await bob.getByRole("button", { name: "Edit" }).click();
    await submitDialog(page, { firstName: "Robert" });
    await closed(page);
    await bob.getByText("Robert").waitFor();
    await bob.getByRole("button", { name: "Delete" }).click();
    await submitDialog(page, {});
    await closed(page);
    await bob.waitFor({ state: "detached" });

    await press(page, "New setting");
    await submitDialog(page, { configKey: "theme", configValue: "no json" });
    await page.locator("#dialog-configValue-error", { hasText: "JSON object" }).waitFor();
    await submitDialog(page, { configValue: '{"colour":"red"}' });
    await closed(page);
    await press(page, "New setting");
    await submitDialog(page, { configKey: "theme" });
    await page.locator("#dialog-configKey-error", { hasText: "taken" }).waitFor();
    await press(page, "Cancel");
    await closed(page);

    await press(page, "New invoice");
    await submitDialog(page, { startDate: "2026-11-01", endDate: "2026-10-01", amount: "x", currencyCode: "EUR", dueDate: "2026-12-01" });
    await page.locator("#dialog-amount-error:not(:empty)").waitFor();
    await submitDialog(page, { amount: "12345678901234567.89" });
    await page.locator("dialog .wrong:not(:empty)").waitFor();
    await submitDialog(page, { endDate: "2026-11-30" });
    await closed(page);
    const invoice = panel(page, "Invoices").locator("tr", { hasText: "12345678901234567.89 EUR" });
    const [download] = await Promise.all([page.waitForEvent("download"), invoice.getByRole("button", { name: "PDF" }).click()]);
    assert.match(download.suggestedFilename(), /^invoice-.*\.pdf$/);
    await invoice.getByRole("button", { name: "Edit" }).click();
    await submitDialog(page, { status: "1" });
    await closed(page);
    await invoice.getByText("Paid").waitFor();
    await check(page, "tenant, active");

    await page.locator("#view > div").first().getByRole("button", { name: "Edit", exact: true }).click();
    await submitDialog(page, { name: "Acme Rockets" });
    await page.getByRole("heading", { name: "Acme Rockets" }).waitFor();
    await press(page, "Deprovision");
    await submitDialog(page, {});
    await page.locator(".badge", { hasText: "Inactive" }).waitFor();
    await page.locator("#view > div").first().getByRole("button", { name: "Delete", exact: true }).click();
    await submitDialog(page, { key: "another" });
    await page.locator("#dialog-key[aria-invalid=true]").waitFor();
    await check(page, "deleting");
    await submitDialog(page, { key });
    await page.getByRole("heading", { name: "Tenants" }).waitFor();
    assert.equal(await page.locator("td", { hasText: key }).count(), 0);
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("lists can be filtered, searched and paged, and every state has a link", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[1] ?? null });
  for (let n = 0; n < 45; n++) await plane.tenant(`many${n}`, `Many ${n}`);
  await signIn(page, plane, "#/tenants?status=1");
  await rows(page, 20);
  await page.getByRole("link", { name: "Next page" }).click();
  await page.getByRole("link", { name: "First page" }).waitFor();
  await page.getByRole("link", { name: "Next page" }).click();
  await rows(page, 5);
  const address = page.url();
  await check(page, "tenants, last page");
  await signIn(page, plane, new URL(address).hash);
  await rows(page, 5);
  await page.goBack();

  await signIn(page, plane, "#/tenants");
  await page.getByLabel("Search for").fill("MANY7");
  await press(page, "Search");
  await rows(page, 1);
  await page.getByLabel("Search by").selectOption("name");
  await page.getByLabel("Search for").fill("any 4");
  await press(page, "Search");
  await rows(page, 6);
  await page.getByLabel("Status").selectOption("0");
  await page.getByText("No tenants match your search.").waitFor();
  await signIn(page, plane, "#/tenants?by=email&for=ADA%40many7.test");
  await page.getByRole("link", { name: "Many 7", exact: true }).waitFor();
  await rows(page, 1);

  await fetch(`${plane.url}/leads`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ firstName: "Ada", lastName: "L", companyName: "Acme", email: "ada@acme.test" }) });
  await plane.links("ada@acme.test", 1);
  await signIn(page, plane, "#/leads?by=email&for=ADA%40acme.test");
  await check(page, "leads");
  await page.getByRole("link", { name: "Ada L" }).click();
  await press(page, "Resend email");
  await submitDialog(page, {});
  await closed(page);
  await plane.links("ada@acme.test", 2);
  await check(page, "lead");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the overview shows counts and the tenants that need attention", () => withPlane(async (other) => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[0] ?? null });
  const { id } = await other.tenant("acme");
  const subscription = { id: "s", plan: { tier: "BASIC", name: "Gold" } };
  await other.call("POST", `/tenants/${id}/provision`, subscription);
  await signIn(page, other);
  await page.waitForTimeout(2500);
  await page.goto(`${other.url}/console#/tenants`);
  await page.getByRole("link", { name: "Overview" }).click();
  const attention = panel(page, "Needs attention");
  await attention.getByText("Failed").waitFor();
  await check(page, "overview");
  await attention.getByRole("link", { name: "acme" }).click();
  await page.getByText("Reason:").waitFor();
  await check(page, "tenant, failed");
  await other.stop();
  await other.start("success");
  await press(page, "Retry");
  await submitDialog(page, {});
  await page.locator(".bar .badge", { hasText: "Active" }).waitFor();
  const jobs = await other.call("GET", `/tenants/${id}/jobs`);
  assert.deepEqual(jobs.map((/** @type {any} */ job) => job.subscription), [subscription, subscription], "a retry suggests the subscription of the first attempt");
  await other.stop();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("The API can’t be reached.").waitFor();
  assert.deepEqual(errors, []);
  await context.close();
}, "failure"));

test("a double click sends one request", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[1] ?? null });
  const { id } = await plane.tenant("twice");
  /** @type {string[]} */
  const sent = [];
  page.on("request", (request) => { if (request.method() !== "GET") sent.push(`${request.method()} ${new URL(request.url()).pathname.replace(/[0-9a-f-]{36}/, "ID")}`); });
  await page.route(/contacts|provision/, async (route) => { await new Promise((done) => setTimeout(done, 200)); await route.continue(); });
  await signIn(page, plane, `#/tenants/${id}`);
  await press(page, "New contact");
  for (const [name, value] of [["firstName", "Bob"], ["lastName", "B"], ["email", "bob@other.test"]]) await page.locator(`dialog [name=${name}]`).fill(String(value));
  await page.locator("dialog .foot button:not([type=button])").dblclick();
  await closed(page);
  await page.getByRole("button", { name: "Provision", exact: true }).dblclick();
  assert.equal(await page.locator("dialog").count(), 1);
  await page.locator("dialog .foot button:not([type=button])").dblclick();
  await closed(page);
  await page.locator(".bar .badge", { hasText: "Active" }).waitFor();
  assert.deepEqual(sent, ["POST /contacts", "POST /tenants/ID/provision"]);
  assert.deepEqual(errors, []);
  await context.close();
});

test("a token is required, stored nowhere, and discarded on sign-out", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[1] ?? null });
  for (const path of ["/", "/console"]) {
    await page.goto(`${plane.url}${path}`);
    await check(page, path);
  }
  await page.getByLabel("Token").fill("nonsense");
  await press(page, "Sign in");
  await page.getByText("This token isn’t valid").waitFor();
  const email = "eve@acme.test";
  await fetch(`${plane.url}/leads`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ firstName: "Eve", lastName: "L", companyName: "Acme", email }) });
  const link = new URL((await plane.links(email, 1))[0]);
  const { token } = await plane.call("POST", `/leads/${link.pathname.split("/").pop()}/verify`, null, link.searchParams.get("code") ?? "");
  await page.getByLabel("Token").fill(token);
  await press(page, "Sign in");
  await page.getByText("This token doesn’t belong to an operator.").waitFor();

  /** @type {string[]} */
  const urls = [];
  page.on("request", (request) => urls.push(request.url()));
  await signIn(page, plane, "#/tenants");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.waitForSelector(".counts");
  const kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, history.state, document.documentElement.outerHTML])");
  const secret = plane.token.split(".")[2] ?? "";
  assert.ok(secret.length > 20 && !String(kept).includes(secret), "the token is not in the page");
  assert.ok(!urls.some((url) => url.includes(secret)), "the token is not in a URL");
  assert.ok(!plane.log.includes(secret) && plane.log.length > 0, "the token is not in the log");
  await press(page, "Sign out");
  await page.getByLabel("Token").waitFor();
  assert.equal(await page.locator(".counts").count(), 0);
  await page.evaluate("location.hash = '#/tenants'");
  await page.waitForTimeout(300);
  assert.equal(await page.locator("table").count(), 0);
  assert.deepEqual(errors, []);
  await context.close();
});
