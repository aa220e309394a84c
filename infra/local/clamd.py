"""Runs clamd for the local stack, in the place of this process.

    clamd.py <directory> <port>

The signatures are for tests: EICAR's file (https://www.eicar.org/download-anti-malware-testfile/), by
its hash and wherever it stands inside another. A real clamd loads those of freshclam, 1.2 GB of them.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tour import EICAR

NAME = "Eicar-Test-Signature"
# What template.yaml takes at most, and more.
MAX_BYTES = "2000M"


def main() -> None:
    """Writes the configuration and the signatures, and becomes clamd."""
    directory, port = Path(sys.argv[1]), sys.argv[2]
    program = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not program:
        sys.exit("clamd is not installed")
    database = directory / "database"
    database.mkdir(parents=True, exist_ok=True)
    digest = hashlib.md5(EICAR).hexdigest()
    (database / "test.hdb").write_text(f"{digest}:{len(EICAR)}:{NAME}\n")
    (database / "test.ndb").write_text(f"{NAME}:0:*:{EICAR.hex()}\n")
    configuration = directory / "clamd.conf"
    configuration.write_text(
        f"""Foreground yes
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {database}
TemporaryDirectory {directory}
StreamMaxLength {MAX_BYTES}
MaxScanSize {MAX_BYTES}
MaxFileSize {MAX_BYTES}
AlertExceedsMax yes
MaxThreads 4
MaxQueue 100
ReadTimeout 60
"""
    )
    os.execv(program, [program, f"--config-file={configuration}"])


if __name__ == "__main__":
    main()
