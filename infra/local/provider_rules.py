"""The faults of the local payment provider, and the rules that ask for them. See provider_proxy.py."""

import re
from dataclasses import asdict, dataclass

from aiohttp import web

FAULTS = {
    "refuse_connection": "the connection is reset; localstripe gets nothing",
    "drop_request": "the connection is closed; localstripe gets nothing",
    "drop_answer": "localstripe gets it; then the connection is closed without an answer",
    "delay": "localstripe gets it after `seconds`, even if the caller has gone",
    "slow": "localstripe gets it after `seconds`; until then its idempotency key is in use",
    "answer_late": "localstripe gets it at once; the answer comes after `seconds`",
    "status_500_before": "500; localstripe gets nothing",
    "status_500_after": "localstripe gets it; the answer is 500",
    "rate_limited": "429; localstripe gets nothing",
    "repeat": "localstripe gets it twice; the second answer is returned",
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
    """Which requests get a fault, which fault, and how many times. With a `hook` it is for webhooks."""

    fault: str
    # The secret key of the requests that it is for. Without one it is for all.
    key: str | None = None
    method: str | None = None
    # Regular expressions. `path` is searched in the path of a request, `hook` in the type of an event.
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
        """Whether the rule is for this request."""
        is_method = self.method in (None, method)
        return self.hook is None and is_method and bool(re.search(self.path, path))

    def is_for_hook(self, kind: str) -> bool:
        """Whether the rule is for webhooks of this type."""
        return self.hook is not None and bool(re.search(self.hook, kind))


class Rules:
    """The rules that remain, and the secret keys whose idempotency keys are honoured."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.honouring: list[str | None] = []

    def take(self, key: str | None, is_for) -> Rule | None:
        """The first rule that is for this request or webhook, after the ones that it skips. It is counted as used."""
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
        """Whether answers are kept by idempotency key for this secret key."""
        return key in self.honouring or None in self.honouring

    async def add(self, request: web.Request) -> web.Response:
        """Adds a rule. If there are too many, the oldest is removed."""
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
        """The rules that remain."""
        return web.json_response([asdict(rule) for rule in self.rules if asks_for(request, rule.key)])

    async def clear(self, request: web.Request) -> web.Response:
        """Removes the rules."""
        self.rules = [rule for rule in self.rules if not asks_for(request, rule.key)]
        self.honouring = [key for key in self.honouring if not asks_for(request, key)]
        return web.Response(status=204)


def asks_for(request: web.Request, key: str | None) -> bool:
    """Whether a request is about this secret key. A request that names no key is about all."""
    return request.query.get("key", key) == key
