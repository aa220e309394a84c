"""Starts and stops the local AWS.

    local_aws.py up | down

Several local AWSs can run at the same time, with different LOCAL_NAME (default "dev") and LOCAL_PORT (default 4566). Each
keeps its files in .local/<name>. When it stops, its tables, files and users are deleted.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
NAME = os.environ.get("LOCAL_NAME", "dev")
PORT = os.environ.get("LOCAL_PORT", "4566")
DIRECTORY = ROOT / ".local" / NAME
# The path of a socket has at most 108 characters. The path of the repository may be longer.
SOCKET = Path(tempfile.gettempdir()) / (
    "arsenal-" + hashlib.sha256(str(DIRECTORY).encode()).hexdigest()[:16] + ".sock"
)
PAYMENTS_PORT = os.environ.get("PAYMENTS_PORT", "8566")
HEALTH = f"http://localhost:{PORT}/_ministack/health"
PAYMENTS_HEALTH = f"http://127.0.0.1:{PAYMENTS_PORT}/_health"
READY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 30


def environment() -> dict[str, str]:
    """The environment of supervisord. It has PATH and HOME of the caller, and the settings of the local AWS."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", str(ROOT)),
        "LANG": "C.UTF-8",
        "VENV": str(VENV),
        "ROOT": str(ROOT),
        "CLAMD_PORT": os.environ.get("CLAMD_PORT", "5566"),
        "MODEL_PORT": os.environ.get("MODEL_PORT", "6566"),
        "PROVIDER_PORT": os.environ.get("PROVIDER_PORT", "7566"),
        "PAYMENTS_PORT": PAYMENTS_PORT,
        "PAYMENTS_WEBHOOK_SECRET": os.environ.get("PAYMENTS_WEBHOOK_SECRET", "whsec_local"),
        "LOCAL_DIR": str(DIRECTORY),
        "LOCAL_PORT": PORT,
        "SUPERVISOR_SOCKET": str(SOCKET),
        "AWS_REGION": os.environ.get("AWS_REGION", "eu-central-1"),
    }


def supervisor(program: str, *args: str, check: bool = True) -> subprocess.CompletedProcess:
    """Runs supervisord or supervisorctl on this local AWS."""
    command = [VENV / "bin" / program, "-c", ROOT / "infra/local/supervisord.conf", *args]
    return subprocess.run(command, env=environment(), check=check, capture_output=True, text=True)


def is_up() -> bool:
    """Whether the supervisord of this local AWS runs."""
    return supervisor("supervisorctl", "pid", check=False).stdout.strip().isdigit()


def answers(url: str) -> bool:
    """Whether this URL answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def is_healthy() -> bool:
    """Whether both the emulator and the payment provider answer."""
    return answers(HEALTH) and answers(PAYMENTS_HEALTH)


def up() -> None:
    """Starts the local AWS unless it runs, and waits until it answers."""
    if is_up():
        if is_healthy():
            return
    elif answers(HEALTH):
        sys.exit(f"Another program answers on port {PORT}. Stop it, or set LOCAL_PORT.")
    down()
    for directory in ("state", "s3", "tmp"):
        (DIRECTORY / directory).mkdir(parents=True, exist_ok=True)
    supervisor("supervisord")
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not is_healthy():
        if time.monotonic() > deadline:
            names = ("ministack", "provider", "payments")
            logs = "\n".join((DIRECTORY / f"{name}.log").read_text()[-2000:] for name in names)
            down()
            sys.exit(f"The local AWS did not start within {READY_WITHIN_SECONDS} s.\n{logs}")
        time.sleep(0.1)


def down() -> None:
    """Stops the local AWS, if it runs, and deletes its files."""
    pid = supervisor("supervisorctl", "pid", check=False).stdout.strip()
    if pid.isdigit():
        supervisor("supervisorctl", "shutdown", check=False)
        deadline = time.monotonic() + STOPPED_WITHIN_SECONDS
        while Path(f"/proc/{pid}").exists():
            if time.monotonic() > deadline:
                sys.exit(f"supervisord ({pid}) did not stop within {STOPPED_WITHIN_SECONDS} s.")
            time.sleep(0.1)
    SOCKET.unlink(missing_ok=True)
    shutil.rmtree(DIRECTORY, ignore_errors=True)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
