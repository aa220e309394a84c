"""The trial balance: checks that the records of money and of stock agree.

    infra/run.sh functions/checkout/trial_balance.py [--wait]

It reads the tables of checkout and inventory completely. It compares the balances with the entries that were folded into
them, the entries with their orders, each order with its history and with the stock that it has reserved, and the
movements of each product with the units that are available, reserved or gone. If PAYMENTS_URL and PAYMENTS_SECRET_KEY are
set, it also reads all balance transactions of the payment provider, and compares the amount that each payment, refund and
dispute has moved with the ledger. It prints each difference, and exits with 1 if there is one.

The tables may change while they are read, and the balances are some seconds behind the entries. With --wait it reads
again for up to two minutes, until everything agrees.
"""

import json
import os
import sys
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Iterator
from urllib.parse import urlencode

from boto3.dynamodb.types import TypeDeserializer

from common import client, outputs, say

WAIT_SECONDS = 120
PAUSE_SECONDS = 2
MAX_SHOWN = 20
# The categories of balance transactions that move money for a payment, in the words of the provider.
MOVING = ("charge", "refund", "refund_failure", "dispute", "dispute_reversal")
COLUMNS = ("debits", "credits", "pending_debits", "pending_credits")
# The states in which the money of an order is held, or taken. While an order is cancelled, money that was held is still
# held.
HELD = ("authorised", "capturing")
TAKEN = ("captured", "confirmed")
# The sign of the disputed amount: a dispute withdraws money, returns it, or leaves it as it is.
DISPUTED = {"dispute_withdrawn": 1, "dispute_reinstated": -1, "dispute_lost": 0}
# The status of the reservations of an order in these states. In earlier states they are held, or released if they have
# expired.
RESERVED = {
    "capturing": "committed",
    "captured": "committed",
    "confirmed": "consumed",
    "cancelled": "released",
}


@dataclass
class Order:
    """An order, and the records about it."""

    state: dict = field(default_factory=dict)
    version: int = 0
    events: int = 0
    # The sums of its entries in the ledger.
    pending: int = 0
    paid: int = 0
    refunded: int = 0
    # The amount that disputes have withdrawn, minus the amount that they returned.
    disputed: int = 0

    def differences(self) -> Iterator[str]:
        """The differences, one text each."""
        if not self.state:
            yield "the ledger or a history has it, but there is no item with its state"
            return
        if not self.version == self.state["version"] == self.events:
            yield f"version {self.version}, but {self.events} events"
        total, state = self.state["placed"]["total"]["amount"], self.state["state"]
        is_held = state in HELD or (state == "cancelling" and self.state["was_authorised"])
        refunds = self.state["refunds"].values()
        found = self.state.get("found", {}).values()
        disputes = list(self.state.get("disputes", {}).values())
        by_hand = self.state.get("captured_by_hand", {"amount": 0})["amount"]
        amounts = lambda them: sum(it["amount"]["amount"] for it in them)
        expected = {
            "pending": total if is_held else 0,
            "paid": total if state in TAKEN else by_hand,
            "refunded": amounts(r for r in refunds if r["status"] == "succeeded")
            + amounts(f for f in found if not f["has_failed"]),
            "disputed": amounts(d for d in disputes if d["funds"] != "untouched")
            - sum(d.get("reinstated", d["amount"])["amount"] for d in disputes if d["funds"] == "reinstated"),
        }
        for name, amount in expected.items():
            if getattr(self, name) != amount:
                yield f"{state}, so {amount} must be {name}; the ledger has {getattr(self, name)}"


@dataclass
class Stock:
    """The stock of a product."""

    moved: int = 0
    available: int = 0
    reserved: int = 0
    # The sums of its reservations that are held or committed, and of those that are consumed.
    held: int = 0
    consumed: int = 0

    def differences(self) -> Iterator[str]:
        """The differences, one text each."""
        there = self.available + self.reserved + self.consumed
        if self.moved != there:
            yield f"{self.moved} came in; {there} are available, reserved or gone"
        if self.reserved != self.held:
            yield f"{self.reserved} are reserved; the reservations have {self.held}"


def items(table: str) -> Iterator[dict]:
    """Every item of a table, read with strong consistency, as Python values."""
    plain = TypeDeserializer().deserialize
    pages = client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield {name: plain(value) for name, value in item.items()}


class Ledger:
    """The records of money in the table of checkout."""

    def __init__(self) -> None:
        none = lambda: dict.fromkeys(COLUMNS, 0)
        # By currency and account: the sums of the entries, and the balances.
        self.entries: dict[tuple, dict] = defaultdict(none)
        self.balances: dict[tuple, dict] = {}
        self.orders: dict[str, Order] = defaultdict(Order)
        self.unfolded: set[tuple] = set()
        # By order and cause: by how much it changes what the provider owes us.
        self.moved: dict[tuple[str, str], int] = defaultdict(int)

    def read(self) -> "Ledger":
        """Reads the table."""
        marks = set()
        for item in items(outputs()["CheckoutTableName"]):
            kind, _, name = item["pk"].partition("#")
            if kind == "BALANCES":
                account = tuple(item["sk"].split("#"))
                self.balances[account] = {column: int(item[column]) for column in COLUMNS}
            elif kind == "ORDER":
                self.of_order(self.orders[name], item)
            elif kind == "LEDGER" and item["sk"].startswith("FOLDED#"):
                marks.add((name, item["sk"].removeprefix("FOLDED#")))
            elif kind == "LEDGER":
                self.unfolded.add((name, item["sk"]))
                self.entry(name, self.orders[name], item)
        self.unfolded -= marks
        return self

    def of_order(self, order: Order, item: dict) -> None:
        """Reads the state of an order, or one of its events."""
        if item["sk"] == "STATE":
            order.state, order.version = item["order"], int(item["version"])
        else:
            order.events += 1

    def entry(self, name: str, order: Order, item: dict) -> None:
        """Reads a transfer, or the resolution of a pending transfer."""
        amount, currency = int(item["amount"]["amount"]), item["amount"]["currency"]
        is_transfer = item["sk"].startswith("TRANSFER#")
        pending = (1 if item["pending"] else 0) if is_transfer else -1
        posted = 1 - pending if is_transfer else int(item["outcome"] == "posted")
        for side in ("debit", "credit"):
            account = self.entries[currency, item[side]]
            account[f"{side}s"] += posted * amount
            account[f"pending_{side}s"] += pending * amount
        order.pending += pending * amount
        cause = item["cause"]
        if cause in ("payment", "captured_by_hand"):
            order.paid += posted * amount
        elif cause.startswith("dispute_"):
            order.disputed += DISPUTED[cause.partition(":")[0]] * amount
        else:
            order.refunded += -amount if cause.startswith("reversal:") else posted * amount
        sign = (item["debit"] == "provider") - (item["credit"] == "provider")
        if posted and sign:
            self.moved[name, cause] += sign * amount

    def differences(self) -> Iterator[str]:
        """The differences, one text each."""
        if self.unfolded:
            yield f"{len(self.unfolded)} entries are not folded into the balances yet"
        for account in sorted(self.entries.keys() | self.balances.keys()):
            written = self.entries.get(account, dict.fromkeys(COLUMNS, 0))
            folded = self.balances.get(account, dict.fromkeys(COLUMNS, 0))
            for column in COLUMNS:
                if written[column] != folded[column]:
                    yield (
                        f"{' '.join(account)}: {column} are {written[column]} by the entries, "
                        f"{folded[column]} by the balance"
                    )
                if written[column] < 0:
                    yield f"{' '.join(account)}: {column} are less than 0"
        for currency, sums in self.sums().items():
            for kind in ("", "pending_"):
                debits, credits = sums[f"{kind}debits"], sums[f"{kind}credits"]
                if debits != credits:
                    yield f"{currency}: {kind}debits are {debits}, {kind}credits are {credits}"
        for name, order in self.orders.items():
            yield from (f"{name}: {difference}" for difference in order.differences())

    def sums(self) -> dict[str, dict]:
        """The sums of all accounts of each currency."""
        sums: dict[str, dict] = {}
        for (currency, _), balance in self.entries.items():
            of_currency = sums.setdefault(currency, dict.fromkeys(COLUMNS, 0))
            for column in COLUMNS:
                of_currency[column] += balance[column]
        return sums

    def show(self) -> None:
        """Prints the accounts, and the number of orders in each state."""
        say(f"{'account':16}" + "".join(f"{column.replace('_', ' '):>18}" for column in COLUMNS))
        rows = sorted((" ".join(account), row) for account, row in self.entries.items())
        for name, row in rows + [(f"{currency} in all", row) for currency, row in self.sums().items()]:
            print(f"{name:16}" + "".join(f"{row[column]:18,}" for column in COLUMNS))
        states: dict[str, int] = defaultdict(int)
        for order in self.orders.values():
            states[order.state.get("state", "unknown")] += 1
        shown = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
        print(f"{len(self.orders):,} orders: {shown or 'none'}")


class Inventory:
    """The records of stock in the table of inventory."""

    def __init__(self) -> None:
        self.products: dict[str, Stock] = defaultdict(Stock)
        # The number of units that each order has reserved, by the status of the reservations.
        self.orders: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def read(self) -> "Inventory":
        """Reads the table."""
        for item in items(outputs()["InventoryTableName"]):
            if item["pk"].startswith("HOLDER#"):
                self.reservation(item)
                continue
            stock = self.products[item["pk"].removeprefix("SKU#")]
            if item["sk"].startswith("MOVE#"):
                stock.moved += int(item["quantity"])
            elif item["sk"].startswith("STOCK#"):
                stock.available += int(item["available"])
                stock.reserved += int(item["reserved"])
        return self

    def reservation(self, item: dict) -> None:
        """Reads a reservation of a product."""
        stock, quantity = self.products[item["sku"]], sum(int(t["quantity"]) for t in item["takes"])
        self.orders[item["holder"]][item["status"]] += quantity
        if item["status"] in ("held", "committed"):
            stock.held += quantity
        elif item["status"] == "consumed":
            stock.consumed += quantity

    def differences(self) -> Iterator[str]:
        """The differences, one text each."""
        for sku, stock in self.products.items():
            yield from (f"{sku}: {difference}" for difference in stock.differences())

    def show(self) -> None:
        """Prints the products, the most sold first."""
        say(f"{'product':34}{'came in':>12}{'available':>12}{'reserved':>12}{'gone':>12}")
        products = sorted(self.products.items(), key=lambda it: (-it[1].consumed, it[0]))
        for sku, it in products[:MAX_SHOWN]:
            print(f"{sku:34}{it.moved:12,}{it.available:12,}{it.reserved:12,}{it.consumed:12,}")
        if len(products) > MAX_SHOWN:
            print(f"and {len(products) - MAX_SHOWN:,} more")


class Provider:
    """The records of the payment provider."""

    def __init__(self) -> None:
        # The sum that each charge, refund and dispute has moved, and its payment.
        self.moved: dict[str, int] = defaultdict(int)
        self.payments: dict[str, str] = {}
        self.ours: dict[str, str] = {}
        self.is_asked = bool(os.environ.get("PAYMENTS_URL") and os.environ.get("PAYMENTS_SECRET_KEY"))

    def read(self) -> "Provider":
        """Reads all balance transactions that move money for payments, page by page."""
        after = None
        while self.is_asked:
            page = self.page(after)
            for told in page["data"]:
                self.add(told)
            if not page["has_more"]:
                break
            after = page["data"][-1]["id"]
        return self

    def page(self, after: str | None) -> dict:
        """One page of the balance transactions of the provider."""
        query = [("limit", 100), ("expand[]", "data.source")]
        query += [("starting_after", after)] if after else []
        url = f"{os.environ['PAYMENTS_URL']}/v1/balance_transactions?{urlencode(query)}"
        key = {"authorization": f"Bearer {os.environ['PAYMENTS_SECRET_KEY']}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=key), timeout=30) as answer:
            return json.loads(answer.read())

    def add(self, told: dict) -> None:
        """Adds one balance transaction, if it is about a payment."""
        source = told["source"]
        if told["reporting_category"] not in MOVING or not source:
            return
        amount = told["amount"]
        if told["reporting_category"] == "charge":
            amount = source["amount_captured"]
        self.moved[source["id"]] += amount
        self.payments[source["id"]] = source["payment_intent"]
        if ours := (source.get("metadata") or {}).get("refund_id"):
            self.ours[source["id"]] = ours

    def differences(self, ledger: Ledger) -> Iterator[str]:
        """The differences between the records of the provider and the ledger, one text each."""
        if not self.is_asked:
            return
        orders = {
            order.state["payment"]: name
            for name, order in ledger.orders.items()
            if order.state.get("payment")
        }
        booked = dict(ledger.moved)
        for source, amount in self.moved.items():
            order = orders.get(self.payments[source])
            if order is None:
                yield f"{source}: the provider moved {amount} for {self.payments[source]}, which is the payment of no order"
                continue
            found = sum(booked.pop((order, cause), 0) for cause in self.causes(ledger, order, source))
            if found != amount:
                yield f"{order}: the provider moved {amount} by {source}; the ledger has {found}"
        for (order, cause), amount in booked.items():
            if amount:
                yield f"{order}: the ledger has {amount} for {cause}; the provider has not moved it"

    def causes(self, ledger: Ledger, order: str, source: str) -> list[str]:
        """The causes of the entries about this charge, refund or dispute."""
        if source.startswith("dp_") or source.startswith("du_"):
            return [f"{moved}:{source}" for moved in DISPUTED]
        if not source.startswith("re_") and not source.startswith("pyr_"):
            return ["payment", "captured_by_hand"]
        causes = [f"by_hand:{source}", f"doubled:{source}", f"reversal:{source}"]
        if ours := self.ours.get(source):
            known = ledger.orders[order].state["refunds"].get(ours, {}).get("provider_id", source)
            causes += [ours, f"reversal:{ours}"] if known == source else []
        return causes


def stock_of_orders(ledger: Ledger, inventory: Inventory) -> Iterator[str]:
    """The differences between orders and their reservations, one text each."""
    for name, order in ledger.orders.items():
        if status := RESERVED.get(order.state.get("state")):
            wanted = {status: sum(int(line["quantity"]) for line in order.state["placed"]["lines"])}
            if (found := dict(inventory.orders[name])) != wanted:
                yield f"{name}: {order.state['state']}, so the reservations must be {wanted}; they are {found or 'none'}"


def read() -> tuple[Ledger, Inventory, Provider, list[str]]:
    """Reads both tables and the records of the provider. Returns them with the differences."""
    ledger, inventory, provider = Ledger().read(), Inventory().read(), Provider().read()
    differences = [*ledger.differences(), *inventory.differences(), *provider.differences(ledger)]
    return ledger, inventory, provider, [*differences, *stock_of_orders(ledger, inventory)]


def show(waits: bool) -> bool:
    """Prints the trial balance. Tells whether everything agrees. With `waits` it reads again until it does."""
    deadline = time.monotonic() + (WAIT_SECONDS if waits else 0)
    ledger, inventory, provider, differences = read()
    while differences and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        ledger, inventory, provider, differences = read()
    ledger.show()
    inventory.show()
    count, owed = len(provider.moved), sum(provider.moved.values())
    said = f"the sum of {count:,} charges, refunds and disputes is {owed:,}" if provider.is_asked else "not read"
    print(f"The records of the provider: {said}.")
    for difference in differences[:MAX_SHOWN]:
        print(f"difference: {difference}")
    if len(differences) > MAX_SHOWN:
        print(f"and {len(differences) - MAX_SHOWN:,} more differences")
    print(f"{len(differences):,} differences." if differences else "Everything agrees.")
    return not differences


if __name__ == "__main__":
    unknown = [argument for argument in sys.argv[1:] if argument != "--wait"]
    if unknown:
        sys.exit(f"Unknown argument {' '.join(unknown)}. The only one is --wait.")
    sys.exit(0 if show("--wait" in sys.argv) else 1)
