"""What Stripe documents and localstripe lacks: another payment method after a payment was declined, and errors that name
the cause. See provider_proxy.py.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from yarl import URL

INTENTS = "/v1/payment_intents"
ACTION = re.compile(rf"^({INTENTS}/[^/]+)/(confirm|capture|cancel)$")


@dataclass
class Answer:
    """An answer to a request."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """The answer as the web server sends it."""
        headers = {"content-type": "application/json", **self.headers}
        return web.Response(status=self.status, body=self.body, headers=headers)


def error(status: int, kind: str, code: str, **more: str) -> Answer:
    """An error in the form of Stripe (https://docs.stripe.com/api/errors)."""
    message = f"{code}, as the proxy was told"
    return Answer(status, json.dumps({"error": {"type": kind, "code": code, "message": message, **more}}).encode())


def parsed(body: bytes):
    """A body as JSON if it is JSON, and as text otherwise."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class Stripe:
    """localstripe, with behaviour of Stripe that it lacks."""

    http: aiohttp.ClientSession

    def __init__(self, provider: URL) -> None:
        self.provider = provider
        # Only one payment method is given to a payment at the same time.
        self.confirming = asyncio.Lock()

    async def send(self, method: str, path: str | URL, headers: dict[str, str], **body) -> Answer:
        """Sends a request to localstripe."""
        url = self.provider.join(URL(path) if isinstance(path, str) else path)
        async with self.http.request(method, url, headers=headers, **body) as done:
            return Answer(done.status, await done.read())

    async def ask(self, method: str, url: URL, headers: dict[str, str], body: bytes) -> Answer:
        """Sends a request to localstripe, and returns the answer in the form of Stripe."""
        means = dict(parse_qsl(body.decode(errors="replace"))).get("payment_method")
        action = ACTION.match(url.path) if method == "POST" else None
        is_new = method == "POST" and url.path == INTENTS
        auth = {name: value for name, value in headers.items() if name.lower() == "authorization"}
        if means and (is_new or action):
            known = await self.send("GET", f"/v1/payment_methods/{means}", auth)
            if known.status == 404:
                return error(400, "invalid_request_error", "resource_missing", param="payment_method")
        if means and action and action[2] == "confirm":
            async with self.confirming:
                await self.give(action[1], means, auth)
                answer = await self.send(method, url, auth)
        else:
            answer = await self.send(method, url, headers, data=body)
        if answer.status == 402:
            code = parsed(answer.body)["error"].get("code", "card_declined")
            return error(402, "card_error", code)
        if answer.status == 400 and action:
            return error(400, "invalid_request_error", "payment_intent_unexpected_state")
        return answer

    async def give(self, payment: str, means: str, headers: dict[str, str]) -> None:
        """Gives another payment method to a payment that waits for one, and removes the declined charge. localstripe has
        no confirmation with a payment method, but its objects can be changed."""
        status = parsed((await self.send("GET", payment, headers)).body).get("status")
        changes = {
            "requires_payment_method": {"payment_method": means, "latest_charge": None},
            "requires_confirmation": {"payment_method": means},
        }.get(status)
        if changes:
            await self.send("POST", payment, headers, json=changes)
