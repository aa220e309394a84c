"""What the local payment provider is told to do wrong, see provider_proxy.py."""

import re
from dataclasses import asdict, dataclass

from aiohttp import web

FAULTS = {
    "refuse_connection": "the connection is reset, nothing is handed on",
    "drop_request": "the connection is closed, nothing is handed on",
    "drop_answer": "handed on, then the connection is closed",
    "delay": "handed on after `seconds`, whether anybody still waits or not",
    "slow": "handed on after `seconds`; its idempotency key is in use meanwhile",
    "answer_late": "handed on at once, answered after `seconds`",
    "status_500_before": "500, nothing is handed on",
    "status_500_after": "handed on, then 500",
    "rate_limited": "429, nothing is handed on",
    "repeat": "handed on twice; the second answer is given",
}
HOOK_FAULTS = {
    "lose": "not sent",
    "repeat": "sent `count` times",
    "delay": "sent after `seconds`",
    "reorder": "sent after the target's next one, or after `seconds`",
}
MAX_RULES = 1000


@dataclass
class Rule:
    """Which requests fare badly, how, and how many times; or which webhooks, if it has a `hook`."""

    fault: str
    # The secret key of those that it is for; of all otherwise.
    key: str | None = None
    method: str | None = None
    # Regular expressions of a part of the path, or of the event's type.
    path: str = ""
    hook: str | None = None
    times: int = 1
    skip: int = 0
    seconds: float = 1
    count: int = 2

    def __post_init__(self) -> None:
        re.compile(self.path if self.hook is None else self.hook)
        known = FAULTS if self.hook is None else HOOK_FAULTS
        if self.fault not in known:
            raise ValueError(f"fault is one of {', '.join(known)}")

    def is_for_request(self, method: str, path: str) -> bool:
        """Whether it is for this request."""
        is_method = self.method in (None, method)
        return self.hook is None and is_method and bool(re.search(self.path, path))

    def is_for_hook(self, kind: str) -> bool:
        """Whether it is for webhooks of this type."""
        return self.hook is not None and bool(re.search(self.hook, kind))


class Rules:
    """The rules that are left, and whose idempotency keys are honoured."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.honouring: list[str | None] = []

    def take(self, key: str | None, is_for) -> Rule | None:
        """The first rule that is for this and whose turn it is; its turn is taken."""
        for rule in [rule for rule in self.rules if rule.key in (None, key) and is_for(rule)]:
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.times -= 1
            if rule.times <= 0:
                self.rules.remove(rule)
            return rule
        return None

    def honours(self, key: str) -> bool:
        """Whether answers are kept by idempotency key."""
        return key in self.honouring or None in self.honouring

    async def add(self, request: web.Request) -> web.Response:
        """One more; beyond the most that are kept, the oldest goes."""
        told = await request.json()
        try:
            if told.pop("honour_keys", False):
                self.honouring.append(told.pop("key", None))
            else:
                self.rules.append(Rule(**told))
        except (TypeError, ValueError, re.error) as failure:
            return web.Response(status=400, text=str(failure))
        del self.rules[:-MAX_RULES], self.honouring[:-MAX_RULES]
        return web.Response(status=201)

    async def show(self, request: web.Request) -> web.Response:
        """Those that are left."""
        return web.json_response([asdict(rule) for rule in self.rules if asks_for(request, rule.key)])

    async def clear(self, request: web.Request) -> web.Response:
        """Drops them."""
        self.rules = [rule for rule in self.rules if not asks_for(request, rule.key)]
        self.honouring = [key for key in self.honouring if not asks_for(request, key)]
        return web.Response(status=204)


def asks_for(request: web.Request, key: str | None) -> bool:
    """Whether a request is about what belongs to this key: it is if it names it, or none."""
    return request.query.get("key", key) == key
