"""What the errands share: a server that is told things, and waiting for what comes soon."""

import http.server
import json
import sys
import threading
import time

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
