"""The questions about AWS that only a deployment can answer, for `tests/smoke --deep`.

Needs the AWS CLI with administrator credentials; without a permission the answer is `unknown`. Deletes everything
that it creates: two tenants with their resources, a user of the operators' pool, and the stack of tests/deep.yaml. The
console goes on listing that user.
"""

import contextlib
import datetime
import http.client
import json
import pathlib
import time
import urllib.parse
import uuid

from deep_sign_in import sign_in
from deployed import PATIENCE, Stack, Unknown, aws, called, eventually

HERE = pathlib.Path(__file__).parent
SIMULATOR = "success@simulator.amazonses.com"  # accepts any email, in the SES sandbox too


ODD_EVENTS = {
    "a plain event": '{"a":1}',
    "an integer of 64 bits": '{"a":9223372036854775807}',
    "an integer beyond 64 bits": '{"a":99999999999999999999}',
    "a number beyond a double": '{"a":1e400}',
    "a name twice": '{"a":1,"a":2}',
    "\\u0000 in a text": '{"a":"\\u0000"}',
    "a lone surrogate": '{"a":"\\ud800"}',
}


def bus(stack):
    """1. Which events the bus refuses. No rule and no archive matches their source."""
    entry = {"Source": "tenantry-smoke", "DetailType": "SMOKE", "EventBusName": stack.value("BusName", "EVENT_BUS")}
    for name, detail in ODD_EVENTS.items():
        try:
            (result,) = aws("events", "put-events", "--entries", json.dumps([entry | {"Detail": detail}]))["Entries"]
            code = result.get("ErrorCode")
            yield name, f"refused: {code}" if code else "taken"
        except Unknown as fault:
            yield name, f"unknown: {fault}"


def mails(stack, extra):
    """2. Whether SES passes the sender when it authorizes a template and a configuration set."""
    outputs = extra()
    taken = eventually(lambda: assumed(outputs["Sender"]), 60)
    if taken is None:
        raise Unknown("the role could not be taken within a minute")
    sender, settings = stack.values["FromEmail"], configuration_set(stack)
    simple = {"Simple": {"Subject": {"Data": "A question"}, "Body": {"Text": {"Data": "Nobody reads this."}}}}
    templated = {"Template": {"TemplateName": outputs["Template"], "TemplateData": "{}"}}

    def send(content, *words):
        to = json.dumps({"ToAddresses": [SIMULATOR]})
        try:
            aws("sesv2", "send-email", "--from-email-address", sender, "--destination", to, "--content",
                json.dumps(content), *words, given=taken)
            return "yes"
        except Unknown as fault:
            return f"no: {fault}"

    # A new role is eventually consistent.
    first = eventually(lambda: "yes" if send(simple) == "yes" else None, 60) or send(simple)
    yield "an email from a role with the condition ses:FromAddress is sent", first
    yield "… with a template", send(templated)
    yield "… with a configuration set", send(simple, "--configuration-set-name", settings)


def assumed(role):
    with contextlib.suppress(Unknown):
        keys = aws("sts", "assume-role", "--role-arn", role, "--role-session-name", "smoke")["Credentials"]
        return {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                "AWS_SESSION_TOKEN": keys["SessionToken"], "AWS_PROFILE": None}


def configuration_set(stack):
    if own := stack.values.get("ConfigurationSet"):
        return own
    found = aws("cloudformation", "describe-stack-resource", "--stack-name", stack.name, "--logical-resource-id", "MailSettings")
    return found["StackResourceDetail"]["PhysicalResourceId"]


def pipelines(stack):
    """3. Whether the roles of the two pipelines are sufficient: builds and removes a tenant of each isolation."""
    siloed = tiers(stack.value("SiloTiers", "SILO_TIERS"))
    pooled = [tier for tier in tiers(stack.value("Tiers", "TIERS")) if tier not in siloed]
    for kind, tier in [("silo", siloed[0]), *[("pool", tier) for tier in pooled[:1]]]:
        key = f"smk{uuid.uuid4().hex[:7]}"
        contact = {"firstName": "Smoke", "lastName": "Test", "email": SIMULATOR, "isPrimary": True}
        body = {"key": key, "name": "Smoke test", "domains": ["simulator.amazonses.com"], "contact": contact}
        tenant = stack.expect([200, 201], "POST", "/tenants", body)["id"]
        subscription = {"id": f"smoke-{key}", "plan": {"tier": tier}}
        try:
            yield f"a tenant of the {kind} is built", job(stack, tenant, "provision", subscription)
        finally:
            yield "… and removed", job(stack, tenant, "deprovision", subscription)
            status, _ = stack.ask("DELETE", f"/tenants/{tenant}")
            yield "… and deleted", "yes" if status == 204 else f"no: {status}, delete {tenant} by hand"


def tiers(text):
    return [tier.strip().upper() for tier in text.split(",")]


def job(stack, tenant, verb, body):
    """Returns the state of the job, with its reason."""
    started, path = time.monotonic(), f"/tenants/{tenant}/jobs"
    before = {one["id"] for one in stack.expect([200], "GET", path)}
    status, answer = stack.ask("POST", f"/tenants/{tenant}/{verb}", body)
    if status != 204:
        return f"no: {status} {json.dumps(answer)[:200]}"

    def ended():
        found = [one for one in stack.expect([200], "GET", path) if one["id"] not in before]
        return next((one for one in found if one["state"] not in ("queued", "running")), None)

    found = eventually(ended, PATIENCE, 1)
    seconds = time.monotonic() - started
    if found is None:
        return f"unknown: not within {PATIENCE:.0f} s"
    reason = f": {found['reason']}" if found.get("reason") else ""
    return f"{'yes' if found['state'] == 'succeeded' else 'no, ' + found['state']} after {seconds:.0f} s{reason}"


def starts(stack):
    """4. Whether a second start with the same token returns the same execution, and for how long."""
    name, token = stack.value("PooledPipeline", "POOLED_PIPELINE"), uuid.uuid4().hex
    seen = set()

    def start():
        found = aws("codepipeline", "start-pipeline-execution", "--name", name, "--client-request-token", token)
        seen.add(found["pipelineExecutionId"])
        return found["pipelineExecutionId"]

    first, waited = start(), 0
    try:
        for wait in [wait for wait in (0, 10, 60, 300, 900) if wait <= PATIENCE]:
            time.sleep(wait - waited)
            waited = wait
            yield f"the same clientRequestToken {wait} s later is", "the same execution" if start() == first else "another execution"
    finally:
        for execution in seen:
            with contextlib.suppress(Unknown):
                aws("codepipeline", "stop-pipeline-execution", "--pipeline-name", name, "--pipeline-execution-id", execution,
                    "--abandon", "--reason", "tests/smoke --deep")


ODD_PATHS = ["/ping", "/ping/", "/%70ing", "/pi%6eg?a=%22", '/ping?a="b"', "/ping?a=<b>", "/assets/..%2fping", "/ping%3fa=b"]


def gateway(stack):
    """5. How API Gateway treats unusual paths and queries: the status, and whether a function answered."""
    url = urllib.parse.urlsplit(stack.base_url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    for path in ODD_PATHS:
        connection = kind(url.netloc, timeout=30)
        # Sends the path unchanged: http.client would refuse or encode it.
        connection._validate_path = lambda _: None
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read(2000)
            ours = b'"error"' in text or b'"greeting"' in text
            yield f"GET {path}", f"{answer.status}, {'ours' if ours else 'of the gateway: ' + text[:80].decode(errors='replace')}"
        except (OSError, http.client.HTTPException) as fault:
            yield f"GET {path}", f"unknown: {fault!r}"
        finally:
            connection.close()
    if domain := stack.values.get("ApiDomain"):
        found = aws("apigatewayv2", "get-apis")["Items"]
        (api,) = [one for one in found if one["Name"] == stack.name]
        yield f"beside {domain}, the address of AWS is turned off", str(api.get("DisableExecuteApiEndpoint", False))


def stream(stack, extra):
    """6. How often a failing record is retried, and how long 1,000 attempts would take."""
    outputs = extra()
    aws("dynamodb", "put-item", "--table-name", outputs["Table"], "--item", '{"id":{"S":"smoke"}}')
    time.sleep(PATIENCE)
    found = aws("logs", "filter-log-events", "--log-group-name", outputs["Log"], "--filter-pattern", "tried")["events"]
    times = sorted(one["timestamp"] / 1000 for one in found)
    if len(times) < 3:
        raise Unknown(f"{len(times)} tries within {PATIENCE:.0f} s")
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    pace = sum(gaps[-5:]) / len(gaps[-5:])
    yield "tries of a record that fails", f"{len(times)} in {times[-1] - times[0]:.0f} s; gaps of {gaps[0]:.1f} s first, {pace:.1f} s last"
    yield "1,000 tries at the last pace last", str(datetime.timedelta(seconds=round(1000 * pace)))


class Extra:
    """The stack of tests/deep.yaml, created when a question needs it."""

    def __init__(self, stack):
        self.stack, self.name, self.outputs = stack, f"tenantry-smoke-{uuid.uuid4().hex[:8]}", None

    def __call__(self):
        if self.outputs is None:
            if not self.stack.name:
                raise Unknown("it needs CloudFormation: give --stack")
            given = [f"FromEmail={self.stack.values['FromEmail']}", f"ConfigurationSet={configuration_set(self.stack)}"]
            self.outputs = {}
            called("cloudformation", "deploy", "--stack-name", self.name, "--template-file", str(HERE / "deep.yaml"),
                   "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", *given)
            (found,) = aws("cloudformation", "describe-stacks", "--stack-name", self.name)["Stacks"]
            self.outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        return self.outputs or self.stack.missing("the stack of tests/deep.yaml")

    def delete(self):
        if self.outputs is not None:
            with contextlib.suppress(Unknown):
                aws("cloudformation", "delete-stack", "--stack-name", self.name)


def answers(question, *given):
    """Returns the rows of a question, also if it fails."""
    try:
        yield from question(*given)
    except Unknown as fault:
        yield "", f"unknown: {fault}"


def ask(stack_name, base_url):
    """Asks all questions, and prints a table."""
    try:
        stack = Stack(stack_name, base_url)
    except Unknown as fault:
        return print(f"tests/smoke --deep: {stack_name} cannot be read: {fault}")
    extra = Extra(stack)
    asked = [(bus, stack), (mails, stack, extra), (pipelines, stack), (starts, stack), (gateway, stack), (stream, stack, extra), (sign_in, stack)]
    try:
        for question, *given in asked:
            print(f"\n{question.__doc__}")
            for name, answer in answers(question, *given):
                print(f"  {name or '–':58} {answer}", flush=True)
    finally:
        extra.delete()
