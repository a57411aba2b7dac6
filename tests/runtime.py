"""A Lambda Runtime API, with a function behind it."""

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 120


def get(path, bearer, query=""):
    """An event of the HTTP API, payload format 2.0."""
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "guards"}
    context = {"accountId": "0", "apiId": "guards", "domainName": "127.0.0.1", "domainPrefix": "127", "http": http,
               "requestId": "guards", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0}
    return {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "requestContext": context, "headers": {"authorization": f"Bearer {bearer}", "host": "127.0.0.1"},
            "isBase64Encoded": False}


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a stopped function closes its connection
            super().handle_error(request, client_address)


class Runtime:
    """Runs `command`, which ends with a function's binary, until the block is left."""

    def __init__(self, command):
        self.polled, self.events, self.answers = threading.Event(), queue.Queue(), queue.Queue()
        self.server = Server(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        here = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}", "LOG_LEVEL": "warn",
                "AWS_LAMBDA_FUNCTION_NAME": "guards", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST"}
        self.process = subprocess.Popen(command, env=os.environ | here, stdout=subprocess.DEVNULL,
                                        start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Signals the whole group, because tools do not forward signals.
        os.killpg(self.process.pid, 15)
        self.process.wait(PATIENCE)
        self.server.shutdown()
        self.server.server_close()

    def wait_for_poll(self):
        deadline = time.monotonic() + PATIENCE
        while not self.polled.wait(0.1):
            assert self.process.poll() is None, "the function has ended"
            assert time.monotonic() < deadline, "the function does not poll"

    def invoke(self, event):
        self.events.put(event)
        return json.loads(self.answers.get(timeout=PATIENCE))


def handler(runtime):
    ids = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            runtime.polled.set()
            body = json.dumps(runtime.events.get()).encode()
            self.answer(200, body, {"lambda-runtime-aws-request-id": str(next(ids)), "lambda-runtime-trace-id": "",
                                    "lambda-runtime-deadline-ms": str(int(time.time() * 1000) + 30_000),
                                    "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-west-1:0:function:guards"})

        def do_POST(self):
            runtime.answers.put(self.rfile.read(int(self.headers["content-length"])))
            self.answer(202, b"", {})

        def answer(self, status, body, headers):
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Logs nothing."""

    return Handler
