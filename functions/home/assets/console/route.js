// Where in the console one is: all of it stands after the #, so that every state has a link.

/** @typedef {{ path: string[], query: URLSearchParams }} Place */

/** @returns {Place} */
export function here() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
}

/**
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
export function to(path, query = {}) {
  const said = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${path}${said.size ? `?${said}` : ""}`;
}

/**
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
export function go(path, query) {
  location.hash = to(path, query);
}
