"""The part of checkout in the tour: a shop, a cart, an order, and the records of the payment provider and of the ledger."""

import json
import os
import secrets
import sys
import urllib.parse
import urllib.request
from datetime import datetime

from common import call
from functions.auth import admin
from functions.checkout import trial_balance

# Any key can read all records of the local payment provider.
PROVIDER = os.environ.get("PAYMENTS_URL", "")
READER = "sk_test_reader"
WAIT = "wait=20"


def stocked(api: str, token: str, name: str, price: dict, stock: int) -> str:
    """Puts a product on sale, with stock. Returns its SKU."""
    sku = f"TOUR-{secrets.token_hex(4)}".upper()
    call("PUT", f"{api}/v1/products/{sku}", {"name": name, "price": price}, token)
    movement = {"quantity": stock, "reason": "restock"}
    call("POST", f"{api}/v1/stock/{sku}/movements", movement, token)
    return sku


def from_provider(path: str) -> dict:
    """What the payment provider answers to a GET."""
    headers = {"Authorization": f"Bearer {READER}"}
    request = urllib.request.Request(f"{PROVIDER}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def payment_of(order: str) -> dict:
    """The payment of an order, as the provider has it."""
    query = urllib.parse.urlencode({"containing": order})
    answers = [asked["answer"] for asked in from_provider(f"/_calls?{query}")["calls"]]
    ids = {it["id"] for it in answers if it.get("object") == "payment_intent"}
    if len(ids) != 1:
        sys.exit(f"The provider has {len(ids)} payments for {order}.")
    return from_provider(f"/v1/payment_intents/{ids.pop()}")


def money(amount: dict) -> str:
    """An amount as a text. The currency must be one with two decimals."""
    return f"{amount['amount'] / 100:,.2f} {amount['currency']}"


def show_history(order: dict) -> None:
    """Prints the events of an order, and the time since the event before."""
    before = None
    for happened in order["history"]:
        at = datetime.fromisoformat(happened["at"])
        took = f"{(at - before).total_seconds() * 1000:6,.0f} ms" if before else ""
        print(f"     {happened['event']:20}{took}")
        before = at


def show_payment(payment: dict) -> None:
    """Prints the record that the provider has of a payment."""
    charges = payment["charges"]["data"]
    print(f"     {payment['id']}  {payment['status']}, {len(charges)} charge")
    for charge in charges:
        amount = money({"amount": charge["amount"], "currency": charge["currency"].upper()})
        print(f"     {charge['id']}  {amount}, captured: {'yes' if charge['captured'] else 'no'}")


def take(tour) -> None:
    """Opens a shop, orders something, and checks the records of it."""
    api, token = tour.api, tour.token
    tour.step("A shop: a user who keeps it, and a product")
    print("     ", end="")
    keeper = admin.new(api)
    sku = stocked(api, keeper, "Bookbinder's paste, 500 g", {"amount": 1290, "currency": "EUR"}, 10)
    product = call("GET", f"{api}/v1/products/{sku}", token=token)
    print(f"     {sku}  {product['name']}: {money(product['price'])}, {product['available']} in stock")

    tour.step("Fill the cart and check out")
    cart = call("POST", f"{api}/v1/cart/lines", {"sku": sku, "quantity": 3}, token)
    print(f"     in the cart: {money(cart['total'])}")
    wanted = {"payment_method": "pm_card_visa"}
    order = call("POST", f"{api}/v1/checkouts", wanted, token, prefer=WAIT)
    print(f"     {order['id']}  {money(order['total'])}: {order['status']}")
    if order["status"] != "confirmed":
        sys.exit(f"The order was not confirmed: {json.dumps(order)}")
    show_history(call("GET", f"{api}/v1/orders/{order['id']}", token=token))
    receipt = call("GET", f"{api}/v1/orders/{order['id']}/receipt", token=token)
    print(f"     the receipt: {money(receipt['total'])}, paid at {receipt['paid_at']}")

    tour.step("What the payment provider has recorded")
    show_payment(payment_of(order["id"]))

    tour.step("The trial balance of the shop")
    if not trial_balance.show(waits=True):
        sys.exit("The records do not agree.")
    suggest(tour, order["id"], sku)


def suggest(tour, order: str, sku: str) -> None:
    """Suggests commands that use `$API` and `$TOKEN`."""
    key = "-H \"idempotency-key: $(date +%s%N)\" -H 'content-type: application/json'"
    user = '-H "authorization: Bearer $TOKEN"'
    tour.suggest(f'curl -s "$API/v1/orders/{order}" {user} | python3 -m json.tool')
    tour.suggest(f'curl -s "$API/v1/products" {user}')
    line = json.dumps({"sku": sku, "quantity": 1})
    tour.suggest(f"curl -s \"$API/v1/cart/lines\" {user} {key} -d '{line}'")
    visa = json.dumps({"payment_method": "pm_card_visa"})
    tour.suggest(f"curl -s \"$API/v1/checkouts\" {user} {key} -H 'prefer: wait=20' -d '{visa}'")
