// From the link in an email to a workspace, by calls to the public API only. The stored lead and its tenant decide which
// step is shown, so that a reload, another tab and another device go on where the sign-up is.

import { ApiError, errorMessage } from "../common/api.js";
import { byId, fill, find, h } from "../common/dom.js";
import { onSubmit } from "../common/form.js";
import { LinkUnusable, hasKey, isConfirmed, lead, send, verify } from "./access.js";
import { resume as showMailed } from "./mailed.js";
import { choosePlan, form as plan, otherInfrastructure } from "./plan.js";
import { follow, showRemoved, showSuspended } from "./progress.js";
import { renew, withLink } from "./renew.js";
import { show } from "./steps.js";
import { fillIn, form as workspace } from "./workspace.js";

let tenant = "";

/** Shows the step that the sign-up has come to. Returns whether there is a workspace. */
async function goOn() {
  const filter = encodeURIComponent(JSON.stringify({ include: ["tenant", "address"] }));
  const found = await send("GET", `leads/${lead}?filter=${filter}`).catch((problem) => {
    throw problem instanceof ApiError && problem.status === 404 ? new LinkUnusable("gone") : problem;
  });
  if (!found.tenant) {
    show("workspace");
    await fillIn(found);
    return false;
  }
  tenant = found.tenant.id;
  if (found.tenant.status === 1) await choosePlan();
  else if (found.tenant.status === 6) showSuspended(found.tenant.suspension);
  else follow(tenant);
  return true;
}

onSubmit(find(document, "#confirm", HTMLFormElement), () => withLink(async () => {
  await verify();
  await goOn();
}));

onSubmit(workspace, ({ name: _, ...values }, { name }) => withLink(async () => {
  try {
    ({ id: tenant } = await send("POST", `leads/${lead}/tenants`, name ? { name, ...values } : values));
  } catch (problem) {
    if (!(problem instanceof ApiError && problem.code === "LEAD_ALREADY_CONVERTED")) throw problem;
    // Another page has created the workspace. If there is none, it was deleted.
    if (!(await goOn())) showRemoved();
    return;
  }
  await choosePlan();
}));

const subscription = crypto.randomUUID?.() ?? `sign-up-${Date.now()}`;

/** Why a plan that was shown can't be had any more. @type {Record<string, string>} */
const unavailable = {
  PLAN_NOT_PUBLIC: "This plan is not on offer. Choose another one, or contact us.",
  SUBSCRIPTION_EXISTS: "Another plan was chosen for your workspace. It is shown here.",
  TENANT_STATE: otherInfrastructure,
};

onSubmit(plan, ({ tier, planId }) => withLink(async () => {
  try {
    await send("POST", `tenants/${tenant}/provision`, planId ? { planId } : { id: subscription, plan: { tier } });
  } catch (problem) {
    if (!(problem instanceof ApiError)) throw problem;
    if (problem.code in unavailable) await choosePlan();
    // Other conflicts mean that another page has started provisioning already; this page then follows it.
    if (problem.code in unavailable || problem.status !== 409) throw problem;
  }
  follow(tenant);
}), { messages: unavailable });

/** Goes on without asking, because the link was confirmed in this tab before. */
async function resume() {
  const section = byId("resume");
  show("resume");
  fill(find(section, ".message", HTMLElement), "Please wait …");
  fill(find(section, ".next", HTMLElement));
  try {
    await withLink(goOn);
  } catch (problem) {
    fill(find(section, ".message", HTMLElement), errorMessage(problem));
    fill(find(section, ".next", HTMLElement), h("button", { onclick: resume }, "Try again"));
  }
}

function start() {
  if (showMailed()) return;
  if (history.state?.renew) renew(history.state.renew);
  else if (isConfirmed()) resume();
  else if (hasKey()) show("confirm");
  else renew("incomplete");
}

addEventListener("popstate", start);
start();
