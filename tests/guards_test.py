"""Guards against regressions: sizes, connections and files at a start, a second TLS library, instruction counts.

Runs beside a control plane (tests/run guards), on the development build: its counts say whether something has
changed, tests/bench says what it takes. TENANTRY_TEST_RENEW=1 writes what is found into figures.json.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import tomllib
import unittest
import zlib
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from runtime import Runtime, get

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FIGURES = json.loads((ROOT / "tests/figures.json").read_text())
RENEW = os.environ.get("TENANTRY_TEST_RENEW") == "1"

# The maximum size of a zip in megabytes. invoices contains the glyphs of all scripts in use: 5 MB of fonts.
HTTP, EVENT = 4.1, 3.2
BUDGETS = {"invoices": 10.5, "mailer": EVENT, "pipelines": EVENT, "reconciler": EVENT, "relay": EVENT,
           "rotator": EVENT, "upkeep": EVENT}


def known(kind, name, found):
    """Returns the recorded figure of `name`, or `found` if figures are being renewed."""
    if RENEW:
        FIGURES[kind][name] = found
        (ROOT / "tests/figures.json").write_text(json.dumps(FIGURES, indent=2, sort_keys=True) + "\n")
    return FIGURES[kind][name]


def traced(function, *options):
    """Returns the lines of strace for a function until its first poll for work."""
    with tempfile.NamedTemporaryFile("r") as trace:
        with Runtime(["strace", "-f", "-qq", *options, "-o", trace.name, TARGET / "debug" / function]) as runtime:
            runtime.wait_for_poll()
        return trace.read().splitlines()


def instructions(requests):
    """Returns the number of instructions of `tenants` from its start until it has answered `requests`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        tool = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}"]
        with Runtime([*tool, TARGET / "debug/tenants"]) as runtime:
            runtime.wait_for_poll()
            for request in requests:
                assert runtime.invoke(request)["statusCode"] == 200
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])


class Sizes(unittest.TestCase):
    def test_every_function_is_within_its_budget(self):
        for function, size in FIGURES["zip_bytes"].items():
            with self.subTest(function):
                self.assertLessEqual(size / 1e6, BUDGETS.get(function, HTTP))

    def test_every_function_has_a_figure(self):
        self.assertEqual(functions(), set(FIGURES["zip_bytes"]))

    def test_release_binaries_keep_their_size(self):
        for function in functions():
            binary = TARGET / "release" / function
            if binary.exists():
                deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
                zipped = len(deflate.compress(binary.read_bytes()) + deflate.flush())
                self.assertLess(zipped, 1.03 * known("zip_bytes", function, zipped), function)


def functions():
    """Returns the names of all functions' binaries."""
    return set(re.findall(r"^ +Binary: (.+)$", (ROOT / "template.yaml").read_text(), re.M))


class Start(unittest.TestCase):
    def test_a_start_connects_only_to_the_endpoints_of_the_environment(self):
        known = [url for name, url in os.environ.items() if name.startswith("AWS_ENDPOINT_URL")]
        known = {urlsplit(url).port for url in known}
        for function in ["tenants", "relay"]:
            calls = traced(function, "-e", "trace=connect")
            asked = {int(port) for call in calls for port in re.findall(r"htons\((\d+)\)", call)}
            self.assertTrue(asked, "the connections are opened before the first request")
            others = [call for call in calls if "sa_family=AF_INET" in call and "127.0.0.1" not in call]
            self.assertEqual(others, [])
            self.assertEqual(len(asked - known), 1, "the Runtime API alone")

    def test_no_roots_and_no_profiles_are_read(self):
        for function in ["tenants", "relay"]:
            opened = traced(function, "-e", "trace=open,openat")
            self.assertTrue(any("libc.so" in call for call in opened))
            for file in ["ssl", "certs", ".aws", ".pem", "resolv.conf"]:
                self.assertEqual([call for call in opened if file in call], [])

    def test_randomness_comes_from_the_kernel_and_at_once(self):
        calls = traced("tenants", "-T", "-e", "trace=getrandom,open,openat")
        taken = [call for call in calls if " getrandom(" in call]
        self.assertLessEqual(len(taken), 16)
        self.assertEqual([call for call in calls if "/dev/random" in call or "/dev/urandom" in call], [])
        seconds = sum(float(re.search(r"<([\d.]+)>$", call)[1]) for call in taken)
        self.assertLess(seconds, 0.01, "and that is strace's own time")


class Libraries(unittest.TestCase):
    def test_there_is_one_tls_and_one_http_library(self):
        lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
        versions = lambda name: [package["version"] for package in lock if package["name"] == name]
        for name in ["rustls", "ring", "hyper", "h2", "tokio-rustls", "hyper-rustls"]:
            self.assertEqual(len(versions(name)), 1, name)
        for name in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "boring", "aws-config"]:
            self.assertEqual(versions(name), [], name)

    def test_functions_share_what_they_depend_on_whether_they_are_built_at_once_or_one_by_one(self):
        at_once = re.search(r"cargo lambda build --release --arm64 (.+)", (ROOT / "infra/README.md").read_text())[1]
        self.assertIn(at_once, (ROOT / ".github/workflows/deploy.yml").read_text())
        folders = [path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")]
        found = {}
        for selection in [at_once, *(f"--package {folder}" for folder in folders)]:
            for package, features in packages(selection.split()):
                found.setdefault(package, set()).add(features)
        self.assertGreater(len(found), 200)
        differing = sorted(package for package, variants in found.items() if len(variants) > 1)
        self.assertEqual(differing, [], "add the features that some lack to shared/lambda/Cargo.toml")


def packages(selection):
    """Yields each package that selected functions are linked from, with the features it has if only they are built."""
    tree = ["cargo", "tree", "--locked", "--edges", "normal", "--prefix", "depth", "--format", " {p}|{f}", *selection]
    shown = subprocess.run(tree, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    macro = None
    for line in filter(None, shown.splitlines()):
        depth, rest = line.removesuffix(" (*)").split(" ", 1)
        package, features = rest.split("|")
        # Macros and what they need run in the compiler, where other features count.
        if macro is None or int(depth) <= macro:
            macro = int(depth) if "(proc-macro)" in package else None
            if macro is None:
                yield package, features


class Instructions(unittest.TestCase):
    def test_a_start_and_requests_keep_their_instruction_counts(self):
        bearer, base = os.environ["OPERATOR_TOKEN"], os.environ["BASE_URL"]
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
        for number in range(20):
            body = json.dumps({"key": f"guards{number:02}", "name": "Acme", "domains": ["acme.test"], "contact": {
                "firstName": "Grace", "lastName": "Hopper", "email": "ops@acme.test", "isPrimary": True}})
            with urlopen(Request(f"{base}/tenants", body.encode(), headers)) as made:
                tenant = json.load(made)["id"]
        page = urlencode({"filter": json.dumps({"order": ["createdOn DESC"], "limit": 20})})
        requests = {"get_tenant": get(f"/tenants/{tenant}", bearer), "list_tenants": get("/tenants", bearer, page)}
        found = {"start": instructions([])}
        for what, request in requests.items():
            few, many = instructions([request] * 10), instructions([request] * 40)
            found[what] = (many - few) // 30
        for what, count in found.items():
            before = known("instructions_of_the_development_build", what, count)
            self.assertLess(abs(count - before) / before, 0.1, f"{what}: {count} instructions, {before} before")


class Bench(unittest.TestCase):
    """The benchmark runs and measures everything; the figures of a development build are not checked."""

    def check_calls(self, tables):
        """Checks that the calls of every row are counted."""
        rows = [row.split("|") for row in tables.splitlines() if row.startswith("| GET ") or row.startswith("| P")]
        calls = {row[1].strip(): int(row[8]) for row in rows}
        without = {"GET /ping", "GET /tenants/{id}, forged token"}
        self.assertEqual({name for name, count in calls.items() if count == 0}, without)

    def test_each_part_prints_a_table(self):
        few = ["--starts", "1", "--memory-after", "10"]
        tables = bench(*few, "--requests", "20", "--tenants", "1000", "--due", "12")
        self.check_calls(tables)
        for function in functions():
            self.assertIn(f"| {function} ", tables)
        for row in ["Measured at ", "| GET /tenants/{id} ", "| lead to active", "| 1000 ", "| 12           | 0 "]:
            self.assertIn(row, tables)

    def test_a_running_service_can_be_measured(self):
        service = ["--url", os.environ["BASE_URL"], "--pid", str(os.getpid()), "--token", os.environ["OPERATOR_TOKEN"]]
        secrets = ["--fill", "20", "--secrets", f"{sys.executable} {ROOT / 'tests/secrets_of.py'}"]
        tables = bench("--requests", "5", "service", *service, *secrets)
        for row in ["Measured at ", "| POST /webhook, wrong signature ", "| lead to active", "| memory MB, before "]:
            self.assertIn(row, tables)
        self.assertNotIn("refused with", tables)

    def test_a_row_that_a_service_refuses_says_so_and_the_others_follow(self):
        service = ["--url", os.environ["BASE_URL"], "--pid", str(os.getpid()), "--token", "no token"]
        tables = bench("--requests", "5", "service", "--fill", "0", *service)
        rows = {row.split("|")[1].strip(): row for row in tables.splitlines() if row.startswith("| ")}
        self.assertIn("refused with 401, 5 times", rows["GET /tenants/{id}"])
        self.assertNotIn("refused", rows["GET /ping"])
        self.assertNotIn("refused", rows["POST /leads, without an address"])

    def test_the_starts_of_a_service_are_measured(self):
        with socket.create_server(("127.0.0.1", 0)) as free, tempfile.TemporaryDirectory() as folder:
            port = str(free.getsockname()[1])
            free.close()
            command = [TARGET / "debug/local", "--template", ROOT / "template.yaml", "--port", port, "--data", "memory",
                       "--env-file", f"{folder}/env"]
            tables = bench("--starts", "2", "start", "--url", f"http://127.0.0.1:{port}", "--", *command)
        self.assertIn("| start to first answer", tables)


def bench(*options):
    found = ["--out", os.devnull]
    environment = os.environ | {"TENANTRY_BINARIES": str(TARGET / "debug")}
    run = subprocess.run([ROOT / "tests/bench", *found, *options], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


if __name__ == "__main__":
    unittest.main()
