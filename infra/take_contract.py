"""What take.py does to the contract: leaves the other systems out of openapi.yaml, of its crate, and of the pages of problem
types."""

import re
import subprocess
from pathlib import Path

from common import VENV

# The parts of the document that are there whether they are referred to or not.
ALWAYS = ("schemas/GatewayMessage", "schemas/Problem", "headers/", "parameters/", "securitySchemes/")
REFERENCE = re.compile(r"#/components/([\w/-]+)")


def blocks(text: str, indent: int) -> list[str]:
    """The text, cut before each line that begins with this indentation and a name."""
    return re.split(rf"(?m)^(?= {{{indent}}}[^ \n-])", text)


def of_systems(document: str, names: list[str]) -> str:
    """The document of these systems."""
    parts = re.split(r"(?m)^(?=[a-z]\w*:)", document)
    kept = []
    for part in parts:
        if part.startswith(("paths:", "webhooks:")):
            first, *items = blocks(part, 2)
            items = ["".join(methods(item, names)) for item in items]
            items = [item for item in items if item]
            part = first + "".join(items) if items else ""
        elif part.startswith("tags:"):
            part = "tags:\n" + "".join(f"- name: {name}\n" for name in sorted(names))
        kept.append(part)
    return without_unused("".join(kept))


def methods(item: str, names: list[str]) -> list[str]:
    """A path and its methods of these systems; nothing if there is none."""
    path, *found = blocks(item, 4)
    found = [it for it in found if re.search(r"(?m)^ {6}tags:\n {6}- ([\w-]+)$", it)[1] in names]
    return [path, *found] if found else []


def without_unused(document: str) -> str:
    """The document without components that nothing refers to."""
    before, components, rest = re.split(r"(?m)^(?=components:|tags:)", document)
    while True:
        first, *kinds = blocks(components, 2)
        used, kept = set(REFERENCE.findall(before + components)), [first]
        for kind in kinds:
            title, *items = blocks(kind, 4)
            name = title.strip().rstrip(":")
            of_kind = [it for it in items if is_used(f"{name}/{it.strip().split(':', 1)[0]}", used)]
            kept.append(title + "".join(of_kind) if of_kind else "")
        if "".join(kept) == components:
            return before + components + rest
        components = "".join(kept)


def is_used(component: str, used: set[str]) -> bool:
    """Whether a component stays in the document."""
    return component in used or component.startswith(ALWAYS[2:]) or component in ALWAYS


def write_contract(to: Path, names: list[str], others: set[str]) -> None:
    """Leaves the other systems out."""
    pattern = "|".join(map(re.escape, sorted(others)))
    for file in ("contract/Cargo.toml", "contract/src/lib.rs"):
        text = (to / file).read_text()
        text = re.sub(rf"(?m)^ *(?:{pattern})(?:\.workspace = true|::api::\w+,)\n", "", text)
        (to / file).write_text(text)
    for document in (to / "openapi.yaml", to / "contract" / "released.yaml"):
        document.write_text(of_systems(document.read_text(), names))
    check = [VENV / "bin/python", "infra/check_problems.py"]
    complaints = subprocess.run(check, cwd=to, capture_output=True, text=True, check=False)
    index = to / "docs" / "problems" / "README.md"
    for slug in re.findall(r"(?m)^([\w-]+): no problem has this type", complaints.stdout + complaints.stderr):
        (index.parent / f"{slug}.md").unlink()
        index.write_text(re.sub(rf"(?m)^\| \[`{slug}`\].*\n", "", index.read_text()))
