"""Checks the deployment of a stage: the commands of infra/README.md and the steps of the workflow, as written."""

import base64
import hmac
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import tomllib
import unittest

import yaml
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.build.command import cli as sam_build
from samcli.commands.deploy.command import cli as sam_deploy

from template_test import ROOT, STACK, of_type

README = "infra/README.md"
DOCUMENTS = [README, "infra/RUNBOOK.md", "infra/COSTS.md"]
STAGES = ["dev", "staging", "prod"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
TYPES = CfnParameterOverridesType()


def blocks(file, kind="sh"):
    """Returns the code blocks of a document, as a user pastes them."""
    found = re.findall(rf"^ *```{kind}\n(.*?)^ *```", (ROOT / file).read_text(), re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def commands(program):
    """Returns every call of `program` in the README, as lists of words."""
    text = "\n".join(blocks(README)).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line.startswith(program + " ")]


def stage_of(name):
    given = CONFIG[name]["deploy"]["parameters"]["parameter_overrides"]
    return TYPES.convert(given, None, None)


class Workflow(unittest.TestCase):
    """The step that deploys, with a `sam` that only records its arguments."""

    def deployed(self, stage, parameters):
        """Runs the step `Deploy` of stage.yml and returns the parameters that SAM reads from its arguments."""
        steps = yaml.safe_load((ROOT / ".github/workflows/stage.yml").read_text())["jobs"]["deploy"]["steps"]
        (step,) = [one for one in steps if one.get("name") == "Deploy"]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name in ["infra", "template.yaml", "samconfig.toml"]:
                (folder / name).symlink_to(ROOT / name)
            (folder / ".venv/bin").mkdir(parents=True)
            (folder / ".venv/bin/python").symlink_to(sys.executable)
            sam = folder / "sam"
            sam.write_text('#!/bin/bash\nprintf "%s\\n" "$@" > called\n')
            sam.chmod(0o755)
            given = {name: "x" for name in step["env"]} | {"PARAMETERS": parameters, "AWS_REGION": "eu-west-1"}
            given |= {"ENVIRONMENT": stage, "STACK": f"tenantry-{stage}", "BOUNDARY": "arn:of:the:boundary"}
            path = {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]], cwd=folder, env=os.environ | given | path, capture_output=True, text=True
            )
            if done.returncode:
                return done.stderr
            called = (folder / "called").read_text().splitlines()
            overrides = called[called.index("--parameter-overrides") + 1]
            self.assertTrue(overrides.startswith("file://"), overrides)
            return TYPES.convert(f"file://{folder / overrides[7:]}", None, None)

    def test_a_stage_is_deployed_with_the_values_of_samconfig(self):
        for stage in STAGES:
            given = self.deployed(stage, "FromEmail=hello@example.com")
            self.assertLessEqual(stage_of(stage).items(), given.items(), stage)
            self.assertEqual(given["AppEnv"], stage)
            self.assertEqual(given["PermissionsBoundary"], "arn:of:the:boundary")

    def test_the_variable_of_github_takes_precedence(self):
        given = self.deployed("prod", "FromEmail=hello@example.com LogRetentionDays=365 AppName='Our Product'")
        self.assertEqual((given["LogRetentionDays"], given["AppName"]), ("365", "Our Product"))

    def test_every_parameter_is_given_so_that_a_new_default_reaches_a_stack_that_exists(self):
        self.assertEqual(set(self.deployed("prod", "FromEmail=hello@example.com")), set(STACK["Parameters"]))

    def test_a_missing_or_unknown_parameter_stops_the_deployment(self):
        self.assertIn("no value for FromEmail", self.deployed("prod", ""))
        self.assertIn("no parameter AlowedOrigins", self.deployed("prod", "FromEmail=a@example.com AlowedOrigins=https://a"))


class Stages(unittest.TestCase):
    def test_only_dev_can_be_called_from_a_developers_machine(self):
        for stage in STAGES:
            origins = stage_of(stage).get("AllowedOrigins", STACK["Parameters"]["AllowedOrigins"]["Default"])
            self.assertEqual("localhost" in origins, stage == "dev", stage)

    def test_samconfig_sets_only_values_that_the_template_accepts(self):
        for stage in STAGES:
            self.assertTrue(stage_of(stage), stage)
            for name, value in stage_of(stage).items():
                declared = STACK["Parameters"][name]
                self.assertRegex(value, declared.get("AllowedPattern", ".*"), name)
                self.assertIn(value, [str(one) for one in declared.get("AllowedValues", [value])], name)


class Commands(unittest.TestCase):
    def test_sam_knows_every_option(self):
        known = {"build": sam_build, "deploy": sam_deploy}
        called = commands("sam")
        self.assertIn(["sam", "deploy", "--config-env", "dev"], called)
        for _, command, *words in called:
            options = {option for one in known[command].params for option in [*one.opts, *one.secondary_opts]}
            for word in words:
                if word.startswith("--"):
                    self.assertIn(word, options, command)

    def test_no_command_asks_questions(self):
        called = commands("sam")
        self.assertTrue(called)
        for words in called:
            self.assertNotIn("--guided", words)
        self.assertNotIn("confirm_changeset", CONFIG["dev"]["deploy"]["parameters"])

    def test_the_sender_is_added_where_the_readme_says(self):
        (line,) = [block.strip().rstrip(",").strip('"') for block in blocks(README, "toml")]
        given = TYPES.convert([*CONFIG["dev"]["deploy"]["parameters"]["parameter_overrides"], line], None, None)
        missing = {name for name, one in STACK["Parameters"].items() if "Default" not in one} - set(given)
        self.assertEqual(missing, set())

    def test_every_file_that_a_command_names_exists(self):
        text = "\n".join(block for file in DOCUMENTS for block in blocks(file))
        named = set(re.findall(r"(?<![\w/.])(?:infra|tests)/[\w./-]+", text))
        self.assertTrue(named)
        for file in named:
            self.assertTrue((ROOT / file).exists(), file)

    def test_every_output_that_a_command_uses_exists(self):
        for file in DOCUMENTS:
            used = set(re.findall(r"\$\{?([A-Z][a-z]\w+)", "\n".join(blocks(file))))
            self.assertLessEqual(used, set(STACK["Outputs"]), file)
            if file == README:
                text = (ROOT / file).read_text()
                self.assertTrue(used)
                self.assertLess(text.index("outputs()"), min(text.index(f"${name}") for name in used))


class Tools(unittest.TestCase):
    """Workflows install exact versions, and Python packages are checked by their hashes."""

    def test_python_installs_by_hash(self):
        files = [ROOT / "tests/run", *(ROOT / ".github/workflows").glob("*.yml")]
        installs = [line for file in files for line in file.read_text().splitlines() if "pip install" in line]
        self.assertTrue(installs)
        for line in installs + [line for line in blocks(README) for line in line.splitlines() if "pip install" in line]:
            (file,) = re.findall(r"--require-hashes --no-deps --requirement (tests/\w+\.txt)$", line.strip())
            self.assertIn("--hash=sha256:", (ROOT / file).read_text())

    def test_every_python_tool_is_locked_with_its_dependencies(self):
        lists = list((ROOT / "tests").glob("*.in"))
        self.assertTrue(lists)
        for wanted in lists:
            locked = wanted.with_suffix(".txt").read_text()
            for line in wanted.read_text().splitlines():
                name, version = re.match(r"([\w-]+)(?:\[\w+\])?==([\w.]+)", line).groups()
                self.assertRegex(locked, rf"(?m)^{name}==", "run tests/lock")
                self.assertIn(f"=={version} \\\n", locked, "run tests/lock")
            for requirement in re.split(r"\n(?=\w)", re.sub(r"(?m)^#.*\n", "", locked).strip()):
                self.assertRegex(requirement, r"^[\w.-]+(\[\w+\])?==\S+ ", wanted.name)
                self.assertIn("--hash=sha256:", requirement, wanted.name)

    def test_cargo_lambda_brings_one_version_of_its_linker(self):
        self.assertRegex((ROOT / "tests/requirements.in").read_text(), r"(?m)^ziglang==\d")

    def test_cargo_lambda_builds_with_our_release_profile(self):
        with tempfile.TemporaryDirectory() as folder:
            cargo = pathlib.Path(folder, "cargo")
            real = shutil.which("cargo")
            cargo.write_text(f'#!/bin/sh\n[ "$1" = build ] || exec {real} "$@"\necho "$@" > "$0.asked"\n')
            cargo.chmod(0o755)
            env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CARGO": str(cargo)}
            build = [pathlib.Path(sys.prefix, "bin/cargo-lambda"), "lambda", "build", "--release", "--compiler", "cargo"]
            subprocess.run([*build, "--bin", "mailer"], cwd=ROOT / "functions/mailer", env=env, check=True,
                           capture_output=True)
            asked = pathlib.Path(folder, "cargo.asked").read_text()
        self.assertIn("--bin mailer", asked)
        self.assertNotIn("profile.release", asked, "what Cargo.toml does not set is overridden")

    def test_cargo_and_rust_are_exact(self):
        installed, said_versions = [], []
        for file in (ROOT / ".github/workflows").glob("*.yml"):
            text = file.read_text()
            installed += re.findall(r"cargo install .*--version (\S+)", text)
            for version in re.findall(r"cargo install .*--version (\S+)", text):
                self.assertRegex(version, r"^=\d+\.\d+\.\d+$")
            self.assertEqual(text.count("cargo install"), text.count(" --version ="), file.name)
            for version in re.findall(r"version=\$\((.*)\)", text):
                said = subprocess.run(["bash", "-c", version], cwd=ROOT, capture_output=True, text=True).stdout
                self.assertRegex(said, r"^\d+\.\d+\.\d+$")
                said_versions.append(said)
        self.assertTrue(installed and said_versions)

    def test_rustup_installs_the_oldest_rust_that_is_supported(self):
        channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
        oldest = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
        self.assertEqual(channel, f"{oldest}.0")

    def test_no_action_runs_on_a_node_that_github_has_removed(self):
        # Node 20 is removed from the runners on 16 September 2026; these are the first major versions with Node 24.
        # Source: https://github.blog/changelog/2025-09-19-deprecation-of-node-20-on-github-actions-runners/
        first = {"actions/checkout": 5, "actions/cache": 5, "actions/upload-artifact": 6, "actions/download-artifact": 7,
                 "aws-actions/configure-aws-credentials": 6}
        met = set()
        for file in (ROOT / ".github/workflows").glob("*.yml"):
            for action, major in re.findall(r"uses: ([\w-]+/[\w-]+)@[0-9a-f]{40} # v(\d+)", file.read_text()):
                self.assertGreaterEqual(int(major), first[action], action)
                met.add(action)
        self.assertEqual(met, set(first))


class Secrets(unittest.TestCase):
    def test_a_rotated_secret_is_a_set_of_keys_from_the_beginning(self):
        rotated = {one["SecretId"]["Ref"] for one in of_type("AWS::SecretsManager::RotationSchedule").values()}
        self.assertTrue(rotated)
        for id in rotated:
            generate = of_type("AWS::SecretsManager::Secret")[id]["GenerateSecretString"]
            key = generate["GenerateStringKey"]
            self.assertEqual(json.loads(generate["SecretStringTemplate"]), {"current": key}, id)

    def test_the_readme_signs_operators_tokens_with_the_current_key(self):
        """Runs the program of the README, once with a new set and once with a rotated one."""
        (block,) = [one for one in blocks(README) if "kid" in one]
        (program,) = re.findall(r"<<'PYTHON'\n(.*?)\nPYTHON", block, re.DOTALL)
        for keys in [{"current": "k1", "k1": "a" * 64}, {"current": "k2", "k1": "b" * 64, "k2": "c" * 64, "k3": "d" * 64}]:
            done = subprocess.run(
                [sys.executable, "-"], input=program, env=os.environ | {"KEYS": json.dumps(keys)},
                capture_output=True, text=True, timeout=60,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            signed, _, signature = done.stdout.strip().rpartition(".")
            header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
            self.assertEqual((header["alg"], header["kid"]), ("HS256", keys["current"]))
            self.assertLessEqual({"iss", "exp", "id", "userTenantId", "permissions"}, set(claims))
            digest = hmac.digest(keys[keys["current"]].encode(), signed.encode(), "sha256")
            self.assertEqual(base64.urlsafe_b64decode(signature + "=="), digest)


if __name__ == "__main__":
    unittest.main()
