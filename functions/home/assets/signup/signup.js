// The sign-up form.

import { call } from "../common/api.js";
import { byId, find } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { show } from "./steps.js";

const form = find(document, "#signup", HTMLFormElement);
const sent = find(document, "#sent", HTMLFormElement);
let email = "";
let leadId = "";
const emailTaken = "This email address has already been confirmed. Check your email for our link, or ask your administrator.";

onSubmit(form, async (lead) => {
  ({ id: leadId } = await call("POST", "leads", { body: lead }));
  email = lead.email;
  find(sent, ".email", HTMLElement).textContent = email;
  show("sent");
}, { messages: { EMAIL_TAKEN: emailTaken } });

onSubmit(sent, async () => {
  await call("POST", "leads/resend", { body: { email, leadId } });
  find(sent, "button", HTMLButtonElement).textContent = "Email sent. Send it again";
});

byId("signup").hidden = false;
