"""Checks all templates for what no linter knows, and says what is wrong.

- Each function has a role of its own, with no wildcard in it. That a role has no more than its function
  uses is shown by local/least_privilege.py, which takes minutes; this takes seconds.
- Each route says whether it asks the authorizer: API Gateway opens a route that says nothing to everybody.
- What a queue or a stream fails on for good goes to a dead-letter queue, and that has an alarm.
- Each stack, and what all add to one API, stays under 80 % of what AWS allows.
"""

import logging
import sys

from common import ROOT, TEMPLATES

# SAM CLI reads the short forms (!Ref, !Sub) that a plain YAML parser does not.
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

SHARE = 0.8
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
STACK_LIMITS = {"resources": 500, "parameters": 200, "outputs": 200, "bytes": 1_000_000}
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html; one operation on a
# root stack is on at most 2,500 resources, those of nested stacks included.
TOTAL_LIMITS = {"routes": 300, "integrations": 300, "authorizers": 10, "resources": 2500}


class Managed:
    """No managed policy is used, and none is looked up."""

    def load(self) -> dict:
        """The policies by name."""
        return {}


def as_list(value) -> list:
    """`value`, or a list of it."""
    return value if isinstance(value, list) else [value]


def referred(value) -> str | None:
    """The logical id in `!GetAtt id.attribute`."""
    return as_list(value["Fn::GetAtt"])[0].split(".")[0] if "Fn::GetAtt" in (value or {}) else None


def of_type(resources: dict, kind: str) -> dict[str, dict]:
    """The properties of the resources of this type, by logical id."""
    return {n: r.get("Properties", {}) for n, r in resources.items() if r["Type"] == kind}


def roles(resources: dict):
    """What is wrong with the roles, in words."""
    seen = {}
    for name, properties in of_type(resources, "AWS::Serverless::Function").items():
        if "Policies" in properties or "Role" not in properties:
            yield f"{name}: give it a Role and no Policies; SAM's own are wider than it needs"
            continue
        role = referred(properties["Role"])
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


def routes(resources: dict):
    """What is wrong with the routes, in words."""
    for name, properties in of_type(resources, "AWS::ApiGatewayV2::Route").items():
        kind = properties.get("AuthorizationType")
        if kind != "NONE" and (kind != "CUSTOM" or "AuthorizerId" not in properties):
            yield f"{name}: say AuthorizationType, CUSTOM with an AuthorizerId or NONE"


def dead_letters(resources: dict):
    """What may get lost, in words. These are transformed resources, in which SAM has written out events."""
    queues = of_type(resources, "AWS::SQS::Queue")
    redrives = {n: p["RedrivePolicy"]["deadLetterTargetArn"] for n, p in queues.items() if "RedrivePolicy" in p}
    ends = {referred(arn) for arn in redrives.values()}
    for kind in ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"):
        for name, properties in of_type(resources, kind).items():
            end = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            ends.add(referred(end))
            if "StartingPosition" in properties and not end:
                yield f"{name}: a stream needs an OnFailure destination"
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = {referred(d["Value"]) for alarm in alarms for d in alarm.get("Dimensions", []) if d["Name"] == "QueueName"}
    for name in queues:
        if name not in redrives and name not in ends:
            yield f"{name}: a queue needs a RedrivePolicy"
        if name in ends and name not in watched:
            yield f"{name}: a dead-letter queue needs an alarm"


def near(counts: dict[str, int], limits: dict[str, int]):
    """What is near a limit, in words."""
    for what, limit in limits.items():
        if counts[what] > SHARE * limit:
            yield f"{counts[what]:,} {what} of the {limit:,} that AWS allows: over {SHARE:.0%}"


def main() -> None:
    """Checks all of them."""
    # The transform warns that it has sent its metrics to nobody.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    found, total = [], dict.fromkeys(TOTAL_LIMITS, 0)
    for path in TEMPLATES:
        text, name = path.read_text(), path.relative_to(ROOT)
        complaints = [*roles(yaml_parse(text)["Resources"])]
        validator = SamTemplateValidator(yaml_parse(text), Managed(), region="eu-central-1")
        transformed = validator.get_translated_template_if_valid()
        template = yaml_parse(transformed)
        resources = template["Resources"]
        complaints += [*routes(resources), *dead_letters(resources)]
        counts = {part: len(template.get(part.title(), {})) for part in ("resources", "parameters", "outputs")}
        complaints += near(counts | {"bytes": len(transformed.encode())}, STACK_LIMITS)
        found += [f"{name}: {complaint}" for complaint in complaints]
        total["resources"] += counts["resources"]
        for part in ("routes", "integrations", "authorizers"):
            total[part] += len(of_type(resources, f"AWS::ApiGatewayV2::{part.title()[:-1]}"))
        print(f"{name}: {counts['resources']} resources, {len(transformed.encode()):,} bytes")
    found += [f"All together: {complaint}" for complaint in near(total, TOTAL_LIMITS)]
    print(", ".join(f"{count} {what}" for what, count in total.items()) + " in all")
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
