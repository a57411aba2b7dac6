// Access to one lead. The key of its link is in the fragment of the URL, which a browser never sends to a server, so that a
// reload, a second tab or a bookmark can use it. The lead's token is in the storage of this tab.

import { ApiError, call } from "../common/api.js";

export const lead = location.pathname.split("/").pop() ?? "";
const stored = `token ${lead}`;
const query = new URLSearchParams(location.search).get("code");
const key = query ?? new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
if (query) history.replaceState(history.state, "", `${location.pathname}#code=${encodeURIComponent(query)}`);
// The same page with another key isn't loaded again by the browser.
addEventListener("hashchange", () => location.reload());

let token = readToken();

function readToken() {
  try {
    return sessionStorage.getItem(stored) ?? "";
  } catch {
    return "";
  }
}

/** The link doesn't work any more, for one of these reasons. */
export class LinkUnusable extends Error {
  /** @param {"expired" | "superseded" | "gone"} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Returns why a link cannot be used, judging by the answer to its key.
 * @param {unknown} problem
 */
function asUnusable(problem) {
  if (!(problem instanceof ApiError)) return problem;
  if (problem.status === 401) return new LinkUnusable("expired");
  if (problem.status === 404) return new LinkUnusable("gone");
  return problem.code === "EMAIL_TAKEN" ? new LinkUnusable("superseded") : problem;
}

/** Whether this page was opened by a link with a key. */
export const hasKey = () => key !== "";

/** Whether the key was confirmed in this tab. */
export const isConfirmed = () => token !== "";

/** Exchanges the key for a token. */
export async function verify() {
  const verified = await call("POST", `leads/${lead}/verify`, { bearer: key }).catch((problem) => { throw asUnusable(problem); });
  token = verified.token;
  try {
    sessionStorage.setItem(stored, token);
  } catch {
    // Without storage, a reload asks to confirm again.
  }
}

/**
 * Calls the API with the lead's token. An expired token is replaced, if the key is still valid.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function send(method, path, body) {
  try {
    return await call(method, path, { bearer: token, body });
  } catch (problem) {
    const isExpired = problem instanceof ApiError && problem.status === 401 && problem.code === "UNAUTHORIZED";
    if (!isExpired) throw problem;
    if (!key) throw new LinkUnusable("expired");
    await verify();
    return call(method, path, { bearer: token, body });
  }
}
