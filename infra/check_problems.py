"""Checks the pages of the types of problems, and prints what differs.

Each type of a problem document that the Rust sources make has a page docs/problems/<slug>.md. Its first line is the title,
and its second paragraph begins with the slug and the status. If a type has several titles, the first line has all of them,
sorted, with " / " between them. Each page belongs to a type, and the table in docs/problems/README.md lists the pages.
"""

import re
import sys
from collections import defaultdict
from http import HTTPStatus

from common import ROOT

PAGES = ROOT / "docs" / "problems"
TEXT = r'"((?:[^"\\]|\\.)*)"'
MADE = re.compile(r"\b(?:Problem|ProblemType)::new\(")
# An argument is written in the call, or is a variable that a `let` before it sets.
ARGUMENT = rf"(?:{TEXT}|[\w.]+)"
CALL = re.compile(rf"\b(?:Problem|ProblemType|Self)::new\(\s*([\w:.()]+),\s*{ARGUMENT},\s*{ARGUMENT},?\s*\)")
ROW = re.compile(r"^\| \[`([\w-]+)`\]\(([\w-]+)\.md\) \| (\d+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
# Python's names of these statuses depend on its version.
STATUSES = {"PAYLOAD_TOO_LARGE": 413, "URI_TOO_LONG": 414, "UNPROCESSABLE_ENTITY": 422}


def last(pattern: str, text: str) -> str:
    """The group of the last match, or nothing."""
    return (re.findall(pattern, text) or [""])[-1]


def types(wrong: list[str]) -> dict[str, tuple[set[str], set[int]]]:
    """The titles and the statuses of each type, by its slug. Adds to `wrong` the files with other calls."""
    found = defaultdict(lambda: (set(), set()))
    for path in [*ROOT.glob("shared/src/**/*.rs"), *ROOT.glob("functions/*/src/**/*.rs")]:
        # Comments have examples of other types, and so may unit tests.
        source = re.sub(r"(?m)^\s*//.*$", "", path.read_text().split("#[cfg(test)]\nmod tests {")[0])
        calls = list(CALL.finditer(source))
        if sum(not call[0].startswith("Self") for call in calls) != len(MADE.findall(source)):
            wrong.append(f"{path.relative_to(ROOT)}: this check does not understand a problem in it")
        for call in calls:
            status, slug, title = call.groups()
            before = source[: call.start()]
            title = title or last(rf"let title =\s*{TEXT};", before)
            if not status.startswith("StatusCode::"):
                status = last(rf"let {re.escape(status)} = (StatusCode::\w+);", before)
            name = status.removeprefix("StatusCode::")
            # A variable slug comes with its title from a list of pairs, such as ("file-empty", "The file is empty").
            for its_slug, its_title in [(slug, title)] if slug else re.findall(rf"\({TEXT}, {TEXT}\)", source):
                found[its_slug][0].update({its_title} - {""})
                found[its_slug][1].update({STATUSES.get(name) or HTTPStatus[name].value} if name else ())
    return found


def differences() -> list[str]:
    """What differs, a line each."""
    wrong: list[str] = []
    made = {slug: (" / ".join(sorted(titles)), statuses) for slug, (titles, statuses) in types(wrong).items()}
    pages = {path.stem: path.read_text() for path in PAGES.glob("*.md") if path.name != "README.md"}
    rows = ROW.findall((PAGES / "README.md").read_text())
    if [row[0] for row in rows] != sorted(pages) or any(row[0] != row[1] for row in rows):
        wrong.append("README.md: the table does not list the pages, each once, sorted")
    wrong += [f"{slug}: no problem has this type" for slug in sorted(pages.keys() - made)]
    wrong += [f"{slug}: the type has no page" for slug in sorted(made.keys() - pages)]
    for slug in sorted(made.keys() & pages):
        title, statuses = made[slug]
        status = "/".join(map(str, sorted(statuses)))
        first, second, *_ = pages[slug].split("\n\n")
        if first != f"# {title}":
            wrong.append(f"{slug}: the title is {title!r}, and the page begins with {first!r}")
        if not second.startswith(f"`{slug}` · {status} · "):
            wrong.append(f"{slug}: the status is {status}, and the second paragraph is {second!r}")
        wrong += [f"{slug}: the table has {row[2:]}" for row in rows if row[0] == slug and row[2:] != (status, title)]
    return wrong


if __name__ == "__main__":
    sys.exit("\n".join(differences()) or None)
