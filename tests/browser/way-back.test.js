// The way back into a sign-up: links of every age, at every stage, after reloads, in other tabs and on other devices.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SIZES, check, launch, open } from "./browser.js";
import { withPlane } from "./plane.js";
import { confirm, createWorkspace, renew, shown, signUp } from "./steps.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** @param {import("playwright-core").Page} page @param {string} name */
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();

/** @param {string} link */
const spoiled = (link) => link.replace(/code=[^&]*/, "code=00000000000000000000000000000000");

for (const viewport of SIZES) {
  const device = () => open(browser, { viewport, colorScheme: viewport.width < 500 ? "light" : "dark" });

  test(`a reload, another tab and another device go on, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const { page, context, errors } = await device();
    const email = "ada@acme.test";
    /** @type {string[]} */
    const requested = [];
    const link = await signUp(page, plane, { email });
    await page.reload();
    await shown(page, "sent");
    await page.getByText(email).waitFor();
    await page.goBack();
    await shown(page, "signup");
    await page.goForward();
    await shown(page, "sent");

    await page.goto(link);
    await shown(page, "confirm");
    await check(page, "confirm");
    page.on("request", (request) => requested.push(request.url()));
    await page.reload();
    await shown(page, "confirm");
    await page.getByRole("button", { name: "Confirm email address" }).click();
    await shown(page, "workspace");
    await page.reload();
    await shown(page, "workspace");
    const tab = await context.newPage();
    await confirm(tab, page.url());
    await createWorkspace(tab, "acme");

    // The first tab learns that the second one was faster.
    await page.getByLabel("Key").fill("other");
    await page.getByRole("button", { name: "Continue" }).click();
    await shown(page, "plan");
    await page.reload();
    await shown(page, "plan");
    const phone = await device();
    await confirm(phone.page, link);
    await shown(phone.page, "plan");
    await page.getByRole("button", { name: "Create workspace" }).click();
    await heading(page, "Setting up your workspace");
    await page.reload();
    await heading(page, "Your workspace is ready");
    await phone.page.getByRole("button", { name: "Create workspace" }).click();
    await heading(phone.page, "Your workspace is ready");
    await page.goBack();
    await page.goForward();
    await heading(page, "Your workspace is ready");
    assert.ok(requested.length > 5 && !requested.some((url) => url.includes("code=")), "a reload doesn't send the key");
    assert.deepEqual([...errors, ...phone.errors], []);
    await context.close();
    await phone.context.close();
  }));

  test(`a link that doesn't work leads to one that does, at every stage, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const email = "ada@acme.test";
    const { page, context, errors } = await device();
    const link = await signUp(page, plane, { email });

    // Not verified: the email asks to confirm the address.
    await confirm(page, spoiled(link));
    await heading(page, "This link has expired");
    await check(page, "expired");
    await page.reload();
    await heading(page, "This link has expired");
    let mail = await renew(page, plane, email, 2);
    await check(page, "sent");
    assert.match(mail.subject, /^Confirm your email address/);
    await page.reload();
    await shown(page, "sent");
    await page.goBack();
    await shown(page, "renew");

    // Replaced: the second link was used, not the first.
    const { page: other, context: otherContext } = await device();
    await confirm(other, mail.links[0]);
    await createWorkspace(other, "acme");
    await otherContext.close();
    await confirm(page, link);
    await heading(page, "This link was replaced");
    await check(page, "replaced");
    mail = await renew(page, plane, email, 3);
    assert.match(mail.subject, /^Choose a plan/);
    await confirm(page, mail.links[0]);
    await shown(page, "plan");

    // The address is known: signing up again offers a link.
    await page.goto(`${plane.url}/signup`);
    await signUpAgain(page, email);
    await shown(page, "known");
    await check(page, "known");
    await page.getByRole("button", { name: "Use another address" }).click();
    await shown(page, "signup");
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByRole("button", { name: "Send a link" }).click();
    await shown(page, "sent");
    mail = (await plane.mails(email, 4))[0];
    await confirm(page, mail.links[0]);
    await shown(page, "plan");
    await page.getByRole("button", { name: "Create workspace" }).click();
    await heading(page, "Your workspace is ready");

    await page.goto(`${plane.url}/signup`);
    await signUpAgain(page, email);
    await page.getByRole("button", { name: "Send a link" }).click();
    mail = (await plane.mails(email, 6))[0];
    assert.match(mail.subject, /^Your workspace is ready/);
    assert.match(mail.links[0], /^https?:/);
    assert.deepEqual(errors, []);
    await context.close();
  }));

  test(`a workspace that was removed, and links without a sign-up, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const { page, context, errors } = await device();
    const link = await signUp(page, plane, { email: "ada@acme.test" });
    await confirm(page, link);
    await createWorkspace(page, "acme");
    await page.getByRole("button", { name: "Create workspace" }).click();
    await heading(page, "Your workspace is ready");
    const [tenant] = await plane.call("GET", "/tenants?filter[where][key]=acme");
    await plane.call("POST", `/tenants/${tenant.id}/deprovision`);
    await page.reload();
    await heading(page, "Your workspace is being removed");
    await check(page, "being removed");
    await heading(page, "Your workspace was removed");
    await check(page, "removed");
    await plane.call("DELETE", `/tenants/${tenant.id}`);
    await page.reload();
    await shown(page, "workspace");
    await page.getByRole("button", { name: "Continue" }).click();
    await heading(page, "Your workspace was removed");

    await page.goto(`${plane.url}/validate/019aad7e-5f6b-7a51-8c0d-3f2b1e9a4c60`);
    await heading(page, "This link is incomplete");
    await check(page, "incomplete");
    await page.getByRole("link", { name: "Sign up" }).click();
    await shown(page, "signup");
    assert.deepEqual(errors, []);
    await context.close();
  }));

  test(`a failed build is mailed, and the link in that email can retry it, ${viewport.width} pixels`, () => withPlane(async (plane) => {
    const email = "ada@acme.test";
    const { page, context, errors } = await device();
    await confirm(page, await signUp(page, plane, { email }));
    await createWorkspace(page, "acme");
    const [tenant] = await plane.call("GET", "/tenants?filter[where][key]=acme");
    // The plan of a facade, with members that the page doesn't know and numbers that JavaScript can't hold.
    const plan = '{"id":"s","startDate":"2026-01-01T10:00:00+05:30","plan":{"tier":"PREMIUM","price":49.90,"seats":1234567890123456789,"more":{"size":1e3}}}';
    const headers = { authorization: `Bearer ${plane.token}`, "content-type": "application/json" };
    assert.equal((await fetch(`${plane.url}/tenants/${tenant.id}/provision`, { method: "POST", headers, body: plan })).status, 204);
    const mail = (await plane.mails(email, 2))[0];
    assert.match(mail.subject, /^We couldn't set up your workspace/);
    const phone = await device();
    await confirm(phone.page, mail.links[0]);
    await heading(phone.page, "We couldn’t set up your workspace");
    await phone.page.getByText("Reason:").waitFor();
    await check(phone.page, "failed");
    await page.reload();
    await heading(page, "We couldn’t set up your workspace");
    await plane.stop();
    await plane.start("success");
    await phone.page.getByRole("button", { name: "Try again" }).click();
    await heading(phone.page, "Your workspace is ready");
    const answer = await (await fetch(`${plane.url}/tenants/${tenant.id}/jobs`, { headers })).text();
    assert.equal(answer.split(`"subscription":${plan}`).length, 3, "both attempts have the same subscription");
    assert.deepEqual([...errors, ...phone.errors], []);
    await context.close();
    await phone.context.close();
  }, "failure"));
}

test("a page goes on without its link or without its token, and offers another link without both", () => withPlane(async (plane) => {
  const email = "ada@acme.test";
  await plane.stop();
  await plane.start("success", { VALIDATION_TOKEN_EXPIRY: "15000" });
  const { page, context } = await open(browser, { viewport: SIZES[0] ?? null });
  const link = await signUp(page, plane, { email });
  await confirm(page, link);
  await createWorkspace(page, "acme");
  const loseToken = () => page.evaluate("for (const name of Object.keys(sessionStorage)) sessionStorage.setItem(name, 'x')");
  await loseToken();
  await page.reload();
  await shown(page, "plan");
  await page.waitForTimeout(15500);
  await page.reload();
  await shown(page, "plan");
  await loseToken();
  await page.reload();
  await heading(page, "This link has expired");
  const mail = await renew(page, plane, email, 2);
  assert.match(mail.subject, /^Choose a plan/);
  await confirm(page, mail.links[0]);
  await shown(page, "plan");
  await context.close();
}));

test("a page that can't reach the API says so after a reload, and goes on when it can", () => withPlane(async (plane) => {
  const { page, context } = await open(browser, { viewport: SIZES[0] ?? null });
  await confirm(page, await signUp(page, plane, { email: "ada@acme.test" }));
  await shown(page, "workspace");
  await page.route("**/leads/*", (route) => route.abort());
  await page.reload();
  await page.getByText("The API can’t be reached.").waitFor();
  await check(page, "unreachable");
  await page.unroute("**/leads/*");
  await page.getByRole("button", { name: "Try again" }).click();
  await shown(page, "workspace");
  await context.close();
}));

/** @param {import("playwright-core").Page} page @param {string} email */
async function signUpAgain(page, email) {
  for (const [label, value] of [["First name", "Ada"], ["Last name", "L"], ["Work email", email]]) await page.getByLabel(String(label)).fill(String(value));
  await page.getByLabel("Company", { exact: true }).fill("Acme");
  await page.getByRole("button", { name: "Sign up" }).click();
}
