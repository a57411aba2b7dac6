// The signed-in operator, and the token of its calls. The token is kept in this module only, until the operator signs out
// or leaves the page. An operator that signed in through the identity provider has a session, whose cookie renews the token.

import { ApiError, call, download, downloadPage, fetchPage, readTagged as fetchTagged } from "../common/api.js";

/**
 * @typedef {object} Operator
 * @property {string} id
 * @property {string | null} name
 * @property {string[]} roles
 * @property {string[]} permissions
 */

/** The part of a token's life after which it is renewed. */
const RENEWED_AT = 0.8;

let bearer = "";
/** When the token is renewed, in milliseconds since 1970. A pasted token isn't. */
let renewOn = Infinity;
let hasSession = false;
/** Whether the operator did something since the token was issued. Without that, an unattended page lets its session end. */
let wasActive = false;
let timer = 0;
/** @type {Operator | undefined} */
let operator;
/** @type {Promise<void> | undefined} */
let renewing;

/**
 * @typedef {object} Listeners
 * @property {(reason: string) => void} onSignedOut
 * @property {() => void} onEnded the session has ended, and the page stays as it is
 * @property {(before: Operator | undefined) => void} onRenewed there is a new token
 */

/** @type {Listeners} */
let listeners = { onSignedOut() {}, onEnded() {}, onRenewed() {} };

/** Tells the other tabs that there is a session. */
const tabs = new BroadcastChannel("session");

/** @param {Listeners} all */
export function listen(all) {
  listeners = all;
  tabs.onmessage = () => { if (hasEnded()) tryToRenew(); };
  document.addEventListener("visibilitychange", () => { if (hasEnded() && !document.hidden) tryToRenew(); });
  for (const action of ["pointerdown", "keydown"]) {
    document.addEventListener(action, () => {
      wasActive = true;
      if (Date.now() >= renewOn) tryToRenew();
    }, { capture: true });
  }
}

/** Whether the operator had a session that has ended. */
const hasEnded = () => hasSession && !bearer;

/** Renews the token in the background. A request that needs it reports what fails. */
const tryToRenew = () => { renew().catch(() => {}); };

/** Returns the signed-in operator. */
export const me = () => operator;

/** Whether the operator signed in through the identity provider. */
export const isSession = () => hasSession;

/** Whether the operator has a permission. @param {string} permission */
export const can = (permission) => operator?.permissions.includes(permission) ?? false;

/** Returns how operators sign in. @returns {Promise<{ signIn: boolean, name: string, pastedTokens: boolean }>} */
export const config = () => call("GET", "auth/config");

/** Returns the address that signs in and leads to a view. @param {string} hash */
export const signInAddress = (hash) => `auth/sign-in?${new URLSearchParams({ return: `${location.pathname}${hash}` })}`;

/** Signs in with the session that the browser has, and returns whether there is one. */
export async function resume() {
  try {
    await renew();
    tabs.postMessage("signed in");
  } catch (problem) {
    if (problem instanceof ApiError && problem.status < 500) return false;
    throw problem;
  }
  return true;
}

/**
 * Signs in with an operator's token. Any other token is rejected and not kept.
 * @param {string} token
 */
export async function signIn(token) {
  operator = await call("GET", "operators/me", { bearer: token });
  bearer = token;
}

/** @param {string} [reason] */
export async function signOut(reason = "") {
  const { redirect } = hasSession ? await call("POST", "auth/sign-out", { credentials: "same-origin" }) : { redirect: null };
  forget();
  if (redirect) location.assign(redirect);
  else listeners.onSignedOut(reason);
}

function forget() {
  clearTimeout(timer);
  bearer = "";
  renewOn = Infinity;
  hasSession = false;
  operator = undefined;
}

/** Gets a new token for the session, once for all requests that wait for it. */
function renew() {
  renewing ??= requestToken().finally(() => { renewing = undefined; });
  return renewing;
}

async function requestToken() {
  const answer = await call("POST", "auth/token", { credentials: "same-origin" }).catch((problem) => {
    if (hasSession && problem instanceof ApiError && (problem.status === 401 || problem.status === 403)) end();
    throw problem;
  });
  const before = operator;
  ({ token: bearer, operator } = answer);
  hasSession = true;
  wasActive = false;
  const life = answer.expiresIn * 1000 * RENEWED_AT;
  renewOn = Date.now() + life;
  clearTimeout(timer);
  timer = window.setTimeout(() => { if (wasActive) tryToRenew(); }, life);
  listeners.onRenewed(before);
}

/** Keeps the page of an operator whose session has ended. */
function end() {
  bearer = "";
  renewOn = Infinity;
  listeners.onEnded();
}

/**
 * @template T
 * @param {(bearer: string) => Promise<T>} request
 */
async function withToken(request) {
  // If the token can't be renewed now, the old one is valid for a while.
  if (Date.now() >= renewOn) await renew().catch((problem) => { if (!bearer) throw problem; });
  try {
    return await request(bearer);
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.status !== 401) throw problem;
    if (!hasSession) {
      if (bearer) await signOut("Your token has expired. Sign in again.");
      throw problem;
    }
  }
  // The refused request changed nothing, so it is safe to repeat.
  await renew();
  return request(bearer);
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
