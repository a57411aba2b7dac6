// The console's routes. The whole state is in the URL's fragment, so that every view can be linked to.

/** @typedef {{ path: string[], query: URLSearchParams }} Route */

/** @returns {Route} */
export function currentRoute() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
}

/**
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
export function linkTo(path, query = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${path}${parameters.size ? `?${parameters}` : ""}`;
}

/**
 * @param {string} path
 * @param {Record<string, string>} [query]
 */
export function navigate(path, query) {
  const link = linkTo(path, query);
  // The same view is loaded again: its data may have changed.
  if (location.hash === link) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = link;
}
