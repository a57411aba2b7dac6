// Shows one step of a page at a time and moves the focus to its heading, for screen readers.

/** @param {string} id */
export function show(id) {
  for (const step of document.querySelectorAll("main > form, main > section")) {
    if (!(step instanceof HTMLElement)) continue;
    step.hidden = step.id !== id;
    if (!step.hidden) step.querySelector("h1")?.focus();
  }
}
