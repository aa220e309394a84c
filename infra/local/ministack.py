"""Starts MiniStack, the local AWS, with corrections that our templates need. supervisord runs this instead of `ministack`.

Without the corrections, MiniStack 1.5.33
- does not apply SAM's transform to the template of a nested stack: `AWS::Serverless::Function` in it is an
  unsupported type;
- forgets the attributes of the resources that an update of a nested stack does not change, so that references to them
  (`!GetAtt Table.Arn`) are empty;
- stores the CORS rules of an `AWS::ApiGatewayV2::Api` under the names of CloudFormation, and does not find them when a
  browser asks;
- sees no change when a parameter includes or leaves out a resource through a condition;
- does not create an alarm on an expression (`Metrics`): it gets an alarm on the first metric of the expression;
- does not know `AWS::Logs::QueryDefinition`. It has no Logs Insights, so a query is created and deleted without effect;
- judges a mail on the resource `*` and without `ses:FromAddress`; AWS, on the identity of the sender;
- gives each event to a function in two small packets. The second waits some 40 ms for the acknowledgement of the first,
  so that each invocation takes 55 ms and not 10 ms.

This file replaces functions of MiniStack. If a version lacks one of these functions, or the function takes other
parameters, the local AWS does not start.

It runs with `python -P`, because this file has the name of the package that it imports.
"""

import inspect
import json
import socketserver
import sys
from email.utils import parseaddr

from ministack import app
from ministack.core.responses import get_account_id
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, engine, provisioners


def known(module, name: str, *parameters: str):
    """The function `name` of the module. It must take these parameters."""
    function = getattr(module, name, None)
    if function is None or tuple(inspect.signature(function).parameters) != parameters:
        sys.exit(
            f"{module.__name__}.{name}({', '.join(parameters)}) is missing: infra/local/ministack.py corrects another version "
            "of MiniStack. Install the version that infra/requirements.txt pins."
        )
    return function


transform = known(engine, "_apply_transforms", "template", "provided_params", "previous_params")
check = known(
    provisioners, "_check_nested_stack_capabilities", "parent_stack_name", "template"
)
update = known(
    provisioners,
    "_update_resource",
    *("resource_type", "physical_id", "old_props", "new_props", "stack_name", "logical_id", "old_attrs"),
)
api_create = known(provisioners, "_apigw_v2_api_create", "logical_id", "props", "stack_name")
api_update = known(
    provisioners,
    "_apigw_v2_api_update",
    *("physical_id", "old_props", "new_props", "stack_name", "logical_id"),
)
evaluate = known(engine, "_evaluate_conditions", "template", "params")
enforce_ses = known(app, "_enforce_ses_v2", "method", "path", "headers", "body", "query_params", "request_id")
alarm = known(provisioners, "_cw_metric_alarm_record", "name", "props")
resolve = known(
    changesets, "_resolve_props_for_diff", "template", "params", "stack_name", "stack_id"
)


def check_and_transform(parent_stack_name: str, template: dict) -> None:
    """Checks the capabilities that a nested template needs, and transforms the template in place."""
    check(parent_stack_name, template)
    transformed = transform(template)
    if isinstance(transformed, engine._TransformFailed):
        raise ValueError(transformed.error)
    if transformed is not template:
        template.clear()
        template.update(transformed)


def update_with_attributes(
    resource_type, physical_id, old_props, new_props, stack_name, logical_id=None, old_attrs=None
):
    """Updates a resource, with the attributes that it had before."""
    if old_attrs is None and logical_id:
        resources = (cloudformation._stacks.get(stack_name) or {}).get("_resources", {})
        old_attrs = (resources.get(logical_id) or {}).get("Attributes")
    return update(
        resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs
    )


def with_cors_as_read(props: dict) -> dict:
    """The properties of an API, with its CORS rules under the names that MiniStack reads."""
    rules = props.get("CorsConfiguration") or {}
    return props | {"CorsConfiguration": {name[0].lower() + name[1:]: rule for name, rule in rules.items()}}


def create_api(logical_id, props, stack_name):
    """Creates an API with its CORS rules."""
    return api_create(logical_id, with_cors_as_read(props), stack_name)


def update_api(physical_id, old_props, new_props, stack_name, logical_id=None):
    """Updates an API with its CORS rules."""
    return api_update(physical_id, old_props, with_cors_as_read(new_props), stack_name, logical_id)


def alarm_of_first_metric(name, props):
    """An alarm. If it is on an expression, it is created on the first metric of this expression."""
    stats = [metric["MetricStat"] for metric in props.get("Metrics", []) if "MetricStat" in metric]
    if stats:
        of = {"Statistic": stats[0]["Stat"], "Period": stats[0]["Period"]}
        props = {key: value for key, value in props.items() if key != "Metrics"} | stats[0]["Metric"] | of
    return alarm(name, props)


def resolve_included(template, params, stack_name, stack_id) -> dict:
    """What a change set compares: the resources of a template without those that a condition leaves out."""
    resolved = resolve(template, params, stack_name, stack_id)
    conditions = evaluate(template, params)
    included = {
        name: resource
        for name, resource in resolved.get("Resources", {}).items()
        if conditions.get(resource.get("Condition"), True)
    }
    return {"Resources": included}


def enforce_mail(method, path, headers, body, query_params, request_id):
    """Judges a mail as AWS does: on the identity of its sender, whose address a condition may name."""
    sender = ""
    if path.rstrip("/") == "/v2/email/outbound-emails" and app.AUTH:
        sender = parseaddr(json.loads(body).get("FromEmailAddress") or "")[1]
    if not sender:
        return enforce_ses(method, path, headers, body, query_params, request_id)
    place = f"{app.extract_region(headers, query_params)}:{get_account_id()}"
    identity = f"arn:aws:ses:{place}:identity/{sender.rpartition('@')[2]}"
    context = {"ses:fromaddress": sender}
    return app._enforce_data_plane(
        *("sesv2", "ses:SendEmail", headers, query_params, request_id),
        resource_arn=identity, service_context=context, named_resource=identity,
    )


app._enforce_ses_v2 = enforce_mail
changesets._resolve_props_for_diff = resolve_included
provisioners._cw_metric_alarm_record = alarm_of_first_metric
provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": lambda logical_id, props, stack_name: (f"{stack_name}-{logical_id}", {}),
    "delete": lambda physical_id, props: None,
}
provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"].update(create=create_api, update=update_api)
provisioners._check_nested_stack_capabilities = check_and_transform
provisioners._update_resource = update_with_attributes

socketserver.StreamRequestHandler.disable_nagle_algorithm = True

if __name__ == "__main__":
    app.main()
