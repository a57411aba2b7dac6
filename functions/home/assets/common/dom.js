// Elements, made of text and other elements: never of HTML, so that no name is read as markup.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @param {Element} to
 * @param {string} name
 * @param {unknown} value
 */
function set(to, name, value) {
  if (name.startsWith("on")) to.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
  else if (value === true) to.setAttribute(name, "");
  else if (value !== false && value != null) to.setAttribute(name, String(value));
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  fill(element, ...children);
  return element;
}

/**
 * An element of a drawing.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  fill(element, ...children);
  return element;
}

/**
 * Puts `children` in the place of what is in an element.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  const shown = children.filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...shown.map((child) => (child instanceof Node ? child : String(child))));
}

/**
 * Somebody's text, which may run in either direction.
 * @param {string | null | undefined} text
 */
export function theirs(text) {
  return h("bdi", {}, text ?? "–");
}

/**
 * The element that a page has under this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id}`);
  return found;
}

/**
 * @template {Element} E
 * @param {ParentNode} within
 * @param {string} selector
 * @param {new () => E} kind
 * @returns {E}
 */
export function find(within, selector, kind) {
  const found = within.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${selector}`);
  return found;
}
