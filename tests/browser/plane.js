// Runs a local control plane and reads its mailbox.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const root = new URL("../../", import.meta.url).pathname;
const binary = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/local");

/** Polls until `poll` returns a truthy value. @param {() => Promise<any>} poll */
export async function eventually(poll) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await poll();
    if (found) return found;
    await pause(100);
  }
  throw new Error("the condition was not met within 30 s");
}

/** How long pipelines take, in milliseconds. */
const PIPELINE_MS = 1200;

/**
 * Runs a test with a control plane of its own.
 * @param {(plane: Plane) => Promise<void>} run
 * @param {string} outcome the outcome of its pipelines
 * @param {Record<string, string>} [variables]
 * @param {number} [pipelineMs] how long its pipelines take
 */
export async function withPlane(run, outcome = "success", variables = {}, pipelineMs = PIPELINE_MS) {
  const plane = await Plane.make();
  try {
    await plane.start(outcome, variables, pipelineMs);
    await run(plane);
  } finally {
    await plane.remove();
  }
}

export class Plane {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    this.log = "";
    this.port = "0";
    this.url = "";
    this.token = "";
    this.dynamodb = "";
    this.tableName = "";
    /** @type {import("node:child_process").ChildProcess | undefined} */
    this.process = undefined;
  }

  static async make() {
    return new Plane(await mkdtemp(join(tmpdir(), "tenantry-")));
  }

  /**
   * @param {string} outcome
   * @param {Record<string, string>} [variables]
   * @param {number} [pipelineMs]
   */
  async start(outcome, variables = {}, pipelineMs = PIPELINE_MS) {
    const file = join(this.folder, "env");
    await rm(file, { force: true });
    const options = ["--template", join(root, "template.yaml"), "--port", this.port, "--data", join(this.folder, "data"), "--env-file", file];
    this.process = spawn(binary, [...options, "--pipeline-outcome", outcome, "--pipeline-delay-ms", `${pipelineMs}`], {
      cwd: this.folder,
      env: { ...process.env, PUBLIC_API_MAX_ATTEMPTS: "1000000", LOG_LEVEL: "debug", JWT_SECRET: "browser-jwt-secret-of-32-bytes-at-least", MASTER_KEYS: "browser-master-key-of-32-bytes-at-least", ...variables },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on("data", (text) => { this.log += stream === this.process?.stderr ? text : ""; });
    const written = await eventually(async () => {
      if (this.process && this.process.exitCode !== null) throw new Error(this.log);
      return readFile(file, "utf8").catch(() => "");
    });
    /** @param {string} name */
    const variable = (name) => new RegExp(`^${name}='?([^'\n]*)`, "m").exec(written)?.[1] ?? "";
    this.url = variable("BASE_URL");
    this.token = variable("OPERATOR_TOKEN");
    this.port = new URL(this.url).port;
    this.dynamodb = variable("AWS_ENDPOINT_URL_DYNAMODB");
    this.tableName = variable("TABLE_NAME");
  }

  async stop() {
    const ended = new Promise((done) => this.process?.once("exit", done));
    if (this.process?.kill()) await ended;
    this.process = undefined;
  }

  async remove() {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }

  /** @param {string} method @param {string} path @param {unknown} [body] @param {string} [token] */
  async call(method, path, body, token = this.token) {
    const answer = await fetch(`${this.url}${path}`, {
      method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: body === undefined ? null : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * Waits until an address has received this many emails, and returns all of them, newest first.
   * @param {string} email
   * @param {number} count
   * @returns {Promise<any[]>}
   */
  async mails(email, count) {
    return eventually(async () => {
      const mails = (await (await fetch(`${this.url}/_local/mails.json`)).json()).filter((/** @type {any} */ mail) => JSON.stringify(mail).includes(email));
      return mails.length >= count && mails;
    });
  }

  /**
   * Waits until an address has received this many emails, and returns the links in them, newest first.
   * @param {string} email
   * @param {number} count
   * @returns {Promise<string[]>}
   */
  async links(email, count) {
    return (await this.mails(email, count)).map(({ links }) => links[0]);
  }

  /** @param {string} action @param {Record<string, unknown>} request @returns {Promise<any>} */
  async table(action, request) {
    const signed = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-date": "20260101T000000Z", "x-amz-target": `DynamoDB_20120810.${action}`, authorization: signed };
    const answer = await fetch(this.dynamodb, { method: "POST", headers, body: JSON.stringify({ TableName: this.tableName, ...request }) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  /** @param {string} key @param {string} [name] */
  tenant(key, name = key) {
    const contact = { firstName: "Ada", lastName: "Lovelace", email: `ada@${key}.test`, isPrimary: true };
    return this.call("POST", "/tenants", { key, name, domains: [`${key}.test`], contact });
  }
}
