// Somebody asks for a workspace.

import { call } from "../common/api.js";
import { byId, find } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { show } from "./steps.js";

const form = find(document, "#signup", HTMLFormElement);
const sent = find(document, "#sent", HTMLFormElement);
let email = "";
let leadId = "";

onSubmit(form, async (lead) => {
  ({ id: leadId } = await call("POST", "leads", { body: lead }));
  email = lead.email;
  find(sent, ".email", HTMLElement).textContent = email;
  show("sent");
}, { conflict: "email", meanings: { 409: "Somebody with this address has confirmed it already. Look for our mail, or ask your administrator." } });

onSubmit(sent, async () => {
  await call("POST", "leads/resend", { body: { email, leadId } });
  find(sent, "button", HTMLButtonElement).textContent = "Sent. Send it once more";
});

byId("signup").hidden = false;
