"""What Schemathesis cannot know of this API: its requests are completed, its answers are counted, and a failure whose
expectation is wrong for this API is dropped. Schemathesis loads this file in each run of infra/local/check_api.py, which
sets the variables API_…."""

import atexit
import importlib
import json
import os
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse

SAMPLES = [importlib.import_module(f"functions.{name}.samples") for name in os.environ["API_SYSTEMS"].split()]
# Rules that no schema can express, by the type of problem, with the reason.
RULES = {
    "idempotency-key-reused": "it depends on the requests before",
    **{kind: reason for samples in SAMPLES for kind, reason in samples.RULES.items()},
}
# The fields that a rule is about, if its type of problem is also used for others.
FIELDS: defaultdict[str, set[str]] = defaultdict(set)
for samples in SAMPLES:
    for kind, fields in getattr(samples, "FIELDS", {}).items():
        FIELDS[kind] |= fields
HEADERS = {id: headers for samples in SAMPLES for id, headers in getattr(samples, "HEADERS", {}).items()}
SCOPES = set(os.environ["API_SCOPES"].split())
KEY = "Idempotency-Key"
TAGS = ("If-Match", "If-None-Match")
# The server in front of the functions refuses a request whose end it cannot find, and has no document for it. What functions
# do with these headers is tried by the tests of shared::http and the fuzz target `edge`.
FRAMING = ("content-length", "transfer-encoding")
# What API Gateway answers itself to a method that has no route. The functions never see such a request.
NO_ROUTE = (404, {"message": "Not Found"})
# The statuses of all answers, by operation.
counts: defaultdict[str, Counter] = defaultdict(Counter)
keys = random.Random(int(os.environ["API_SEED"]))


def is_positive(case) -> bool:
    """Whether all of the request is valid."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def tries(case, parameter: str) -> bool:
    """Whether the request is there to try values of this parameter."""
    return case.meta is not None and getattr(case.meta.phase.data, "parameter", None) == parameter


def changed(value, change):
    """The JSON with each string and number changed."""
    if isinstance(value, dict):
        return {key: changed(part, change) for key, part in value.items()}
    if isinstance(value, list):
        return [changed(part, change) for part in value]
    return change(value)


@schemathesis.hook
def before_load_schema(_context, schema) -> None:
    """Sends webhooks to a server on this machine in place of the one in the examples, which belongs to somebody."""
    is_url = lambda value: isinstance(value, str) and value.startswith("https://")
    local = lambda value: os.environ["API_RECEIVER"] if is_url(value) else value
    schema["paths"] = changed(schema["paths"], local)


def spelled(number):
    """The number as it is usually spelled. JSON Schema has no difference between 8 and 8.0, and the API takes only 8."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


@schemathesis.hook
def before_call(_context, case, kwargs) -> None:
    """Gives a valid request a new idempotency key, because Schemathesis uses the same short keys again and again, and signs
    a request that needs it. Takes out made-up headers that say where a request ends."""
    for name in [name for name in case.headers if name.lower() in FRAMING]:
        del case.headers[name]
    if not is_positive(case):
        return
    body = changed(case.body, spelled)
    # 8 and 8.0 are equal. A body that is set is judged anew, so an unchanged one is left alone.
    if repr(body) != repr(case.body):
        case.body = body
    if KEY in case.headers and not tries(case, KEY) and keys.random() < 0.9:
        case.headers[KEY] = f"{keys.getrandbits(64):x}"
    if headers := HEADERS.get(case.operation.definition.raw.get("operationId")):

        def sign(request):
            request.headers.update(headers(request.body or b""))
            return request

        kwargs["auth"] = sign


@schemathesis.hook
def after_call(_context, case, response) -> None:
    """Counts the answer."""
    kind = "valid" if is_positive(case) else "invalid"
    counts[case.operation.label][f"{kind} {response.status_code}"] += 1


@schemathesis.check
def scope_is_required(_context, response, case) -> None:
    """A user without the scope of the operation is refused."""
    security = case.operation.definition.raw.get("security", [])
    needed = {scope for way in security for scopes in way.values() for scope in scopes}
    is_accepted = response.status_code < 400 and response.request.method == case.operation.method.upper()
    assert not is_accepted or needed <= SCOPES, f"accepted without the scope {', '.join(needed - SCOPES)}"


def json_of(response):
    """The JSON of an answer, if it has some."""
    try:
        return response.json()
    except ValueError:
        return None


def has_other_tags(case, fields: set[str]) -> bool:
    """Whether all these fields are headers with tags whose values do not match their pattern in the contract.
    Schemathesis makes up the values of `If-Match` and `If-None-Match` by rules of its own, and sends also 0."""
    parameters = case.operation.definition.raw.get("parameters", [])
    patterns = {it["name"]: it["schema"].get("pattern") for it in parameters if it.get("name") in TAGS}
    sent = {name: case.headers[name] for name in fields if patterns.get(name) and name in case.headers}
    return bool(fields) and sent.keys() == fields and not any(re.search(patterns[it], sent[it]) for it in sent)


@schemathesis.hook
def filter_failure(_context, failure, case, response) -> bool:
    """Whether it is a failure of this API too."""
    answer = json_of(response)
    if isinstance(failure, UnsupportedMethodResponse):
        return (response.status_code, answer) != NO_ROUTE
    if isinstance(failure, RejectedPositiveData) and isinstance(answer, dict):
        # A cursor is opaque: only those that the API gave are valid.
        fields = {re.sub(r"\[\d+\].*", "", error["field"]) for error in answer.get("errors", [])}
        # The endpoints of OAuth have errors of their own.
        kind = answer.get("type", answer.get("error", "")).removeprefix("/docs/problems/")
        is_rule = kind in RULES and fields <= FIELDS.get(kind, fields)
        return not is_rule and fields != {"cursor"} and not has_other_tags(case, fields)
    return True


@atexit.register
def write_counts() -> None:
    """Leaves the counts for check_api.py."""
    Path(os.environ["API_COUNTS"]).write_text(json.dumps(counts))
