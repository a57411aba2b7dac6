// Sign-in at oidc-provider, a certified OpenID Provider: https://github.com/panva/node-oidc-provider

import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import Provider from "oidc-provider";

import { Plane } from "../browser/plane.js";
import { CLIENT, Person, outdate, variables } from "./person.js";

const people = { ada: { name: "Ada", email: "ada-marker@acme.test", email_verified: true, groups: ["tenantry-admins"] } };
let plane, server, issuer;

before(async () => {
  let handle;
  server = createServer((request, response) => handle(request, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  issuer = `http://127.0.0.1:${server.address().port}`;
  plane = await Plane.make();
  await plane.start("silent", variables(issuer, { OIDC_SCOPES: "openid profile email groups" }));
  handle = serve(provider());
});

after(async () => {
  await plane.remove();
  server.closeAllConnections();
  server.close();
});

function provider() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return new Provider(issuer, {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [`${plane.url}/auth/callback`],
      post_logout_redirect_uris: [`${plane.url}/console`],
      grant_types: ["authorization_code", "refresh_token"],
      id_token_signed_response_alg: "ES256",
    }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "es" }] },
    cookies: { keys: ["cookie-key"] },
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...people[accountId] }) }),
  });
}

/** Signs Ada in and consents, without a page. */
function serve(provider) {
  const callback = provider.callback();
  return async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return callback(request, response);
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId: "ada" } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  };
}

test("a person signs in with code, PKCE and secret, and uses the API", async () => {
  const ada = new Person(plane);
  const callback = await ada.toCallback();
  assert.equal(new URL(callback).searchParams.get("iss"), issuer);
  const answer = await ada.send(callback);
  assert.equal(answer.status, 303);
  const { token, operator } = await ada.token();
  assert.deepEqual([operator.name, operator.email, operator.roles], ["Ada", "ada-marker@acme.test", ["admin"]]);
  assert.equal((await plane.call("GET", "/operators/me", undefined, token)).reasons[0].claim, "groups");
});

test("a refresh token is rotated, and used once by eight requests", async () => {
  const ada = new Person(plane);
  await ada.signIn();
  people.ada.groups = ["tenantry-viewers"];
  try {
    for (let round = 0; round < 3; round++) {
      await outdate(plane);
      const answers = await Promise.all(Array.from({ length: 8 }, () => ada.post("/auth/token")));
      assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200), `round ${round}`);
    }
    assert.deepEqual((await ada.token()).operator.roles, ["viewer"]);
  } finally {
    people.ada.groups = ["tenantry-admins"];
  }
});

test("signing out ends the session here, and leads to the provider's page", async () => {
  const ada = new Person(plane);
  await ada.signIn();
  const jar = new Map(ada.jars.get(plane.url));
  const { redirect } = await (await ada.post("/auth/sign-out")).json();
  const page = await ada.send(redirect);
  assert.equal(page.status, 200, "the provider knows the client and the address to return to");
  ada.jars.set(plane.url, jar);
  assert.equal((await ada.post("/auth/token")).status, 401);
});

test("a code is worth nothing twice, in another tab, or without its verifier", async () => {
  const ada = new Person(plane);
  const callback = await ada.toCallback();
  const thief = new Person(plane);
  assert.equal(await thief.refusal(callback), "SIGN_IN_EXPIRED");
  const stolen = new Map(ada.jars.get(plane.url));
  const mine = new URL(await thief.toCallback());
  mine.searchParams.set("code", new URL(callback).searchParams.get("code"));
  assert.equal(await thief.refusal(mine.href), "SIGN_IN_INVALID", "another verifier");
  await ada.send(callback);
  assert.ok(ada.session);
  thief.jars.set(plane.url, stolen);
  assert.equal(await thief.refusal(callback), "SIGN_IN_INVALID", "the code was used before");
});

test("nothing secret is logged or stored", async () => {
  const ada = new Person(plane);
  const callback = await ada.toCallback();
  await ada.send(callback);
  const { token } = await ada.token();
  const [, cookie] = [...ada.jars.get(plane.url)].find(([name]) => name.startsWith("session-"));
  const code = new URL(callback).searchParams.get("code");
  const stored = JSON.stringify(await plane.table("Scan", {}));
  for (const secret of [code, token, cookie.split(".")[1], CLIENT.secret]) {
    assert.ok(!stored.includes(secret) && !plane.log.includes(secret));
  }
  assert.ok(!plane.log.includes("ada-marker"), "no email address is logged");
});
