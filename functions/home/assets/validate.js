// From the key in a verification mail to a tenant that is being built, on the public API alone.
// The key and the token stay in this module: neither in the address bar nor in any storage. The
// tenant's id is kept, so that who closes the page before the last step can open the link again.

const lead = location.pathname.split("/").pop();
const key = new URLSearchParams(location.search).get("code");
history.replaceState(null, "", location.pathname);

const api = new URL("../", location.href);
const element = (id) => document.getElementById(id);
let token;

function remembered(tenant) {
  try {
    if (tenant) localStorage.setItem(lead, tenant);
    return localStorage.getItem(lead) ?? tenant;
  } catch {
    return tenant; // Some people have storage turned off.
  }
}
let tenant = remembered();

function say(text, wrong = false) {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

function show(id) {
  for (const step of document.querySelectorAll("main > form, main > section")) step.hidden = step.id !== id;
  say("");
  element(id).querySelector("h1").focus();
}

async function call(method, path, bearer, body) {
  const headers = { authorization: `Bearer ${bearer}` };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(new URL(path, api), {
    method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store",
  });
  const value = await answer.json().catch(() => null);
  if (!answer.ok) throw { status: answer.status, ...value?.error };
  return value;
}

/** Shows what was wrong: at the fields that the API names, the rest below. */
function refuse(form, { status, message, details = [] }, meanings) {
  const rest = [];
  for (const { path, info, message } of details) {
    const name = path.split("/")[1] || info?.missingProperty;
    if (element(`${name}-error`)) mark(form, name, message);
    else rest.push(`${path} ${message}`);
  }
  const known = meanings[status] ?? {
    400: message,
    422: rest.join(", ") || "Look at the marked fields again.",
    429: "Too many attempts. Wait a minute, then try again.",
  }[status];
  say(known ?? "That did not work. Try again in a moment.", true);
  (form.querySelector("[aria-invalid=true]") ?? form.querySelector("button")).focus();
}

function mark(form, name, text) {
  form.elements[name].setAttribute("aria-invalid", String(text !== ""));
  element(`${name}-error`).textContent = text;
}

/** Does `act` when a form is sent, one at a time; `meanings` says what the API's refusals mean here. */
function step(id, meanings, act) {
  const form = element(id);
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    for (const error of form.querySelectorAll(".error")) mark(form, error.id.replace("-error", ""), "");
    say("One moment …");
    try {
      await act(Object.fromEntries(new FormData(form)), form);
      button.disabled = false;
    } catch (refusal) {
      button.disabled = false;
      refuse(form, refusal, meanings);
    }
  });
}

step("confirm", {
  401: "This link is wrong or too old. Ask for a workspace again to get a new one.",
  409: "This address has a verified request already. Open the link in its mail.",
}, async () => {
  token ??= (await call("POST", `leads/${lead}/verify`, key)).token;
  const { email, companyName } = await call("GET", `leads/${lead}`, token);
  const form = element("workspace").elements;
  form.name.value = companyName;
  form.key.value = companyName.toLowerCase().replace(/[^a-z0-9]/g, "").slice(0, 10);
  form.domains.value = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
  element("email").textContent = email;
  show(tenant ? "plan" : "workspace");
});

step("workspace", {
  401: "This request has its workspace already, or this page was open for too long. Then open the link in your mail again.",
  409: "This key is taken. Choose another.",
}, async ({ name, key, domains }, form) => {
  const body = { key, name: name.trim() || undefined, domains: domains.split(/[\s,]+/).filter(Boolean) };
  try {
    tenant = remembered((await call("POST", `leads/${lead}/tenants`, token, body)).id);
  } catch (refusal) {
    if (refusal.status === 409) mark(form, "key", "is taken");
    throw refusal;
  }
  show("plan");
});

const subscription = crypto.randomUUID();
step("plan", {
  401: "This page was open for too long. Open the link in your mail again to go on.",
}, async ({ tier }) => {
  try {
    await call("POST", `tenants/${tenant}/provision`, token, { id: subscription, plan: { tier } });
  } catch (refusal) {
    if (refusal.status !== 409) throw refusal;
  }
  show("done");
});

element("confirm").hidden = false;
if (!key) {
  element("confirm").querySelector("button").hidden = true;
  say("This address lacks its code. Open the link in your mail again.", true);
}
