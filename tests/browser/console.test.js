// The operators' console.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { withPlane, eventually } from "./plane.js";
import { act, submitDialog, closed, signIn, signOut } from "./steps.js";

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
    await panel(page, "Jobs").locator(".badge", { hasText: "Succeeded" }).waitFor();
    assert.ok(await panel(page, "Resources").locator("tbody tr").count() > 0);

    await press(page, "New contact");
    await submitDialog(page, { firstName: "Bob", lastName: "B", email: "bob@other.test" });
    await closed(page);
    const bob = panel(page, "Contacts").locator("tr", { hasText: "bob@other.test" });
    await act(bob, "Edit");
    await submitDialog(page, { firstName: "Robert" });
    await closed(page);
    await bob.getByText("Robert").waitFor();
    await act(bob, "Delete");
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
    const [download] = await Promise.all([page.waitForEvent("download"), act(invoice, "PDF")]);
    assert.match(download.suggestedFilename(), /^invoice-.*\.pdf$/);
    await act(invoice, "Edit");
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
  await page.getByRole("cell", { name: "Ada Lovelace" }).first().waitFor();
  const newest = await page.locator("tbody tr").first().innerText();
  await page.getByLabel("Order").selectOption("Oldest first");
  await press(page, "Show");
  await eventually(async () => (await page.locator("tbody tr").first().innerText()) !== newest);
  assert.match(page.url(), /order=oldest/);
  await page.getByLabel("Status").selectOption("5");
  await press(page, "Show");
  await page.getByText("No tenants have this status.").waitFor();

  await fetch(`${plane.url}/leads`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ firstName: "Ada", lastName: "L", companyName: "Acme", email: "ada@acme.test" }) });
  await plane.links("ada@acme.test", 1);
  await signIn(page, plane, "#/leads");
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

for (const viewport of SIZES) {
  test(`the search box finds tenants and leads, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const key = `find${viewport.width}`;
    const { id } = await plane.tenant(key, `Škoda Dílny ${viewport.width}`);
    await plane.call("POST", "/contacts", { firstName: "Bob", lastName: "B", email: `bob@${key}.test`, isPrimary: false, tenantId: id });
    await plane.call("POST", "/leads", { firstName: "Zoë", lastName: "Skodova", companyName: `Firma${viewport.width}`, email: `zoe@${key}.test` });
    await plane.links(`zoe@${key}.test`, 1);
    await eventually(async () => (await plane.call("GET", `/search?q=zoe@${key}.test`)).length === 1 && (await plane.call("GET", `/search?q=bob@${key}.test`)).length === 1);
    await signIn(page, plane);
    const box = page.getByRole("searchbox", { name: "Search tenants and leads" });
    for (const [text, name] of [[`skoda ${viewport.width}`, `Škoda Dílny ${viewport.width}`], [key.toUpperCase(), `Škoda Dílny ${viewport.width}`], [`bob@${key}.test`, `Škoda Dílny ${viewport.width}`], [`firma${viewport.width}`, "Zoë Skodova"]]) {
      await box.focus();
      await box.fill(String(text));
      await page.keyboard.press("Enter");
      await page.getByRole("status").filter({ hasText: String(text) }).waitFor();
      await page.getByRole("link", { name: String(name) }).first().waitFor();
      await check(page, `search for ${text}`);
    }
    await page.getByRole("link", { name: "Zoë Skodova" }).click();
    await page.getByRole("heading", { name: "Zoë Skodova" }).waitFor();
    assert.equal(await box.inputValue(), "");
    await page.goBack();
    await page.getByRole("heading", { name: "Search results" }).waitFor();
    assert.equal(await box.inputValue(), `firma${viewport.width}`);
    await box.fill("<nobody>");
    await press(page, "Search");
    await page.getByText("No results for").waitFor();
    await check(page, "no results");

    await box.fill(`late${viewport.width}`);
    await press(page, "Search");
    await page.getByRole("status").filter({ hasText: `No results for late${viewport.width}` }).waitFor();
    await plane.call("POST", "/leads", { firstName: "Late", lastName: "Comer", companyName: `Late${viewport.width}`, email: `late@${key}.test` });
    await eventually(async () => (await plane.call("GET", `/search?q=late${viewport.width}`)).length === 1);
    await press(page, "Search");
    await page.getByRole("link", { name: "Late Comer" }).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("a narrow screen shows the rows of a table as cards", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[0] ?? null });
  const { id } = await plane.tenant("cards", "Cards");
  await plane.call("POST", `/tenants/${id}/provision`, { id: "s", plan: { tier: "BASIC" } });
  await eventually(async () => (await plane.call("GET", `/tenants/${id}`)).status === 0);
  await signIn(page, plane, "#/tenants");
  const card = page.getByRole("row", { name: "Cards" });
  for (const text of ["cards", "Active", "BASIC", "Ada Lovelace"]) await card.getByText(text, { exact: true }).waitFor();
  const lefts = await card.locator("td").evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().left));
  assert.equal(new Set(lefts).size, 1, "each value is on a line of its own");
  await check(page, "tenants as cards");
  await signIn(page, plane, `#/tenants/${id}`);
  const contact = panel(page, "Contacts").getByRole("row", { name: "Ada Lovelace" });
  assert.equal(await contact.getByRole("button").count(), 0, "the buttons are in a menu");
  await contact.getByText("Actions").focus();
  await page.keyboard.press("Enter");
  assert.equal(await contact.getByRole("button").count(), 2);
  await check(page, "tenant as cards");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the overview shows counts and the tenants that need attention", () => withPlane(async (other) => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[0] ?? null });
  const { id } = await other.tenant("acme");
  const subscription = { id: "s", plan: { tier: "BASIC", name: "Gold" } };
  await other.call("POST", `/tenants/${id}/provision`, subscription);
  await signIn(page, other);
  await eventually(async () => (await other.call("GET", `/tenants/${id}`)).status === 3);
  await page.goto(`${other.url}/console#/tenants`);
  await page.getByRole("row", { name: "acme" }).getByText("BASIC", { exact: true }).waitFor();
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
  page.on("request", (request) => { if (request.method() !== "GET" && !request.url().includes("/auth/")) sent.push(`${request.method()} ${new URL(request.url()).pathname.replace(/[0-9a-f-]{36}/, "ID")}`); });
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
  await page.getByText("Use a token").click();
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
  await signOut(page);
  assert.equal(await page.locator(".counts").count(), 0);
  urls.length = 0;
  await page.evaluate(`new Promise((done) => {
    addEventListener("hashchange", () => fetch("ping").then(done), { once: true });
    location.hash = "#/tenants";
  })`);
  assert.deepEqual(urls.filter((url) => url.includes("/tenants")), [], "no view loads after the sign-out");
  assert.deepEqual(errors, []);
  await context.close();
});
