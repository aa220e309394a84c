"""Follows the logs of the functions that are named, or of all functions, and prints each line of JSON as it comes.

The functions of a system share a log group. A stream in the group belongs to one function. On AWS the name of the stream
contains the name of the function. On every stack the lines that the function itself writes contain it too
(`function_name`).
"""

import json
import sys
import time

from common import STACK, client

POLL_SECONDS = 1
# How far back the first lines are.
START_MS = 10 * 60 * 1000
PREFIX = f"/aws/lambda/{STACK}-"


def groups(functions: list[str]) -> list[str]:
    """The log groups of the systems of these functions, or of all systems of the stack."""
    pages = client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    found = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    if not functions:
        return found
    return [
        group
        for group in found
        if any(f"/aws/lambda/{function}".startswith(f"{group}-") for function in functions)
    ]


def identity(event: dict):
    """What identifies an event. On a local AWS an event may have no id."""
    return event.get("eventId") or (event["timestamp"], event["message"])


def writer(event: dict) -> str | None:
    """The function that a line names as its writer, if it names one."""
    try:
        line = json.loads(event["message"])
    except ValueError:
        return None
    return line.get("function_name") if isinstance(line, dict) else None


class Streams:
    """The function of each stream, as far as it is known from the lines."""

    def __init__(self) -> None:
        self.functions = {}

    def learn(self, events: list[tuple[dict, str]]) -> None:
        """Learns the functions of streams from lines, each with its log group."""
        for event, group in events:
            function = writer(event)
            if function:
                self.functions[group, event["logStreamName"]] = function

    def function(self, event: dict, group: str) -> str | None:
        """The function of a line. The stream `2026/11/30/arsenal-auth-login[$LATEST]0f…` names it."""
        stream = event["logStreamName"]
        named = stream.rsplit("/", 1)[-1].split("[")[0]
        return self.functions.get((group, stream)) or named or None


def follow(names: list[str]) -> None:
    """Prints the lines as they come, until the user interrupts it."""
    functions = [f"{STACK}-{name}" for name in names]
    logs, followed, streams = client("logs"), groups(functions), Streams()
    if not followed:
        sys.exit(f"There are no logs of {', '.join(functions) or STACK}.")
    since, seen = int(time.time() * 1000) - START_MS, set()
    while True:
        pages = logs.get_paginator("filter_log_events")
        events = [
            (event, group)
            for group in followed
            for page in pages.paginate(logGroupName=group, startTime=since)
            for event in page["events"]
            if identity(event) not in seen
        ]
        streams.learn(events)
        for event, group in sorted(events, key=lambda pair: pair[0]["timestamp"]):
            seen.add(identity(event))
            function = streams.function(event, group)
            if not functions or function in functions:
                print(f"{function or group.rsplit('/', 1)[1]}  {event['message'].rstrip()}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    try:
        follow([name for name in sys.argv[1:] if name])
    except KeyboardInterrupt:
        pass
