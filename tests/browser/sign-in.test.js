// Operators sign in with the local provider, and manage operators and their sessions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { eventually } from "./plane.js";
import { closed, signInAs, signOut, submitDialog } from "./steps.js";

/** @param {import("playwright-core").Page} page @param {string} name */
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Returns an operator by name. @param {string} name */
const operator = async (name) => (await plane.call("GET", "/operators")).find((/** @type {any} */ one) => one.name === name);

/** Ends all sessions of an operator. @param {string} name */
async function endSessions(name) {
  const { id } = await operator(name);
  for (const session of await plane.call("GET", `/operators/${id}/sessions`)) await plane.call("DELETE", `/operators/${id}/sessions/${session.id}`);
}

for (const viewport of SIZES) {
  test(`an operator signs in, reloads and signs out, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    await page.goto(`${plane.url}/console#/tenants`);
    const way = page.getByRole("link", { name: "Sign in with the local provider" });
    await way.waitFor();
    await check(page, "card");
    await page.getByText("Use a token").click();
    await check(page, "card with the field for a token");
    await way.click();
    await page.getByRole("heading", { name: "Sign in as" }).waitFor();
    await check(page, "local provider");
    await page.getByRole("link", { name: "Ada Lovelace" }).click();
    await page.getByRole("heading", { name: "Tenants" }).waitFor();
    await page.locator(".account").getByText("Ada Lovelace").waitFor();
    await page.locator(".account").getByText("admin").waitFor();

    await page.reload();
    await page.getByRole("heading", { name: "Tenants" }).waitFor();
    const kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, history.state, document.documentElement.outerHTML])");
    assert.ok(!/eyJ/.test(String(kept)), "neither a token nor a cookie can be read in the page");

    await page.locator(".account summary").click();
    await check(page, "menu");
    await page.getByRole("link", { name: "My sessions" }).click();
    await page.getByRole("heading", { name: "My sessions" }).waitFor();
    await page.getByText("admin from groups: tenantry-admin").waitFor();
    await page.getByText("(this one)").waitFor();
    await check(page, "my sessions");

    await signOut(page);
    await page.reload();
    await way.waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  test(`a form outlives its session, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    await page.clock.install();
    await signInAs(page, plane, "Ada Lovelace", "#/tenants");
    await press(page, "New tenant");
    const dialog = page.locator("dialog");
    await dialog.locator("[name=name]").fill("Outliving");
    await endSessions("Ada Lovelace");
    await page.clock.fastForward("10:00");
    await dialog.getByText("Your session has ended.").waitFor();
    await check(page, "session has ended");
    const key = `outlive${viewport.width}`.slice(0, 10);
    const values = { key, domains: "acme.test", "contact/firstName": "Ada", "contact/lastName": "L", "contact/email": "ada@acme.test" };
    await submitDialog(page, values);
    await dialog.getByText("Sign in again, then try again.").waitFor();
    await press(page, "Cancel");
    await closed(page);
    await page.locator("body > .banner").waitFor();
    await check(page, "session has ended, without a dialog");

    const link = await page.locator(".banner a").elementHandle();
    await press(page, "New tenant");
    await submitDialog(page, { name: "Outliving", ...values });
    await dialog.getByText("Sign in again, then try again.").waitFor();
    assert.equal(await link?.evaluate((element) => element.isConnected), true, "the banner stays, so that it is read out once");
    const [tab] = await Promise.all([context.waitForEvent("page"), dialog.getByRole("link", { name: "Sign in again" }).click()]);
    await tab.getByRole("link", { name: "Ada Lovelace" }).click();
    await tab.getByRole("heading", { name: "Signed in" }).waitFor();
    await check(tab, "signed in again");
    await tab.close();
    await page.locator(".banner").waitFor({ state: "detached" });
    await submitDialog(page, {});
    await page.getByRole("heading", { name: "Outliving" }).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  test(`a viewer sees no action, and the API refuses them, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant(`view${viewport.width}`, `View ${viewport.width}`);
    await plane.call("POST", "/tenant-configs", { configKey: "theme", configValue: {}, tenantId: id });
    await signInAs(page, plane, "Alan Turing", "#/tenants");
    await page.getByRole("link", { name: `View ${viewport.width}` }).waitFor();
    const offered = () => page.locator("#view button:not(.controls button)").allInnerTexts();
    assert.deepEqual(await offered(), []);
    assert.equal(await page.getByRole("link", { name: "People" }).count(), 0);
    await page.getByRole("link", { name: `View ${viewport.width}` }).click();
    for (const title of ["Contacts", "Configuration", "Invoices"]) await page.getByRole("heading", { name: title }).waitFor();
    assert.deepEqual(await offered(), []);
    await check(page, "tenant of a viewer");

    const refused = await page.evaluate(async (tenant) => {
      const { token } = await (await fetch("/auth/token", { method: "POST" })).json();
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const attempts = [["POST", "/tenants", "{}"], ["PATCH", `/tenants/${tenant}`, '{"name":"X"}'], ["DELETE", `/tenants/${tenant}`], ["POST", `/tenants/${tenant}/provision`, "{}"], ["POST", "/contacts", "{}"], ["GET", "/operators"]];
      return Promise.all(attempts.map(async ([method = "", path = "", body]) => (await fetch(path, { method, headers, body: body ?? null })).status));
    }, id);
    assert.deepEqual(refused, [403, 403, 403, 403, 403, 403]);
    assert.deepEqual(errors, []);
    await context.close();
  });

  test(`operators are listed, disabled and enabled, ${viewport.width} pixels`, async () => {
    const grace = await open(browser, { viewport });
    await signInAs(grace.page, plane, "Grace Hopper");
    const { page, context, errors } = await open(browser, { viewport });
    await signInAs(page, plane, "Ada Lovelace");
    await page.getByRole("link", { name: "People" }).click();
    const row = page.getByRole("row", { name: "Grace Hopper" });
    await row.getByText("support").waitFor();
    await row.getByText("grace@tenantry.test").waitFor();
    await check(page, "people");
    await row.getByRole("link", { name: "Grace Hopper" }).click();
    await page.getByText("support from groups: tenantry-support").waitFor();
    await check(page, "operator");

    const sessions = page.getByRole("table", { name: "Sessions" }).locator("tbody tr");
    const open_ = await sessions.count();
    await sessions.first().getByRole("button", { name: "End" }).click();
    await check(page, "ending a session");
    await submitDialog(page, {});
    await closed(page);
    await eventually(async () => (await sessions.count()) === open_ - 1);

    await press(page, "Disable");
    await submitDialog(page, {});
    await closed(page);
    await page.locator(".badge", { hasText: "Disabled" }).waitFor();
    await page.getByText("No open sessions.").waitFor();
    await grace.page.reload();
    await grace.page.getByRole("link", { name: "Sign in with the local provider" }).click();
    await grace.page.getByRole("link", { name: "Grace Hopper" }).click();
    await grace.page.getByText("OPERATOR_DISABLED").waitFor();
    await check(grace.page, "disabled");

    await press(page, "Enable");
    await submitDialog(page, {});
    await closed(page);
    await page.locator(".badge", { hasText: "Enabled" }).waitFor();
    await signInAs(grace.page, plane, "Grace Hopper");

    const { id } = await operator("Ada Lovelace");
    await page.goto(`${plane.url}/console#/operators/${id}`);
    await page.getByRole("heading", { name: "Ada Lovelace" }).waitFor();
    await press(page, "Disable");
    await submitDialog(page, {});
    await page.locator("dialog .status.wrong").waitFor();
    assert.equal((await operator("Ada Lovelace")).disabled, false, "the last admin is not disabled");
    assert.deepEqual([...errors, ...grace.errors], []);
    await context.close();
    await grace.context.close();
  });
}

test("a person without a role is told why", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[0] ?? null });
  await page.goto(`${plane.url}/console`);
  await page.getByRole("link", { name: "Sign in with the local provider" }).click();
  await page.getByRole("link", { name: "Edgar Codd" }).click();
  await page.getByText("NO_ROLE").waitFor();
  await check(page, "no role");
  await page.goto(`${plane.url}/console`);
  await page.getByRole("link", { name: "Sign in with the local provider" }).click();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByText("SIGN_IN_REFUSED").waitFor();
  await check(page, "refused");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the token is renewed while an operator works, and not on an unattended page", async () => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[1] ?? null });
  let renewals = 0;
  page.on("request", (request) => { if (request.url().endsWith("/auth/token")) renewals++; });
  await page.clock.install();
  await signInAs(page, plane, "Ada Lovelace", "#/tenants");
  renewals = 0;
  await page.clock.fastForward("09:00");
  await page.getByRole("link", { name: "Leads" }).focus();
  assert.equal(renewals, 0, "nobody was there");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Leads" }).waitFor();
  await eventually(async () => renewals === 1);
  await page.keyboard.press("Tab");
  await page.clock.fastForward("09:00");
  await eventually(async () => renewals === 2);
  assert.deepEqual(errors, []);
  await context.close();
});
