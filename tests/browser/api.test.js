// What the pages make of answers that are not the API's own.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

const path = new URL("../../functions/home/assets/common/api.js", import.meta.url);
const { Refusal, Unreachable, call, told } = await import(path.href);
const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

/**
 * What somebody is told whose call is answered so.
 * @param {number} status
 * @param {string} body
 * @param {Record<string, string>} [headers]
 */
async function answered(status, body, headers = {}) {
  globalThis.fetch = async () => new Response(body, { status, headers });
  const problem = await call("GET", "ping").catch((/** @type {unknown} */ cause) => cause);
  assert.ok(problem instanceof Refusal || problem instanceof Unreachable, String(problem));
  return told(problem);
}

test("the gateway's own answers are told", async () => {
  const own = (/** @type {string} */ message) => JSON.stringify({ message });
  assert.equal(await answered(413, own("Request Entity Too Large")), "Request Entity Too Large");
  assert.match(await answered(431, own("Request Header Fields Too Large")), /^The request is too large\./);
  assert.equal(await answered(429, own("Too Many Requests")), "Too many attempts. Try again in 60 seconds.");
  for (const [status, message] of /** @type {const} */ ([[500, "Internal Server Error"], [503, "Service Unavailable"]])) {
    assert.equal(await answered(status, own(message)), "Something failed on our side. Try again in a moment.");
  }
});

test("the API's envelope is told", async () => {
  const error = { statusCode: 409, name: "ConflictError", message: "A lead with this email already exists" };
  assert.equal(await answered(409, JSON.stringify({ error })), error.message);
  const failed = JSON.stringify({ error: { statusCode: 500, name: "InternalServerError", message: "Internal Server Error" } });
  assert.match(await answered(500, failed, { "x-request-id": "r-1" }), / Request r-1\.$/);
});

test("what is no JSON, or other JSON, is told", async () => {
  for (const body of ["", "<html></html>", "null", "[]", "7", '"text"', "{}", '{"error":null}']) {
    assert.equal(await answered(404, body), "The API answered 404.", body);
    assert.match(await answered(502, body), /^Something failed on our side\./, body);
  }
  assert.match(await answered(200, "<html></html>"), /^The API cannot be reached\./);
});
