"""A CodePipeline for ministack, which has none: validates requests by the model of AWS, and records them."""

import http.server
import json
import re
import threading
import uuid

import botocore.session

from emulators.stack import client
from template_test import TEMPLATES

MODEL = botocore.session.get_session().get_service_model("codepipeline")


def faults(shape, value, where):
    """Returns the violations of the AWS API model by `value`; boto3 itself checks few limits."""
    limits, size = shape.metadata, len(value) if hasattr(value, "__len__") else value
    if "min" in limits and size < limits["min"] or "max" in limits and size > limits["max"]:
        yield f"{where} has a size of {size}, not {limits.get('min')} to {limits.get('max')}"
    if shape.type_name == "structure":
        for name in set(shape.required_members) - set(value):
            yield f"{where}.{name} is missing"
        for name, member in value.items():
            if name in shape.members:
                yield from faults(shape.members[name], member, f"{where}.{name}")
            else:
                yield f"{where}.{name} is unknown"
    elif shape.type_name == "list":
        for position, item in enumerate(value):
            yield from faults(shape.member, item, f"{where}[{position}]")
    elif shape.type_name == "string":
        if not isinstance(value, str):
            yield f"{where} is not a string"
        elif "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            yield f"{where} does not match {limits['pattern']}"


class Pipelines:
    """A server of the two used calls, for pipelines of any name."""

    def __init__(self):
        self.lock, self.executions, self.refused, self.repeated = threading.Lock(), {}, [], 0
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                action = self.headers["x-amz-target"].removeprefix("CodePipeline_20150709.")
                status, answer = recorder.answer(action, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, action, body):
        wrong = list(faults(MODEL.operation_model(action).input_shape, body, action))
        if wrong:
            self.refused.append(wrong)
            return 400, {"__type": "ValidationException", "message": "; ".join(wrong)}
        with self.lock:
            if action == "StartPipelineExecution":
                return 200, {"pipelineExecutionId": self.start(body)}
            for execution in self.executions.values():
                if execution["id"] == body["pipelineExecutionId"]:
                    variables = [
                        {"name": name, "resolvedValue": value}
                        for name, value in execution["variables"].items()
                    ]
                    return 200, {"pipelineExecution": {"variables": variables}}
        return 400, {"__type": "PipelineExecutionNotFoundException", "message": "no such execution"}

    def start(self, body):
        # The same token returns the same execution, as on AWS.
        key = body["name"], body["clientRequestToken"]
        self.repeated += key in self.executions
        execution = self.executions.setdefault(key, {"id": str(uuid.uuid4()), "pipeline": body["name"]})
        execution["variables"] = {one["name"]: one["value"] for one in body["variables"]}
        return execution["id"]

    def of(self, job):
        """Returns the execution of a job when it has started."""
        with self.lock:
            return next((one for (_, token), one in self.executions.items() if token == job), None)


def made_at_moto(endpoint, names):
    """Returns a client of moto, with the pipelines of infra/pipelines under these names."""
    codepipeline, iam = client(endpoint, "codepipeline"), client(endpoint, "iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="pipelines", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    resources = TEMPLATES["infra/pipelines/template.yaml"]["Resources"].values()
    (given,) = [one["Properties"] for one in resources if one["Type"] == "AWS::CodePipeline::Pipeline"]
    stages = [
        {
            "name": stage["Name"],
            "actions": [
                {
                    "name": action["Name"],
                    "actionTypeId": {name[0].lower() + name[1:]: one for name, one in action["ActionTypeId"].items()},
                }
                for action in stage["Actions"]
            ],
        }
        for stage in given["Stages"]
    ]
    variables = [{"name": one["Name"], "defaultValue": one["DefaultValue"]} for one in given["Variables"]]
    pipeline = {"roleArn": role, "stages": stages, "variables": variables, "version": 1}
    pipeline |= {"pipelineType": given["PipelineType"], "executionMode": given["ExecutionMode"]}
    pipeline["artifactStore"] = {"type": "S3", "location": "sources"}
    for name in names:
        codepipeline.create_pipeline(pipeline=pipeline | {"name": name})
    return codepipeline, {one["name"] for one in variables}
