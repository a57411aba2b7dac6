// A browser and a control plane, shared by all tests of a file.

import { after, before } from "node:test";
import { launch } from "./browser.js";
import { Plane } from "./plane.js";

/** @type {import("playwright-core").Browser} */
export let browser;
/** @type {Plane} */
export let plane;
before(async () => {
  browser = await launch();
  plane = await Plane.make();
  await plane.start("success");
});
after(async () => {
  await browser.close();
  await plane.remove();
});
