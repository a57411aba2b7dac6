// Says that the session has ended. The page stays, so that a form can be finished after signing in again in another tab.

import { h } from "../common/dom.js";
import { linkTo } from "./route.js";
import { signInAddress } from "./session.js";

const banner = h("div", { class: "banner", role: "alert" });

/** Shows the banner on the page, or in the open dialog, because everything behind a dialog is inert. */
export function showBanner() {
  // A page that polls says so again and again. The banner stays as it is, so that it is read out once and keeps its focus.
  if (banner.isConnected) return place();
  banner.replaceChildren(
    h("p", {}, "Your session has ended. Nothing you entered is lost. Sign in again in a new tab, then go on here."),
    h("a", { class: "button", href: signInAddress(linkTo("signed-in")), target: "_blank", rel: "noopener" }, "Sign in again"));
  place();
}

function place() {
  const dialog = document.querySelector("dialog[open]");
  if (banner.parentElement === (dialog ?? document.body)) return;
  if (dialog) dialog.prepend(banner);
  else document.querySelector("body > header")?.after(banner);
}

export function hideBanner() {
  banner.remove();
}

// A dialog that closes takes the banner with it.
document.addEventListener("close", ({ target }) => {
  if (target instanceof Element && target.contains(banner)) place();
}, { capture: true });

/** The view of a tab in which an operator signed in again. @returns {Promise<import("./console.js").View>} */
export async function signedIn() {
  return {
    title: "Signed in",
    shown: [h("h1", { tabindex: "-1" }, "Signed in"),
      h("p", {}, "Go on in the tab that you came from. You can close this one, or ", h("a", { href: linkTo("") }, "use it as well"), ".")],
  };
}
