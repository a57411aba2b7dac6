// The signed-in operator. The token is kept in this module only, until the operator signs out or leaves the page.

import { ApiError, call, download, downloadPage, fetchPage, readTagged as fetchTagged } from "../common/api.js";

let bearer = "";
/** @type {(reason: string) => void} */
let onSignedOut = () => {};

/** @param {(reason: string) => void} listener */
export function onSignOut(listener) {
  onSignedOut = listener;
}

/** @param {string} [reason] */
export function signOut(reason = "") {
  bearer = "";
  onSignedOut(reason);
}

/**
 * Signs in with an operator's token. A token without an operator's permissions is rejected and not kept.
 * @param {string} token
 */
export async function signIn(token) {
  await call("GET", "overview", { bearer: token });
  bearer = token;
}

/**
 * @template T
 * @param {(bearer: string) => Promise<T>} request
 */
async function withToken(request) {
  try {
    return await request(bearer);
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 401 && bearer) signOut("Your session has expired. Sign in with a new token.");
    throw problem;
  }
}

/** @param {string} path @returns {Promise<any>} */
export const read = (path) => withToken((bearer) => call("GET", path, { bearer }));

/** Reads an entity and its version. @param {string} path */
export const readTagged = (path) => withToken((bearer) => fetchTagged(path, bearer));

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export const send = (method, path, body) => withToken((bearer) => call(method, path, { bearer, body }));

/** Changes an entity at the version `tag`. @param {string} path @param {unknown} body @param {string} tag @returns {Promise<any>} */
export const change = (path, body, tag) => withToken((bearer) => call("PATCH", path, { bearer, body, tag }));

/** @param {string} path @param {Record<string, unknown>} filter @param {string} [cursor] */
export const list = (path, filter, cursor = "") =>
  withToken((bearer) => fetchPage(path, { filter: JSON.stringify(filter) }, cursor, bearer));

/** Fetches a page of a list that takes no filter. @param {string} path @param {number} limit @param {string} [cursor] */
export const listUnfiltered = (path, limit, cursor = "") => withToken((bearer) => fetchPage(path, { limit: String(limit) }, cursor, bearer));

/**
 * Downloads a file and saves it under a name.
 * @param {string} path
 * @param {string} name
 */
export async function save(path, name) {
  saveBlob(await withToken((bearer) => download(path, bearer)), name);
}

/**
 * Downloads all pages of an export and saves them as one file.
 * @param {string} path
 * @param {string} name
 */
export async function saveAll(path, name) {
  /** @type {Blob[]} */
  const pages = [];
  let cursor = "";
  do {
    const { page, next } = await withToken((bearer) => downloadPage(path, cursor, bearer));
    pages.push(page);
    cursor = next;
  } while (cursor);
  saveBlob(new Blob(pages), name);
}

/**
 * Verifies a chain of the audit log to its end.
 * @param {string} chain
 * @returns {Promise<{ ok: boolean, entries: number, brokenAt: number | null }>}
 */
export async function verifyChain(chain) {
  let [entries, cursor] = [0, ""];
  for (;;) {
    const { items, next } = await withToken((bearer) => fetchPage("audit/verify", { chain }, cursor, bearer));
    const part = /** @type {any} */ (items);
    entries += part.entries;
    if (!part.ok || !next) return { ok: part.ok, entries, brokenAt: part.brokenAt };
    cursor = next;
  }
}

/** @param {Blob} blob @param {string} name */
function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
