"""An authenticator with a passkey for the scripts (ES256), and the browser around it."""

import base64
import hashlib
import json
import secrets
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# The user was present and is verified.
FLAGS = 0x05
HAS_CREDENTIAL = 0x40


def encoded(data: bytes) -> str:
    """Bytes in base 64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of such a text."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """A device with one passkey for the API with this URL."""

    def __init__(self, api: str):
        url = urllib.parse.urlsplit(api)
        self.origin, self.host = f"{url.scheme}://{url.netloc}", url.hostname or ""
        self.id, self.counter = secrets.token_bytes(32), 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user = b""

    def data(self, flags: int, rest: bytes) -> bytes:
        """The data that it signs."""
        self.counter += 1
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big") + rest

    def said(self, kind: str, options: dict) -> bytes:
        """What the browser says of the request."""
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def create(self, options: dict) -> dict:
        """A new passkey."""
        self.user = decoded(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        # {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y
        data = self.data(FLAGS | HAS_CREDENTIAL, bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose)
        # {"fmt": "none", "attStmt": {}, "authData": data}
        attested = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
        said = encoded(self.said("webauthn.create", options))
        return self.credential({"clientDataJSON": said, "attestationObject": encoded(attested)})

    def get(self, options: dict) -> dict:
        """A signature."""
        said, data = self.said("webauthn.get", options), self.data(FLAGS, b"")
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        signed = {"clientDataJSON": encoded(said), "authenticatorData": encoded(data)}
        return self.credential({**signed, "signature": encoded(signature), "userHandle": encoded(self.user)})

    def credential(self, response: dict) -> dict:
        """An answer, as a browser gives it."""
        return {"id": encoded(self.id), "type": "public-key", "response": response}
