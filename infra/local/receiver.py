"""What the errands share: a server that is told things, and waiting for what comes soon."""

import http.server
import json
import sys
import threading
import time

from common import call

WITHIN_SECONDS = 30


class Receiver:
    """A server on this machine, which keeps what is posted to it."""

    def __init__(self) -> None:
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            """Takes messages."""

            def do_POST(self) -> None:
                """Takes one."""
                body = self.rfile.read(int(self.headers["content-length"]))
                told.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_) -> None:
                """Nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/"

    def types(self) -> list[str]:
        """Of what types the messages are."""
        return [message["type"] for message in self.told]


def until(is_so, what: str) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come within {WITHIN_SECONDS} s")
        time.sleep(0.2)


def sent_again(webhook: str, token: str, receiver: Receiver) -> None:
    """The log of a webhook has what the receiver was told, of which the newest is sent again; the secret
    changes."""
    log = lambda: call("GET", f"{webhook}/deliveries?limit=1", token=token)["deliveries"]
    until(log, "the log of the webhook")
    newest = log()[0]
    told = len(receiver.told)
    call("POST", f"{webhook}/deliveries/{newest['id']}/resend", {}, token)
    until(lambda: len(receiver.told) > told, "the message that is sent again")
    changed = call("POST", f"{webhook}/secret", {}, token)
    assert changed["secret"].startswith("whsec_") and changed["secret_overlaps_until"], changed
