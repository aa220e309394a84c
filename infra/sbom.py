"""Writes target/sbom/<system>.cdx.json: what the programs of each system consist of, in CycloneDX 1.6.

It lists the crates that are compiled into a release for Lambda, by Cargo.lock: neither the dependencies of tests, nor those
that only run while compiling (build scripts and macros). Each has its version, its licence, the SHA-256 of its source
on crates.io, and what it depends on. The C code of aws-lc is in `aws-lc-sys`. The runtime of AWS (`provided.al2023`), which
gives the C library, is not in it, nor is the Swagger UI in the zip of reference. The same commit gives the same file.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from datetime import UTC, datetime

from common import ROOT
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from systems import systems

OUT = ROOT / "target" / "sbom"
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
LINE = re.compile(r"(\d+)(\S+) v(\S+)(?: \(.*?\))?\|([^|]*)\|([^|]*)")


def output(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def crates() -> tuple[dict[str, dict], dict[str, set[str]]]:
    """The crates of a release of all systems by `name@version`, and what each depends on."""
    # As infra/build.sh builds a release: all systems together, without the crates of the tests and of the contract.
    target = TARGETS[os.environ.get("ARCHITECTURE", "arm64")]
    command = ["cargo", "tree", "--locked", "--workspace", "--exclude", "testing", "--exclude", "contract"]
    command += ["--target", target]
    command += ["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "{p}|{l}|{r}"]
    checksums = {
        f"{it['name']}@{it['version']}": it.get("checksum")
        for it in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    }
    found, needs, above = {}, {}, []
    for line in output(*command).splitlines():
        if not line:
            continue
        depth, name, version, licence, repository = LINE.match(line).groups()
        crate = f"{name}@{version}"
        found[crate] = component(name, version, licence, repository.removesuffix(" (*)"), checksums[crate])
        needs.setdefault(crate, set())
        above[int(depth):] = [crate]
        if len(above) > 1:
            needs[above[-2]].add(crate)
    return found, needs


def component(name: str, version: str, licence: str, repository: str, checksum: str | None) -> dict:
    """A crate as a component. Crates of this repository have no checksum, and are not on crates.io."""
    known = {"type": "library", "bom-ref": f"{name}@{version}", "name": name, "version": version}
    if licence:
        # Old crates separate licences by a slash.
        known["licenses"] = [{"expression": licence.removesuffix(" (*)").replace("/", " OR ")}]
    if checksum:
        known["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        known["purl"] = f"pkg:cargo/{name}@{version}"
    if repository:
        known["externalReferences"] = [{"type": "vcs", "url": repository}]
    return known


def bill(system: str, found: dict[str, dict], needs: dict[str, set[str]], at: str) -> dict:
    """The bill of materials of a system."""
    root = next(crate for crate in found if crate.startswith(f"{system}@"))
    reached, left = {root}, [root]
    while left:
        new = needs[left.pop()] - reached
        reached |= new
        left += new
    commit = output("git", "rev-parse", "HEAD").strip()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{commit}/{system}')}",
        "version": 1,
        "metadata": {"timestamp": at, "component": found[root] | {"type": "application"}},
        "components": [found[crate] for crate in sorted(reached - {root})],
        "dependencies": [{"ref": crate, "dependsOn": sorted(needs[crate])} for crate in sorted(reached)],
    }


def main() -> None:
    """Writes and validates the bills of all systems."""
    found, needs = crates()
    seconds = int(output("git", "log", "-1", "--format=%ct"))
    at = datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    OUT.mkdir(parents=True, exist_ok=True)
    for system in systems():
        text = json.dumps(bill(system, found, needs, at), indent=1)
        if error := validator.validate_str(text):
            sys.exit(f"{system}: {str(error)[:1000]}")
        path = OUT / f"{system}.cdx.json"
        path.write_text(text + "\n")
        print(f"{path.relative_to(ROOT)}: {len(json.loads(text)['components'])} components, valid CycloneDX 1.6")


if __name__ == "__main__":
    main()
