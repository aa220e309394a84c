"""Zips each program that a template names, as target/lambda/<program>.zip, unless its zip is current.

One binary always gives the same zip, so that a deployment uploads and changes only what changed.
"""

import hashlib
import re
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import ROOT, TEMPLATES

LAMBDAS = ROOT / "target" / "lambda"
# The earliest time that a zip can tell.
NO_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o755 << 16


def package(binary: Path, level: int) -> bool:
    """Zips one program; tells whether that was necessary."""
    archive = binary.parent.with_suffix(".zip")
    stamp = archive.with_suffix(".stamp")
    content = binary.read_bytes()
    wanted = f"{hashlib.sha256(content).hexdigest()} {level}"
    if archive.exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    # A zip that is cut short has no stamp to vouch for it.
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
    """Zips the templates' programs, with the compression level (1 to 9) that is the only argument."""
    level = int(sys.argv[1])
    binaries = [LAMBDAS / name / "bootstrap" for name in sorted(programs())]
    missing = [str(binary) for binary in binaries if not binary.exists()]
    if missing:
        sys.exit(f"Templates name what was not built: {', '.join(missing)}")
    with ThreadPoolExecutor() as pool:
        changed = sum(pool.map(lambda binary: package(binary, level), binaries))
    print(f"{len(binaries)} programs, {changed} of them changed.")


if __name__ == "__main__":
    main()
