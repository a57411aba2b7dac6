// Forms save what was changed, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { withPlane } from "./plane.js";
import { act, closed, signIn } from "./steps.js";

/** @typedef {import("playwright-core").Page} Page */

const HEADERS = { "content-type": "application/json" };

/**
 * Sends JSON as it is written.
 * @param {import("./plane.js").Plane} on
 * @param {string} path
 * @param {string} body
 */
async function post(on, path, body) {
  const answer = await fetch(`${on.url}${path}`, { method: "POST", headers: { ...HEADERS, authorization: `Bearer ${on.token}` }, body });
  assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** @param {import("./plane.js").Plane} on @param {string} path */
const text = async (on, path) => (await fetch(`${on.url}${path}`, { headers: { authorization: `Bearer ${on.token}` } })).text();

/**
 * Records the bodies of requests that change something.
 * @param {Page} page
 */
function changes(page) {
  /** @type {string[]} */
  const sent = [];
  page.on("request", (request) => { if (request.method() !== "GET") sent.push(`${request.method()} ${request.postData()}`); });
  return sent;
}

/** @param {Page} page */
async function save(page) {
  await page.locator("dialog .foot button:not([type=button])").click();
  await closed(page);
}

/** The forms of a tenant's page: the panel, a field and its new value, and the change to be sent. */
const FORMS = /** @type {const} */ ([
  ["Contacts", "lastName", "L", '{"lastName":"L"}'],
  ["Contacts", "type", "", '{"type":null}'],
  ["Configuration", "configKey", "colour", '{"configKey":"colour"}'],
  ["Configuration", "configValue", '{"size":12345678901234567891,"price":1.10}', '{"configValue":{"size":12345678901234567891,"price":1.10}}'],
  ["Invoices", "dueDate", "2026-03-01", '{"dueDate":"2026-03-01"}'],
  ["Invoices", "amount", "12345678901234567.80", '{"amount":12345678901234567.80}'],
  ["Invoices", "status", "1", '{"status":1}'],
]);

for (const viewport of SIZES) {
  test(`a form that is opened and saved changes nothing, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant(`save${viewport.width}`);
    await post(plane, "/contacts", `{"tenantId":"${id}","firstName":"Bob","lastName":"B","email":"bob@x.test","type":"owner","isPrimary":false}`);
    await post(plane, "/tenant-configs", `{"tenantId":"${id}","configKey":"theme","configValue":{"size":1234567890123456789,"price":49.90,"tiny":1e-7,"2":1,"1":2}}`);
    await post(plane, "/invoices", `{"tenantId":"${id}","startDate":"2026-01-01T18:30:00Z","endDate":"2026-01-31T23:59:59.999Z","dueDate":"2026-02-28T10:00:00Z","amount":49.90,"currencyCode":"EUR","status":0}`);
    const lists = ["contacts", "tenant-configs", "invoices"].map((path) => `/${path}?filter=${encodeURIComponent(JSON.stringify({ where: { tenantId: id } }))}`);
    const stored = () => Promise.all([...lists, `/tenants/${id}`].map((path) => text(plane, path)));
    const before = await stored();
    await signIn(page, plane, `#/tenants/${id}`);
    const sent = changes(page);
    /** @param {string} title */
    const row = (title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) }).locator("tr, .card").filter({ hasText: /bob@x.test|price|EUR/ });
    for (const title of ["Contacts", "Configuration", "Invoices"]) {
      await act(row(title), "Edit");
      await check(page, `editing, ${title}`);
      await save(page);
    }
    await page.locator("#view > div").first().getByRole("button", { name: "Edit", exact: true }).click();
    await check(page, "editing, tenant");
    await save(page);
    assert.deepEqual(sent, [], "no request");
    assert.deepEqual(await stored(), before);

    for (const [title, field, value, change] of FORMS) {
      await act(row(title), "Edit");
      const input = page.locator(`dialog [name=${field}]`);
      if (field === "status") await input.selectOption(value);
      else await input.fill(value);
      await save(page);
      assert.equal(sent.pop(), `PATCH ${change}`);
      assert.deepEqual(sent, []);
    }
    await act(row("Contacts"), "Edit");
    await page.getByLabel("Primary contact").check();
    await save(page);
    assert.equal(sent.pop(), 'PATCH {"isPrimary":true}');
    await page.locator("#view > div").first().getByRole("button", { name: "Edit", exact: true }).click();
    await page.locator("dialog [name=name]").fill("Saved");
    await save(page);
    assert.equal(sent.pop(), 'PATCH {"name":"Saved"}');
    assert.match(await text(plane, String(lists[2])), /"amount":12345678901234567.80?[,}]/, "the amount keeps its digits");
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test("a retry sends the subscription of the failed build to the letter, with what was changed", () => withPlane(async (other) => {
  const { page, context, errors } = await open(browser, { viewport: SIZES[1] ?? null });
  const { id } = await other.tenant("acme");
  const subscription = '{"id":"s","startDate":"2026-01-01T10:00:00+05:30","plan":{"tier":"PREMIUM","price":49.90,"seats":1234567890123456789,"more":{"size":1e3}}}';
  await post(other, `/tenants/${id}/provision`, subscription);
  await signIn(page, other, `#/tenants/${id}`);
  const sent = changes(page);
  for (const tier of ["", "STANDARD"]) {
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    if (tier) await page.locator("dialog [name=tier]").selectOption(tier);
    await save(page);
    assert.equal(sent.pop(), `POST ${subscription.replace("PREMIUM", tier || "PREMIUM")}`);
  }
  assert.deepEqual(errors, []);
  await context.close();
}, "failure"));
