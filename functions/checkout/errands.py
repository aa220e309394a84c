"""The errands of checkout and inventory: what the tour leaves out. Carts that change, requests that come twice,
customers whose bank asks them, who cancel, or whose card is declined, refunds, webhooks of merchants, orders that stand
still, and reservations whose time is over."""

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from common import STACK, call, client, outputs
from functions.auth import admin, users
from functions.checkout import fold_missing, trial_balance
from functions.checkout.tour import PROVIDER, READER, WAIT, from_provider, payment_of, stocked
from receiver import Receiver, sent_again, until

# What infra/local/least_privilege.py does not judge, with the reason: an action of all functions of checkout, one
# action of one function, or a whole function.
UNJUDGED = {
    "checkout-advance sqs:SendMessage": "used for jobs that fail for good; the tests batches.rs have such jobs",
    "checkout-deliver-webhook sqs:SendMessage": "used for jobs that fail for good; the tests batches.rs have such jobs",
    "checkout-deliver-webhook dynamodb:UpdateItem": "used only after a failure; the tests toolkit::webhooks have some",
    "checkout-reconcile dynamodb:DeleteItem": "used for movements that are over 15 minutes old; the tests of the saga have some",
    "checkout-reconcile sqs:SendMessage": "used for movements that are over 15 minutes old; the tests of the saga have some",
    "checkout-fold-ledger sqs:SendMessage": "used for jobs that fail for good; the tests together.rs have such jobs",
}
PRICE = {"amount": 500, "currency": "EUR"}
STOCK = 20
VISA, DECLINED = "pm_card_visa", "pm_card_chargeCustomerFail"
# The number of a card whose bank asks its owner.
ASKS = "4000002500003155"


class Customer:
    """A customer, and the product that the customer buys."""

    def __init__(self, api: str, sku: str) -> None:
        self.api, self.sku = api, sku
        credentials, self.id = users.register(api, "errands")
        self.token = users.sign_in(api, credentials)

    def ask(self, method: str, path: str, body=None, **headers: str) -> dict:
        """Calls the API."""
        return call(method, f"{self.api}{path}", body, self.token, **headers)

    def add(self, quantity: int, **headers: str) -> dict:
        """Adds this quantity to the cart."""
        body = {"sku": self.sku, "quantity": quantity}
        return self.ask("POST", "/v1/cart/lines", body, **headers)

    def order(self, method: str, **headers: str) -> dict:
        """Orders what is in the cart, and waits for the outcome."""
        wanted = {"payment_method": method}
        return self.ask("POST", "/v1/checkouts", wanted, prefer=WAIT, **headers)

    def status(self, order: str) -> str:
        """The status of an order."""
        return self.ask("GET", f"/v1/orders/{order}")["status"]


def to_provider(path: str, **form: str) -> dict:
    """What the payment provider answers to a POST."""
    headers = {"Authorization": f"Bearer {READER}"}
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"{PROVIDER}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def card_that_asks() -> str:
    """A payment method whose bank asks its owner."""
    form = {"card[number]": ASKS, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
    return to_provider("/v1/payment_methods", type="card", **form)["id"]


def agree(api: str, order: str, secret: str) -> None:
    """The owner of the card agrees. Then Stripe sends a webhook, but localstripe does not, so this sends it."""
    payment = payment_of(order)
    assert payment["client_secret"] == secret
    form = {"client_secret": secret, "success": "true"}
    to_provider(f"/v1/payment_intents/{payment['id']}/_authenticate", **form)
    held = from_provider(f"/v1/payment_intents/{payment['id']}")
    kind = "payment_intent.amount_capturable_updated"
    body = json.dumps({"type": kind, "data": {"object": held}}).encode()
    signed, at = os.environ["PAYMENTS_WEBHOOK_SECRET"].encode(), int(time.time())
    signature = hmac.new(signed, b"%d." % at + body, hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={at},v1={signature}", "content-type": "application/json"}
    request = urllib.request.Request(f"{api}/v1/payments/webhook", body, headers)
    urllib.request.urlopen(request, timeout=10).close()


def invoke(function: str, event) -> None:
    """Invokes a function and waits for its end."""
    name, payload = f"{STACK}-{function}", json.dumps(event)
    answer = client("lambda").invoke(FunctionName=name, Payload=payload)
    assert "FunctionError" not in answer, answer["Payload"].read()


def cart_changes(customer: Customer, keeper: str) -> None:
    """A cart is filled and emptied. A request that comes twice has one effect, even if the product is not on sale any
    more."""
    key = secrets.token_hex(16)
    cart = customer.add(2, idempotency_key=key)
    product = f"{customer.api}/v1/products/{customer.sku}"
    call("PATCH", product, {"active": False}, keeper, if_match="*")
    assert customer.add(2, idempotency_key=key) == cart
    call("PUT", product, {"name": "Bone folder", "price": PRICE}, keeper, if_match="*")
    line = f"/v1/cart/lines/{customer.sku}"
    assert customer.ask("PUT", line, {"quantity": 3})["total"]["amount"] == 1500
    assert customer.ask("GET", "/v1/cart")["total"]["amount"] == 1500
    assert customer.ask("DELETE", line)["lines"] == []


def paid_and_refunded(customer: Customer, keeper: str) -> str:
    """An order is sent twice and paid once. Half of it is refunded, then the rest. Returns the id."""
    customer.add(2)
    key = secrets.token_hex(16)
    order = customer.order(VISA, idempotency_key=key)
    assert order["status"] == "confirmed", order
    assert customer.order(VISA, idempotency_key=key)["id"] == order["id"]
    refunds, key = f"{customer.api}/v1/orders/{order['id']}/refunds", secrets.token_hex(16)
    call("POST", refunds, {"amount": 500}, keeper)
    rest = call("POST", refunds, {}, keeper, idempotency_key=key)
    assert rest["amount"]["amount"] == 500, rest
    assert call("POST", refunds, {}, keeper, idempotency_key=key) == rest
    path = f"/v1/orders/{order['id']}"
    until(lambda: customer.ask("GET", path)["refunded"]["amount"] == 1000, "The end of the refunds")
    entries = call("GET", f"{customer.api}/v1/ledger/{order['id']}", token=keeper)["entries"]
    assert len(entries) == 4, entries
    assert customer.ask("GET", f"{path}/receipt")["refunded"]["amount"] == 1000
    return order["id"]


def overdue(order: str) -> None:
    """The sweeper queues an order that stands still, and sets the time of its next look."""
    dynamodb, table = client("dynamodb"), outputs()["CheckoutTableName"]
    key = {"pk": {"S": f"ORDER#{order}"}, "sk": {"S": "STATE"}}
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET due_at = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    invoke("checkout-sweep", {})
    due = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]["due_at"]["N"]
    assert int(due) > time.time() * 1000, due


def asked(customer: Customer, keeper: str) -> None:
    """The bank asks a customer, who agrees. For the next order the customer cancels."""
    customer.add(1)
    order = customer.order(card_that_asks())
    assert order["status"] == "action_required", order
    overdue(order["id"])
    call("GET", f"{customer.api}/v1/stuck-orders", token=keeper)
    secret = customer.ask("GET", f"/v1/orders/{order['id']}")["payment_client_secret"]
    agree(customer.api, order["id"], secret)
    until(lambda: customer.status(order["id"]) == "confirmed", "The end of the order")

    customer.add(1)
    order = customer.order(card_that_asks())
    customer.ask("POST", f"/v1/orders/{order['id']}/cancel", {})
    until(lambda: customer.status(order["id"]) == "cancelled", "The end of the cancelled order")


def declined(customer: Customer) -> None:
    """A card is declined, and another card pays the same order. For the next order the customer cancels, and the cart
    has its lines again."""
    customer.add(1)
    order = customer.order(DECLINED)
    code = (order["status"], order["decline_code"])
    assert code == ("payment_required", "card_declined"), order
    path, headers = f"/v1/orders/{order['id']}/payments", {"idempotency_key": secrets.token_hex(16)}
    for _ in range(2):
        paid = customer.ask("POST", path, {"payment_method": VISA}, prefer=WAIT, **headers)
        assert (paid["id"], paid["status"]) == (order["id"], "confirmed"), paid

    customer.add(1)
    order = customer.order(DECLINED)
    customer.ask("POST", f"/v1/orders/{order['id']}/cancel")
    until(lambda: customer.ask("GET", "/v1/cart")["lines"], "The cart with its lines")


def reused_key(url: str, keeper: str) -> None:
    """Stock is moved, and another movement with the same idempotency key is refused."""
    key = {"idempotency_key": secrets.token_hex(16)}
    call("POST", url, {"quantity": 1, "reason": "adjustment"}, keeper, **key)
    other = json.dumps({"quantity": -1, "reason": "adjustment"}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {keeper}", "idempotency-key": key["idempotency_key"]}
    try:
        urllib.request.urlopen(urllib.request.Request(url, other, headers), timeout=10).close()
        sys.exit("An idempotency key was good for two movements.")
    except urllib.error.HTTPError as error:
        assert error.code == 422, error.read()
    call("POST", url, {"quantity": -1, "reason": "adjustment"}, keeper)


def stock_comes_back(sku: str) -> None:
    """A reservation whose time is over is released."""
    dynamodb, table = client("dynamodb"), outputs()["InventoryTableName"]
    bucket = {"pk": {"S": f"SKU#{sku}"}, "sk": {"S": "STOCK#00"}}
    key = {"pk": {"S": "HOLDER#errand"}, "sk": {"S": f"SKU#{sku}"}}
    reservation = {
        **key,
        "holder": {"S": "errand"},
        "sku": {"S": sku},
        "takes": {"L": [{"M": {"bucket": {"N": "0"}, "quantity": {"N": "1"}}}]},
        "status": {"S": "held"},
        "expires_at": {"N": "1"},
        "due_shard": {"S": "0"},
        "due_at": {"N": "1"},
    }
    taken = {
        "TableName": table,
        "Key": bucket,
        "UpdateExpression": "SET available = available - :one, reserved = reserved + :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    put = {"TableName": table, "Item": reservation}
    dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"Update": taken}])
    invoke("inventory-sweep", {})
    found = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    assert found["status"]["S"] == "released", found


def told_again(order: str) -> None:
    """A ledger entry comes a second time. It is folded once, which the trial balance checks."""
    body = fold_missing.job(order, "TRANSFER#payment")
    message = {"messageId": "1", "receiptHandle": "1", "body": body, "attributes": {}}
    invoke("checkout-fold-ledger", {"Records": [message]})


class Subscriber:
    """A queue that gets the events of checkout from the bus, as a team of another system would make it."""

    def __init__(self) -> None:
        self.bus, self.rule, self.envelopes = outputs()["EventBusName"], f"errands-{secrets.token_hex(4)}", []
        self.url = client("sqs").create_queue(QueueName=self.rule)["QueueUrl"]
        arn = client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [{**statement, "Principal": {"Service": "events.amazonaws.com"}}]}
        client("sqs").set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(policy)})
        events, pattern = client("events"), json.dumps({"source": ["arsenal.checkout"]})
        events.put_rule(EventBusName=self.bus, Name=self.rule, EventPattern=pattern)
        target = {"Id": "queue", "Arn": arn, "InputPath": "$.detail"}
        events.put_targets(EventBusName=self.bus, Rule=self.rule, Targets=[target])

    def types(self, order: str) -> set[str]:
        """The types of the events of an order that have come so far."""
        sqs = client("sqs")
        for message in sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
            self.envelopes.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return {envelope["type"] for envelope in self.envelopes if envelope["subject"] == order}

    def remove(self) -> None:
        """Removes the rule and the queue."""
        client("events").remove_targets(EventBusName=self.bus, Rule=self.rule, Ids=["queue"])
        client("events").delete_rule(EventBusName=self.bus, Name=self.rule)
        client("sqs").delete_queue(QueueUrl=self.url)


def run(api: str) -> None:
    """Runs the errands."""
    keeper = admin.new(api)
    ask = lambda method, path, body=None: call(method, f"{api}{path}", body, keeper)
    sku = stocked(api, keeper, "Bone folder", PRICE, STOCK)
    assert ask("GET", f"/v1/stock/{sku}")["available"] == STOCK
    assert len(ask("GET", f"/v1/stock/{sku}/movements")["movements"]) == 1
    reused_key(f"{api}/v1/stock/{sku}/movements", keeper)
    assert ask("GET", f"/v1/products/{sku}")["available"] == STOCK
    assert ask("GET", "/v1/products")["products"]

    receiver = Receiver()
    endpoint = "/v1/webhook-endpoints/errands"
    ask("PUT", endpoint, {"url": receiver.url})
    urls = [known["url"] for known in ask("GET", "/v1/webhook-endpoints")["endpoints"]]
    assert receiver.url in urls, urls

    subscriber, customer = Subscriber(), Customer(api, sku)
    cart_changes(customer, keeper)
    order = paid_and_refunded(customer, keeper)
    asked(customer, keeper)
    declined(customer)
    assert len(customer.ask("GET", "/v1/orders")["orders"]) == 5

    wanted = {"order.placed", "order.confirmed", "order.cancelled", "refund.succeeded"}
    until(lambda: wanted <= set(receiver.types()), "All webhooks")
    wanted = {"order.placed", "order.confirmed", "refund.succeeded"}
    until(lambda: wanted <= subscriber.types(order), "All events on the bus")
    subscriber.remove()
    sent_again(f"{api}{endpoint}", keeper, receiver)
    ask("DELETE", endpoint)
    stock_comes_back(sku)
    # Five units were sold. Two were refunded, which returns no stock. One was sold after the bank asked. Two were sold
    # after a card was declined: one that was added then, and one that was in the cart again since a cancelled order.
    assert ask("GET", f"/v1/stock/{sku}")["available"] == STOCK - 5
    told_again(order)
    invoke("checkout-reconcile", {})
    assert ask("GET", "/v1/ledger")["accounts"]
    if not trial_balance.show(waits=True):
        sys.exit("The records do not agree.")
    print("Cart, receipt, refunds, the question of the bank, cancelling, webhooks, events on the bus and both sweeps work.")
