"""An authenticator app for the scripts: RFC 6238 with SHA-1, 6 digits and steps of 30 s."""

import base64
import hashlib
import hmac
import time


def code(secret: str, ahead: int = 0) -> str:
    """The code for a secret in base 32, of an app whose clock is `ahead` steps ahead."""
    step = int(time.time()) // 30 + ahead
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    start = mac[-1] & 0xF
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFF_FFFF) % 10**6:06}"
