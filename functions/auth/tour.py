"""The part of auth in the tour: a user registers and signs in."""

import json
import secrets

from common import call


def take(tour) -> None:
    """Registers a user, signs in, and gives the tour the access token."""
    email, password = f"tour-{secrets.token_hex(4)}@example.org", "correct horse battery"
    credentials = {"email": email, "password": password}
    tour.step("Register and sign in")
    user = call("POST", f"{tour.api}/v1/auth/register", credentials)
    print(f"     {user['id']}  {email}")
    answer = call("POST", f"{tour.api}/v1/auth/login", credentials)
    tour.token = answer["access_token"]
    answer = call("POST", f"{tour.api}/v1/auth/refresh", {"refresh_token": answer["refresh_token"]})
    tour.token = answer["access_token"]
    print(f"     an access token for {answer['expires_in'] // 60} minutes: {tour.token[:24]}…")
    body = json.dumps(credentials)
    tour.suggest(
        f"API='{tour.api}'; TOKEN=$(curl -s \"$API/v1/auth/login\" -H 'content-type: application/json' -d '{body}' "
        "| python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')"
    )
