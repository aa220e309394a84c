"""What the errands share: a server that receives webhooks, and a function that waits."""

import http.server
import json
import sys
import threading
import time

from common import call

WITHIN_SECONDS = 30


class Receiver:
    """A server on this machine that keeps the JSON messages that are posted to it."""

    def __init__(self) -> None:
        messages = self.messages = []

        class Handler(http.server.BaseHTTPRequestHandler):
            """Keeps the messages."""

            def do_POST(self) -> None:
                """Keeps one message."""
                body = self.rfile.read(int(self.headers["content-length"]))
                messages.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_) -> None:
                """Logs nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/"

    def types(self) -> list[str]:
        """The types of the messages, in the order in which they came."""
        return [message["type"] for message in self.messages]


def until(condition, what: str) -> None:
    """Waits until the condition holds. After 30 s the program ends and names `what` did not come."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come within {WITHIN_SECONDS} s.")
        time.sleep(0.2)


def sent_again(webhook: str, token: str, receiver: Receiver) -> None:
    """Sends the newest message of a webhook's log again, and changes the webhook's secret."""

    def log() -> list[dict]:
        """The newest entry of the log."""
        return call("GET", f"{webhook}/deliveries?limit=1", token=token)["deliveries"]

    until(log, "The log of the webhook")
    received = len(receiver.messages)
    call("POST", f"{webhook}/deliveries/{log()[0]['id']}/resend", {}, token)
    until(lambda: len(receiver.messages) > received, "The message that is sent again")
    changed = call("POST", f"{webhook}/secret", {}, token)
    assert changed["secret"].startswith("whsec_") and changed["secret_overlaps_until"], changed
