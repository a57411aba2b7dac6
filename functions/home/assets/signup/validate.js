// From the key in a verification mail to a workspace, on the public API alone. The key and the token
// stay in this module: neither in the address bar nor in any storage.

import { call } from "../common/api.js";
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
const tooLong = "This page was open for too long. Open the link in your mail again to go on.";
const lookForKey = watchKey(field("key"), byId("key-free"));
let bearer = "";
let tenant = "";

onSubmit(form("confirm"), async () => {
  try {
    ({ token: bearer } = await call("POST", `leads/${lead}/verify`, { bearer: key }));
  } catch (problem) {
    if (problem instanceof Error && "status" in problem && problem.status === 401) return show("late");
    throw problem;
  }
  const filter = encodeURIComponent(JSON.stringify({ include: ["tenant", "address"] }));
  const known = await call("GET", `leads/${lead}?filter=${filter}`, { bearer });
  if (known.tenant) return resume(known.tenant);
  prefill(known);
  show("workspace");
  await lookForKey();
}, { meanings: { 409: "This address has a verified request already. Open the link in its mail." } });

/** @param {{ id: string, status: number }} known */
function resume(known) {
  tenant = known.id;
  if (known.status === 1) return show("plan");
  show("progress");
  follow(tenant, bearer);
}

/** @param {any} known */
function prefill({ email, companyName, address }) {
  field("name").value = companyName;
  field("key").value = companyName.toLowerCase().replace(/[^a-z0-9]/g, "").slice(0, 10);
  field("domains").value = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
  if (!address) return;
  for (const part of ["address", "zip", "city", "state", "country"]) field(part).value = address[part] ?? "";
  const place = find(document, "#place", HTMLFieldSetElement);
  place.disabled = true;
  find(place, "legend", HTMLElement).textContent = "Address, as you gave it";
}

onSubmit(form("late"), async ({ email }) => {
  // What stands in the address may be anything.
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
  conflict: "key",
  meanings: { 401: "This request has its workspace already, or this page was open for too long. Open the link in your mail again." },
});

const subscription = crypto.randomUUID?.() ?? `sign-up-${Date.now()}`;
onSubmit(form("plan"), async ({ tier }) => {
  try {
    await call("POST", `tenants/${tenant}/provision`, { bearer, body: { id: subscription, plan: { tier } } });
  } catch (problem) {
    // It is being built: another page was faster.
    if (!(problem instanceof Error && "status" in problem && problem.status === 409)) throw problem;
  }
  show("progress");
  follow(tenant, bearer);
}, { meanings: { 401: tooLong } });

if (key) {
  byId("confirm").hidden = false;
} else {
  byId("late").hidden = false;
  byId("late").prepend(h("p", { class: "status wrong" }, "This address lacks its code. Open the link in your mail again."));
}
