"""Checks all templates for rules that no linter knows, and prints each violation.

- Each folder functions/<system> with a template is nested in the root template.
- Each `Handler` of a system is an arm `"<handler>" =>` of its program, and each arm is a `Handler`. The program is
  functions/<system>/src/main.rs or functions/<system>/src/bin/<program>.rs. The name of the function is
  `<system>-<handler>`, and its sample event is events/<system>/<handler>.json.
- Each function has a role of its own, without wildcards. local/least_privilege.py shows in minutes that a role has no
  permission that its function does not use; this script takes seconds.
- Each route says whether it asks the authorizer. API Gateway opens a route that says nothing to everybody.
- Each queue is encrypted.
- The routes are those of openapi.yaml, but for pages: the same function, and an authorizer where the document has security.
- A reader of a queue or a stream has no more filters than AWS allows.
- A message or a change that fails for good goes to a dead-letter queue, and this queue has an alarm.
- The description of each alarm names its runbook, docs/runbooks/<page>.md, and this page names the alarm.
- docs/PERMISSIONS.md has the roles as they are in the templates.
- Each stack, and the API that all systems share, stays under 80 % of the limits of AWS.
"""

import logging
import re
import sys

import permissions
from common import ROOT, TEMPLATES
from systems import System, systems

from samcli.lib.translate.sam_template_validator import SamTemplateValidator

# This parser of the SAM CLI reads the short forms (!Ref, !Sub). A plain YAML parser does not.
from samcli.yamlhelper import yaml_parse

SHARE = 0.8
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
STACK_LIMITS = {"resources": 500, "parameters": 200, "outputs": 200, "bytes": 1_000_000}
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html. One operation on a root stack
# changes at most 2,500 resources, including those of nested stacks.
TOTAL_LIMITS = {"routes": 300, "integrations": 300, "authorizers": 10, "resources": 2500}
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
FILTERS = 5
# The arm of a match: `"sweep" =>`, or `"sweep" | "relay" =>`.
ARM = re.compile(r'((?:"[\w-]+"\s*\|\s*)*"[\w-]+")\s*=>')


class Managed:
    """The managed policies that SAM may look up: none, because no template uses one."""

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


def arms(system: System) -> dict[str, set[str]]:
    """The names that the programs of a system match, by program."""
    sources = {system.name: system.folder / "src" / "main.rs"}
    sources |= {path.stem: path for path in system.folder.glob("src/bin/*.rs")}
    found = {}
    for program, path in sources.items():
        # A program of Lambdas starts with `program::run`; what stands before is not the table.
        table = path.read_text().partition("program::run(")[2] if path.exists() else ""
        found[program] = {name for arm in ARM.findall(table) for name in re.findall(r"[\w-]+", arm)}
    return found


def programs(system: System):
    """Where the functions of a template, the programs and the sample events do not match."""
    found = arms(system)
    handled = {program: set() for program in found}
    events = {path.stem for path in (ROOT / "events" / system.name).glob("*.json")}
    for function in system.functions:
        handler = function.handler
        if function.program not in found:
            yield f"{function.name}: there is no program {function.program} in functions/{system.name}/src"
        elif handler not in found[function.program]:
            yield f'{function.name}: the program {function.program} has no arm "{handler}" =>'
        handled.setdefault(function.program, set()).add(handler)
        if function.name != f"{system.name}-{handler}":
            yield f"{function.name}: with the Handler {handler} its name is {system.name}-{handler}"
        if handler not in events:
            yield f"{function.name}: it needs a sample event, events/{system.name}/{handler}.json"
    for program, names in found.items():
        for name in sorted(names - handled[program]):
            yield f'the arm "{name}" => of the program {program} is the Handler of no function'
    for name in sorted(events - {function.handler for function in system.functions}):
        yield f"events/{system.name}/{name}.json is the event of no function"


def roles(resources: dict):
    """What is wrong with the roles."""
    seen = {}
    for name, properties in of_type(resources, "AWS::Serverless::Function").items():
        if "Policies" in properties or "Role" not in properties:
            yield f"{name}: it needs a Role and no Policies; the policies of SAM allow more than it needs"
            continue
        role = referred(properties["Role"])
        if role in seen:
            yield f"{name}: it shares {role} with {seen[role]}"
        seen[role] = name
        if "ManagedPolicyArns" in resources[role]["Properties"]:
            yield f"{role}: managed policies allow more than it needs"
        for policy in resources[role]["Properties"]["Policies"]:
            # The only policy with a condition is the one for a VPC, whose statements AWS prescribes.
            if "Fn::If" in policy:
                continue
            for statement in policy["PolicyDocument"]["Statement"]:
                if any("*" in action for action in as_list(statement["Action"])):
                    yield f"{role}: a wildcard among {statement['Action']}"
                if "*" in as_list(statement["Resource"]):
                    yield f"{role}: {statement['Action']} on every resource"


def routes(resources: dict):
    """What is wrong with the routes."""
    for name, properties in of_type(resources, "AWS::ApiGatewayV2::Route").items():
        kind = properties.get("AuthorizationType")
        if kind != "NONE" and (kind != "CUSTOM" or "AuthorizerId" not in properties):
            yield f"{name}: it needs an AuthorizationType: CUSTOM with an AuthorizerId, or NONE"


def served(resources: dict):
    """Each route, such as `GET /v1/orders`, with the name of its function, and whether it asks the authorizer."""
    integrations = of_type(resources, "AWS::ApiGatewayV2::Integration")
    functions = of_type(resources, "AWS::Serverless::Function")
    for properties in of_type(resources, "AWS::ApiGatewayV2::Route").values():
        integration = re.search(r"\$\{(\w+)\}", properties["Target"]["Fn::Sub"])[1]
        function = functions[referred(integrations[integration]["IntegrationUri"])]
        name = function["FunctionName"]["Fn::Sub"].removeprefix("${Prefix}-")
        yield properties["RouteKey"], (name, properties.get("AuthorizationType") != "NONE")


def contract(routes: dict[str, tuple[str, bool]]):
    """Where these routes and openapi.yaml do not match."""
    declared = {
        f"{method.upper()} {path}": (operation["operationId"], bool(operation["security"]))
        for path, methods in yaml_parse((ROOT / "openapi.yaml").read_text())["paths"].items()
        for method, operation in methods.items()
    }
    # The document describes no pages for browsers: those that show it, and those of a function `<system>-pages`.
    pages = {route for route, (function, _) in routes.items() if re.match(r"reference-|[\w-]+-pages$", function)}
    for route in sorted((routes.keys() | declared.keys()) - pages):
        if routes.get(route) != declared.get(route):
            yield f"{route}: {routes.get(route)} in the templates, {declared.get(route)} in openapi.yaml"


def schedules(resources: dict):
    """Schedules whose names two deployments share. `resources` are transformed."""
    for name, properties in of_type(resources, "AWS::Scheduler::Schedule").items():
        if "${Prefix}" not in str(properties.get("Name")):
            yield f"{name}: it needs a Name that begins with ${{Prefix}}"


def lost(resources: dict):
    """Where messages may get lost or are not encrypted. `resources` are transformed: SAM has written out the events of functions."""
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
        if queues[name].get("SqsManagedSseEnabled") is not True:
            yield f"{name}: a queue needs SqsManagedSseEnabled: true"
        if name not in redrives and name not in ends:
            yield f"{name}: a queue needs a RedrivePolicy"
        if name in ends and name not in watched:
            yield f"{name}: a dead-letter queue needs an alarm"


def filters(resources: dict):
    """Readers with more filters than AWS allows. `resources` are transformed."""
    for name, properties in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        count = len(properties.get("FilterCriteria", {}).get("Filters", []))
        if count > FILTERS:
            yield f"{name}: {count} filters, and AWS allows {FILTERS}"


def alarms(resources: dict):
    """Alarms that tell nobody, or do not tell what to do."""
    for name, properties in of_type(resources, "AWS::CloudWatch::Alarm").items():
        if "AlarmActions" not in properties:
            yield f"{name}: an alarm needs AlarmActions"
        pages = re.findall(r"\bdocs/runbooks/[\w-]+\.md\b", properties.get("AlarmDescription", ""))
        runbook = ROOT / pages[0] if pages else None
        if not (runbook and runbook.exists()):
            yield f"{name}: its AlarmDescription needs to name a runbook that exists, docs/runbooks/….md"
        elif f"`{name}`" not in runbook.read_text():
            yield f"{name}: {pages[0]} does not name this alarm"


def near(counts: dict[str, int], limits: dict[str, int]):
    """The counts that are near a limit."""
    for what, limit in limits.items():
        if counts[what] > SHARE * limit:
            yield f"{counts[what]:,} {what} of the {limit:,} that AWS allows: over {SHARE:.0%}"


def main() -> None:
    """Checks all templates."""
    # The transform logs a warning because it sends no metrics.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    nested, total, all_routes = systems(), dict.fromkeys(TOTAL_LIMITS, 0), {}
    found = [
        f"{path.relative_to(ROOT)}: the root template does not nest it"
        for path in TEMPLATES
        if path.parent != ROOT and path.parent.name not in nested
    ]
    for path in TEMPLATES:
        text, name = path.read_text(), path.relative_to(ROOT)
        complaints = [*roles(yaml_parse(text)["Resources"])]
        all_routes.update(served(yaml_parse(text)["Resources"]))
        if path.parent != ROOT and path.parent.name in nested:
            complaints += programs(nested[path.parent.name])
        validator = SamTemplateValidator(yaml_parse(text), Managed(), region="eu-central-1")
        transformed = validator.get_translated_template_if_valid()
        template = yaml_parse(transformed)
        resources = template["Resources"]
        complaints += [*routes(resources), *schedules(resources), *lost(resources), *filters(resources), *alarms(resources)]
        counts = {part: len(template.get(part.title(), {})) for part in ("resources", "parameters", "outputs")}
        complaints += near(counts | {"bytes": len(transformed.encode())}, STACK_LIMITS)
        found += [f"{name}: {complaint}" for complaint in complaints]
        total["resources"] += counts["resources"]
        for part in ("routes", "integrations", "authorizers"):
            total[part] += len(of_type(resources, f"AWS::ApiGatewayV2::{part.title()[:-1]}"))
        print(f"{name}: {counts['resources']} resources, {len(transformed.encode()):,} bytes")
    if not permissions.is_current():
        found.append("docs/PERMISSIONS.md is not up to date: make permissions")
    found += [f"All together: {complaint}" for complaint in [*near(total, TOTAL_LIMITS), *contract(all_routes)]]
    print(", ".join(f"{count} {what}" for what, count in total.items()) + " in all")
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
