"""Takes one system out into a repository of its own, with what it needs and nothing else.

    take.py SYSTEM FOLDER

FOLDER must not exist, or be empty. The new repository has the system, those that it needs, the crates that they use, their
events and tests, `shared/`, `infra/`, and root files that name only these systems. At the end its manifests and templates are
checked; infra/test_take.sh also builds it and runs its tests.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from string import Template

from common import ROOT, VENV
from systems import named, systems, wanted
from take_contract import write_contract
from take_template import without

# Only of use here, or about all systems. docs/SECURITY.md names tests of all systems.
LEFT_OUT = {"README.md", "docs/SECURITY.md", "infra/take.py", "infra/take_contract.py", "infra/take_template.py", "infra/take_readme.md", "infra/test_take.sh"}
EVENT = re.compile(r'event\("([\w-]+)"\)|events/([\w-]+/[\w-]+)\.json')


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Runs a program and returns its output. If it fails, this program ends with its messages."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def manifest(folder: Path) -> dict:
    """The Cargo.toml in a folder."""
    return tomllib.loads((folder / "Cargo.toml").read_text())


def crates(names: list[str]) -> set[str]:
    """The folders of the crates that these systems, `shared` and the tests use, by their manifests."""
    known = {n: it["path"] for n, it in manifest(ROOT)["workspace"]["dependencies"].items() if "path" in it}
    found, left = set(), ["shared", "tests", *(f"functions/{name}" for name in names)]
    while left:
        folder = left.pop()
        if folder not in found:
            found.add(folder)
            its = manifest(ROOT / folder)
            left += [known[n] for kind in ("dependencies", "dev-dependencies") for n in its.get(kind, {}) if n in known]
    # The fuzzers are a workspace of their own, which names crates by their paths.
    fuzzers = ROOT / "crates" / "fuzz"
    paths = [it["path"] for it in manifest(fuzzers)["dependencies"].values() if "path" in it]
    if all(str((fuzzers / path).resolve().relative_to(ROOT)) in found for path in paths):
        found.add("crates/fuzz")
    return found


def is_of_others(path: Path, others: set[str]) -> bool:
    """Tells whether a test or a benchmark is of other systems: by its name, or because it calls them on the deployed stack."""
    if any(re.fullmatch(rf"{re.escape(other)}(_.*)?", path.stem) for other in others):
        return True
    sources = [path] if path.is_file() else list(path.rglob("*.rs"))
    text = "\n".join(source.read_text() for source in sources)
    calls = path.suffix == ".py" or "Stack::" in text
    return calls and any(re.search(rf"\b{other}\b", text, re.IGNORECASE) for other in others)


def kept_files(names: list[str]) -> list[str]:
    """The files of this repository that the new one gets as they are."""
    others = set(systems()) - set(names)
    folders = crates(names)
    tests = {part for place in ("tests/tests", "tests/bench") for part in (ROOT / place).iterdir() if is_of_others(part, others)}

    def is_kept(file: str) -> bool:
        parts = Path(file).parts
        if file in LEFT_OUT or any(ROOT / file == test or test in (ROOT / file).parents for test in tests):
            return False
        if parts[0] in ("functions", "events"):
            return parts[1] in names
        if parts[0] == "crates":
            return "/".join(parts[:2]) in folders
        if parts[:2] == ("tests", "pdf"):
            return any(folder.startswith("crates/") for folder in folders)
        return True

    files = run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    files = [file for file in files if (ROOT / file).is_file()]
    kept = list(filter(is_kept, files))
    # Tests of `shared` use sample events of other systems.
    for file in [file for file in kept if file.endswith(".rs")]:
        for by_name, by_path in EVENT.findall((ROOT / file).read_text()):
            kept += [it for it in files if it in (f"events/{by_path}.json",) or it[7:-5].replace("/", "-", 1) == by_name]
    return sorted(set(kept))


def write_cargo(to: Path) -> None:
    """Leaves out of the root manifest and of the lock file what the new repository does not use."""
    path = to / "Cargo.toml"
    text = path.read_text()
    if not (to / "crates").exists():
        text = text.replace(' "crates/*",', "")
    if not (to / "crates/fuzz").exists():
        text = re.sub(r"^exclude = .*\n", "", text, flags=re.MULTILINE)
    path.write_text(text)
    run("cargo", "metadata", "--offline", "--format-version", "1", cwd=to)
    # It removes unused dependencies, also those of the workspace.
    subprocess.run([VENV / "bin/cargo-shear", "--fix"], cwd=to, capture_output=True, check=False)
    run("cargo", "metadata", "--offline", "--format-version", "1", cwd=to)
    locked = set(re.findall(r'^name = "(.+)"$', (to / "Cargo.lock").read_text(), re.MULTILINE))
    lines, section = [], ""
    for line in path.read_text().splitlines(keepends=True):
        section = line.strip() if line.startswith("[") else section
        package = re.match(r"([\w-]+) = \{", line) if section.endswith(".package]") else None
        if not package or package[1] in locked:
            lines.append(line)
    # A title over dependencies that are all gone goes too.
    path.write_text(re.sub(r"(?:^# .*\n)+\n(?=#|\[)", "", "".join(lines), flags=re.MULTILINE))


def write_makefile(to: Path) -> None:
    """Leaves out the targets whose scripts are not in the new repository."""
    path = to / "Makefile"
    first, *targets = re.split(r"(?=^\.PHONY)", path.read_text(), flags=re.MULTILINE)
    scripts = re.compile(r"\b(?:infra|functions|crates|tests)/[\w/-]+\.\w+")
    path.write_text(first + "".join(it for it in targets if all((to / script).exists() for script in scripts.findall(it))))


def write_readme(to: Path, names: list[str]) -> None:
    """Writes the README from its template."""
    name = names[-1]
    rows = re.findall(r"^\| \[([\w-]+)\]\(functions.*\n", (ROOT / "README.md").read_text(), re.MULTILINE)
    table = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| [")]
    table = [line for row, line in zip(rows, table) if row in names]
    text = Template((ROOT / "infra/take_readme.md").read_text()).substitute(
        system=name,
        description=manifest(ROOT / "functions" / name)["package"]["description"],
        systems=" and ".join(f"`{it}`" for it in names) if len(names) < 3 else ", ".join(f"`{it}`" for it in names),
        table="\n".join(["| system | does | guarantees |", "|---|---|---|", *table]),
    )
    (to / "README.md").write_text(text)


def check(to: Path) -> None:
    """Writes what is made from the templates, and checks manifests, templates and pages."""
    bin = VENV / "bin"
    run(bin / "python", "infra/permissions.py", cwd=to)
    run("cargo", "metadata", "--offline", "--locked", "--format-version", "1", cwd=to)
    run(bin / "cargo-shear", cwd=to)
    run(bin / "cfn-lint", cwd=to)
    for script in ("check_templates.py", "check_docs.py", "check_problems.py"):
        run(bin / "python", f"infra/{script}", cwd=to)


def main(system: str, folder: str) -> None:
    """Writes the repository."""
    to = Path(folder).resolve()
    if to.exists() and any(to.iterdir()):
        sys.exit(f"{to} is not empty.")
    if system == "reference":
        sys.exit("reference shows other systems. Take one of them.")
    names = wanted(named(system).name)
    files = kept_files(names)
    for file in files:
        (to / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, to / file)
    left_out_names = [name for name in systems() if name not in names]
    left_out = {systems()[name].logical_id: systems()[name].parameter for name in left_out_names}
    (to / "template.yaml").write_text(without((ROOT / "template.yaml").read_text(), left_out))
    write_contract(to, names, set(left_out_names))
    write_cargo(to)
    write_makefile(to)
    write_readme(to, names)
    check(to)
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=to)
    print(f"{to}: {', '.join(names)}; {len(files) + 1} files. `make test` there runs its tests.")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: take.py SYSTEM FOLDER")
    main(*sys.argv[1:])
