// Checks whether a tenant key is available while it is entered.

import { call } from "../common/api.js";

/**
 * @param {HTMLInputElement} field
 * @param {HTMLElement} output
 */
export function watchKey(field, output) {
  /** @type {AbortController | undefined} */
  let pending;
  let timer = 0;
  const check = async () => {
    pending?.abort();
    const key = field.value;
    if (!/^[a-z0-9]{1,10}$/.test(key)) return show(key ? "Use up to 10 lowercase letters and digits." : "", "no");
    pending = new AbortController();
    const { signal } = pending;
    try {
      const { available, reason } = await call("GET", `keys/${key}`, { signal });
      const refused = reason === "reserved" ? `“${key}” is reserved. Choose another key.` : `“${key}” is taken. Choose another key.`;
      show(available ? `“${key}” is available.` : refused, available ? "yes" : "no");
    } catch {
      if (!signal.aborted) show("", "");
    }
  };
  /** @param {string} text @param {string} state */
  const show = (text, state) => {
    output.textContent = text;
    output.dataset.available = state;
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(check, 300);
  });
  return check;
}
