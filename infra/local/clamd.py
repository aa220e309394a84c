"""Runs clamd for the local stack. clamd replaces this process.

    clamd.py <directory> <port>

clamd gets two signatures for tests. Both find EICAR's test file: one by the hash of the file, one by its bytes inside
another file. A real clamd loads the signatures of freshclam, which are 1.2 GB.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

# Every scanner reports this file as malware: https://www.eicar.org/download-anti-malware-testfile/
# It is in two parts, so that no scanner reports this source file.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
NAME = "Eicar-Test-Signature"
# At least the MaxValue of MaxUploadBytes in template.yaml.
MAX_BYTES = "2000M"


def main() -> None:
    """Writes the configuration and the signatures, and replaces this process with clamd."""
    directory, port = Path(sys.argv[1]), sys.argv[2]
    program = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not program:
        sys.exit("clamd is not installed.")
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
