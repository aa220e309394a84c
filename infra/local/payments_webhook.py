"""Has the local payment provider send its webhooks to the deployed API: those of payments that were made
with the stack's own key. It forgets when it is started anew; up.sh runs this again."""

import json
import os
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import STACK, api_url


def main() -> None:
    """Registers the API's endpoint, in the place of where it was."""
    url = f"{api_url()}/v1/payments/webhook"
    target = {"id": STACK, "url": url, "key": os.environ["PAYMENTS_SECRET_KEY"]}
    request = urllib.request.Request(
        f"{os.environ['PAYMENTS_URL']}/_hooks/targets",
        json.dumps(target).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    print("The payment provider's webhooks go to the API.")


if __name__ == "__main__":
    main()
