// Attacks with tokens that oauth2-mock-server forges: https://github.com/axa-group/oauth2-mock-server

import { strict as assert } from "node:assert";
import { createHmac, createPublicKey } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { OAuth2Issuer, OAuth2Server } from "oauth2-mock-server";

import { Plane } from "../browser/plane.js";
import { CLIENT, Person, variables } from "./person.js";

const server = new OAuth2Server();
const { service, issuer } = server;
let plane, nonce;

before(async () => {
  await issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  const trusted = [{ issuer: issuer.url, audiences: ["api"], grants: [{ claim: "scope", value: "ops", role: "viewer" }] }];
  plane = await Plane.make();
  await plane.start("silent", variables(issuer.url, { TOKEN_ISSUERS: JSON.stringify(trusted), SESSION_IDLE: "60" }));
  service.on("beforeAuthorizeRedirect", (_, request) => { nonce = new URL(request.url, issuer.url).searchParams.get("nonce"); });
});

after(async () => {
  await plane.remove();
  await server.stop();
});

/** Changes the ID token of the next sign-in; `change` returns another token to send a forged one. */
function forge(change) {
  service.removeAllListeners("beforeTokenSigning");
  service.removeAllListeners("beforeResponse");
  service.on("beforeTokenSigning", (token) => {
    Object.assign(token.payload, { sub: "ada", name: "Ada", groups: ["tenantry-admins"], aud: CLIENT.id, nonce });
    change?.(token.payload, token.header);
  });
}

beforeEach(() => forge());

async function attempt() {
  const ada = new Person(plane);
  return ada.refusal(await ada.toCallback());
}

/** Sends `make(idToken)` instead of the ID token. */
function replace(make) {
  service.once("beforeResponse", (response) => { response.body.id_token = make(response.body.id_token); });
}

/** Exchanges a token. Returns the status. */
const exchange = async (token) => (await fetch(`${plane.url}/auth/exchange`, { method: "POST", headers: { authorization: `Bearer ${token}` } })).status;

const encoded = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
const seconds = () => Math.floor(Date.now() / 1000);

test("RS256 signs a person in", async () => {
  const ada = new Person(plane);
  await ada.signIn();
  assert.deepEqual((await ada.token()).operator.roles, ["admin"]);
});

for (const [what, change] of Object.entries({
  "another nonce": (claims) => { claims.nonce = "another"; },
  "no nonce": (claims) => { delete claims.nonce; },
  "another audience": (claims) => { claims.aud = "another"; },
  "two audiences without azp": (claims) => { claims.aud = [CLIENT.id, "another"]; },
  "another issuer": (claims) => { claims.iss = "https://evil.test"; },
  "an expired token": (claims) => { claims.exp = seconds() - 120; },
  "a token of the future": (claims) => { claims.iat = seconds() + 600; },
  "no subject": (claims) => { delete claims.sub; },
  "an unknown key": (_, header) => { header.kid = "unknown"; },
})) {
  test(`${what} is refused`, async () => {
    forge(change);
    assert.equal(await attempt(), "SIGN_IN_INVALID");
  });
}

test("alg none is refused", async () => {
  replace((token) => `${encoded({ alg: "none" })}.${token.split(".")[1]}.`);
  assert.equal(await attempt(), "SIGN_IN_INVALID");
});

test("HS256 with the public key as the secret is refused", async () => {
  const [key] = issuer.keys.toJSON();
  const pem = createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
  for (const secret of [pem, key.n, Buffer.from(key.n, "base64url"), CLIENT.secret]) {
    replace((token) => {
      const message = `${encoded({ alg: "HS256", kid: key.kid })}.${token.split(".")[1]}`;
      return `${message}.${createHmac("sha256", secret).update(message).digest("base64url")}`;
    });
    assert.equal(await attempt(), "SIGN_IN_INVALID");
  }
});

test("a changed payload is refused", async () => {
  replace((token) => {
    const [header, claims, signature] = token.split(".");
    const payload = JSON.parse(Buffer.from(claims, "base64url").toString());
    return [header, encoded({ ...payload, sub: "eve" }), signature].join(".");
  });
  assert.equal(await attempt(), "SIGN_IN_INVALID");
});

for (const [what, code, change] of [
  ["no ID token", "SIGN_IN_INVALID", (response) => { delete response.body.id_token; }],
  ["a refused code", "SIGN_IN_INVALID", (response) => { response.statusCode = 400; response.body = { error: "invalid_grant" }; }],
  ["a refused client", "PROVIDER_MISCONFIGURED", (response) => { response.statusCode = 401; response.body = { error: "invalid_client" }; }],
  ["a broken answer", "PROVIDER_MISCONFIGURED", (response) => { response.body = "<html>"; }],
  ["a failure", "PROVIDER_UNREACHABLE", (response) => { response.statusCode = 503; response.body = {}; }],
  ["no access token", "PROVIDER_MISCONFIGURED", (response) => { delete response.body.access_token; }],
]) {
  test(`${what} is ${code}`, async () => {
    service.once("beforeResponse", change);
    assert.equal(await attempt(), code);
  });
}

test("an ID token is no access token", async () => {
  const access = (claims) => issuer.buildToken({ scopesOrTransform: (_, payload) => Object.assign(payload, { sub: "machine", scope: "ops", ...claims }) });
  assert.equal(await exchange(await access({ aud: "api" })), 200);
  assert.equal(await exchange(await access({ aud: CLIENT.id })), 401);
  assert.equal(await exchange(await access({ aud: "api", nonce: "n" })), 401);
  assert.equal(await exchange(await access({ aud: "api", exp: seconds() - 120 })), 401);
});

test("RS384 and a key of another provider are refused", async () => {
  const [first] = issuer.keys.toJSON();
  const other = await issuer.keys.generate("RS384");
  const build = (kid) => issuer.buildToken({ kid, scopesOrTransform: (_, payload) => Object.assign(payload, { sub: "machine", scope: "ops", aud: "api" }) });
  assert.equal(await exchange(await build(other.kid)), 401);
  const foreign = new OAuth2Issuer();
  foreign.url = issuer.url;
  await foreign.keys.generate("RS256", { kid: first.kid });
  const forged = await foreign.buildToken({ scopesOrTransform: (_, payload) => Object.assign(payload, { sub: "machine", scope: "ops", aud: "api" }) });
  assert.equal(await exchange(forged), 401);
  assert.equal(await exchange(await build(first.kid)), 200);
});
