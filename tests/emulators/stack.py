"""template.yaml, made real at an emulator: each resource through its service's own API.

Nothing is typed twice: names, keys, filters, patterns, variables and routes are the template's, as SAM hands
them to CloudFormation. Resources are made when something refers to them, as CloudFormation does.
"""

import functools
import io
import json
import pathlib
import platform
import re
import secrets
import shutil
import subprocess
import tempfile
import zipfile

import boto3

from template_test import STACK as TEMPLATE
from template_test import of_type

ACCOUNT, REGION = "000000000000", "eu-west-1"

# Resources that are not created, each with the reason.
LEFT_OUT = {
    "AWS::Events::Archive": "nothing is replayed",
    "AWS::Lambda::Permission": "services of an emulator may call any function",
    "AWS::SNS::TopicPolicy": "services of an emulator may publish to any topic",
    "AWS::SQS::QueuePolicy": "services of an emulator may write to any queue",
    "AWS::SES::ConfigurationSetEventDestination": "no email bounces",
    "AWS::SecretsManager::RotationSchedule": "a separate test covers its four steps",
    "AWS::Scheduler::Schedule": "tests run it when they need it",
}


class Stack:
    """The template at `endpoint`, with these parameters, under this name."""

    def __init__(self, endpoint, binaries, parameters=None, name="tenantry"):
        self.endpoint, self.binaries, self.name = endpoint, pathlib.Path(binaries), name
        defaults = {id: one.get("Default") for id, one in TEMPLATE["Parameters"].items()}
        ours = {"FromEmail": "noreply@tenantry.test", "Watch": "false", "AllowedOrigins": "http://localhost:4200"}
        ours["Architecture"] = "arm64" if platform.machine() == "aarch64" else "x86_64"
        self.parameters = defaults | ours | (parameters or {})
        self.made = {}

    def client(self, service):
        return client(self.endpoint, service)

    def deploy(self):
        for id, resource in TEMPLATE["Resources"].items():
            if self.holds(resource.get("Condition")) and resource["Type"] not in LEFT_OUT:
                self.resource(id)
        return self

    def invoke(self, function, payload):
        """Invokes a function with a payload, and returns its answer."""
        name = self.resource(function)["Ref"]
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload))
        said = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise RuntimeError(f"{function}: {said}")
        return json.loads(said or "null")

    def items(self, condition, index=None, **values):
        """Returns the items of all pages of a query."""
        values = {f":{name}": {"S": value} for name, value in values.items()}
        index = {"IndexName": index} if index else {}
        given = index | {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
        pages = self.client("dynamodb").get_paginator("query").paginate(TableName=self.resource("Table")["Ref"], **given)
        return [item for page in pages for item in page["Items"]]

    @property
    def api_url(self):
        return f"{self.endpoint}/_aws/execute-api/{self.resource('HttpApi')['Ref']}/$default"

    def resource(self, id):
        """Returns the values of `Ref` and `Fn::GetAtt` of a resource, by attribute; creates the resource if needed."""
        if id not in self.made:
            resource = TEMPLATE["Resources"][id]
            made = getattr(self, "make_" + resource["Type"].split("::", 1)[1].replace("::", "_").lower())
            self.made[id] = made(id, self.value(resource.get("Properties", {})))
        return self.made[id]

    def variables(self, function):
        return self.value(TEMPLATE["Resources"][function]["Properties"]["Environment"]["Variables"])

    # References and functions of the template.

    def holds(self, condition):
        return condition is None or self.value(TEMPLATE["Conditions"][condition])

    def value(self, value):
        if isinstance(value, list):
            items = [self.value(item) for item in value]
            return [item for item in items if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), = value.items()
            if name == "Ref":
                return self.refer(argument)
            if name == "Condition" and isinstance(argument, str):
                return self.holds(argument)
            if name.startswith("Fn::"):
                return getattr(self, "fn_" + name[4:].lower())(argument)
        members = {name: self.value(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not None}

    def refer(self, name):
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": None,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        return self.parameters[name] if name in self.parameters else self.resource(name)["Ref"]

    def fn_getatt(self, path):
        id, attribute = path if isinstance(path, list) else path.split(".", 1)
        return self.resource(id)[attribute]

    def fn_if(self, argument):
        condition, yes, no = argument
        return self.value(yes if self.holds(condition) else no)

    def fn_equals(self, argument):
        left, right = self.value(argument)
        return str(left) == str(right)

    def fn_not(self, argument):
        return not self.value(argument)[0]

    def fn_and(self, argument):
        return all(self.value(argument))

    def fn_or(self, argument):
        return any(self.value(argument))

    def fn_join(self, argument):
        separator, parts = argument
        return separator.join(self.value(parts))

    def fn_split(self, argument):
        separator, whole = argument
        return self.value(whole).split(separator)

    def fn_sub(self, argument):
        pattern, named = argument if isinstance(argument, list) else (argument, {})

        def found(match):
            name = match[1]
            if name in named:
                return str(self.value(named[name]))
            return str(self.fn_getatt(name) if "." in name else self.refer(name))

        text = re.sub(r"\$\{([^}!]+)\}", found, pattern)
        # The API has another address here than on AWS.
        if "HttpApi" in self.made:
            host = f"https://{self.made['HttpApi']['Ref']}.execute-api.{REGION}.amazonaws.com"
            text = text.replace(host, self.api_url)
        return text

    # Resources.

    def make_dynamodb_table(self, id, given):
        name = f"{self.name}-{id}"
        dynamodb = self.client("dynamodb")
        keys = ["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema"]
        stream = given["StreamSpecification"] | {"StreamEnabled": True}
        made = dynamodb.create_table(
            TableName=name, StreamSpecification=stream, **{key: given[key] for key in keys}
        )["TableDescription"]
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification=given["TimeToLiveSpecification"]
        )
        return {"Ref": name, "Arn": made["TableArn"], "StreamArn": made["LatestStreamArn"]}

    def make_events_eventbus(self, id, given):
        made = self.client("events").create_event_bus(Name=given["Name"])
        return {"Ref": given["Name"], "Arn": made["EventBusArn"]}

    def make_events_rule(self, id, given):
        name, bus = f"{self.name}-{id}", given.get("EventBusName", "default")
        events, pattern = self.client("events"), json.dumps(given["EventPattern"])
        made = events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=name, EventBusName=bus, Targets=given["Targets"])
        return {"Ref": name, "Arn": made["RuleArn"]}

    def make_secretsmanager_secret(self, id, given):
        generate = given["GenerateSecretString"]
        value = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(generate["PasswordLength"]))
        if "GenerateStringKey" in generate:
            value = json.dumps(json.loads(generate["SecretStringTemplate"]) | {generate["GenerateStringKey"]: value})
        made = self.client("secretsmanager").create_secret(Name=f"{self.name}-{id}", SecretString=value)
        return {"Ref": made["ARN"], "Value": value}

    def make_sqs_queue(self, id, given):
        name, sqs = f"{self.name}-{id}", self.client("sqs")
        kept = {"MessageRetentionPeriod": str(given["MessageRetentionPeriod"])}
        url = sqs.create_queue(QueueName=name, Attributes=kept)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return {"Ref": url, "Arn": arn, "QueueName": name}

    def make_sns_topic(self, id, given):
        return {"Ref": self.client("sns").create_topic(Name=f"{self.name}-{id}")["TopicArn"]}

    def make_ses_emailidentity(self, id, given):
        self.client("sesv2").create_email_identity(EmailIdentity=given["EmailIdentity"])
        return {"Ref": given["EmailIdentity"]}

    def make_ses_configurationset(self, id, given):
        name = f"{self.name}-{id}"
        self.client("sesv2").create_configuration_set(ConfigurationSetName=name)
        return {"Ref": name}

    def make_logs_loggroup(self, id, given):
        name, logs = given["LogGroupName"], self.client("logs")
        logs.create_log_group(logGroupName=name)
        return {"Ref": name, "Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"}

    def make_iam_role(self, id, given):
        name, iam = f"{self.name}-{id}", self.client("iam")
        trust = json.dumps(given["AssumeRolePolicyDocument"])
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        for policy in given.get("Policies", []):
            document = json.dumps(told(policy["PolicyDocument"]))
            iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)
        return {"Ref": name, "Arn": made["Arn"]}

    def make_iam_policy(self, id, given):
        document = json.dumps(given["PolicyDocument"])
        for role in given["Roles"]:
            self.client("iam").put_role_policy(RoleName=role, PolicyName=given["PolicyName"], PolicyDocument=document)
        return {"Ref": given["PolicyName"]}

    def make_lambda_function(self, id, given):
        name = given.get("FunctionName", f"{self.name}-{id}")
        binary = TEMPLATE["Resources"][id]["Metadata"]["BuildProperties"]["Binary"]
        keys = ["Description", "Handler", "MemorySize", "Role", "Runtime", "Timeout", "Environment"]
        keys += ["TracingConfig", "Architectures", "LoggingConfig"]
        given = {"Environment": {"Variables": {}}} | given
        variables = given["Environment"]["Variables"].items()
        given["Environment"] = {"Variables": {name: str(value) for name, value in variables}}
        made = self.client("lambda").create_function(
            FunctionName=name,
            Code={"ZipFile": bootstrap(self.binaries / binary)},
            **{key: given[key] for key in keys if key in given},
        )
        return {"Ref": name, "Arn": made["FunctionArn"]}

    def make_lambda_eventinvokeconfig(self, id, given):
        self.client("lambda").put_function_event_invoke_config(**given)
        return {"Ref": id}

    def make_lambda_eventsourcemapping(self, id, given):
        return {"Ref": self.client("lambda").create_event_source_mapping(**given)["UUID"]}

    def make_apigatewayv2_api(self, id, given):
        api, body = self.client("apigatewayv2"), given["Body"]
        cors = {name[0].upper() + name[1:]: value for name, value in body["x-amazon-apigateway-cors"].items()}
        made = api.create_api(Name=self.name, ProtocolType="HTTP", CorsConfiguration=cors)
        for path, methods in body["paths"].items():
            for method, operation in methods.items():
                integration = operation["x-amazon-apigateway-integration"]
                target = self.integration(made["ApiId"], integration["uri"], integration["payloadFormatVersion"])
                key = path if path == "$default" else f"{method.upper()} {path}"
                api.create_route(ApiId=made["ApiId"], RouteKey=key, Target=f"integrations/{target}")
        return {"Ref": made["ApiId"]}

    @functools.cache
    def integration(self, api, uri, version):
        return self.client("apigatewayv2").create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion=version
        )["IntegrationId"]

    def make_apigatewayv2_stage(self, id, given):
        self.client("apigatewayv2").create_stage(
            ApiId=given["ApiId"], StageName=given["StageName"], AutoDeploy=given["AutoDeploy"]
        )
        return {"Ref": given["StageName"]}


@functools.cache
def client(endpoint, service):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.session.Session().client(service, endpoint_url=endpoint, region_name=REGION, **keys)


def told(document):
    """Returns a policy that ministack can evaluate: it knows neither the sender nor the identity of an email."""
    mails = ["ses:SendEmail", "ses:SendTemplatedEmail"]
    statements = [
        {"Effect": "Allow", "Action": mails, "Resource": "*"} if one["Action"] == mails else one
        for one in document["Statement"]
    ]
    return document | {"Statement": statements}


def bootstrap(binary):
    """Returns the package for Lambda: the binary as `bootstrap`, without debug symbols."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder, "bootstrap")
        if subprocess.run(["strip", "-o", stripped, binary], stderr=subprocess.DEVNULL).returncode:
            shutil.copy(binary, stripped)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(stripped, "bootstrap")
        return packed.getvalue()


def functions():
    """Returns the logical ID of each function, by its binary."""
    resources = TEMPLATE["Resources"]
    return {resources[id]["Metadata"]["BuildProperties"]["Binary"]: id for id in of_type("AWS::Lambda::Function")}
