"""The webhooks of the local payment provider, and their faults. See provider_proxy.py."""

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from yarl import URL

from provider_rules import Rule, Rules, asks_for

MAX_TARGETS = 100
MAX_SENT = 10_000
REGISTER_EVERY_SECONDS = 2


@dataclass
class Target:
    """A receiver of webhooks. It gets those about payments that were made with `key` and whose metadata has the field
    `metadata_key`. Without `key` or `metadata_key` it gets those of all payments."""

    id: str
    url: str
    key: str | None = None
    metadata_key: str | None = None

    def wants(self, key: str | None, metadata: dict) -> bool:
        """Whether it gets a webhook about a payment with this key and metadata."""
        return self.key in (None, key) and self.metadata_key in (None, *metadata)


class Hooks:
    """The receivers of webhooks, and the webhooks that were sent."""

    http: aiohttp.ClientSession

    def __init__(self, rules: Rules, owners: dict[str, str]) -> None:
        # `owners` has the secret key of each payment.
        self.rules, self.owners = rules, owners
        self.targets: dict[str, Target] = {}
        self.waiting: dict[str, list[asyncio.Event]] = {}
        self.sent: deque[dict] = deque(maxlen=MAX_SENT)
        self.tasks: set[asyncio.Task] = set()
        self.is_registered = False

    async def register(self, provider: URL, here: URL, secret: str) -> None:
        """Registers this proxy as the receiver of the webhooks of localstripe. It repeats this, because localstripe forgets
        it when it restarts."""
        told = {"url": str(here / "_hooks"), "secret": secret}
        while True:
            try:
                async with self.http.post(provider / "_config/webhooks/proxy", json=told) as done:
                    self.is_registered = done.status == 200
            except aiohttp.ClientError:
                self.is_registered = False
            await asyncio.sleep(REGISTER_EVERY_SECONDS)

    def start(self, work) -> None:
        """Runs a coroutine in the background."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def receive(self, request: web.Request) -> web.Response:
        """Receives a webhook of localstripe. Body and signature are passed on unchanged."""
        self.pass_on(await request.read(), request.headers.get("stripe-signature", ""))
        return web.Response()

    def pass_on(self, body: bytes, signature: str) -> None:
        """Sends a webhook to the receivers that want it."""
        event = json.loads(body)
        kind, about = event["type"], event["data"]["object"]
        key = self.owners.get(about.get("payment_intent") or about.get("id"))
        rule = self.rules.take(key, lambda rule: rule.is_for_hook(kind))
        headers = {"content-type": "application/json", "stripe-signature": signature}
        for target in self.targets.values():
            if target.wants(key, about.get("metadata") or {}):
                sent = {"target": target.id, "key": key, "type": kind, "about": about.get("id")}
                self.start(self.deliver(target, rule, sent, (headers, body)))

    async def deliver(self, target: Target, rule: Rule | None, sent: dict, message: tuple) -> None:
        """Sends a webhook to one receiver, with the fault of the rule."""
        fault = rule.fault if rule else None
        if fault == "delay":
            await asyncio.sleep(rule.seconds)
        if fault == "reorder":
            another_came = asyncio.Event()
            self.waiting.setdefault(target.id, []).append(another_came)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(another_came.wait(), rule.seconds)
        times = {"lose": 0, "repeat": rule.count if rule else 1}.get(fault, 1)
        for _ in range(times):
            self.sent.append({**sent, **await self.post(target.url, *message)})
        if fault != "reorder":
            for another_came in self.waiting.pop(target.id, []):
                another_came.set()

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> dict:
        """Posts the webhook. Returns the status or the failure."""
        try:
            async with self.http.post(url, data=body, headers=headers) as done:
                return {"status": done.status}
        except (aiohttp.ClientError, TimeoutError) as failure:
            return {"failure": repr(failure)}

    async def add_target(self, request: web.Request) -> web.Response:
        """Adds a receiver, or changes the URL of a known one."""
        target = Target(**await request.json())
        if len(self.targets) >= MAX_TARGETS and target.id not in self.targets:
            return web.Response(status=400, text=f"There are already {MAX_TARGETS} receivers.")
        self.targets[target.id] = target
        return web.Response(status=201)

    async def drop_target(self, request: web.Request) -> web.Response:
        """Removes a receiver."""
        self.targets.pop(request.match_info["id"], None)
        return web.Response(status=204)

    async def show(self, request: web.Request) -> web.Response:
        """The webhooks that were sent, with the receiver and the outcome."""
        return web.json_response([sent for sent in self.sent if asks_for(request, sent["key"])])
