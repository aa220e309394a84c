"""The part of auth in the tour: a user registers and signs in."""

import json
import secrets

from common import call
from functions.auth import users


def take(tour) -> None:
    """Registers a user, signs in, and gives the tour the access token."""
    tour.step("Register by the link in a mail, and sign in")
    email = f"tour-{secrets.token_hex(4)}@example.org"
    call("POST", f"{tour.api}/v1/auth/register", {"email": email})
    mail = users.mail(email)
    print(f"     from {mail['Source']}: {mail['Subject']}")
    chosen = {"token": users.token(email), "password": users.PASSWORD}
    user = call("POST", f"{tour.api}/v1/auth/confirm", chosen)
    print(f"     {user['id']}  {email}")
    credentials = {"email": email, "password": users.PASSWORD}
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
