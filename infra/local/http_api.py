"""Gives the local HTTP API its routes, authorizer and CORS.

SAM puts them into the `Body` of `AWS::ApiGatewayV2::Api`, which AWS's CloudFormation reads and the
emulator's does not. This reads the deployed template's `Body` and makes the same through the API
Gateway API. It can run any number of times: what is right is left alone, what is wrong is replaced.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import STACK, client

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method")


class Stack:
    """The deployed stack, as far as an API's Body refers to it."""

    def __init__(self) -> None:
        cloudformation = client("cloudformation")
        answer = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")
        self.template = answer["TemplateBody"]
        resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources}
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        _, partition, _, region, account, *_ = stack["StackId"].split(":")
        self.names = {
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::AccountId": account,
            "AWS::StackName": STACK,
            "AWS::URLSuffix": "amazonaws.com",
        }
        for parameter in stack.get("Parameters", []):
            self.names[parameter["ParameterKey"]] = parameter["ParameterValue"]

    def arn(self, logical_id: str) -> str:
        """A function's ARN, which is the only one that a Body names."""
        n = self.names
        prefix = f"arn:{n['AWS::Partition']}:lambda:{n['AWS::Region']}:{n['AWS::AccountId']}"
        return f"{prefix}:function:{self.ids[logical_id]}"

    def resolve(self, value):
        """`value` with `Ref`, `Fn::GetAtt …Arn` and `Fn::Sub` replaced by what they stand for."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            function, argument = next(iter(value.items()))
            if function == "Ref":
                return self.name(argument)
            if function == "Fn::GetAtt":
                return self.arn(argument[0] if isinstance(argument, list) else argument.split(".")[0])
            if function == "Fn::Sub":
                text, own = (argument, {}) if isinstance(argument, str) else argument
                own = self.resolve(own)
                known = lambda match: own.get(match[1]) or self.name(match[1])
                return re.sub(r"\$\{([^}]+)\}", known, text)
        return {key: self.resolve(item) for key, item in value.items()}

    def name(self, name: str) -> str:
        """What `${name}` stands for."""
        if name.endswith(".Arn"):
            return self.arn(name.removesuffix(".Arn"))
        return self.names.get(name) or self.ids[name]

    def bodies(self):
        """Each HTTP API's id and Body."""
        for logical_id, resource in self.template["Resources"].items():
            if resource["Type"] == "AWS::ApiGatewayV2::Api":
                yield self.ids[logical_id], self.resolve(resource["Properties"]["Body"])


def authorizers(gateway, api_id: str, body: dict) -> dict[str, str]:
    """Makes the Body's authorizers; gives their ids by name."""
    schemes = body.get("components", {}).get("securitySchemes", {})
    existing = {a["Name"]: a for a in gateway.get_authorizers(ApiId=api_id)["Items"]}
    ids = {}
    for name, scheme in schemes.items():
        wanted = scheme["x-amazon-apigateway-authorizer"]
        source = wanted["identitySource"]
        settings = {
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": wanted["authorizerUri"],
            "AuthorizerPayloadFormatVersion": str(wanted["authorizerPayloadFormatVersion"]),
            "EnableSimpleResponses": wanted.get("enableSimpleResponses", False),
            "IdentitySource": source.split(",") if isinstance(source, str) else source,
            "AuthorizerResultTtlInSeconds": wanted.get("authorizerResultTtlInSeconds", 300),
        }
        if name not in existing:
            made = gateway.create_authorizer(ApiId=api_id, Name=name, **settings)
            ids[name] = made["AuthorizerId"]
            continue
        ids[name] = existing[name]["AuthorizerId"]
        if any(existing[name].get(key) != value for key, value in settings.items()):
            gateway.update_authorizer(ApiId=api_id, AuthorizerId=ids[name], **settings)
    return ids


def wanted_routes(body: dict):
    """The Body's routes: route key, integration, and the authorizer's name or None."""
    for path, methods in body.get("paths", {}).items():
        for method, operation in methods.items():
            if method not in METHODS:
                continue
            verb = "ANY" if method.startswith("x-") else method.upper()
            key = "$default" if path == "/$default" else f"{verb} {path}"
            security = [name for entry in operation.get("security", []) for name in entry]
            authorizer = next((name for name in security if name != "NONE"), None)
            yield key, operation["x-amazon-apigateway-integration"], authorizer


def routes(gateway, api_id: str, body: dict, authorizer_ids: dict[str, str]) -> int:
    """Makes the Body's routes and removes all others; gives how many there are."""
    integrations = {i["IntegrationUri"]: i for i in gateway.get_integrations(ApiId=api_id)["Items"]}
    existing = {r["RouteKey"]: r for r in gateway.get_routes(ApiId=api_id)["Items"]}
    wanted = list(wanted_routes(body))
    for key, integration, authorizer in wanted:
        uri = integration["uri"]
        if uri not in integrations:
            integrations[uri] = gateway.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=uri,
                PayloadFormatVersion=integration["payloadFormatVersion"],
            )
        settings = {
            "Target": f"integrations/{integrations[uri]['IntegrationId']}",
            "AuthorizationType": "CUSTOM" if authorizer else "NONE",
        }
        if authorizer:
            settings["AuthorizerId"] = authorizer_ids[authorizer]
        if key not in existing:
            gateway.create_route(ApiId=api_id, RouteKey=key, **settings)
        elif any(existing[key].get(name) != value for name, value in settings.items()):
            gateway.update_route(ApiId=api_id, RouteId=existing[key]["RouteId"], **settings)
    for key in existing.keys() - {key for key, _, _ in wanted}:
        gateway.delete_route(ApiId=api_id, RouteId=existing[key]["RouteId"])
    return len(wanted)


def cors(gateway, api_id: str, body: dict) -> None:
    """Sets the Body's CORS rules."""
    wanted = body.get("x-amazon-apigateway-cors")
    if wanted:
        rules = {key[0].upper() + key[1:]: value for key, value in wanted.items()}
        gateway.update_api(ApiId=api_id, CorsConfiguration=rules)


def main() -> None:
    """Configures every HTTP API of the stack."""
    gateway = client("apigatewayv2")
    for api_id, body in Stack().bodies():
        count = routes(gateway, api_id, body, authorizers(gateway, api_id, body))
        cors(gateway, api_id, body)
        print(f"The HTTP API {api_id} has {count} routes.")


if __name__ == "__main__":
    main()
