// The sign-up form.

import { ApiError, call } from "../common/api.js";
import { find } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { requestLink, resume, showMailed } from "./mailed.js";
import { show } from "./steps.js";

const known = find(document, "#known", HTMLFormElement);
/** The address that has signed up before. */
let email = "";

onSubmit(find(document, "#signup", HTMLFormElement), async (lead) => {
  try {
    const { id } = await call("POST", "leads", { body: lead });
    showMailed({ email: lead.email, leadId: id });
  } catch (problem) {
    if (!(problem instanceof ApiError && problem.code === "EMAIL_TAKEN")) throw problem;
    history.pushState({ known: lead.email }, "");
    showCurrent();
  }
});

onSubmit(known, () => requestLink({ email, leadId: null }));
find(known, "button[type=button]", HTMLButtonElement).addEventListener("click", () => history.back());

/** Shows the step that the history is at. */
function showCurrent() {
  if (resume()) return;
  email = history.state?.known ?? "";
  if (!email) return show("signup");
  find(known, ".email", HTMLElement).textContent = email;
  show("known");
}

addEventListener("popstate", showCurrent);
showCurrent();
