"""Tests infra/callback.sh against a server that checks its requests."""

import datetime
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

SCRIPT = pathlib.Path(__file__).parent.parent / "infra" / "callback.sh"
SECRET = hashlib.sha256(b"a job's secret").hexdigest()
JOB = "01931f6e-0000-7000-8000-000000000001"


class ControlPlane(HTTPServer):
    """Answers with one status after the other, or a status with a body, and records the requests."""

    def __init__(self, statuses, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.statuses, self.received = list(statuses), []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((body, dict(self.headers)))
        status = self.server.statuses.pop(0)
        status, text = status if isinstance(status, tuple) else (status, "")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Callback(unittest.TestCase):
    def report(self, statuses, *arguments, **environment):
        server = ControlPlane(statuses)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        variables = {
            "PATH": os.environ["PATH"],
            "CALLBACK_URL": f"http://127.0.0.1:{server.server_port}/webhook",
            "TENANT_ID": "01931f6e-0000-7000-8000-000000000002",
            "CONTEXT_ID": JOB,
            "JOB_KIND": "provision",
            "CALLBACK_SECRET": SECRET,
        } | environment
        done = subprocess.run(
            [SCRIPT, *arguments], env=variables, capture_output=True, text=True, timeout=60
        )
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        return done, server.received

    def test_the_signature_covers_the_bytes_as_sent(self):
        reason = 'said "no"\nand: ünïcödé \\ $HOME `id` 😀'
        done, received = self.report([204], "failure", "--reason", reason)
        self.assertEqual((done.returncode, len(received)), (0, 1), done.stderr)
        body, headers = received[0]
        stamp = headers["x-timestamp"]
        signed = hmac.new(SECRET.encode(), body + JOB.encode() + stamp.encode(), hashlib.sha256)
        self.assertEqual(headers["x-signature"], signed.hexdigest())
        self.assertLess(abs(time.time() * 1000 - int(stamp)), 10_000)
        message = json.loads(body)
        self.assertEqual(message["type"], 0)
        self.assertEqual(message["data"]["status"], 0)
        self.assertEqual(message["data"]["reason"], reason)

    def test_success_carries_resources_and_the_application(self):
        resources = [{"type": "bucket", "externalIdentifier": "b", "metadata": {"bucket": "b"}}]
        done, received = self.report(
            [204], "success", "--resources", json.dumps(resources),
            "--app-url", "https://acme.example", JOB_KIND="deprovision",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        message = json.loads(received[0][0])
        self.assertEqual(message["type"], 1)
        self.assertEqual(
            message["data"],
            {"status": 1, "resources": resources, "appPlaneUrl": "https://acme.example"},
        )

    def test_each_kind_of_job_has_a_type(self):
        for type, kind in enumerate(["provision", "deprovision", "change", "retire"]):
            done, received = self.report([204], "success", JOB_KIND=kind)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(received[0][0])["type"], type)

    def test_resources_may_be_in_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('[{"type":"db","externalIdentifier":"ünïcödé","metadata":{"of":"\\"us\\""}}]\n')
            file.flush()
            done, received = self.report([204], "success", "--resources", file.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        [resource] = json.loads(received[0][0])["data"]["resources"]
        self.assertEqual(resource["externalIdentifier"], "ünïcödé")
        self.assertEqual(resource["metadata"], {"of": '"us"'})

    def test_progress_names_the_step_and_its_time(self):
        done, received = self.report(
            [204], "progress", " Creating\nthe database ", "--summary", "x" * 400, "--link", "https://a.example/",
        )
        self.assertEqual((done.returncode, len(received)), (0, 1), done.stderr)
        body, headers = received[0]
        signed = hmac.new(SECRET.encode(), body + JOB.encode() + headers["x-timestamp"].encode(), hashlib.sha256)
        self.assertEqual(headers["x-signature"], signed.hexdigest())
        message = json.loads(body)
        self.assertNotIn("data", message)
        progress = message["progress"]
        self.assertRegex(progress.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")
        self.assertEqual(
            progress,
            {"name": "Creating the database", "summary": "x" * 300, "link": "https://a.example/"},
        )

    def test_attempts_of_one_report_share_a_key(self):
        busy = (409, '{"error":{"code":"IDEMPOTENCY_IN_PROGRESS"}}')
        done, received = self.report([500, busy, 204], "success")
        self.assertEqual((done.returncode, len(received)), (0, 3), done.stderr)
        keys = {headers["idempotency-key"] for _, headers in received}
        self.assertEqual(len(keys), 1)
        _, other = self.report([204], "failure")
        _, again = self.report([204], "success", CONTEXT_ID=JOB.replace("1", "2"))
        keys |= {received[0][1]["idempotency-key"] for received in (other, again)}
        self.assertEqual(len(keys), 3, "another outcome and another job are other reports")
        for key in keys:
            self.assertRegex(key, r"^[0-9a-f]{64}$")
        done, received = self.report([(409, '{"error":{"code":"OUTCOME_CONFLICT"}}')], "success")
        self.assertEqual((done.returncode, len(received)), (1, 1), "a conflict is final")

    def test_the_clock_of_a_local_run_may_be_ahead(self):
        day = 24 * 3600
        for arguments in (["success"], ["progress", "Creating the database"]):
            done, received = self.report([204], *arguments, CLOCK_AHEAD_MS=str(day * 1000))
            self.assertEqual(done.returncode, 0, done.stderr)
            body, headers = received[0]
            times = [int(headers["x-timestamp"]) / 1000]
            if progress := json.loads(body).get("progress"):
                times.append(datetime.datetime.fromisoformat(progress["time"]).timestamp())
            for sent in times:
                self.assertLess(abs(time.time() + day - sent), 10)

    def test_a_bash_that_does_not_know_the_time_is_enough(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as old:
            print("unset EPOCHREALTIME", file=old, flush=True)
            done, [(_, headers)] = self.report([204], "success", CLOCK_AHEAD_MS="60000", BASH_ENV=old.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(abs((time.time() + 60) * 1000 - int(headers["x-timestamp"])), 10_000)

    def test_progress_never_fails_a_build(self):
        done, received = self.report([500, 500], "progress", "Creating the database")
        self.assertEqual((done.returncode, len(received)), (0, 2), done.stderr)
        self.assertEqual(received[0][0], received[1][0], "a repetition is the same step")
        self.assertIn("last status 500", done.stderr)
        done, received = self.report([422], "progress", "Creating the database")
        self.assertEqual((done.returncode, len(received)), (0, 1), done.stderr)
        done, received = self.report([], "progress", " ")
        self.assertEqual((done.returncode, len(received)), (1, 0))

    def test_a_thousand_resources_may_be_in_a_file(self):
        metadata = {"stack": "x" * 150}
        resources = [
            {"type": "function", "externalIdentifier": f"acme-{n}", "metadata": metadata} for n in range(1000)
        ]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(resources, file)
            file.flush()
            done, received = self.report([204], "success", "--resources", file.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(received[0][0])["data"]["resources"], resources)

    def test_a_log_of_any_bytes_and_length_is_a_reason(self):
        log = b"\x1b[31mcut within a character: \xf0\x9f " + b"x" * 5000
        done, received = self.report([204], "failure", "--reason", log)
        self.assertEqual(done.returncode, 0, done.stderr)
        reason = json.loads(received[0][0].decode())["data"]["reason"]
        self.assertTrue(reason.startswith("\x1b[31mcut within a character: \ufffd x"), reason[:40])
        self.assertEqual(len(reason), 2000)
        done, received = self.report([204], "failure", "--reason", "")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_command_line_contains_the_secret(self):
        with tempfile.TemporaryDirectory() as folder:
            seen = pathlib.Path(folder, "seen")
            for tool in ("openssl", "curl", "python3"):
                spy = pathlib.Path(folder, tool)
                real = shutil.which(tool)
                spy.write_text(f'#!/bin/sh\nenv >> "{seen}"\necho "$@" >> "{seen}"\nexec "{real}" "$@"\n')
                spy.chmod(0o755)
            path = f"{folder}:{os.environ['PATH']}"
            done, received = self.report([204], "success", PATH=path)
            self.assertEqual((done.returncode, len(received)), (0, 1), done.stderr)
            self.assertIn("x-signature", seen.read_text())
            self.assertNotIn(SECRET, seen.read_text())

    def test_the_secret_is_fetched_by_its_arn(self):
        with tempfile.TemporaryDirectory() as folder:
            aws = pathlib.Path(folder, "aws")
            aws.write_text(f'#!/bin/sh\n[ "$4" = arn:of:the:secret ] && echo {SECRET}\n')
            aws.chmod(0o755)
            variables = {"CALLBACK_SECRET": "", "PATH": f"{folder}:{os.environ['PATH']}"}
            done, received = self.report([204], "success", SECRET_ARN="arn:of:the:secret", **variables)
            self.assertEqual((done.returncode, len(received)), (0, 1), done.stderr)
            done, received = self.report([204], "success", SECRET_ARN="arn:of:another", **variables)
            self.assertEqual((done.returncode, len(received)), (1, 0))
            self.assertIn("secret cannot be read", done.stderr)
            done, received = self.report([], "progress", "Copying data", SECRET_ARN="arn:of:another", **variables)
            self.assertEqual((done.returncode, len(received)), (0, 0), "it never fails a build")
            self.assertIn("secret cannot be read", done.stderr)

    def test_an_unreachable_control_plane_is_retried(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        late = []
        timer = threading.Timer(1.5, lambda: late.append(ControlPlane([204], port)))
        timer.start()
        self.addCleanup(timer.join)
        done, _ = self.report([], "success", CALLBACK_URL=f"http://127.0.0.1:{port}/webhook")
        self.addCleanup(late[0].server_close)
        self.addCleanup(late[0].shutdown)
        self.assertEqual((done.returncode, len(late[0].received)), (0, 1), done.stderr)

    def test_a_retry_has_a_fresh_signature(self):
        done, received = self.report([503, 429, 204], "success")
        self.assertEqual((done.returncode, len(received)), (0, 3), done.stderr)
        stamps = {headers["x-timestamp"] for _, headers in received}
        self.assertEqual(len(stamps), 3)

    def test_a_refusal_is_final(self):
        done, received = self.report([401], "success")
        self.assertEqual((done.returncode, len(received)), (1, 1))
        self.assertIn("401", done.stderr)

    def test_missing_and_invalid_arguments_are_named(self):
        for arguments, environment, named in [
            (["perhaps"], {}, "success or failure"),
            (["success"], {"CONTEXT_ID": ""}, "CONTEXT_ID"),
            (["success"], {"CALLBACK_SECRET": ""}, "SECRET_ARN"),
            (["success"], {"CALLBACK_SECRET": "short"}, "64 lowercase"),
            (["success", "--resources", "{"], {}, "--resources"),
            (["success", "--resources", "no/such/file"], {}, "--resources"),
            (["success", "--colour", "red"], {}, "--colour"),
            (["failure", "--reason"], {}, "--reason"),
            (["success"], {"JOB_KIND": "rebuild"}, "JOB_KIND"),
        ]:
            done, received = self.report([204], *arguments, **environment)
            self.assertEqual((done.returncode, received), (1, []), named)
            self.assertIn(named, done.stderr)


if __name__ == "__main__":
    unittest.main()
