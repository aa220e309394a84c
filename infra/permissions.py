"""Writes docs/PERMISSIONS.md: what each function may do, read from the roles in the templates.

    permissions.py           writes the page
    permissions.py --check   ends with an error if the page is not up to date

check_templates.py makes the same check.
"""

import re
import sys

from common import ROOT, TEMPLATES

# This parser of the SAM CLI reads the short forms (!Ref, !Sub). A plain YAML parser does not.
from samcli.yamlhelper import yaml_parse

PAGE = ROOT / "docs" / "PERMISSIONS.md"
# Why a resource has a wildcard. A wildcard without a reason is an error.
WILDCARDS = {
    r"Bucket/(uploads|clean|text|structure)/\*": "the objects of one folder of the bucket; each document has its own names",
    r"Table/stream/\*": "the stream of one table; its name contains the time of its creation",
    r"bedrock:\*::foundation-model/\$\{ModelId\}": "one model, in the region where Bedrock runs it",
    r"bedrock:\*::foundation-model/\*": "only behind the inference profile that the condition names; it chooses the region's model",
    r"rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3\*": "GuardDuty names its rule; AWS prescribes this statement",
    r"identity/\*": "the identities of SES: the sender's address or its domain, and in the sandbox the receiver's; the condition names the sender",
    r"configuration-set/\*": "the configuration set that the sender's identity may have; the condition names the sender",
    r"every resource": "AWS accepts no narrower resource; only if the scanner is in a VPC",
}
INTRODUCTION = """# Permissions

What each function may do on AWS, by its role. `infra/permissions.py` writes this page from the templates (`make permissions`),
and `make test` fails if it is not up to date. `infra/local/run.sh local/least_privilege.py` takes each permission away in turn, and
expects the function to fail without it; it names the permissions that the local AWS cannot judge.

A resource is the logical id in the system's template, or the parameter that names it. `RequestsTable` is the root's table of
idempotency records, limits and budgets. Every function may also write to the log group of its system; the tables leave this out. ⚠ is a wildcard.
"""


# What a role allows: the actions on a resource, under a condition or none ("").
Role = dict[tuple[str, str], list[str]]


def as_list(value) -> list:
    """`value`, or a list of it."""
    return value if isinstance(value, list) else [value]


def name_of(resource) -> str:
    """The short name of a resource: `Table`, `Table/index/due`, `Bucket/clean/*`."""
    if resource == "*":
        return "every resource"
    if "Fn::GetAtt" in resource:
        return as_list(resource["Fn::GetAtt"])[0].split(".")[0]
    text = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", resource["Fn::Sub"])
    text = re.sub(r"^arn:\$\{AWS::Partition\}:", "", text)
    text = re.sub(r"^\w+:\$\{AWS::Region\}:\$\{AWS::AccountId\}:", "", text)
    return re.sub(r"^table/\$\{(\w+)\}", r"\1", text)


def reason(resource: str) -> str | None:
    """Why a resource has a wildcard, or None if the reason is not known."""
    return next((why for pattern, why in WILDCARDS.items() if re.fullmatch(pattern, resource)), None)


def is_wide(resource: str) -> bool:
    """Tells whether a resource has a wildcard."""
    return "*" in resource or resource == "every resource"


def allowed(role: dict) -> Role:
    """What a role allows, by those policies too that apply only under a condition of the template."""
    found: Role = {}
    for policy in role["Properties"]["Policies"]:
        policy = policy["Fn::If"][1] if "Fn::If" in policy else policy
        for statement in policy["PolicyDocument"]["Statement"]:
            condition = ", ".join(name for test in statement.get("Condition", {}).values() for name in test)
            for resource in map(name_of, as_list(statement["Resource"])):
                known = found.setdefault((resource, condition), [])
                known += [action for action in as_list(statement["Action"]) if action not in known]
    return found


def roles(resources: dict) -> dict[str, Role]:
    """The roles of a template by the name of their function, or by their own logical id."""
    users = {}
    for function in resources.values():
        if function["Type"] == "AWS::Serverless::Function":
            properties = function["Properties"]
            name = properties["FunctionName"]["Fn::Sub"].removeprefix("${Prefix}-")
            users[name_of(properties["Role"])] = name
    return {users.get(it, it): allowed(role) for it, role in resources.items() if role["Type"] == "AWS::IAM::Role"}


def section(system: str, found: dict[str, Role]) -> list[str]:
    """The table of one system."""
    lines = [f"\n## {system}\n", "| function or role | actions | resource |", "|---|---|---|"]
    for name, role in found.items():
        for (resource, condition), actions in role.items():
            if resource != "Logs":
                listed = ", ".join(f"`{action}`" for action in actions)
                mark = " ⚠" if is_wide(resource) else ""
                lines.append(f"| {name} | {listed} | `{resource}`{mark}" + (f" if `{condition}` |" if condition else " |"))
    return lines


def totals(systems: dict[str, dict[str, Role]]) -> list[str]:
    """The totals of each system and of all."""
    lines = ["\n## Totals\n", "A permission is an action on a resource. Those for the log groups are counted.\n"]
    lines += ["| system | roles | permissions | of these on a resource with a wildcard |", "|---|---|---|---|"]
    counts = []
    for found in systems.values():
        grants = [(resource, action) for role in found.values() for (resource, _), them in role.items() for action in them]
        counts.append([len(found), len(grants), sum(is_wide(resource) for resource, _ in grants)])
    counts.append([sum(column) for column in zip(*counts)])
    return lines + [f"| {name} | {a} | {b} | {c} |" for name, (a, b, c) in zip([*systems, "all"], counts)]


def wildcards(systems: dict[str, dict[str, Role]]) -> list[str]:
    """The wildcards and their reasons. One without a reason ends the program."""
    found = {resource for roles in systems.values() for role in roles.values() for resource, _ in role if is_wide(resource)}
    unknown = [resource for resource in sorted(found) if reason(resource) is None]
    if unknown:
        sys.exit(f"Wildcards without a reason in infra/permissions.py: {', '.join(unknown)}")
    lines = ["\n## Wildcards\n", "| resource | why |", "|---|---|"]
    return lines + [f"| `{resource}` ⚠ | {reason(resource)} |" for resource in sorted(found)]


def page() -> str:
    """The page."""
    nested = [path for path in TEMPLATES if path.parent != ROOT]
    systems = {path.parent.name: roles(yaml_parse(path.read_text())["Resources"]) for path in nested}
    lines = totals(systems) + wildcards(systems)
    for system, found in systems.items():
        lines += section(system, found)
    return INTRODUCTION + "\n".join(lines) + "\n"


def is_current() -> bool:
    """Tells whether the page is up to date."""
    return PAGE.exists() and PAGE.read_text() == page()


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page())
    elif not is_current():
        sys.exit("docs/PERMISSIONS.md is not up to date: make permissions")
