"""Checks what the pages on operation and security refer to, and prints each violation.

- A test that docs/SECURITY.md names exists. A name in backticks with two underscores or more is the name of a test.
- A relative link of these pages leads to a file.
"""

import re
import sys

from common import ROOT

SECURITY = ROOT / "docs" / "SECURITY.md"
PAGES = (SECURITY, ROOT / "docs" / "PERMISSIONS.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md")))
TEST = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){2,})`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def functions() -> set[str]:
    """The names of all functions of the Rust code."""
    sources = [path for folder in ("contract", "crates", "functions", "shared", "tests") for path in (ROOT / folder).glob("**/*.rs")]
    return {name for path in sources for name in re.findall(r"\bfn (\w+)", path.read_text())}


def complaints():
    """What is wrong."""
    known = functions()
    for page in filter(lambda page: page.exists(), PAGES):
        text, name = page.read_text(), page.relative_to(ROOT)
        if page == SECURITY:
            yield from (f"{name}: there is no test {test}" for test in sorted(set(TEST.findall(text)) - known))
        for link in sorted(set(LINK.findall(text))):
            if not (page.parent / link).exists():
                yield f"{name}: {link} does not exist"


if __name__ == "__main__":
    sys.exit("\n".join(complaints()) or None)
