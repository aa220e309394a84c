"""Drives a browser through the pages of the deployed systems, and takes pictures of them in target/browser.

    infra/local/run.sh local/browser.py [SYSTEM…]

The program of a system is functions/<system>/browser.mjs: `run` ends the program if something is not as it should be.
infra/npm/browse.mjs gives it the browser, and judges what the browser complains about. A system that is not deployed is
skipped. Without Chromium all are, but not in CI where apt can install it.
"""

import os
import shutil
import subprocess
import sys

from common import ROOT, api_url
from functions.auth import admin
from systems import deployed, named

PICTURES = ROOT / "target" / "browser"
# In Ubuntu, `chromium-browser` may only ask to install a snap, so it comes last.
NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")


def chromium() -> str | None:
    """The path of Chromium: CHROMIUM, or the first program with one of its names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def main(names: list[str]) -> None:
    """Runs the programs of these systems, or of all."""
    wanted = {named(name).name for name in names}
    programs = [ROOT / "functions" / it.name / "browser.mjs" for it in deployed() if not wanted or it.name in wanted]
    files = [program.as_uri() for program in programs if program.exists()]
    if not files:
        return
    subprocess.run([ROOT / "infra/local/install_chromium.sh"], check=True)
    path = chromium()
    if not path:
        # CI must not forget these tests without telling anybody.
        sys.exit("There is no Chromium." if os.environ.get("CI") and shutil.which("apt-get") else None)
    PICTURES.mkdir(parents=True, exist_ok=True)
    tools = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    command = ["node", ROOT / "infra/npm/browse.mjs", path, api_url(), os.environ["AWS_ENDPOINT_URL"], PICTURES, *files]
    environment = {**os.environ, "PATH": tools, "ADMIN_TOKEN": admin.new(api_url())}
    if subprocess.run(command, env=environment).returncode:
        sys.exit("A program in the browser failed.")
    print(f"The pages work in a browser. Pictures of them are in {PICTURES.relative_to(ROOT)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
