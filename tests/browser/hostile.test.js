// Names that contain markup, direction controls or very long words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIZES, check, open } from "./browser.js";
import { browser, plane } from "./fixtures.js";
import { confirm, createWorkspace, shown, signIn, signUp } from "./steps.js";

const NAMES = ["<img src=x onerror=alert(1)>", "\u202Edesrever\u202E <b>", "W".repeat(100), "'\"><script>alert(1)</script>", "עברית ‮ العربية"];

for (const [number, name] of NAMES.entries()) {
  test(`a name is shown as text everywhere: ${name.slice(0, 20)}`, async () => {
    const { page, context, errors } = await open(browser, { viewport: SIZES[number % 2] ?? null });
    const email = `ada@h${number}.test`;
    const link = await signUp(page, plane, { first: name, last: name, company: name, email });
    await confirm(page, link);
    await shown(page, "workspace");
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), name);
    await createWorkspace(page, `h${number}`);
    const [tenant] = await plane.call("GET", `/tenants?filter[where][key]=h${number}`);
    assert.equal(tenant.name, name);
    const invoice = { startDate: "2026-11-01", endDate: "2026-11-30", amount: 1, currencyCode: "EUR", dueDate: "2026-12-01", status: 0, tenantId: tenant.id };
    const { id } = await plane.call("POST", "/invoices", invoice);
    await plane.call("POST", "/tenant-configs", { configKey: name, configValue: { [name]: name }, tenantId: tenant.id });
    for (const [hash, text] of [["#/tenants", name], [`#/tenants/${tenant.id}`, name], ["#/leads", name], [`#/leads/${tenant.leadId}`, name]]) {
      await signIn(page, plane, String(hash));
      await page.locator("bdi", { hasText: String(text).trim().slice(0, 100) }).first().waitFor();
      await check(page, String(hash));
    }
    const pdf = await fetch(`${plane.url}/invoices/${id}/download`, { headers: { authorization: `Bearer ${plane.token}` } });
    assert.equal(pdf.status, 200);
    assert.ok(!/\/(JavaScript|OpenAction|AA)\b/.test(Buffer.from(await pdf.arrayBuffer()).toString("latin1")));
    await page.goto("about:blank");
    for (const mail of await plane.mails(email, 1)) {
      assert.ok(!/<img|<script|onerror=alert\(1\)>|[\u202A-\u202E]/.test(mail.html), mail.html);
      assert.ok(!/[\u202A-\u202E]/.test(mail.subject + mail.text), mail.text);
      await page.setContent(mail.html);
      await page.getByRole("link").first().waitFor();
    }
    await page.goto(`${plane.url}/_local/mails`);
    await page.waitForLoadState("networkidle");
    assert.deepEqual(errors, [], "no script in a name ran");
    await context.close();
  });
}
