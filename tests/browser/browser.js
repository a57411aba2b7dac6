// Starts a browser, opens pages and checks their accessibility.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const SIZES = [{ width: 375, height: 740 }, { width: 1280, height: 800 }];

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/**
 * Opens a page and collects its errors: script errors and violations of the content security policy.
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} options
 */
export async function open(browser, options) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // Chromium logs every 4xx answer as an error; tests expect some of them.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) errors.push(message.text());
  });
  page.on("dialog", (dialog) => { errors.push(`a script opened a dialog: ${dialog.message()}`); dialog.dismiss(); });
  return { page, context, errors };
}

/**
 * Checks WCAG 2.2 AA with axe, and that the page doesn't scroll horizontally.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function check(page, name) {
  await page.locator("h1:visible").first().waitFor();
  await page.evaluate(`${axe}; undefined`);
  const found = await page.evaluate(`axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`);
  const violations = found.violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ { html }) => html).join(" ")}`);
  assert.deepEqual(violations, [], name);
  const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  assert.equal(overflow, 0, `${name}: the page is wider than the screen`);
}
