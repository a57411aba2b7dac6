// The messages that pages show for error answers, including answers that don't come from the API itself.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

const path = new URL("../../functions/home/assets/common/api.js", import.meta.url);
const { ApiError, NetworkError, call, errorMessage } = await import(path.href);
const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
});

/**
 * Returns the message for a call that is answered like this.
 * @param {number} status
 * @param {string} body
 * @param {Record<string, string>} [headers]
 */
async function messageFor(status, body, headers = {}) {
  globalThis.fetch = async () => new Response(body, { status, headers });
  const problem = await call("GET", "ping").catch((/** @type {unknown} */ cause) => cause);
  assert.ok(problem instanceof ApiError || problem instanceof NetworkError, String(problem));
  return errorMessage(problem);
}

test("errors of API Gateway have a message", async () => {
  const body = (/** @type {string} */ message) => JSON.stringify({ message });
  assert.equal(await messageFor(413, body("Request Entity Too Large")), "Request Entity Too Large");
  assert.match(await messageFor(431, body("Request Header Fields Too Large")), /^The request is too large\./);
  assert.equal(await messageFor(429, body("Too Many Requests")), "Too many attempts. Try again in 60 seconds.");
  for (const [status, message] of /** @type {const} */ ([[500, "Internal Server Error"], [503, "Service Unavailable"]])) {
    assert.equal(await messageFor(status, body(message)), "Something went wrong on our side. Try again in a moment.");
  }
});

test("errors of the API have a message", async () => {
  const error = { statusCode: 409, name: "ConflictError", message: "A lead with this email already exists" };
  assert.equal(await messageFor(409, JSON.stringify({ error })), error.message);
  const failed = JSON.stringify({ error: { statusCode: 500, name: "InternalServerError", message: "Internal Server Error" } });
  assert.match(await messageFor(500, failed, { "x-request-id": "r-1" }), / Request ID: r-1\.$/);
});

test("answers that aren't JSON or aren't an envelope have a message", async () => {
  for (const body of ["", "<html></html>", "null", "[]", "7", '"text"', "{}", '{"error":null}']) {
    assert.equal(await messageFor(404, body), "The API answered 404.", body);
    assert.match(await messageFor(502, body), /^Something went wrong on our side\./, body);
  }
  assert.match(await messageFor(200, "<html></html>"), /^The API can’t be reached\./);
});

test("a request whose answer was lost is sent again with the same key", async () => {
  /** @type {(string | null)[]} */
  const keys = [];
  /** @type {(Response | undefined)[]} */
  const answers = [undefined, new Response("", { status: 503 }), new Response("{}"), new Response("{}")];
  globalThis.fetch = async (_, request) => {
    keys.push(new Headers(request?.headers).get("idempotency-key"));
    const answer = answers.shift();
    if (!answer) throw new TypeError("the connection was lost");
    return answer;
  };
  const post = (/** @type {unknown} */ body) => call("POST", "contacts", { body }).catch(() => null);
  for (let sent = 0; sent < 4; sent += 1) await post({ name: "Ada" });
  assert.equal(new Set(keys.slice(0, 3)).size, 1, "until there is an answer");
  assert.notEqual(keys[3], keys[2], "a new request has a new key");
  assert.ok(keys[0]?.match(/^[!-~]{1,255}$/));
  answers.push(new Response("{}"));
  await call("GET", "ping");
  assert.equal(keys[4], null);

  answers.push(undefined, new Response("{}"), new Response("{}"));
  await post({ name: "Eve" });
  await post({ name: "Bob" });
  await post({ name: "Eve" });
  assert.notEqual(keys[7], keys[5], "after another change, the same request is a new one");
});
