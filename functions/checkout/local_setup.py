"""Prepares the local payment provider for checkout: tells it where it posts its webhooks."""

import json
import os
import urllib.request

from common import STACK, api_url


def set_up() -> None:
    """Registers the endpoint of the API for payments that are made with the key of the stack. An endpoint that was
    registered before is replaced. The provider loses it when it is restarted; `make up` registers it again."""
    url = f"{api_url()}/v1/payments/webhook"
    target = {"id": STACK, "url": url, "key": os.environ["PAYMENTS_SECRET_KEY"]}
    request = urllib.request.Request(
        f"{os.environ['PAYMENTS_URL']}/_hooks/targets",
        json.dumps(target).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    print("The payment provider posts its webhooks to the API.")
