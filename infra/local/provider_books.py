"""Records of Stripe that localstripe lacks: refunds that are not final at once or fail later, disputes, and balance
transactions in the form of Stripe. They are made from the charges and refunds of localstripe, and from requests to the
proxy. See provider_proxy.py.

    https://docs.stripe.com/api/refunds/object
    https://docs.stripe.com/api/disputes/object
    https://docs.stripe.com/api/balance_transactions/object
"""

import hashlib
import hmac
import json
import secrets
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

# More than localstripe has of anything.
ALL = 1_000_000
NOT_FINAL = ("pending", "requires_action")
BACK = ("failed", "canceled")
OVER = ("won", "lost", "warning_closed", "prevented")
NO_MONEY = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented")


@dataclass
class Movement:
    """A balance transaction that localstripe does not have."""

    id: str
    category: str
    amount: int
    currency: str
    source: dict
    created: int = field(default_factory=lambda: int(time.time()))

    def shown(self, expanded: bool) -> dict:
        """The balance transaction in the form of Stripe."""
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "created": self.created,
            "currency": self.currency,
            "fee": 0,
            "net": self.amount,
            "reporting_category": self.category,
            "source": self.source if expanded else self.source["id"],
            "status": "available",
            "type": self.category if self.category in ("charge", "refund") else "adjustment",
        }


def new_id(prefix: str) -> str:
    """An id in the form of Stripe."""
    return f"{prefix}_{secrets.token_hex(8)}"


def page(objects: list[dict], url: str, query) -> dict:
    """The page of a list that the query asks for."""
    ids = [each["id"] for each in objects]
    start = ids.index(query["starting_after"]) + 1 if query.get("starting_after") in ids else 0
    end = start + int(query.get("limit", 10))
    return {"object": "list", "url": url, "data": objects[start:end], "has_more": len(ids) > end}


class Books:
    """Refunds, disputes and movements, in addition to those of localstripe."""

    http: aiohttp.ClientSession

    def __init__(self, provider: URL, owners: dict[str, str], hooks, secret: str) -> None:
        self.provider, self.owners, self.hooks, self.secret = provider, owners, hooks, secret
        # The refunds whose status differs from that in localstripe, and the first statuses of the next refunds, by key.
        self.refunds: dict[str, dict] = {}
        self.next_refunds: dict[str, deque] = defaultdict(deque)
        self.disputes: dict[str, dict] = {}
        self.movements: list[Movement] = []
        # The captured amounts of payments that were captured in part, and the refunds that localstripe makes of the rest.
        self.captured: dict[str, int] = {}
        self.rests: set[str] = set()
        self.charges: dict[str, dict] = {}
        # The balance transactions of localstripe, each with its payment, the newest first, and the refunds of localstripe
        # as they were made. They are kept, because every list of movements reads all of them.
        self.theirs: dict[str, tuple[dict, str | None]] = {}
        self.made: dict[str, dict] = {}

    async def get(self, path: str, **query) -> dict:
        """What localstripe answers to a GET."""
        url = self.provider.join(URL(path)).with_query(query)
        headers = {"authorization": "Bearer sk_test_books"}
        async with self.http.get(url, headers=headers) as answer:
            return await answer.json()

    async def serve(self, call) -> dict | None:
        """The answer to a request that localstripe cannot answer; `None` for any other request."""
        if call.method != "GET":
            return None
        query = call.url.query
        payment = query.get("payment_intent")
        if call.url.path == "/v1/disputes":
            found = [it for it in self.disputes.values() if it["payment_intent"] == payment]
            return page(found[::-1], call.url.path, query)
        if call.url.path == "/v1/balance_transactions":
            return page(await self.moved(call.key, query), call.url.path, query)
        if call.url.path == "/v1/refunds" and payment:
            found = await self.get("/v1/refunds", payment_intent=payment, limit=ALL)
            if "data" in found:
                refunds = [it for it in found["data"] if it["id"] not in self.rests]
                return page([self.refund(it, payment) for it in refunds], call.url.path, query)
        return None

    def refund(self, refund: dict, payment: str | None) -> dict:
        """A refund with its current status."""
        changed = self.refunds.get(refund["id"], {})
        return {**refund, "payment_intent": payment, "failure_reason": None, **changed}

    async def amend(self, call, told):
        """The answer of localstripe, with the fields that it leaves out."""
        if not isinstance(told, dict):
            return told
        if told.get("object") == "refund" and call.method == "POST":
            if call.url.path == "/v1/refunds" and self.next_refunds[call.key]:
                self.refunds[told["id"]] = {"status": self.next_refunds[call.key].popleft()}
            return self.refund(told, told.get("payment_intent") or await self.payment_of(told))
        if told.get("object") != "payment_intent":
            return told
        form = dict(part.split("=", 1) for part in call.body.decode().split("&") if "=" in part)
        if call.url.path.endswith("/capture") and "amount_to_capture" in form:
            await self.partly(told, int(form["amount_to_capture"]))
        is_taken = told["status"] == "succeeded"
        received = self.captured.get(told["id"], told["amount"]) if is_taken else 0
        return {**told, "amount_received": received}

    async def partly(self, payment: dict, amount: int) -> None:
        """Notes that a payment was captured in part. localstripe records the rest as a refund, and Stripe does not."""
        rest = payment["amount"] - amount
        found = await self.get("/v1/refunds", payment_intent=payment["id"], limit=ALL)
        rests = [it["id"] for it in found["data"] if it["amount"] == rest and not it["payment_intent"]]
        if rests:
            self.captured[payment["id"]] = amount
            self.rests.add(rests[-1])

    async def charge(self, id: str) -> dict:
        """A charge in the form of Stripe: it has the metadata of its payment."""
        if id not in self.charges:
            charge = await self.get(f"/v1/charges/{id}")
            payment = charge.get("payment_intent")
            known = await self.get(f"/v1/payment_intents/{payment}") if payment else {}
            kept = ("id", "object", "amount", "currency", "payment_intent")
            self.charges[id] = {
                **{name: charge.get(name) for name in kept},
                "metadata": known.get("metadata") or {},
            }
        charge = self.charges[id]
        taken = self.captured.get(charge["payment_intent"], charge["amount"])
        return {**charge, "amount_captured": taken}

    async def payment_of(self, refund: dict) -> str | None:
        """The payment of a refund."""
        return (await self.charge(refund["charge"]))["payment_intent"]

    async def moved(self, key: str, query) -> list[dict]:
        """The movements for the payments of a key, the newest first."""
        first, last = int(query.get("created[gte]", 0)), int(query.get("created[lte]", 1 << 62))
        expanded = "data.source" in query.getall("expand[]", [])
        await self.learn()
        movements = [*self.movements]
        for told, payment in self.theirs.values():
            if self.owners.get(payment) == key and first <= told["created"] <= last:
                movements.extend(await self.of_localstripe(told))
        shown = [
            it.shown(expanded)
            for it in movements
            if first <= it.created <= last and self.owners.get(it.source["payment_intent"]) == key
        ]
        return sorted(shown, key=lambda it: (it["created"], it["id"]), reverse=True)

    async def learn(self) -> None:
        """Reads the balance transactions of localstripe since the last one that is known."""
        known = max((told["created"] for told, _ in self.theirs.values()), default=0)
        query, oldest, has_more = {"limit": 100}, known, True
        # The order of balance transactions of the same second is not defined, so those of the last second are read again.
        while has_more and oldest >= known:
            found = await self.get("/v1/balance_transactions", **query)
            for told in found["data"]:
                if told["id"] not in self.theirs:
                    self.theirs[told["id"]] = told, await self.moved_by(told)
            if found["data"]:
                query["starting_after"] = found["data"][-1]["id"]
                oldest = found["data"][-1]["created"]
            has_more = found["has_more"]

    async def moved_by(self, told: dict) -> str | None:
        """The payment of a balance transaction of localstripe."""
        if told["reporting_category"] == "charge":
            return (await self.charge(told["source"]))["payment_intent"]
        return await self.payment_of(await self.refund_made(told["source"]))

    async def refund_made(self, id: str) -> dict:
        """A refund as localstripe made it."""
        if id not in self.made:
            self.made[id] = await self.get(f"/v1/refunds/{id}")
        return self.made[id]

    async def of_localstripe(self, told: dict) -> list[Movement]:
        """The movement of a balance transaction of localstripe. A refund that is not final has none yet. A refund that
        became final later moves at that time."""
        source, category, created = told["source"], told["reporting_category"], told["created"]
        if category == "charge":
            source = await self.charge(source)
        else:
            known = await self.refund_made(source)
            source = self.refund(known, await self.payment_of(known))
            if source["id"] in self.rests:
                category = "partial_capture_reversal"
            if source["status"] in NOT_FINAL or source.get("never_moved"):
                return []
            created = source.get("moved_at", created)
        return [Movement(told["id"], category, told["amount"], told["currency"], source, created)]

    def move(self, category: str, amount: int, source: dict) -> dict:
        """Adds a movement of money."""
        movement = Movement(new_id("txn"), category, amount, source["currency"], source)
        self.movements.append(movement)
        return movement.shown(False)

    async def tell(self, kind: str, about: dict) -> None:
        """Sends a webhook with a signature in the form of Stripe."""
        event = {"id": new_id("evt"), "object": "event", "type": kind, "data": {"object": about}}
        body, at = json.dumps(event).encode(), int(time.time())
        signed = hmac.new(self.secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
        self.hooks.pass_on(body, f"t={at},v1={signed.hexdigest()}")

    async def set_next_refunds(self, request: web.Request) -> web.Response:
        """Sets the first status of the next refunds of a key: {"key", "status", "times"}."""
        told = await request.json()
        self.next_refunds[told["key"]].extend([told["status"]] * told.get("times", 1))
        return web.Response(status=201)

    async def set_refund(self, request: web.Request) -> web.Response:
        """Changes the status of a refund: {"status", "failure_reason"}."""
        told, id = await request.json(), request.match_info["id"]
        known = await self.get(f"/v1/refunds/{id}")
        before = self.refund(known, await self.payment_of(known))
        after = {**before, **told}
        was_moved = before["status"] == "succeeded"
        if told["status"] in BACK and not was_moved:
            after["never_moved"] = True
        elif told["status"] == "succeeded" and not was_moved:
            after["moved_at"] = int(time.time())
        kept = ("status", "failure_reason", "never_moved", "moved_at")
        self.refunds[id] = {name: after[name] for name in kept if name in after}
        if told["status"] in BACK and was_moved:
            self.move("refund_failure", after["amount"], after)
        await self.tell("refund.failed" if told["status"] == "failed" else "refund.updated", after)
        return web.json_response(after)

    async def open_dispute(self, request: web.Request) -> web.Response:
        """Opens a dispute: {"payment_intent", "status", "amount" if it is less than the payment}."""
        told = await request.json()
        payment = await self.get(f"/v1/payment_intents/{told['payment_intent']}")
        dispute = {
            "id": new_id("dp"),
            "object": "dispute",
            "amount": told.get("amount", payment["amount"]),
            "charge": payment["latest_charge"]["id"],
            "currency": payment["currency"],
            "payment_intent": payment["id"],
            "balance_transactions": [],
            "metadata": {},
            "status": None,
        }
        self.disputes[dispute["id"]] = dispute
        await self.stand(dispute, told["status"], "created")
        return web.json_response(dispute, status=201)

    async def set_dispute(self, request: web.Request) -> web.Response:
        """Changes the status of a dispute: {"status", "reinstated" if it is not the usual amount for the status}."""
        dispute, told = self.disputes[request.match_info["id"]], await request.json()
        status, is_over = told["status"], told["status"] in OVER
        await self.stand(dispute, status, "closed" if is_over else "updated", told.get("reinstated"))
        return web.json_response(dispute)

    async def stand(self, dispute: dict, status: str, what: str, back: int | None = None) -> None:
        """Sets the status of a dispute, and moves its money."""
        if back is None:
            back = dispute["amount"] if status == "won" else 0
        dispute["status"], moved = status, dispute["balance_transactions"]
        if status not in NO_MONEY and not moved:
            moved.append(self.move("dispute", -dispute["amount"], dispute))
        if back and len(moved) == 1:
            moved.append(self.move("dispute_reversal", back, dispute))
        await self.tell(f"charge.dispute.{what}", dispute)
