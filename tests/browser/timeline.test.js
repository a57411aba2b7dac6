// The steps of a job, live, in the console and on the progress page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SIZES, check, launch, open } from "./browser.js";
import { withPlane } from "./plane.js";
import { confirm, createWorkspace, signIn, signUp } from "./steps.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Keeps a picture in the folder SCREENSHOTS, if it is set. @param {import("playwright-core").Page} page @param {string} name */
async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

for (const viewport of SIZES) {
  test(`an operator sees the steps of a failing job live, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant("acme", "Acme");
    await signIn(page, plane, "#/tenants");
    await plane.call("POST", `/tenants/${id}/provision`, { id: "subscription-1", plan: { tier: "PREMIUM" } });
    await page.evaluate(`location.hash = "#/tenants/${id}"`);
    const steps = page.locator(".job .timeline .work");
    await steps.filter({ hasText: "Creating the resources" }).waitFor();
    await steps.filter({ hasText: "in progress" }).first().waitFor();
    await check(page, "live");
    await picture(page, `console-live-${viewport.width}`);
    const failed = steps.filter({ hasText: "Build terminated with state: FAILED" });
    await failed.waitFor();
    assert.match(await failed.innerText(), /^Build failed after/);
    const details = failed.getByRole("link", { name: "Details of Build" });
    assert.match(String(await details.getAttribute("href")), /^http/);
    await page.locator(".job .reason").waitFor();
    assert.equal(await steps.filter({ hasText: "in progress" }).count(), 0);
    await check(page, "failed");
    await picture(page, `console-failed-${viewport.width}`);
    assert.deepEqual(errors, []);
    await context.close();
  }, "failure", {}, 4000)); // long enough to be looked at

  // Auth0 has no variables here, so the set-up fails at once.
  test(`an operator resumes a failed identity set-up, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant("acme", "Acme");
    await plane.call("POST", `/tenants/${id}/provision`, { id: "subscription-1", plan: { tier: "PREMIUM" } });
    await signIn(page, plane, `#/tenants/${id}`);
    const step = page.locator(".job .timeline .work").filter({ hasText: "Setting up sign-in" });
    await step.filter({ hasText: "is not configured" }).waitFor();
    await check(page, "identity failed");
    await picture(page, `console-identity-${viewport.width}`);
    await page.getByRole("button", { name: "Resume set-up" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Only its set-up").waitFor();
    await check(page, "resume");
    await dialog.getByRole("button", { name: "Resume set-up" }).click();
    await page.getByText("2. Provision").waitFor();
    await page.locator(".job").first().locator(".reason").waitFor();
    assert.equal(await step.count(), 2);
    assert.equal(await page.locator(".job").first().locator(".timeline .work").count(), 1, "nothing is built again");
    assert.deepEqual(errors, []);
    await context.close();
  }, "success", { IDENTITY_PROVIDER: "auth0" }));

  test(`a lead resumes a failed identity set-up, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const { page, context, errors } = await open(browser, { viewport });
    await confirm(page, await signUp(page, plane, { email: "ada@acme.test" }));
    await createWorkspace(page, "acme");
    await page.getByRole("button", { name: "Create workspace" }).click();
    const step = page.locator("#progress .timeline .work").filter({ hasText: "Setting up sign-in" });
    await step.filter({ hasText: "failed after" }).waitFor();
    await check(page, "identity failed");
    await picture(page, `progress-identity-${viewport.width}`);
    const resumed = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/identity"));
    await page.getByRole("button", { name: "Try again" }).click();
    assert.equal((await (await resumed).response())?.status(), 204);
    assert.deepEqual(errors, []);
    await context.close();
  }, "success", { IDENTITY_PROVIDER: "auth0" }));

  test(`a lead sees the steps of its job live, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const { page, context, errors } = await open(browser, { viewport });
    await confirm(page, await signUp(page, plane, { email: "ada@acme.test" }));
    await createWorkspace(page, "acme");
    await page.getByRole("button", { name: "Create workspace" }).click();
    const steps = page.locator("#progress .timeline .work");
    await steps.filter({ hasText: "Creating the resources" }).waitFor();
    await check(page, "progress");
    await picture(page, `progress-live-${viewport.width}`);
    await page.getByRole("link", { name: "Open your workspace" }).waitFor();
    await check(page, "ready");
    await picture(page, `progress-ready-${viewport.width}`);
    assert.equal(await steps.getByRole("link").count(), 0);
    assert.equal(await steps.filter({ hasText: "terminated" }).count(), 0, "no internal message");
    assert.deepEqual(errors, []);
    await context.close();
  }));
}
