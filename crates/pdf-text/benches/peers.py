#!/usr/bin/env python3
"""Compares this crate's text with that of pdftotext, PyMuPDF, pdfium and pypdf over a directory of PDFs.

    python3 -m venv venv && venv/bin/pip install pymupdf pypdfium2 pypdf cryptography
    venv/bin/python crates/pdf-text/benches/peers.py DIRECTORY [--worst N] [--without NAME …]

There is no ground truth, so each tool is compared with the others. The agreement of a tool on a file is the mean over the
*other* judges (pdftotext, PyMuPDF and pdfium, which are widely used and independent) of

- words: the F1 of the two bags of words. A word is a maximal run of letters and digits, after NFKC and case folding, so
  that ligatures and punctuation do not count;
- order: 2 L / (a + b). The nth occurrence of each word in one text is paired with the nth in the other; L is the length of
  the longest sequence of pairs that increases in both (a longest increasing subsequence). A text with the words in another
  order has a lower value here, but not in the first figure.

Two empty texts agree fully; a file that a tool cannot read counts 0. Each tool reads each file in a separate process. CPU
is the sum of user and system time of these processes, from `wait4` (so Python tools include their import each time);
memory is the largest resident set of any of them.
"""

import argparse
import bisect
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

CRATE = Path(__file__).resolve().parents[1]
ROOT = CRATE.parents[1]
TIMEOUT = 120
JUDGES = ["pdftotext", "pymupdf", "pdfium"]

PROGRAMS = {
    "pymupdf": """
import sys, pymupdf
pymupdf.TOOLS.mupdf_display_errors(False)
for page in pymupdf.open(sys.argv[1]):
    sys.stdout.write(page.get_text("text") + "\\f")
""",
    "pdfium": """
import sys, pypdfium2
document = pypdfium2.PdfDocument(sys.argv[1])
document.init_forms()
for page in document:
    sys.stdout.write(page.get_textpage().get_text_bounded() + "\\f")
""",
    "pypdf": """
import sys, logging, pypdf
logging.disable(logging.CRITICAL)
for page in pypdf.PdfReader(sys.argv[1]).pages:
    sys.stdout.write(page.extract_text() + "\\f")
""",
}


def build():
    """Builds the example and returns its path."""
    command = ["cargo", "build", "--release", "-p", "pdf-text", "--example", "extract"]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return str(Path(target) / "release/examples/extract")


def commands(extract, file):
    python = {name: [sys.executable, "-c", code, file] for name, code in PROGRAMS.items()}
    return {
        "pdf-text": [extract, file],
        "pdftotext": ["pdftotext", "-enc", "UTF-8", "-q", file, "-"],
        **python,
    }


# Runs a command with its output in a file, and prints its exit code, its processor time in microseconds and its peak
# memory in KiB. `wait4` gives exact values for a child; GNU time cuts them to hundredths of a second. A small separate
# process starts the command, because the memory of a large parent would be counted for the child.
STARTER = """
import os, resource, sys
out, limit, *command = sys.argv[1:]
child = os.posix_spawnp(
    command[0], command, os.environ,
    file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_TRUNC, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ],
)
resource.prlimit(child, resource.RLIMIT_CPU, (int(limit), int(limit)))
_, status, usage = os.wait4(child, 0)
micros = round((usage.ru_utime + usage.ru_stime) * 1e6)
print(os.waitstatus_to_exitcode(status), micros, usage.ru_maxrss)
"""


def run(command):
    """Runs a command; returns its output (None if it failed), CPU seconds and peak memory in MiB."""
    with tempfile.NamedTemporaryFile("rb") as out:
        usage = subprocess.run(
            [sys.executable, "-I", "-S", "-c", STARTER, out.name, str(TIMEOUT), *command],
            env={**os.environ, "PYTHONIOENCODING": "utf-8:replace"},
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            check=True,
        ).stdout
        status, micros, memory = (int(number) for number in usage.split())
        text = out.read().decode("utf-8", "replace") if status == 0 else None
    return text, micros / 1e6, memory / 1024


def words(text):
    if text is None:
        return None
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"[^\W_]+", text)


def bag_f1(a, b):
    if a is None or b is None:
        return 0.0
    if not a and not b:
        return 1.0
    common = sum((collections.Counter(a) & collections.Counter(b)).values())
    return 2 * common / (len(a) + len(b))


def order(a, b):
    if a is None or b is None:
        return 0.0
    if not a and not b:
        return 1.0
    places = collections.defaultdict(collections.deque)
    for at, word in enumerate(b):
        places[word].append(at)
    # The smallest last position of an increasing sequence of each length.
    ends = []
    for word in a:
        if places[word]:
            at = places[word].popleft()
            where = bisect.bisect_left(ends, at)
            ends[where:where + 1] = [at]
    return 2 * len(ends) / (len(a) + len(b))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--worst", type=int, default=0, help="list our N worst files")
    parser.add_argument("--without", nargs="*", default=[], help="names of files to leave out")
    parser.add_argument("--out", type=Path, help="keep each tool's text here")
    parser.add_argument("--cache", type=Path, help="keep the peers' results here between runs")
    arguments = parser.parse_args()

    extract = build()
    found = sorted(arguments.directory.glob("*.pdf"))
    files = [file for file in found if file.name not in arguments.without]
    if not files:
        sys.exit(f"no PDF files in {arguments.directory}")
    cache = {}
    if arguments.cache and arguments.cache.exists():
        cache = json.loads(arguments.cache.read_text())

    rows = collections.defaultdict(list)
    cost = collections.defaultdict(lambda: [0.0, 0.0, 0])
    for file in files:
        texts = {}
        for tool, command in commands(extract, str(file)).items():
            key = f"{tool} {file}"
            if tool == "pdf-text" or key not in cache:
                cache[key] = run(command)
            text, cpu, memory = cache[key]
            texts[tool] = text
            total = cost[tool]
            total[0] += cpu
            total[1] = max(total[1], memory)
            total[2] += text is not None
            if arguments.out and text is not None:
                arguments.out.mkdir(parents=True, exist_ok=True)
                (arguments.out / f"{file.stem}.{tool}.txt").write_text(text)
        found = {tool: words(text) for tool, text in texts.items()}
        for tool in texts:
            others = [judge for judge in JUDGES if judge != tool]
            rows[tool].append((
                statistics.mean(bag_f1(found[tool], found[judge]) for judge in others),
                statistics.mean(order(found[tool], found[judge]) for judge in others),
                file.name,
            ))
    if arguments.cache:
        arguments.cache.write_text(json.dumps(cache))

    print(f"{len(files)} files of {arguments.directory}, {time.strftime('%Y-%m-%d')}")
    print("| tool | files read | words F1 mean / median | order mean / median | CPU s | peak MiB |")
    print("|---|---|---|---|---|---|")
    for tool, scores in rows.items():
        f1 = [score[0] for score in scores]
        ordered = [score[1] for score in scores]
        cpu, memory, read = cost[tool]
        print(
            f"| {tool} | {read} | {statistics.mean(f1):.3f} / {statistics.median(f1):.3f} "
            f"| {statistics.mean(ordered):.3f} / {statistics.median(ordered):.3f} "
            f"| {cpu:.3f} | {memory:.0f} |"
        )
    if arguments.worst:
        others = {name: scores for name, scores in rows.items() if name in JUDGES}
        print("\nour worst files: words and order, and the judges' own")
        for at, (f1, ordered, name) in sorted(enumerate(rows["pdf-text"]), key=lambda row: row[1])[
            : arguments.worst
        ]:
            peers = ", ".join(
                f"{tool} {scores[at][0]:.3f} {scores[at][1]:.3f}" for tool, scores in others.items()
            )
            print(f"  {name}: {f1:.3f} {ordered:.3f} ({peers})")


if __name__ == "__main__":
    main()
