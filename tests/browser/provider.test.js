// The OpenID provider of the local run, driven by openid-client.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "openid-client";
import { withPlane } from "./plane.js";

const CALLBACK = "http://127.0.0.1:3000/auth/callback";

/**
 * Starts to sign in, as a client does.
 * @param {client.Configuration} config
 */
async function begin(config) {
  const verifier = client.randomPKCECodeVerifier();
  const [nonce, state] = [client.randomNonce(), client.randomState()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK, scope: "openid profile email", nonce, state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  return { url, checks: { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true } };
}

/**
 * Follows the link of a person on the page, and returns the address that it leads to.
 * @param {URL} url
 * @param {string} name
 */
async function choose(url, name) {
  const page = await (await fetch(url)).text();
  const [, href = ""] = new RegExp(`<a href="([^"]*)">${name}</a>`).exec(page) ?? [];
  const link = new URL(href.replaceAll("&amp;", "&").replaceAll("&#38;", "&"), url);
  const answer = await fetch(link, { redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "");
}

test("openid-client signs in, and nobody uses a code twice", () => withPlane(async (plane) => {
  const issuer = new URL(`${plane.url}/_local/idp`);
  const config = await client.discovery(issuer, "tenantry-local", undefined, client.None(), { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] });
  assert.equal(config.serverMetadata().supportsPKCE(), true);
  for (const [name, groups] of /** @type {[string, string[]][]} */ ([["Ada Lovelace", ["tenantry-admin"]], ["Alan Turing", ["tenantry-viewer"]], ["Edgar Codd", []]])) {
    const { url, checks } = await begin(config);
    const back = await choose(url, name);
    const claims = (await client.authorizationCodeGrant(config, back, checks)).claims();
    assert.deepEqual([claims?.name, claims?.groups, claims?.email_verified], [name, groups, true]);
    await assert.rejects(client.authorizationCodeGrant(config, back, checks), /invalid_grant|server responded with an error/);
  }
  const { url, checks } = await begin(config);
  const back = await choose(url, "Ada Lovelace");
  const other = await begin(config);
  await assert.rejects(client.authorizationCodeGrant(config, back, { ...checks, pkceCodeVerifier: other.checks.pkceCodeVerifier }), { error: "invalid_grant" });
  await assert.rejects(client.authorizationCodeGrant(config, await choose(other.url, "Cancel"), other.checks), { error: "access_denied" });
}));
