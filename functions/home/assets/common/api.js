// Calls to the public API. Callers pass the bearer token with every call; this module keeps none.

import { formatTime } from "./format.js";
import { parse, stringify } from "./json.js";

/** @typedef {{ path: string, code: string, message: string, info?: Record<string, any> }} Violation */

/** An error answer: the API's envelope, or API Gateway's own answer, which has a `message` only. */
export class ApiError extends Error {
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
    this.requestId = headers.get("x-request-id") ?? "";
    this.retryAfter = Number(headers.get("retry-after") ?? 0);
  }
}

/** The API can't be reached, or its answer can't be parsed. */
export class NetworkError extends Error {}

const base = new URL("../", import.meta.url);

/** Idempotency keys of requests without a definite answer, by their content. @type {Map<string, string>} */
const keys = new Map();

/**
 * Returns the idempotency key of a request. A request that is sent again because its answer was lost keeps its key, so that it
 * has one effect. It gets another one after any other change.
 * @param {string} request
 */
function keyOf(request) {
  const key = keys.get(request) ?? crypto.randomUUID();
  keys.set(request, key);
  return key;
}

/**
 * @typedef {object} SendOptions
 * @property {string} [bearer]
 * @property {unknown} [body]
 * @property {string} [tag] the version of the entity that is changed
 * @property {AbortSignal} [signal]
 * @property {RequestCredentials} [credentials] only the routes under `auth` take cookies
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {SendOptions} [options]
 * @returns {Promise<Response>}
 */
async function send(method, path, { bearer, body, tag, signal, credentials = "omit" } = {}) {
  const headers = new Headers({ accept: "application/json, application/pdf" });
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  if (tag) headers.set("if-match", tag);
  const text = body === undefined ? "" : stringify(body);
  const content = `${method} ${path} ${text}`;
  if (method !== "GET" && credentials === "omit") headers.set("idempotency-key", keyOf(content));
  /** @type {RequestInit} */
  const request = { method, headers, credentials, cache: "no-store", signal: signal ?? null };
  if (body !== undefined) request.body = text;
  const answer = await fetch(new URL(path, base), request).catch((cause) => {
    if (signal?.aborted) throw cause;
    throw new NetworkError("The API can’t be reached.", { cause });
  });
  if (answer.ok) {
    // After a change, the same request as one whose answer was lost is a new one.
    if (headers.has("idempotency-key")) keys.clear();
    return answer;
  }
  const envelope = await answer.json().catch(() => null);
  const problem = new ApiError(answer.status, envelope?.error ?? { message: envelope?.message }, answer.headers);
  if (problem.status < 500 && problem.code !== "IDEMPOTENCY_IN_PROGRESS") keys.delete(content);
  throw problem;
}

/**
 * Reads an entity and its version, which a change of it is sent with.
 * @param {string} path
 * @param {string} bearer
 * @returns {Promise<{ item: any, tag: string }>}
 */
export async function readTagged(path, bearer) {
  const answer = await send("GET", path, { bearer });
  return { item: parseAnswer(await answer.text()), tag: answer.headers.get("etag") ?? "" };
}

/**
 * Calls the API and returns its JSON answer, or `null` if the answer is 204.
 * @param {string} method
 * @param {string} path
 * @param {SendOptions} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, options) {
  const answer = await send(method, path, options);
  return answer.status === 204 ? null : parseAnswer(await answer.text());
}

/** @param {string} text */
function parseAnswer(text) {
  try {
    return parse(text);
  } catch (cause) {
    // For example, an HTML page from a proxy in between.
    throw new NetworkError("The API’s answer can’t be parsed.", { cause });
  }
}

/**
 * Downloads a file.
 * @param {string} path
 * @param {string} bearer
 */
export async function download(path, bearer) {
  return (await send("GET", path, { bearer })).blob();
}

/**
 * Downloads one page of an export, and the cursor of the next page.
 * @param {string} path
 * @param {string} cursor
 * @param {string} bearer
 */
export async function downloadPage(path, cursor, bearer) {
  const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const answer = await send("GET", path + query, { bearer });
  return { page: await answer.blob(), next: nextCursor(answer) };
}

/** Returns the cursor of the next page. @param {Response} answer */
function nextCursor(answer) {
  const link = /<[^>]*[?&]cursor=([^&>]*)[^>]*>; rel="next"/.exec(answer.headers.get("link") ?? "");
  return link ? decodeURIComponent(link[1] ?? "") : "";
}

/**
 * Fetches one page of a list, and the cursor of the next page. A page may hold fewer items than its limit even if more follow.
 * @param {string} path
 * @param {Record<string, string>} parameters query parameters
 * @param {string} cursor
 * @param {string} bearer
 * @returns {Promise<{ items: any[], next: string }>}
 */
export async function fetchPage(path, parameters, cursor, bearer) {
  const query = new URLSearchParams(parameters);
  if (cursor) query.set("cursor", cursor);
  const answer = await send("GET", `${path}?${query}`, { bearer });
  return { items: parseAnswer(await answer.text()), next: nextCursor(answer) };
}

/**
 * Returns the message that a page shows for a failed request.
 * @param {unknown} problem
 * @returns {string}
 */
export function errorMessage(problem) {
  if (problem instanceof NetworkError) {
    return "The API can’t be reached. Check your connection and try again. Nothing you entered is lost.";
  }
  if (!(problem instanceof ApiError)) {
    console.error(problem);
    return "Something went wrong on this page. Reload it and try again.";
  }
  if (problem.code === "TOO_MANY_BUILDS") {
    const next = new Date(Date.now() + problem.retryAfter * 1000).toISOString();
    return `The limit of 5 attempts in 24 hours is reached. Try again after ${formatTime(next)}.`;
  }
  if (problem.status === 429) return `Too many attempts. Try again in ${problem.retryAfter || 60} seconds.`;
  if (problem.status >= 500) {
    const requestId = problem.requestId ? ` Request ID: ${problem.requestId}.` : "";
    return `Something went wrong on our side. Try again in a moment.${requestId}`;
  }
  if (problem.status === 431) {
    return "The request is too large. Shorten your input and try again.";
  }
  if (problem.code === "IDEMPOTENCY_IN_PROGRESS") return "Your request is still being processed. Try again in a moment.";
  if (problem.code === "PRECONDITION_FAILED") return "Another operator has changed this item. Reload the page and try again.";
  if (problem.code === "ENTITY_NOT_FOUND") return "This item doesn’t exist or was deleted.";
  if (problem.code === "SIGN_IN_REQUIRED") return "Your session has ended. Sign in again, then try again.";
  if (problem.code === "FORBIDDEN") return "You don’t have permission to do this.";
  return problem.message;
}
