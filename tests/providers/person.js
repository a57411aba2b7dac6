// A person with a browser: cookies per origin, redirects followed by hand.

import { strict as assert } from "node:assert";

export class Person {
  constructor(plane) {
    this.plane = plane;
    this.jars = new Map();
  }

  /** Sends a request with the cookies of its origin, and keeps those of the answer. */
  async send(url, options = {}) {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map();
    this.jars.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...options.headers, ...(cookie && { cookie }) };
    const answer = await fetch(url, { ...options, headers, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [name, value] = set.split(";")[0].split(/=(.*)/s);
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(set)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  /** Starts a sign-in and goes through the provider. Returns the address of the callback, not called yet. */
  async toCallback() {
    const callback = `${this.plane.url}/auth/callback`;
    let answer = await this.send(`${this.plane.url}/auth/sign-in`);
    for (let steps = 0; steps < 10; steps++) {
      assert.ok([302, 303].includes(answer.status), `${answer.status} ${await answer.text()}`);
      const url = new URL(answer.headers.get("location"), answer.url).href;
      if (url.startsWith(callback)) return url;
      answer = await this.send(url);
    }
    throw new Error("the provider never came back");
  }

  async signIn() {
    const answer = await this.send(await this.toCallback());
    assert.equal(answer.status, 303, await answer.clone().text());
    return answer;
  }

  /** Returns the error code of a callback. */
  async refusal(url) {
    const answer = await this.send(url);
    assert.equal(this.session, undefined, "no session");
    return (await answer.json()).error.code;
  }

  /** Sends a POST from one of our own pages. */
  post(path) {
    return this.send(`${this.plane.url}${path}`, { method: "POST", headers: { "sec-fetch-site": "same-origin" } });
  }

  async token() {
    const answer = await this.post("/auth/token");
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  }

  get session() {
    const jar = this.jars.get(this.plane.url) ?? new Map();
    return [...jar.keys()].find((name) => name.startsWith("session-"));
  }
}

/** Makes the last check of every session 20 minutes old. */
export async function outdate(plane) {
  const old = new Date(Date.now() - 1_200_000).toISOString();
  const all = await plane.table("Scan", {});
  for (const item of all.Items.filter((item) => item.entity.S === "session")) {
    await plane.table("UpdateItem", {
      Key: { pk: item.pk, sk: item.sk },
      UpdateExpression: "SET checkedOn = :old REMOVE leasedOn",
      ExpressionAttributeValues: { ":old": { S: old } },
    });
  }
}

export const CLIENT = { id: "console", secret: "client-secret-marker-3c1e" };

/** The variables of a control plane that signs in at `issuer`. */
export const variables = (issuer, more = {}) => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
  OPERATOR_ROLES: JSON.stringify({ grants: [
    { claim: "groups", value: "tenantry-admins", role: "admin" },
    { claim: "groups", value: "tenantry-viewers", role: "viewer" },
  ] }),
  ...more,
});
