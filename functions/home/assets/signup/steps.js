// One step of a page after another; each begins at its heading, also for who does not see it.

/** @param {string} id */
export function show(id) {
  for (const step of document.querySelectorAll("main > form, main > section")) {
    if (!(step instanceof HTMLElement)) continue;
    step.hidden = step.id !== id;
    if (!step.hidden) step.querySelector("h1")?.focus();
  }
}
