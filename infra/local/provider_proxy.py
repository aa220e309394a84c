"""The proxy before the payment provider of the local stack. It passes every request on to localstripe, which has the API
of Stripe, makes the faults that it is asked for, and keeps the requests.

    provider_proxy.py <port> <localstripe's port> <webhook secret>

The secret key of a request identifies the user, so that tests that run at the same time do not get the faults of one
another. A request below without `key` is about all keys.

    POST   /_faults          adds a rule: {"key", "method", "path": regex, "fault", "times": 1, "skip": 0}, with
                             "seconds" for faults that take time; or for webhooks {"key", "hook": regex of the type
                             of the event, "fault", …}. The faults are in provider_rules.py.
                             {"key", "honour_keys": true}: answers are kept by Idempotency-Key. Stripe does this
                             (https://docs.stripe.com/api/idempotent_requests), and localstripe does not.
    GET    /_faults?key=     the rules that remain
    DELETE /_faults?key=     removes them
    GET    /_calls?key=      the requests that were passed on, and the answers of localstripe, even if the caller did
                             not get them; with &containing= those with this text in the form or the answer
    DELETE /_calls?key=      deletes them
    POST   /_hooks/targets   adds a receiver of webhooks: {"id", "url", "key"?, "metadata_key"?}
    DELETE /_hooks/targets/… removes it
    POST   /_refunds         sets the first status of the next refunds of a key: {"key", "status", "times": 1}
    POST   /_refunds/…       changes the status of a refund: {"status", "failure_reason"}
    POST   /_disputes        opens a dispute: {"payment_intent", "status", "amount" if it is less than the payment}
    POST   /_disputes/…      changes the status of a dispute: {"status"}
    GET    /_hooks?key=      the webhooks that were sent, with the receiver and the outcome
    POST   /_hooks           the URL to which localstripe posts its webhooks
    GET    /_health          200 if the proxy and localstripe can be used
"""

import asyncio
import json
import socket
import struct
import sys
import zlib
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from yarl import URL

from provider_books import Books
from provider_hooks import Hooks
from provider_rules import Rule, Rules, asks_for
from provider_stripe import Answer, Stripe, error, parsed

# The largest numbers of requests and of names that are kept.
MAX_CALLS = 50_000
MAX_NAMES = 50_000
MAX_BODY = 1 << 20
# Stripe does not keep answers with these statuses, because it sends them before it carries out a request.
NOT_KEPT = (401, 409, 429)
HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass
class Call:
    """A request as it came in, and the answer of localstripe, compressed, once there is one."""

    key: str
    method: str
    url: URL
    idempotency_key: str | None
    headers: dict[str, str]
    body: bytes
    status: int | None = None
    answer: bytes = zlib.compress(b"null")

    def contains(self, text: str) -> bool:
        """Whether this text is in the form or the answer."""
        return text.encode() in self.body + zlib.decompress(self.answer)

    def shown(self) -> dict:
        """The request and its answer, as GET /_calls shows them."""
        return {
            "key": self.key,
            "method": self.method,
            "path": self.url.path,
            "query": dict(self.url.query),
            "form": dict(parse_qsl(self.body.decode(errors="replace"))),
            "idempotency_key": self.idempotency_key,
            "status": self.status,
            "answer": parsed(zlib.decompress(self.answer)),
        }


@dataclass
class Kept:
    """The first request with an idempotency key, and its answer once there is one."""

    request: tuple
    answer: Answer | None = None


def remember(values: OrderedDict, name, value) -> None:
    """Keeps a value. If there are too many, the oldest is removed."""
    values[name] = value
    while len(values) > MAX_NAMES:
        values.popitem(last=False)


def cut(request: web.Request, reset: bool = False) -> web.Response:
    """Closes the connection without an answer."""
    if request.transport:
        if reset:
            linger, at_once = socket.SO_LINGER, struct.pack("ii", 1, 0)
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, linger, at_once)
        request.transport.abort()
    return web.Response()


class Proxy:
    """The requests and the answers."""

    def __init__(self, provider: URL, secret: str) -> None:
        self.provider = provider
        self.stripe = Stripe(provider)
        self.calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self.counts: OrderedDict[str, int] = OrderedDict()
        self.kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self.owners: OrderedDict[str, str] = OrderedDict()
        self.rules = Rules()
        self.hooks = Hooks(self.rules, self.owners)
        self.books = Books(provider, self.owners, self.hooks, secret)

    async def handle(self, request: web.Request) -> web.Response:
        """Handles any request to the provider. It is carried out even if the caller has gone."""
        call = Call(
            key=request.headers.get("authorization", "").removeprefix("Bearer "),
            method=request.method,
            url=request.rel_url,
            idempotency_key=request.headers.get("idempotency-key"),
            headers={k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP},
            body=await request.read(),
        )
        rule = self.rules.take(call.key, lambda rule: rule.is_for_request(call.method, call.url.path))
        fault = rule.fault if rule else None
        if fault in ("refuse_connection", "drop_request"):
            return cut(request, reset=fault == "refuse_connection")
        if fault == "rate_limited":
            return error(429, "invalid_request_error", "rate_limit").response()
        if fault == "delay":
            await asyncio.sleep(rule.seconds)
        try:
            answer = await self.answer(call, rule)
            if fault == "repeat":
                answer = await self.answer(call, None)
        except aiohttp.ClientError:
            return cut(request)
        if fault == "answer_late":
            await asyncio.sleep(rule.seconds)
        return cut(request) if fault == "drop_answer" else answer.response()

    async def answer(self, call: Call, rule: Rule | None) -> Answer:
        """The answer that is kept for the idempotency key, if answers are kept and there is one; otherwise a new answer."""
        is_kept = call.idempotency_key and call.method == "POST" and self.rules.honours(call.key)
        if not is_kept:
            return await self.carry_out(call, rule)
        name, request = (call.key, call.idempotency_key), (call.url, call.body)
        if kept := self.kept.get(name):
            if kept.request != request:
                return error(400, "idempotency_error", "idempotency_error")
            if kept.answer is None:
                return error(409, "invalid_request_error", "idempotency_key_in_use")
            return Answer(kept.answer.status, kept.answer.body, {"idempotent-replayed": "true"})
        kept = Kept(request)
        remember(self.kept, name, kept)
        try:
            answer = await self.carry_out(call, rule)
            kept.answer = None if answer.status in NOT_KEPT else answer
            return answer
        finally:
            if kept.answer is None:
                self.kept.pop(name, None)

    async def carry_out(self, call: Call, rule: Rule | None) -> Answer:
        """Passes a request on, or answers as if it had failed."""
        fault, failed = rule.fault if rule else None, error(500, "api_error", "internal")
        if fault == "slow":
            await asyncio.sleep(rule.seconds)
        if fault == "status_500_before":
            return failed
        answer = await self.hand_on(call)
        return failed if fault == "status_500_after" else answer

    async def hand_on(self, call: Call) -> Answer:
        """Sends a request to localstripe, and keeps it with its answer."""
        seen = replace(call, headers={})
        self.calls.append(seen)
        remember(self.counts, call.key, self.counts.get(call.key, 0) + 1)
        if (served := await self.books.serve(call)) is not None:
            answer = Answer(200, json.dumps(served).encode())
        elif await self.is_too_late(call):
            answer = error(400, "invalid_request_error", "payment_intent_unexpected_state")
        else:
            answer = await self.stripe.ask(call.method, call.url, call.headers, call.body)
            if answer.status == 200 and isinstance(told := parsed(answer.body), dict):
                answer.body = json.dumps(await self.books.amend(call, told)).encode()
        seen.status, seen.answer = answer.status, zlib.compress(answer.body)
        told = parsed(answer.body)
        if isinstance(told, dict) and told.get("object") == "payment_intent":
            remember(self.owners, told["id"], self.owners.get(told["id"], call.key))
        return answer

    async def is_too_late(self, call: Call) -> bool:
        """Whether this request captures a payment that was cancelled. Stripe refuses that, and localstripe does not."""
        path, _, action = call.url.path.rpartition("/")
        if call.method != "POST" or action != "capture":
            return False
        return (await self.books.get(path)).get("status") == "canceled"

    async def show(self, request: web.Request) -> web.Response:
        """The requests that were passed on, and the number of those that are not kept any more."""
        calls = [call for call in self.calls if asks_for(request, call.key)]
        count = sum(count for key, count in self.counts.items() if asks_for(request, key))
        text = request.query.get("containing", "")
        shown = [call.shown() for call in calls if call.contains(text)]
        return web.json_response({"forgotten": count - len(calls), "calls": shown})

    async def clear(self, request: web.Request) -> web.Response:
        """Deletes the requests."""
        self.calls = deque((c for c in self.calls if not asks_for(request, c.key)), MAX_CALLS)
        for key in [key for key in self.counts if asks_for(request, key)]:
            del self.counts[key]
        return web.Response(status=204)

    async def health(self, _: web.Request) -> web.Response:
        """Whether the proxy and localstripe can be used."""
        return web.Response(status=200 if self.hooks.is_registered else 503)


def main() -> None:
    """Serves the proxy."""
    port, provider_port, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    here = URL(f"http://127.0.0.1:{port}")
    proxy = Proxy(here.with_port(provider_port), secret)
    rules, hooks, books = proxy.rules, proxy.hooks, proxy.books

    async def connect(_: web.Application):
        async with aiohttp.ClientSession() as http:
            hooks.http = books.http = proxy.stripe.http = http
            hooks.start(hooks.register(proxy.provider, here, secret))
            yield
            for task in hooks.tasks:
                task.cancel()

    app = web.Application(client_max_size=MAX_BODY)
    app.cleanup_ctx.append(connect)
    app.add_routes(
        [
            web.post("/_faults", rules.add),
            web.get("/_faults", rules.show),
            web.delete("/_faults", rules.clear),
            web.get("/_calls", proxy.show),
            web.delete("/_calls", proxy.clear),
            web.post("/_hooks/targets", hooks.add_target),
            web.delete("/_hooks/targets/{id}", hooks.drop_target),
            web.post("/_refunds", books.set_next_refunds),
            web.post("/_refunds/{id}", books.set_refund),
            web.post("/_disputes", books.open_dispute),
            web.post("/_disputes/{id}", books.set_dispute),
            web.post("/_hooks", hooks.receive),
            web.get("/_hooks", hooks.show),
            web.get("/_health", proxy.health),
            web.route("*", "/{path:.*}", proxy.handle),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
