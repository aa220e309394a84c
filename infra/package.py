"""Zips each program that a template names, as target/lambda/<program>.zip, unless its zip is up to date.

The same binary always gives the same zip, so a deployment uploads and updates only what has changed.
"""

import hashlib
import re
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import ROOT, TEMPLATES

LAMBDAS = ROOT / "target" / "lambda"
# The earliest time that a zip can contain.
NO_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o755 << 16


def package(binary: Path, level: int) -> bool:
    """Zips one program. Tells whether that was necessary."""
    archive = binary.parent.with_suffix(".zip")
    stamp = archive.with_suffix(".stamp")
    content = binary.read_bytes()
    wanted = f"{hashlib.sha256(content).hexdigest()} {level}"
    if archive.exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    # Without the stamp, a zip that is written only in part is written again.
    stamp.unlink(missing_ok=True)
    entry = zipfile.ZipInfo("bootstrap", NO_TIME)
    entry.external_attr = EXECUTABLE
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(entry, content, compresslevel=level)
    stamp.write_text(wanted)
    return True


def programs() -> set[str]:
    """The programs whose zips the templates name: `checkout` for `../../target/lambda/checkout.zip`."""
    return {
        name
        for template in TEMPLATES
        for name in re.findall(r"\btarget/lambda/([\w-]+)\.zip", template.read_text())
    }


def main() -> None:
    """Zips the programs of the templates. The only argument is the compression level, 1 to 9."""
    level = int(sys.argv[1])
    binaries = [LAMBDAS / name / "bootstrap" for name in sorted(programs())]
    missing = [str(binary) for binary in binaries if not binary.exists()]
    if missing:
        sys.exit(f"The templates name programs that were not built: {', '.join(missing)}")
    with ThreadPoolExecutor() as pool:
        changed = sum(pool.map(lambda binary: package(binary, level), binaries))
    print(f"{len(binaries)} programs, {changed} of them have changed.")


if __name__ == "__main__":
    main()
