// The public API, called with a bearer that nothing but this module's callers hold.

import { when } from "./words.js";

/** @typedef {{ path: string, code: string, message: string, info?: Record<string, any> }} Violation */

/** What the API refused, in its envelope, or API Gateway before it, with a `message` alone. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{ message?: string, code?: string, details?: Violation[] }} [error]
   * @param {Headers} [headers]
   */
  constructor(status, error = {}, headers = new Headers()) {
    super(error.message ?? `The API answered ${status}.`);
    this.status = status;
    this.code = error.code ?? "";
    this.details = error.details ?? [];
    this.request = headers.get("x-request-id") ?? "";
    this.wait = Number(headers.get("retry-after") ?? 0);
  }
}

/** The API cannot be reached. */
export class Unreachable extends Error {}

const base = new URL("../", import.meta.url);

/**
 * @param {string} method
 * @param {string} path
 * @param {{ bearer?: string, body?: unknown, signal?: AbortSignal }} [how]
 * @returns {Promise<Response>}
 */
async function send(method, path, { bearer, body, signal } = {}) {
  const headers = new Headers({ accept: "application/json, application/pdf" });
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  /** @type {RequestInit} */
  const request = { method, headers, credentials: "omit", cache: "no-store", signal: signal ?? null };
  if (body !== undefined) request.body = JSON.stringify(body);
  const answer = await fetch(new URL(path, base), request).catch((cause) => {
    if (signal?.aborted) throw cause;
    throw new Unreachable("The API cannot be reached.", { cause });
  });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Refusal(answer.status, said?.error ?? { message: said?.message }, answer.headers);
}

/**
 * What the API answers, read as JSON; `null` where it answers nothing.
 * @param {string} method
 * @param {string} path
 * @param {{ bearer?: string, body?: unknown, signal?: AbortSignal }} [how]
 * @returns {Promise<any>}
 */
export async function call(method, path, how) {
  const answer = await send(method, path, how);
  return answer.status === 204 ? null : exact(await answer.text());
}

/**
 * JSON in which the amounts of invoices are the text that was sent: a number would lose digits of it.
 * @param {string} text
 */
function exact(text) {
  /** @this {object} @param {string} name @param {unknown} value @param {{ source?: string }} [context] */
  function read(name, value, context) {
    return name === "amount" && "dueDate" in this ? (context?.source ?? String(value)) : value;
  }
  try {
    return JSON.parse(text, read);
  } catch (cause) {
    // The page of a proxy, say, that stands between.
    throw new Unreachable("The API's answer cannot be read.", { cause });
  }
}

/**
 * A number to be sent with all its digits, where the browser can.
 * @param {string} text
 * @returns {unknown}
 */
export function amount(text) {
  const { rawJSON } = /** @type {{ rawJSON?: (text: string) => unknown }} */ (/** @type {unknown} */ (JSON));
  return rawJSON ? rawJSON(text) : Number(text);
}

/**
 * A file.
 * @param {string} path
 * @param {string} bearer
 */
export async function file(path, bearer) {
  return (await send("GET", path, { bearer })).blob();
}

/**
 * A page of a list, and the cursor of the next one. A page may hold fewer items than its limit and still have a next one.
 * @param {string} path
 * @param {Record<string, string>} asked the parameters of the query
 * @param {string} cursor
 * @param {string} bearer
 * @returns {Promise<{ items: any[], next: string }>}
 */
export async function page(path, asked, cursor, bearer) {
  const query = new URLSearchParams(asked);
  if (cursor) query.set("cursor", cursor);
  const answer = await send("GET", `${path}?${query}`, { bearer });
  const link = /<[^>]*[?&]cursor=([^&>]*)[^>]*>; rel="next"/.exec(answer.headers.get("link") ?? "");
  return { items: exact(await answer.text()), next: link ? decodeURIComponent(link[1] ?? "") : "" };
}

/**
 * What to tell somebody whose request was refused.
 * @param {unknown} problem
 * @returns {string}
 */
export function told(problem) {
  if (problem instanceof Unreachable) {
    return "The API cannot be reached. Check your connection, then try again; nothing you typed is lost.";
  }
  if (!(problem instanceof Refusal)) {
    console.error(problem);
    return "Something went wrong in this page. Load it again.";
  }
  if (problem.code === "TOO_MANY_BUILDS") {
    const next = new Date(Date.now() + problem.wait * 1000).toISOString();
    return `This workspace was set up 5 times within 24 hours. You can try again on ${when(next)}.`;
  }
  if (problem.status === 429) return `Too many attempts. Try again in ${problem.wait || 60} seconds.`;
  if (problem.status >= 500) {
    const request = problem.request ? ` Request ${problem.request}.` : "";
    return `Something failed on our side. Try again in a moment.${request}`;
  }
  if (problem.status === 431) {
    return "The request is too large. Shorten what you entered or searched for, then try again.";
  }
  if (problem.status === 403) return "Your token does not allow this.";
  return problem.message;
}
