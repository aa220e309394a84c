"""The systems: what they are called, what each needs, and which functions it has, all read from the templates.

    systems.py names [SYSTEM]         prints the names of all systems, or of this system and those that it needs
    systems.py parameters [SYSTEM]    prints the parameters of the root template that deploy the same systems. A system that
                                      is deployed already stays: without it, its tables would be deleted.

A system is a folder of functions/ whose template.yaml is nested in the root template. One system needs another if
it takes one of its outputs as a parameter: checkout takes the table of inventory, and all take the authorizer of auth.
"""

import functools
import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from botocore.exceptions import ClientError
from common import NESTED, ROOT, resources

# This parser of the SAM CLI reads the short forms (!Ref, !Sub). A plain YAML parser does not.
from samcli.yamlhelper import yaml_parse


@dataclass(frozen=True)
class Function:
    """A function of a system."""

    # Without the prefix of the deployment: `checkout-place-order`.
    name: str
    # The Lambda in the program: `place-order`.
    handler: str
    # The program that contains it: `checkout`.
    program: str


@dataclass(frozen=True)
class System:
    """A system, as the root template nests it."""

    # The name of its folder: `checkout`.
    name: str
    # Its logical id in the root template: `Checkout`.
    logical_id: str
    # The parameter of the root template that includes it: `IncludeCheckout`.
    parameter: str
    # The names of the systems that it needs, and of those that they need.
    needs: frozenset[str]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return ROOT / "functions" / self.name

    @functools.cached_property
    def functions(self) -> list[Function]:
        """Its functions, in the order of its template."""
        template = yaml_parse((self.folder / "template.yaml").read_text())
        defaults = template.get("Globals", {}).get("Function", {})
        properties = [
            defaults | resource["Properties"]
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::Serverless::Function"
        ]
        return [
            Function(
                name=its["FunctionName"]["Fn::Sub"].removeprefix("${Prefix}-"),
                handler=its["Handler"],
                program=Path(its["CodeUri"]).stem,
            )
            for its in properties
        ]

    def module(self, name: str) -> ModuleType | None:
        """The Python module `functions/<system>/<name>.py`, if there is one."""
        if (self.folder / f"{name}.py").exists():
            return importlib.import_module(f"functions.{self.name}.{name}")
        return None


def referred(value) -> set[str]:
    """The logical ids whose attributes stand in a value of a template."""
    if isinstance(value, dict):
        found = {value["Fn::GetAtt"][0]} if "Fn::GetAtt" in value else set()
        return found.union(*(referred(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(referred(part) for part in value))
    return set()


@functools.cache
def systems() -> dict[str, System]:
    """All systems by name, in the order of the root template. There a system stands after those that it needs."""
    found: dict[str, System] = {}
    names: dict[str, str] = {}
    for logical_id, resource in yaml_parse((ROOT / "template.yaml").read_text())["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Application":
            continue
        properties = resource["Properties"]
        name = re.fullmatch(r"functions/([\w-]+)/template\.yaml", properties["Location"])[1]
        direct = {names[other] for other in referred(properties["Parameters"]) if other in names}
        needs = direct.union(*(found[other].needs for other in direct))
        found[name] = System(name, logical_id, resource["Condition"], frozenset(needs))
        names[logical_id] = name
    return found


def named(name: str) -> System:
    """The system of this name. Without one, the program ends."""
    if name not in systems():
        sys.exit(f"There is no system {name!r}. The systems are {', '.join(systems())}.")
    return systems()[name]


def deployed() -> list[System]:
    """The systems that are in the deployed stack, in the order of the root template."""
    ids = {it["LogicalResourceId"] for it in resources() if it["ResourceType"] == NESTED}
    return [system for system in systems().values() if system.logical_id in ids]


def wanted(name: str = "") -> list[str]:
    """The names of all systems, or of one system and those that it needs."""
    chosen = {name, *named(name).needs} if name else set(systems())
    return [it for it in systems() if it in chosen]


def parameters(name: str = "") -> list[str]:
    """The parameters of the root template that deploy these systems, and keep those that are deployed."""
    included = set(wanted(name))
    try:
        included |= {system.name for system in deployed()}
    except ClientError as error:
        # Before the first deployment there is no stack.
        if "does not exist" not in str(error):
            raise
    return [f"{it.parameter}={str(it.name in included).lower()}" for it in systems().values()]


if __name__ == "__main__":
    commands = {"names": wanted, "parameters": parameters}
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in commands:
        sys.exit("usage: systems.py names|parameters [SYSTEM]")
    print(" ".join(commands[sys.argv[1]](*sys.argv[2:])))
