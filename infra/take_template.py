"""Takes systems out of the text of the root template, with what only they need. Comments and order stay.

It edits lines, because a YAML parser would lose the comments and write out the anchors.
"""

import re

# A block: a key of two spaces, with the comments before it.
BLOCK = re.compile(r"^  (\w+):")


def sections(text: str) -> dict[str, list[str]]:
    """The lines of each top-level key, in order. What stands before the first key is under the empty key."""
    found, name = {"": []}, ""
    for line in text.splitlines(keepends=True):
        if match := re.match(r"^(\w+):", line):
            name = match[1]
            # A comment before a key belongs to the key.
            before = found[list(found)[-1]]
            found[name] = []
            while before and before[-1].startswith("#"):
                found[name].insert(0, before.pop())
        found[name].append(line)
    return found


def blocks(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """The lines before the first block of a section, and its blocks by name. Comments go with the block after them."""
    head, found, waiting, name = [], {}, [], None
    for line in lines:
        if match := BLOCK.match(line):
            name = match[1]
            found[name] = "".join(waiting) + line
            waiting = []
        elif line.startswith("  #") or not line.strip():
            waiting.append(line)
        elif name is None:
            head += [*waiting, line]
            waiting = []
        else:
            found[name] += "".join(waiting) + line
            waiting = []
    if name is not None:
        found[name] += "".join(waiting)
    return head, found


def without_resources(found: dict[str, str], left_out: set[str]) -> dict[str, str]:
    """The resources without the systems of these logical ids and their handles. What follows such a handle follows the
    handle before it, and an anchor that a removed resource defines moves to its first use."""
    refers = {name: set(re.findall(r"!Ref (\w+)", block)) for name, block in found.items()}
    handles = {n for n, block in found.items() if "WaitConditionHandle" in block and refers[n] & left_out}
    gone = left_out | handles
    kept = {name: block for name, block in found.items() if name not in gone}
    after = re.compile(r"^    DependsOn: (\w+)\n", re.MULTILINE)
    for name, block in kept.items():
        while (match := after.search(block)) and match[1] in gone:
            before = after.search(found[match[1]])
            block = block.replace(match[0], before[0] if before else "")
        kept[name] = block
    for removed in (block for name, block in found.items() if name in gone):
        for anchor, value in re.findall(r"&([\w-]+) (\{[^{}]*\})?", removed):
            user = next((name for name, block in kept.items() if f"*{anchor}" in block), None)
            if user and not value:
                raise ValueError(f"the anchor {anchor} of a system that is left out cannot move: it is not on one line")
            if user:
                kept[user] = re.sub(rf"\*{anchor}\b", lambda _: f"&{anchor} {value}", kept[user], count=1)
    return kept


def without_parameters(text: str, parameters: set[str]) -> str:
    """The conditions or rules without these parameters, which are also the names of conditions. A choice (!Or) of one is
    that one."""
    names = "|".join(sorted(parameters))
    text = re.sub(rf"^  ({names}):.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(rf", !Condition ({names})\b", "", text)
    text = re.sub(r"!Or \[(!Equals \[[^\[\]]*\])\]", r"\1", text)
    text = re.sub(rf"^ *- !Equals \[!Ref ({names}),.*\n", "", text, flags=re.MULTILINE)
    one = re.compile(r"^( *)- !Or\n(\1  - .*\n)(?!\1  - )", re.MULTILINE)
    return one.sub(lambda match: match[2].removeprefix("  "), text)


def without(text: str, left_out: dict[str, str]) -> str:
    """The template without systems, given as the logical id and the parameter (and condition) of each."""
    if not left_out:
        return text
    parts = sections(text)
    head, resources = blocks(parts["Resources"])
    parts["Resources"] = [*head, *without_resources(resources, set(left_out)).values()]
    for section in ("Conditions", "Rules"):
        parts[section] = [without_parameters("".join(parts[section]), set(left_out.values()))]
    # A rule about authorization has nothing left to say if no system needs an authorizer.
    if re.search(r"- !Or\n(?! *- !)", parts["Rules"][0]):
        del parts["Rules"]
    head, parameters = blocks(parts["Parameters"])
    rest = "".join("".join(lines) for name, lines in parts.items() if name != "Parameters")
    used = set(re.findall(r"!Ref (\w+)", rest)) | set(re.findall(r"\$\{(\w+)\}", rest))
    parts["Parameters"] = [*head, *(block for name, block in parameters.items() if name in used)]
    # A removed block at the end of a section has taken the blank line after it.
    return re.sub(r"(\n +.*\n)(?=[#\w])", r"\1\n", "".join(line for lines in parts.values() for line in lines))
