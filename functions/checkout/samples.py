"""What infra/local/check_api.py sends to checkout besides what Schemathesis makes up: products, orders in several states,
webhook endpoints, and the signature of the payment provider."""

import hashlib
import hmac
import os
import time
from contextlib import contextmanager

from common import call
from functions.checkout.errands import DECLINED, PRICE, VISA
from functions.checkout.tour import WAIT, stocked
from receiver import until

# Rules that no schema can express, so a valid request may get these problems.
RULES = {
    "cart-empty": "it depends on the cart",
    "invalid-cart": "it depends on the lines that the cart has",
    "invalid-product": "which amounts the provider charges depends on the currency",
    "invalid-refund": "it depends on what is paid",
    "invalid-signature": "only the provider can sign",
    "invalid-total": "it depends on the cart",
    "invalid-webhook": "the host's name must resolve to a public address",
    "unknown-product": "it depends on what is on sale",
}
# The fields that a rule is about, if its type of problem is also used for others.
FIELDS = {"invalid-product": {"price.amount", "price.currency"}}


def order(user, sku: str, method: str) -> str:
    """Places an order, and waits up to 20 s until it is paid or the card is declined. Returns its id."""
    call("POST", f"{user.api}/v1/cart/lines", {"sku": sku, "quantity": 2}, user.token)
    placed = call("POST", f"{user.api}/v1/checkouts", {"payment_method": method}, user.token, prefer=WAIT)
    return placed["id"]


@contextmanager
def tidied(keeper):
    """Deletes the webhook endpoints that were added, because there may be 10 at most."""
    url = f"{keeper.api}/v1/webhook-endpoints"
    names = lambda: {known["name"] for known in call("GET", url, token=keeper.token)["endpoints"]}
    before = names()
    try:
        yield
    finally:
        keeper.sign_in()
        for name in names() - before:
            call("DELETE", f"{url}/{name}", token=keeper.token)


def delivery(user, endpoint: str) -> str:
    """The id of a delivery to the endpoint."""
    url = f"{user.api}/v1/webhook-endpoints/{endpoint}/deliveries"
    log = lambda: call("GET", url, token=user.keeper)["deliveries"]
    until(log, "The log of the webhook")
    return log()[0]["id"]


def make(user) -> dict[str, list]:
    """A product, orders that are paid and orders whose card was declined, and webhook endpoints."""
    kept, removed = "sample-kept", "sample-removed"
    for name in (kept, removed):
        call("PUT", f"{user.api}/v1/webhook-endpoints/{name}", {"url": user.receiver}, user.keeper)
    sku = stocked(user.api, user.keeper, "Bone folder", PRICE, 100_000)
    paid = [order(user, sku, VISA) for _ in range(2)]
    declined = [order(user, sku, DECLINED) for _ in range(4)]
    return {
        "path.sku": [sku],
        "body.sku": [sku],
        "path.order_id": paid,
        "checkout-cancel-order path.order_id": declined[:2],
        "checkout-pay-order path.order_id": declined[2:],
        "checkout-patch-product header.If-Match": ["*"],
        "body.amount": [1, 2],
        "body.payment_method": [VISA, DECLINED],
        "body.url": [user.receiver],
        "path.name": [kept],
        "checkout-delete-endpoint path.name": [removed],
        "path.id": [delivery(user, kept)],
    }


def signed(body: bytes) -> dict[str, str]:
    """The headers of a webhook of the provider with this body."""
    secret, at = os.environ["PAYMENTS_WEBHOOK_SECRET"].encode(), int(time.time())
    signature = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={signature}"}


# The headers of a request that depend on its body.
HEADERS = {"checkout-on-provider-event": signed}
