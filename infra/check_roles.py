"""Checks in template.yaml that each function has a role of its own, with no wildcard in it.

That a role has no more than its function uses is shown by local/least_privilege.py, which takes
minutes; this takes none.
"""

import sys
from pathlib import Path

# SAM CLI reads the short forms (!Ref, !Sub) that a plain YAML parser does not.
from samcli.yamlhelper import yaml_parse

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"


def as_list(value) -> list:
    """`value`, or a list of it."""
    return value if isinstance(value, list) else [value]


def complaints(resources: dict):
    """What is wrong with the roles, in words."""
    seen = {}
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        if "Policies" in properties or "Role" not in properties:
            yield f"{name}: give it a Role and no Policies; SAM's own are wider than it needs"
            continue
        role = as_list(properties["Role"]["Fn::GetAtt"])[0].split(".")[0]
        if role in seen:
            yield f"{name}: it shares {role} with {seen[role]}"
        seen[role] = name
        if "ManagedPolicyArns" in resources[role]["Properties"]:
            yield f"{role}: managed policies are wider than it needs"
        for policy in resources[role]["Properties"]["Policies"]:
            # The only policy that is there on a condition is a VPC's, which AWS has so.
            if "Fn::If" in policy:
                continue
            for statement in policy["PolicyDocument"]["Statement"]:
                if any("*" in action for action in as_list(statement["Action"])):
                    yield f"{role}: a wildcard among {statement['Action']}"
                if "*" in as_list(statement["Resource"]):
                    yield f"{role}: {statement['Action']} on every resource"


if __name__ == "__main__":
    found = list(complaints(yaml_parse(TEMPLATE.read_text())["Resources"]))
    sys.exit("\n".join(found) or None)
