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

/**
 * @param {string} method
 * @param {string} path
 * @param {{ bearer?: string, body?: unknown, signal?: AbortSignal }} [options]
 * @returns {Promise<Response>}
 */
async function send(method, path, { bearer, body, signal } = {}) {
  const headers = new Headers({ accept: "application/json, application/pdf" });
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  /** @type {RequestInit} */
  const request = { method, headers, credentials: "omit", cache: "no-store", signal: signal ?? null };
  if (body !== undefined) request.body = stringify(body);
  const answer = await fetch(new URL(path, base), request).catch((cause) => {
    if (signal?.aborted) throw cause;
    throw new NetworkError("The API can’t be reached.", { cause });
  });
  if (answer.ok) return answer;
  const envelope = await answer.json().catch(() => null);
  throw new ApiError(answer.status, envelope?.error ?? { message: envelope?.message }, answer.headers);
}

/**
 * Calls the API and returns its JSON answer, or `null` if the answer is 204.
 * @param {string} method
 * @param {string} path
 * @param {{ bearer?: string, body?: unknown, signal?: AbortSignal }} [options]
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
  const link = /<[^>]*[?&]cursor=([^&>]*)[^>]*>; rel="next"/.exec(answer.headers.get("link") ?? "");
  return { items: parseAnswer(await answer.text()), next: link ? decodeURIComponent(link[1] ?? "") : "" };
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
    return `You’ve reached the limit of 5 attempts in 24 hours. Try again after ${formatTime(next)}.`;
  }
  if (problem.status === 429) return `Too many attempts. Try again in ${problem.retryAfter || 60} seconds.`;
  if (problem.status >= 500) {
    const requestId = problem.requestId ? ` Request ID: ${problem.requestId}.` : "";
    return `Something went wrong on our side. Try again in a moment.${requestId}`;
  }
  if (problem.status === 431) {
    return "The request is too large. Shorten your input and try again.";
  }
  if (problem.code === "ENTITY_NOT_FOUND") return "This item doesn’t exist or was deleted.";
  if (problem.status === 403) return "Your token doesn’t have permission to do this.";
  return problem.message;
}
