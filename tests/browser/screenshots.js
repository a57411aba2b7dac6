// Takes the screenshots of the README: node tests/browser/screenshots.js

import { launch, open } from "./browser.js";
import { Plane, eventually } from "./plane.js";
import { confirm, shown, signIn, signUp } from "./steps.js";

const root = new URL("../../", import.meta.url).pathname;
const plane = await Plane.make();
await plane.start("success");
const browser = await launch();

/** @param {string} id @param {number} status */
const reaches = (id, status) => eventually(async () => (await plane.call("GET", `/tenants/${id}`)).status === status);

/** @param {import("playwright-core").Page} page @param {string} name */
const keep = (page, name) => page.screenshot({ path: `${root}functions/home/${name}.png` });

/** Writes statistics of the last 30 days into the table; requests only count today. */
async function history() {
  const today = Date.now();
  /** @type {Map<string, Record<string, number>>} */
  const months = new Map();
  for (let ago = 29; ago >= 0; ago--) {
    const date = new Date(today - ago * 86_400_000).toISOString();
    const [month, day] = [date.slice(0, 7), date.slice(8, 10)];
    const count = [3, 5, 2, 7, 4, 0, 1][ago % 7] ?? 0;
    const numbers = months.get(month) ?? {};
    months.set(month, { ...numbers, [`day${day}onboarded`]: count, ...(count ? { [`day${day}took${24 + ((ago * 5) % 4)}`]: count } : {}) });
  }
  for (const [month, numbers] of months) {
    const item = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, { N: String(value) }]));
    const key = { pk: { S: `COUNTER#days-${month}` }, sk: { S: "COUNTER" } };
    await plane.table("PutItem", { Item: { ...key, ...item } });
  }
}

const small = await open(browser, { viewport: { width: 460, height: 640 }, deviceScaleFactor: 1 });
await small.page.goto(`${plane.url}/signup`);
await shown(small.page, "signup");
await keep(small.page, "signup");
await confirm(small.page, await signUp(small.page, plane, { company: "Acme", email: "ada@acme.test" }));
await shown(small.page, "workspace");
await small.page.getByText("is available").waitFor();
await small.page.getByRole("button", { name: "Continue" }).click();
await shown(small.page, "plan");
await small.page.getByRole("button", { name: "Create workspace" }).click();
await small.page.getByText("Preparing the workspace").waitFor();
await keep(small.page, "progress");
await small.page.getByRole("link", { name: "Open your workspace" }).waitFor();

for (const [key, name] of [["bolt", "Bolt & Sons"], ["cirrus", "Cirrus Weather"], ["delta", "Delta Freight"]]) {
  const { id } = await plane.tenant(String(key), name);
  await plane.call("POST", `/tenants/${id}/provision`, { id: "subscription-1", plan: { tier: "PREMIUM" } });
  await reaches(id, 0);
}
await plane.stop();
await plane.start("failure");
const { id } = await plane.tenant("ember", "Ember Studios");
await plane.call("POST", `/tenants/${id}/provision`, { id: "subscription-1", plan: { tier: "STANDARD" } });
await plane.tenant("fjord", "Fjord Analytics");
await reaches(id, 3);
await history();
const large = await open(browser, { viewport: { width: 1120, height: 760 } });
await signIn(large.page, plane);
await large.page.waitForSelector(".chart");
await keep(large.page, "overview");
await signIn(large.page, plane, `#/tenants/${id}`);
await large.page.waitForSelector(".job");
await keep(large.page, "tenant");
await browser.close();
await plane.remove();
