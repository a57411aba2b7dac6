// From the key in a verification email to a workspace, by calls to the public API only. The key and the token
// are kept in this module only, not in the address bar or any storage.

import { ApiError, call } from "../common/api.js";
import { byId, find, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { watchKey } from "./key.js";
import { follow } from "./progress.js";
import { show } from "./steps.js";

const lead = location.pathname.split("/").pop() ?? "";
const key = new URLSearchParams(location.search).get("code") ?? "";
history.replaceState(null, "", location.pathname);

/** @param {string} id */
const form = (id) => find(document, `#${id}`, HTMLFormElement);
/** @param {string} id */
const field = (id) => find(document, `#workspace [name=${id}]`, HTMLInputElement);
const expired = "This page was open for too long. Open the link in your email again to continue.";
const checkKey = watchKey(field("key"), byId("key-available"));
const alreadyVerified = "This email address has already been confirmed with another link. Open the link in that email.";
let bearer = "";
let tenant = "";

onSubmit(form("confirm"), async () => {
  try {
    ({ token: bearer } = await call("POST", `leads/${lead}/verify`, { bearer: key }));
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 401) return show("expired");
    throw problem;
  }
  const filter = encodeURIComponent(JSON.stringify({ include: ["tenant", "address"] }));
  const found = await call("GET", `leads/${lead}?filter=${filter}`, { bearer });
  if (found.tenant) return resume(found.tenant);
  prefill(found);
  show("workspace");
  await checkKey();
}, { messages: { EMAIL_TAKEN: alreadyVerified } });

/** @param {{ id: string, status: number }} found */
function resume(found) {
  tenant = found.id;
  if (found.status === 1) return show("plan");
  show("progress");
  follow(tenant, bearer);
}

/** @param {any} found */
function prefill({ email, companyName, address }) {
  field("name").value = companyName;
  field("key").value = companyName.toLowerCase().replace(/[^a-z0-9]/g, "").slice(0, 10);
  field("domains").value = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
  if (!address) return;
  for (const part of ["address", "zip", "city", "state", "country"]) field(part).value = address[part] ?? "";
  const place = find(document, "#place", HTMLFieldSetElement);
  place.disabled = true;
  find(place, "legend", HTMLElement).textContent = "Address (from sign-up)";
}

onSubmit(form("expired"), async ({ email }) => {
  // The last part of the URL's path may be any text.
  const leadId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(lead) ? lead : null;
  await call("POST", "leads/resend", { body: { email, leadId } });
  find(byId("sent"), ".email", HTMLElement).textContent = email;
  show("sent");
});

onSubmit(form("workspace"), async ({ domains, ...workspace }) => {
  const body = { ...workspace, domains: domains.split(/[\s,;]+/).filter(Boolean) };
  ({ id: tenant } = await call("POST", `leads/${lead}/tenants`, { bearer, body }));
  show("plan");
}, {
  messages: {
    LEAD_ALREADY_CONVERTED: "You already have a workspace. Open the link in your email again to continue.",
    401: expired,
  },
});

const subscription = crypto.randomUUID?.() ?? `sign-up-${Date.now()}`;
onSubmit(form("plan"), async ({ tier }) => {
  try {
    await call("POST", `tenants/${tenant}/provision`, { bearer, body: { id: subscription, plan: { tier } } });
  } catch (problem) {
    // Conflicts mean that another page has started provisioning already; this page then follows it.
    if (!(problem instanceof ApiError && problem.status === 409)) throw problem;
  }
  show("progress");
  follow(tenant, bearer);
}, { messages: { 401: expired } });

if (key) {
  byId("confirm").hidden = false;
} else {
  byId("expired").hidden = false;
  byId("expired").prepend(h("p", { class: "status wrong" }, "This link is incomplete. Open the link in your email again."));
}
