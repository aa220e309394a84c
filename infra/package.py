"""Zips each program that a template names, as target/lambda/<program>.zip, unless its zip is up to date.

If the system of the program has a site.py, its `files()` are in the zip, below site/. The same content always gives the
same zip, so a deployment uploads and updates only what has changed.
"""

import gzip
import hashlib
import importlib
import re
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import ROOT, TEMPLATES

LAMBDAS = ROOT / "target" / "lambda"
# The earliest time that a zip can contain.
NO_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE, READABLE = 0o755 << 16, 0o644 << 16
# A file of a site that is larger than this, in bytes, is in the zip compressed by gzip too.
LARGE = 1024


def content_of(binary: Path) -> dict[str, bytes]:
    """What is in the zip of a program, by path. A large file of a site is there a second time, compressed by gzip."""
    content = {"bootstrap": binary.read_bytes()}
    if (ROOT / "functions" / binary.parent.name / "site.py").exists():
        for name, file in importlib.import_module(f"functions.{binary.parent.name}.site").files().items():
            content[f"site/{name}"] = file
            if len(file) > LARGE:
                content[f"site/{name}.gz"] = gzip.compress(file, mtime=0)
    return content


def package(binary: Path, level: int) -> bool:
    """Zips one program. Tells whether that was necessary."""
    archive = binary.parent.with_suffix(".zip")
    stamp = archive.with_suffix(".stamp")
    content = content_of(binary)
    hashes = [hashlib.sha256(path.encode() + file).hexdigest() for path, file in sorted(content.items())]
    wanted = f"{hashlib.sha256(''.join(hashes).encode()).hexdigest()} {level}"
    if archive.exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    # Without the stamp, a zip that is written only in part is written again.
    stamp.unlink(missing_ok=True)
    with zipfile.ZipFile(archive, "w") as out:
        for path, file in sorted(content.items()):
            entry = zipfile.ZipInfo(path, NO_TIME)
            entry.external_attr = EXECUTABLE if path == "bootstrap" else READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, file, compresslevel=level)
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
