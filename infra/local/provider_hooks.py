"""The local payment provider's webhooks, which go wrong as told, see provider_proxy.py."""

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
    """Who is sent webhooks: those of payments made with that key, and whose metadata has that field."""

    id: str
    url: str
    key: str | None = None
    metadata_key: str | None = None

    def wants(self, key: str | None, metadata: dict) -> bool:
        """Whether it is sent this one."""
        return self.key in (None, key) and self.metadata_key in (None, *metadata)


class Hooks:
    """Where webhooks go, and went."""

    http: aiohttp.ClientSession

    def __init__(self, rules: Rules, owners: dict[str, str]) -> None:
        # The secret keys by the payments that were made with them.
        self.rules, self.owners = rules, owners
        self.targets: dict[str, Target] = {}
        self.waiting: dict[str, list[asyncio.Event]] = {}
        self.sent: deque[dict] = deque(maxlen=MAX_SENT)
        self.tasks: set[asyncio.Task] = set()
        self.is_registered = False

    async def register(self, provider: URL, here: URL, secret: str) -> None:
        """Has localstripe send its webhooks here; again and again, for it forgets when it starts."""
        told = {"url": str(here / "_hooks"), "secret": secret}
        while True:
            try:
                async with self.http.post(provider / "_config/webhooks/proxy", json=told) as done:
                    self.is_registered = done.status == 200
            except aiohttp.ClientError:
                self.is_registered = False
            await asyncio.sleep(REGISTER_EVERY_SECONDS)

    def start(self, work) -> None:
        """Does it beside."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def receive(self, request: web.Request) -> web.Response:
        """One that localstripe sends. Body and signature are sent on as they are."""
        self.pass_on(await request.read(), request.headers.get("stripe-signature", ""))
        return web.Response()

    def pass_on(self, body: bytes, signature: str) -> None:
        """Sends one to those who want it."""
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
        """Sends one on, as the rule has it."""
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
        """Sends it; gives what came of it."""
        try:
            async with self.http.post(url, data=body, headers=headers) as done:
                return {"status": done.status}
        except (aiohttp.ClientError, TimeoutError) as failure:
            return {"failure": repr(failure)}

    async def add_target(self, request: web.Request) -> web.Response:
        """Somebody who is to be sent webhooks, or is to be sent them elsewhere."""
        target = Target(**await request.json())
        if len(self.targets) >= MAX_TARGETS and target.id not in self.targets:
            return web.Response(status=400, text=f"there are {MAX_TARGETS} already")
        self.targets[target.id] = target
        return web.Response(status=201)

    async def drop_target(self, request: web.Request) -> web.Response:
        """Somebody who is not."""
        self.targets.pop(request.match_info["id"], None)
        return web.Response(status=204)

    async def show(self, request: web.Request) -> web.Response:
        """What was sent, to whom, and what came of it."""
        return web.json_response([sent for sent in self.sent if asks_for(request, sent["key"])])
