// The panel of a tenant's invoices: what can be done with one that is pending, paid or cancelled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { act, closed, signIn, submitDialog } from "./steps.js";

for (const viewport of SIZES) {
  test(`only a pending invoice is edited and deleted, ${viewport.width} pixels`, async () => {
    const { page, context, errors } = await open(browser, { viewport });
    const { id } = await plane.tenant(`bill${viewport.width}`);
    const period = { startDate: "2026-11-01", endDate: "2026-11-30", dueDate: "2026-12-14", currencyCode: "EUR", tenantId: id };
    for (const status of [0, 1, 2]) await plane.call("POST", "/invoices", { ...period, amount: 10 + status, status });
    await signIn(page, plane, `#tenants/${id}`);
    /** @param {number} amount */
    const row = (amount) => page.locator("tr", { hasText: `${amount} EUR` });
    /** @param {number} amount */
    const actions = async (amount) => {
      const names = await row(amount).locator("button").allTextContents();
      return [...new Set(names)].join(" ");
    };
    await row(12).getByText("Cancelled").waitFor();
    assert.deepEqual(await Promise.all([10, 11, 12].map(actions)), ["PDF Edit Delete", "PDF", "PDF"]);
    await check(page, "invoices");
    await act(row(10), "Edit");
    await submitDialog(page, { status: "1" });
    await closed(page);
    await row(10).getByText("Paid").waitFor();
    assert.equal(await actions(10), "PDF");
    assert.deepEqual(errors, []);
    await context.close();
  });
}
