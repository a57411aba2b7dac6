// Whether a key is free, while it is typed.

import { call } from "../common/api.js";

/**
 * @param {HTMLInputElement} field
 * @param {HTMLElement} answer
 */
export function watchKey(field, answer) {
  /** @type {AbortController | undefined} */
  let asked;
  let timer = 0;
  const look = async () => {
    asked?.abort();
    const key = field.value;
    if (!/^[a-z0-9]{1,10}$/.test(key)) return say(key ? "Only small letters and digits, 10 at most." : "", "no");
    asked = new AbortController();
    const { signal } = asked;
    try {
      const { available, reason } = await call("GET", `keys/${key}`, { signal });
      const refused = reason === "reserved" ? `“${key}” is reserved. Choose another key.` : `“${key}” is taken.`;
      say(available ? `“${key}” is free.` : refused, available ? "yes" : "no");
    } catch {
      if (!signal.aborted) say("", "");
    }
  };
  /** @param {string} text @param {string} state */
  const say = (text, state) => {
    answer.textContent = text;
    answer.dataset.free = state;
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(look, 300);
  });
  return look;
}
