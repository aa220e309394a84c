"""Measures how a function's memory changes the time and the cost of reading a document.

    sudo python3 functions/documents/benches/memory_sizes.py [FILE…]

Lambda gives a function processor time in proportion to its memory: 1,769 MB correspond to one processor
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). This script runs the programs that
read a document with the same share, set as the CPU quota of a control group (which needs root). For each
memory size, it prints the median time of validating, checking and reading one file, one after the other as
in the pipeline; the time of two files at once in one function; and the price of a million documents, from
Lambda's price for memory and time. It models Lambda on this machine; it does not measure Lambda.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SIZES_MB = (128, 512, 1769)
# Price of a GB-second: Arm, us-east-1, first tier: https://aws.amazon.com/lambda/pricing/
USD_PER_GB_SECOND = 0.0000133334
PERIOD_US = 20_000
RUNS = 15
EXAMPLES = (("pdf-inspect", "inspect"), ("pdfa", "pdfa"), ("pdf-text", "extract"))


class Group:
    """A control group (version 1 or 2) with a CPU quota."""

    def __init__(self, share: float) -> None:
        base, quota = Path("/sys/fs/cgroup"), str(int(PERIOD_US * share))
        is_v2 = (base / "cgroup.controllers").exists()
        self.path = (base if is_v2 else base / "cpu") / f"memory-sizes-{os.getpid()}"
        self.path.mkdir()
        if is_v2:
            (self.path / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        else:
            (self.path / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.path / "cpu.cfs_quota_us").write_text(quota)

    def __enter__(self) -> "Group":
        return self

    def __exit__(self, *_) -> None:
        self.path.rmdir()

    def start(self, command: list) -> subprocess.Popen:
        """Starts a program in the control group."""
        enter = f'echo $$ > "{self.path}/cgroup.procs"; exec "$@"'
        out = subprocess.DEVNULL
        return subprocess.Popen(["sh", "-c", enter, "sh", *command], stdout=out, stderr=out)


def timed(run) -> float:
    """The median time of a run, in milliseconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    """Builds the programs, measures them and prints the table."""
    build = ["cargo", "build", "--release", "--quiet"]
    for package, example in EXAMPLES:
        subprocess.run([*build, "--package", package, "--example", example], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    programs = [target / "release/examples" / example for _, example in EXAMPLES]
    names = ("statement.pdf", "x11-security.pdf", "bzip2-manual.pdf")
    files = sys.argv[1:] or [ROOT / "tests/pdf" / name for name in names]
    print(f"{'file':20}{'MB':>6}{'one, ms':>10}{'two at once, ms':>17}{'USD a million':>15}")
    for file in files:
        for size in SIZES_MB:
            with Group(size / 1769) as group:

                def one() -> None:
                    for program in programs:
                        group.start([program, file]).wait()

                def two() -> None:
                    for program in programs:
                        both = [group.start([program, file]) for _ in range(2)]
                        for process in both:
                            process.wait()

                single, double = timed(one), timed(two)
            cost = size / 1024 * single / 1000 * USD_PER_GB_SECOND * 1_000_000
            print(f"{Path(file).name:20}{size:6}{single:10.1f}{double:17.1f}{cost:15.2f}", flush=True)


if __name__ == "__main__":
    main()
