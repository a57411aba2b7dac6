// Two operators edit one entity: the second sees both versions and decides.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { act, closed, signIn, submitDialog } from "./steps.js";

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page */
const versions = (page) => page.getByRole("heading", { name: "Another operator has changed this" }).waitFor();

/** @param {Page} page */
async function editTenant(page) {
  await page.locator("#view .bar").first().getByRole("button", { name: "Edit" }).click();
  await page.waitForSelector("dialog [name=name]");
}

/** @param {string} path */
async function read(path) {
  const answer = await fetch(`${plane.url}/${path}`, { headers: { authorization: `Bearer ${plane.token}` } });
  return answer.json();
}

for (const viewport of SIZES) {
  test(`the second of two who edit a tenant sees both versions, ${viewport.width} pixels`, async () => {
    const { id } = await plane.tenant(`two${viewport.width}`);
    const [first, second] = [await open(browser, { viewport }), await open(browser, { viewport })];
    for (const { page } of [first, second]) {
      await signIn(page, plane, `#tenants/${id}`);
      await editTenant(page);
    }
    await submitDialog(first.page, { name: "First", domains: "first.test" });
    await closed(first.page);
    await submitDialog(second.page, { name: "Second" });
    await versions(second.page);
    const table = await second.page.locator("dialog table").innerText();
    for (const text of ["Name", "First", "Second", "Domains", "first.test"]) assert.ok(table.includes(text), `${text} in ${table}`);
    await check(second.page, `versions-${viewport.width}`);
    const chosen = (/** @type {string} */ name) => second.page.locator(`dialog [name=${name}]`).inputValue();
    assert.deepEqual([await chosen("name"), await chosen("domains")], ["", "theirs"]);

    await second.page.locator("dialog .foot button:not([type=button])").click();
    await second.page.getByText("Check the marked fields.").waitFor();
    assert.equal((await read(`tenants/${id}`)).name, "First", "nothing is saved without a choice");
    await submitDialog(second.page, { name: "ours" });
    await closed(second.page);
    const { name, domains } = await read(`tenants/${id}`);
    assert.deepEqual([name, domains], ["Second", ["first.test"]]);
    for (const { context, errors } of [first, second]) {
      assert.deepEqual(errors.filter((error) => !error.includes("412")), []);
      await context.close();
    }
  });
}

test("an operator can keep what another has saved, and is asked again after a third change", async () => {
  const { id } = await plane.tenant("third");
  const { page, context } = await open(browser, { viewport: SIZES[0] });
  const patch = (/** @type {string} */ lastName) => fetch(`${plane.url}/contacts?where[tenantId]=${id}`, {
    method: "PATCH", body: JSON.stringify({ lastName }),
    headers: { authorization: `Bearer ${plane.token}`, "content-type": "application/json" },
  });
  await signIn(page, plane, `#tenants/${id}`);
  const row = page.locator("section", { has: page.getByRole("heading", { name: "Contacts" }) }).locator("tbody tr").first();
  await act(row, "Edit");
  await page.waitForSelector("dialog [name=lastName]");
  assert.equal((await patch("Two")).status, 200);
  await submitDialog(page, { lastName: "Mine" });
  await versions(page);
  assert.equal((await patch("Three")).status, 200);
  await submitDialog(page, { lastName: "ours" });
  await page.locator("dialog td", { hasText: "Three" }).waitFor();
  await submitDialog(page, { lastName: "theirs" });
  await closed(page);
  await row.getByText("Three").waitFor();
  await context.close();
});
