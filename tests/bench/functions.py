"""Measures and compares Lambda programs, with a Runtime API and a DynamoDB in this process.

    functions.py NAME=PROGRAM:HANDLER [NAME=PROGRAM:HANDLER …] [--event FILE] [--rounds 41] [--warm 200]

Each round starts every program once, in turn, so that other load on the machine affects all programs equally.
For each program it prints the medians over the rounds: `init`, from the start of the process to its first
request for an event; `first`, from the first event to its answer; `warm`, the median of the following events;
`cpu`, the processor time of an event, user and system together; and `memory`, the peak of resident memory. The
ratio in parentheses compares with the first program. The times hold only for this machine, because the DynamoDB
answers immediately, from memory.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = {"name": {"S": "A book"}, "active": {"BOOL": True},
           "price": {"M": {"amount": {"N": "3499"}, "currency": {"S": "EUR"}}}}


class Runtime:
    """The state of the Runtime API of one process, which gives one event after the other."""

    def __init__(self, event: str):
        self.event, self.given, self.answered = event, threading.Semaphore(0), threading.Semaphore(0)
        self.asked, self.asked_at, self.answered_at, self.answer = threading.Event(), 0.0, 0.0, b""


class Handler(BaseHTTPRequestHandler):
    """Both APIs: the Runtime API at its paths, and DynamoDB at all others."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    runtime: Runtime

    def log_message(self, *_):
        pass

    def reply(self, status: int, body: bytes, headers=()):
        """Responds with a JSON body, in one packet."""
        lines = [f"HTTP/1.1 {status} OK", f"content-length: {len(body)}", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def do_GET(self):  # noqa: N802, the name that the server requires
        if not self.path.endswith("/invocation/next"):
            return self.reply(200, b"{}")
        runtime = self.runtime
        runtime.asked_at = time.perf_counter()
        runtime.asked.set()
        runtime.given.acquire()
        deadline = int(time.time() * 1000) + 60_000
        arn = "arn:aws:lambda:eu-central-1:123456789012:function:measured"
        headers = [("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
                   ("lambda-runtime-deadline-ms", deadline), ("lambda-runtime-invoked-function-arn", arn)]
        return self.reply(200, runtime.event.encode(), headers)

    def do_POST(self):  # noqa: N802, the same
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
        if not operation:
            self.runtime.answered_at, self.runtime.answer = time.perf_counter(), body
            self.reply(202, b"{}")
            self.runtime.answered.release()
        elif operation == "GetItem" and b"CATALOGUE" in body:
            self.reply(200, json.dumps({"Item": PRODUCT}).encode())
        else:
            self.reply(200, b"{}")


class Server(ThreadingHTTPServer):
    """A server whose clients end in the middle of a connection."""

    def handle_error(self, request, client_address):
        """Says nothing of a program that was ended, and all of other errors."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def measured(program: str, handler: str, event: str, warm: int) -> dict[str, float]:
    """Starts a program once and sends it events; returns the figures, in seconds and bytes."""
    runtime = Runtime(event)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"runtime": runtime}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    environment = {
        "AWS_LAMBDA_RUNTIME_API": host, "_HANDLER": handler, "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_ENDPOINT_URL": f"http://{host}", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "LOG_LEVEL": "info", "CHECKOUT_TABLE": "checkout",
        "INVENTORY_TABLE": "inventory", "REQUESTS_TABLE": "requests",
    }
    started = time.perf_counter()
    process = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL)
    if not runtime.asked.wait(20):
        process.kill()
        sys.exit(f"{program} does not request an event")
    figures = {"init": runtime.asked_at - started}
    times = []
    for index in range(warm + 1):
        if index == 1:
            before = cpu_time(process.pid)
        given = time.perf_counter()
        runtime.given.release()
        if not runtime.answered.acquire(timeout=20):
            sys.exit(f"{program} does not answer")
        times.append(runtime.answered_at - given)
    status = json.loads(runtime.answer).get("statusCode")
    if status is None or status >= 500:
        sys.exit(f"{program} answers {runtime.answer.decode()[:300]}")
    figures |= {"first": times[0], "warm": statistics.median(times[1:])}
    figures["cpu"] = (cpu_time(process.pid) - before) / warm
    figures["memory"] = float(peak(process.pid))
    process.kill()
    process.wait()
    server.shutdown()
    server.server_close()
    return figures


def cpu_time(pid: int) -> float:
    """The processor time of a process, in seconds."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def peak(pid: int) -> int:
    """The peak of a process's resident memory, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Measures the programs of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="+", metavar="NAME=PROGRAM:HANDLER")
    parser.add_argument("--event", default=str(ROOT / "events" / "checkout" / "add-to-cart.json"))
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--warm", type=int, default=200)
    arguments = parser.parse_args()
    event = json.loads(Path(arguments.event).read_text())
    context = event["requestContext"]["authorizer"]["lambda"]
    context["expires_at"] = "2099-01-01T00:00:00Z"
    text = json.dumps(event)
    programs = {}
    for named in arguments.programs:
        name, _, rest = named.partition("=")
        program, _, handler = rest.rpartition(":")
        programs[name] = (program, handler, [])
    for _ in range(arguments.rounds):
        for program, handler, found in programs.values():
            found.append(measured(program, handler, text, arguments.warm))
    units = {"init": (1e3, "ms"), "first": (1e3, "ms"), "warm": (1e3, "ms"), "cpu": (1e3, "ms"),
             "memory": (1 / 1e6, "MB")}
    base = {}
    for name, (_, _, found) in programs.items():
        row = []
        for figure, (factor, unit) in units.items():
            median = statistics.median(round_[figure] for round_ in found) * factor
            base.setdefault(figure, median)
            row.append(f"{figure} {median:.2f} {unit} ({median / base[figure]:.2f})")
        print(f"{name}: {', '.join(row)}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    main()
