// Steps through the pages, as a user takes them.

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page @param {string} id */
export const shown = (page, id) => page.waitForSelector(`#${id}:not([hidden])`);

/**
 * @param {Page} page
 * @param {import("./plane.js").Plane} plane
 * @param {{ first?: string, last?: string, company?: string, email: string }} lead
 */
export async function signUp(page, plane, { first = "Ada", last = "Lovelace", company = "Acme", email }) {
  await page.goto(`${plane.url}/signup`);
  await shown(page, "signup");
  await page.getByLabel("First name").fill(first);
  await page.getByLabel("Last name").fill(last);
  await page.getByLabel("Company", { exact: true }).fill(company);
  await page.getByLabel("Work email").fill(email);
  await page.getByRole("button", { name: "Sign up" }).click();
  await shown(page, "sent");
  const [link] = await plane.links(email, 1);
  return String(link);
}

/**
 * Opens a link. A tab that has confirmed it before goes on at once.
 * @param {Page} page
 * @param {string} link
 */
export async function confirm(page, link) {
  await page.goto(link);
  await page.waitForSelector("main > form:not([hidden]), main > section:not([hidden])");
  const button = page.getByRole("button", { name: "Confirm email address" });
  if (await button.isVisible()) await button.click();
}

/**
 * Asks for a new link on the page of one that doesn't work, and returns the email.
 * @param {Page} page
 * @param {import("./plane.js").Plane} plane
 * @param {string} email
 * @param {number} mails the number of emails to the address afterwards
 */
export async function renew(page, plane, email, mails) {
  await shown(page, "renew");
  await page.getByLabel("Email address").fill(email);
  await page.getByRole("button", { name: "Send a new link" }).click();
  await shown(page, "sent");
  return (await plane.mails(email, mails))[0];
}

/** @param {Page} page @param {string} key */
export async function createWorkspace(page, key) {
  await shown(page, "workspace");
  await page.getByLabel("Key").fill(key);
  await page.getByText("is available").waitFor();
  await page.getByRole("button", { name: "Continue" }).click();
  await shown(page, "plan");
}

/**
 * Signs in with the plane's token, which has every permission.
 * @param {Page} page @param {import("./plane.js").Plane} plane @param {string} [hash]
 */
export async function signIn(page, plane, hash = "") {
  await page.goto("about:blank");
  await page.goto(`${plane.url}/console${hash}`);
  await page.getByText("Use a token").click();
  await page.getByLabel("Token").fill(plane.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("#view h1");
}

/**
 * Signs in at the local provider.
 * @param {Page} page @param {import("./plane.js").Plane} plane @param {string} name @param {string} [hash]
 */
export async function signInAs(page, plane, name, hash = "") {
  await page.goto("about:blank");
  await page.goto(`${plane.url}/console${hash}`);
  await page.getByRole("link", { name: "Sign in with the local provider" }).click();
  await page.getByRole("link", { name, exact: true }).click();
  await page.waitForSelector("#view h1");
}

/** Signs out with the menu in the header. @param {Page} page */
export async function signOut(page) {
  await page.locator(".account summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Console" }).waitFor();
}

/**
 * Fills in the open dialog and submits it.
 * @param {Page} page
 * @param {Record<string, string>} values by name
 */
export async function submitDialog(page, values) {
  const dialog = page.locator("dialog");
  for (const [name, value] of Object.entries(values)) {
    const field = dialog.locator(`[name="${name}"]`);
    if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  await dialog.locator(".foot button:not([type=button])").click();
}

/** @param {Page} page */
export const closed = (page) => page.waitForSelector("dialog", { state: "detached" });

/**
 * Presses a button of a row. On a narrow screen it is in a menu.
 * @param {import("playwright-core").Locator} row @param {string} name
 */
export async function act(row, name) {
  const menu = row.getByText("Actions");
  if (await menu.isVisible() && !await row.locator("details[open]").count()) await menu.click();
  await row.getByRole("button", { name }).click();
}
