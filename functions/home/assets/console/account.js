// The menu in the header: who is signed in, one's sessions, and signing out.

import { errorMessage } from "../common/api.js";
import { fill, h, userText } from "../common/dom.js";
import { linkTo } from "./route.js";
import { me, signOut } from "./session.js";

/** Returns the menu. */
export function accountMenu() {
  const operator = me();
  const failed = h("p", { class: "status wrong", role: "alert" });
  const leave = () => { signOut().catch((problem) => fill(failed, errorMessage(problem))); };
  const menu = h("details", { class: "account" },
    h("summary", {}, h("b", {}, userText(operator?.name || operator?.id)), " ",
      h("span", { class: "soft" }, userText(operator?.roles.join(", ") || "token"))),
    h("div", {}, h("a", { href: linkTo("sessions") }, "My sessions"), h("button", { class: "plain", onclick: leave }, "Sign out"), failed));
  const close = () => { menu.open = false; };
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    close();
    menu.querySelector("summary")?.focus();
  });
  menu.addEventListener("click", ({ target }) => { if (target instanceof HTMLAnchorElement) close(); });
  return menu;
}
