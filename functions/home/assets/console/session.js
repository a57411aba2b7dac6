// Who is signed in. The token lives in this module alone, until the page is left or signed out.

import { Refusal, call, file, page } from "../common/api.js";

let bearer = "";
/** @type {(why: string) => void} */
let left = () => {};

/** @param {(why: string) => void} act */
export function onLeave(act) {
  left = act;
}

/** @param {string} [why] */
export function leave(why = "") {
  bearer = "";
  left(why);
}

/**
 * Signs in with a token that an operator's work is allowed with; nothing is kept of any other.
 * @param {string} token
 */
export async function enter(token) {
  await call("GET", "overview", { bearer: token });
  bearer = token;
}

/**
 * @template T
 * @param {(bearer: string) => Promise<T>} act
 */
async function signedIn(act) {
  try {
    return await act(bearer);
  } catch (problem) {
    if (problem instanceof Refusal && problem.status === 401 && bearer) leave("Your token is not good any more. Sign in with a new one.");
    throw problem;
  }
}

/** @param {string} path @returns {Promise<any>} */
export const read = (path) => signedIn((bearer) => call("GET", path, { bearer }));

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export const send = (method, path, body) => signedIn((bearer) => call(method, path, { bearer, body }));

/** @param {string} path @param {Record<string, unknown>} filter @param {string} [cursor] */
export const list = (path, filter, cursor = "") =>
  signedIn((bearer) => page(path, { filter: JSON.stringify(filter) }, cursor, bearer));

/** A page of a list that takes no filter. @param {string} path @param {number} limit @param {string} [cursor] */
export const part = (path, limit, cursor = "") => signedIn((bearer) => page(path, { limit: String(limit) }, cursor, bearer));

/**
 * Has a file saved under a name.
 * @param {string} path
 * @param {string} name
 */
export async function save(path, name) {
  const url = URL.createObjectURL(await signedIn((bearer) => file(path, bearer)));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
