"""The trial balance: whether what the tables say of money and of stock agrees.

    trial_balance.py [--wait]

It reads both tables whole, and compares: the balances with the entries that they were folded from; the
entries with the orders that they are about; each order with its history, and with the stock that it has
reserved; and each product's movements with what of it is available, reserved or gone. Where something
differs it says what, and exits with 1.

Both are read while they change, and the balances follow the entries by some seconds: with --wait it looks
again, for up to two minutes, until all agrees.
"""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Iterator

from boto3.dynamodb.types import TypeDeserializer

from common import client, outputs, say

WAIT_SECONDS = 120
PAUSE_SECONDS = 2
MAX_SHOWN = 20
COLUMNS = ("debits", "credits", "pending_debits", "pending_credits")
# Where the money of an order is: held, or taken. What is being let go is held still if it ever was.
HELD = ("authorised", "capturing")
TAKEN = ("captured", "confirmed")
# What the reservations of an order are then. Before, they are held, or released if they have expired.
RESERVED = {
    "capturing": "committed",
    "captured": "committed",
    "confirmed": "consumed",
    "cancelled": "released",
}


@dataclass
class Order:
    """An order, and what was written of it."""

    state: dict = field(default_factory=dict)
    version: int = 0
    events: int = 0
    # What its entries of the ledger come to.
    pending: int = 0
    paid: int = 0
    refunded: int = 0

    def differences(self) -> Iterator[str]:
        """What of it does not agree, in words."""
        if not self.state:
            yield "the ledger or a history has it, and nothing says where it stands"
            return
        if not self.version == self.state["version"] == self.events:
            yield f"version {self.version} of {self.events} events"
        total, state = self.state["placed"]["total"]["amount"], self.state["state"]
        is_held = state in HELD or (state == "cancelling" and self.state["was_authorised"])
        refunds = self.state["refunds"].values()
        expected = {
            "pending": total if is_held else 0,
            "paid": total if state in TAKEN else 0,
            "refunded": sum(r["amount"]["amount"] for r in refunds if r["status"] == "succeeded"),
        }
        for name, amount in expected.items():
            if getattr(self, name) != amount:
                yield f"{state}, so {amount} {name}; the ledger has {getattr(self, name)}"


@dataclass
class Stock:
    """A product's stock."""

    moved: int = 0
    available: int = 0
    reserved: int = 0
    # By reservations that are held or committed; and by those that are consumed.
    held: int = 0
    consumed: int = 0

    def differences(self) -> Iterator[str]:
        """What of it does not agree, in words."""
        there = self.available + self.reserved + self.consumed
        if self.moved != there:
            yield f"{self.moved} came; {there} are available, reserved or gone"
        if self.reserved != self.held:
            yield f"{self.reserved} are reserved; reservations are of {self.held}"


def items(table: str) -> Iterator[dict]:
    """Every item of a table, strongly consistent, as Python has it."""
    plain = TypeDeserializer().deserialize
    pages = client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield {name: plain(value) for name, value in item.items()}


class Ledger:
    """What the checkout's table has of money."""

    def __init__(self) -> None:
        none = lambda: dict.fromkeys(COLUMNS, 0)
        # By currency and account: what the entries come to, and what was folded of them.
        self.entries: dict[tuple, dict] = defaultdict(none)
        self.balances: dict[tuple, dict] = {}
        self.orders: dict[str, Order] = defaultdict(Order)
        self.unfolded: set[tuple] = set()

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
                self.entry(self.orders[name], item)
        self.unfolded -= marks
        return self

    def of_order(self, order: Order, item: dict) -> None:
        """An order's state, or one of its events."""
        if item["sk"] == "STATE":
            order.state, order.version = item["order"], int(item["version"])
        else:
            order.events += 1

    def entry(self, order: Order, item: dict) -> None:
        """A transfer, or what became of a pending one."""
        amount, currency = int(item["amount"]["amount"]), item["amount"]["currency"]
        is_transfer = item["sk"].startswith("TRANSFER#")
        pending = (1 if item["pending"] else 0) if is_transfer else -1
        posted = 1 - pending if is_transfer else int(item["outcome"] == "posted")
        for side in ("debit", "credit"):
            account = self.entries[currency, item[side]]
            account[f"{side}s"] += posted * amount
            account[f"pending_{side}s"] += pending * amount
        order.pending += pending * amount
        if item["cause"] == "payment":
            order.paid += posted * amount
        else:
            order.refunded += posted * amount

    def differences(self) -> Iterator[str]:
        """What of it does not agree, in words."""
        if self.unfolded:
            yield f"{len(self.unfolded)} entries are not folded into the balances yet"
        for account in sorted(self.entries.keys() | self.balances.keys()):
            written = self.entries.get(account, dict.fromkeys(COLUMNS, 0))
            folded = self.balances.get(account, dict.fromkeys(COLUMNS, 0))
            for column in COLUMNS:
                if written[column] != folded[column]:
                    yield (
                        f"{' '.join(account)}: {column} of {written[column]} by the entries, "
                        f"of {folded[column]} by the balance"
                    )
                if written[column] < 0:
                    yield f"{' '.join(account)}: {column} of less than nothing"
        for currency, sums in self.sums().items():
            for kind in ("", "pending_"):
                debits, credits = sums[f"{kind}debits"], sums[f"{kind}credits"]
                if debits != credits:
                    yield f"{currency}: {kind}debits of {debits}, {kind}credits of {credits}"
        for name, order in self.orders.items():
            yield from (f"{name}: {difference}" for difference in order.differences())

    def sums(self) -> dict[str, dict]:
        """All accounts of each currency together."""
        sums: dict[str, dict] = {}
        for (currency, _), balance in self.entries.items():
            of_currency = sums.setdefault(currency, dict.fromkeys(COLUMNS, 0))
            for column in COLUMNS:
                of_currency[column] += balance[column]
        return sums

    def show(self) -> None:
        """Prints the accounts, and how the orders stand."""
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
    """What the inventory's table has of stock."""

    def __init__(self) -> None:
        self.products: dict[str, Stock] = defaultdict(Stock)
        # How many of anything an order has reserved, by the status of its reservations.
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
        """A reservation of a product."""
        stock, quantity = self.products[item["sku"]], sum(int(t["quantity"]) for t in item["takes"])
        self.orders[item["holder"]][item["status"]] += quantity
        if item["status"] in ("held", "committed"):
            stock.held += quantity
        elif item["status"] == "consumed":
            stock.consumed += quantity

    def differences(self) -> Iterator[str]:
        """What of it does not agree, in words."""
        for sku, stock in self.products.items():
            yield from (f"{sku}: {difference}" for difference in stock.differences())

    def show(self) -> None:
        """Prints the products, those with most sold first."""
        say(f"{'product':34}{'came':>12}{'available':>12}{'reserved':>12}{'gone':>12}")
        products = sorted(self.products.items(), key=lambda it: (-it[1].consumed, it[0]))
        for sku, it in products[:MAX_SHOWN]:
            print(f"{sku:34}{it.moved:12,}{it.available:12,}{it.reserved:12,}{it.consumed:12,}")
        if len(products) > MAX_SHOWN:
            print(f"and {len(products) - MAX_SHOWN:,} more")


def stock_of_orders(ledger: Ledger, inventory: Inventory) -> Iterator[str]:
    """Where orders and what they have reserved do not agree, in words."""
    for name, order in ledger.orders.items():
        if status := RESERVED.get(order.state.get("state")):
            wanted = {status: sum(int(line["quantity"]) for line in order.state["placed"]["lines"])}
            if (found := dict(inventory.orders[name])) != wanted:
                yield f"{name}: {order.state['state']}, so {wanted}; reserved are {found or 'none'}"


def read() -> tuple[Ledger, Inventory, list[str]]:
    """Both tables, and what in them does not agree."""
    ledger, inventory = Ledger().read(), Inventory().read()
    between = stock_of_orders(ledger, inventory)
    return ledger, inventory, [*ledger.differences(), *inventory.differences(), *between]


def show(waits: bool) -> bool:
    """Prints the trial balance; tells whether all agrees."""
    deadline = time.monotonic() + (WAIT_SECONDS if waits else 0)
    ledger, inventory, differences = read()
    while differences and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        ledger, inventory, differences = read()
    ledger.show()
    inventory.show()
    for difference in differences[:MAX_SHOWN]:
        print(f"differs: {difference}")
    if len(differences) > MAX_SHOWN:
        print(f"and {len(differences) - MAX_SHOWN:,} more differences")
    print(f"{len(differences):,} differences." if differences else "All agrees.")
    return not differences


if __name__ == "__main__":
    unknown = [argument for argument in sys.argv[1:] if argument != "--wait"]
    if unknown:
        sys.exit(f"There is no {' '.join(unknown)}; there is --wait.")
    sys.exit(0 if show("--wait" in sys.argv) else 1)
