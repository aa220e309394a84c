"""A client of checkout, with the package that openapi-python-client generates. infra/local/clients.py runs it."""

import uuid
from collections.abc import Iterator

from arsenal_client import AuthenticatedClient
from arsenal_client.api.checkout import (
    checkout_add_to_cart,
    checkout_get_cart,
    checkout_get_order,
    checkout_list_products,
    checkout_place_order,
    checkout_put_product,
)
from arsenal_client.api.inventory import inventory_move_stock
from arsenal_client.models import (
    AddToCartRequest,
    Cart,
    CheckoutRequest,
    CreatedMovement,
    GatewayMessage,
    Money,
    MovementReason,
    MovementRequest,
    NotFoundProblem,
    Order,
    OrderStatus,
    OrderWithHistory,
    OutOfStockProblem,
    ProductRequest,
    Products,
    ProductWithStock,
    StoredProduct,
)
from arsenal_client.types import UNSET
from functions.auth.client import check, is_a, signed_in, with_token

PRICE, STOCK = Money(700, "EUR"), 3
VISA = CheckoutRequest("pm_card_visa")


def key() -> str:
    """A new idempotency key."""
    return str(uuid.uuid4())


def stock(admin: AuthenticatedClient) -> str:
    """Puts a product on sale. Returns its SKU."""
    sku = f"CLIENT-{uuid.uuid4()}"
    put = checkout_put_product.sync(sku, client=admin, body=ProductRequest("Awl", PRICE))
    is_a(StoredProduct, put)
    restock = MovementRequest(STOCK, MovementReason.RESTOCK)
    is_a(CreatedMovement, inventory_move_stock.sync(sku, client=admin, body=restock, idempotency_key=key()))
    return sku


def products(client: AuthenticatedClient) -> Iterator[ProductWithStock]:
    """All products, page by page."""
    cursor, pages = UNSET, 0
    while cursor or not pages:
        page = is_a(Products, checkout_list_products.sync(client=client, limit=1, cursor=cursor))
        yield from page.products
        cursor, pages = page.next_cursor, pages + 1


def add(client: AuthenticatedClient, sku: str, quantity: int) -> None:
    """Adds some units of a product to the cart."""
    body = AddToCartRequest(sku, quantity)
    cart = is_a(Cart, checkout_add_to_cart.sync(client=client, body=body, idempotency_key=key()))
    check([line.quantity for line in cart.lines] == [quantity], cart)


def buy(client: AuthenticatedClient) -> Order:
    """Orders what is in the cart, twice with the same key."""
    request = {"client": client, "body": VISA, "idempotency_key": key(), "prefer": "wait=20"}
    order = is_a(Order, checkout_place_order.sync(**request))
    check(order.status is OrderStatus.CONFIRMED, order)
    replay = checkout_place_order.sync_detailed(**request)
    check(replay.headers.get("idempotent-replayed") == "true", replay)
    check(is_a(Order, replay.parsed).id == order.id, replay)
    return order


def refusals(url: str, client: AuthenticatedClient, sku: str) -> None:
    """What is refused, and why."""
    unknown = checkout_get_order.sync("ord_01M7YRRT800000000000000002", client=client)
    is_a(NotFoundProblem, unknown)

    add(client, sku, STOCK)
    is_a(OutOfStockProblem, checkout_place_order.sync(client=client, body=VISA, idempotency_key=key()))

    message = checkout_get_cart.sync(client=with_token(url, "not.a.token"))
    is_a(GatewayMessage, message)


def run(url: str, admin_token: str) -> None:
    """Buys a product, and meets what refuses."""
    sku = stock(with_token(url, admin_token))
    client = signed_in(url)
    product = next((product for product in products(client) if product.sku == sku), None)
    check(product is not None, "No page of the products has the product.")
    check((product.price, product.available) == (PRICE, STOCK), product)
    add(client, sku, 2)
    order = buy(client)
    check(order.total == Money(1400, "EUR"), order)
    seen = is_a(OrderWithHistory, checkout_get_order.sync(order.id, client=client))
    check("payment_captured" in [event.event for event in seen.history], seen)
    refusals(url, client, sku)
