"""Emulators as processes on 127.0.0.1, stopped at the end of their `with` block."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent.parent
PROGRAMS = ROOT / ".venv/emulators/bin"

# The environment of a process: no keys, no endpoints, no proxies.
PLAIN = {name: os.environ[name] for name in ["HOME", "LANG", "TMPDIR"] if name in os.environ}
PLAIN |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "PATH": f"{ROOT}/tests/emulators/bin:{PROGRAMS}:{os.environ['PATH']}",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command, env, ready, seconds=60):
    """Starts a process and waits for the URL `ready`; shows its output if it does not answer."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=PLAIN | env, stdout=said, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + seconds
            while not answers(ready):
                if process.poll() is not None or time.monotonic() > deadline:
                    said.seek(0)
                    raise RuntimeError(f"{command[0]} does not answer at {ready}:\n{said.read()[-3000:]}")
                time.sleep(0.1)
            yield said
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def ministack(pipelines, **env):
    """Starts ministack, whose functions find CodePipeline at `pipelines`; returns its endpoint and its log."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "AUTH": "true",  # enforces the policies of each function's role
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": "eu-west-1",
            "TMPDIR": folder,
            # Functions inherit these variables.
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ENDPOINT_URL_CODEPIPELINE": pipelines,
        } | env
        command = [PROGRAMS / "python", ROOT / "tests/emulators/launch.py"]
        with running(command, env, f"{endpoint}/_ministack/health") as log:
            yield endpoint, log


@contextlib.contextmanager
def moto():
    """Starts moto's server; returns its endpoint."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [PROGRAMS / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, {}, f"{endpoint}/moto-api/data.json"):
        yield endpoint
