#!/usr/bin/env python3
"""Measures a large file: memory and bytes read by ranges against pdftotext, PyMuPDF and pypdf.

    venv/bin/python crates/pdf-text/benches/large.py [--pages 400] [--megabytes 150]

It writes a PDF with this number of pages, each with an image of random bytes (which a reader handles like a photograph), a
page of text in an embedded font, and a classic cross-reference table. Then each tool reads the file. Memory is the largest
resident set; CPU is user and system time. The text of all tools must have the same words, else the run fails.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from peers import PROGRAMS, build, run, words

WORDS = """the river ferry left at noon with eleven crates of apples and a letter for the keeper of
the lighthouse who had asked twice for lamp oil rope and a new ledger since the old one was full of
weather and birds that he counted each morning before the fog lifted from the harbour wall""".split()


def font_program():
    """A TrueType font that Debian's fonts-liberation installs, or None if it is not installed."""
    found = sorted(Path("/usr/share/fonts").rglob("LiberationSerif-Regular.ttf"))
    return found[0].read_bytes() if found else None


class Writer:
    def __init__(self, file):
        self.file, self.offsets = file, {}
        file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def object(self, number, body):
        self.offsets[number] = self.file.tell()
        self.file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def stream(self, number, entries, data):
        body = b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)
        self.object(number, body)

    def finish(self):
        start, size = self.file.tell(), max(self.offsets) + 1
        self.file.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        for number in range(1, size):
            self.file.write(b"%010d 00000 n \n" % self.offsets[number])
        self.file.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start))


def page_text(chance, number):
    lines = [f"Page {number} of the log"]
    lines += [" ".join(chance.choice(WORDS) for _ in range(11)) for _ in range(42)]
    shown = "".join(f"({line}) Tj T*\n" for line in lines)
    return f"q 200 0 0 150 380 600 cm /P Do Q\nBT /F 11 Tf 14 TL 60 760 Td\n{shown}ET\n".encode()


def write(path, pages, size):
    chance = random.Random(1)
    program = font_program()
    picture = size // pages
    with path.open("wb") as file:
        writer = Writer(file)
        kids = b" ".join(b"%d 0 R" % (10 + 3 * page) for page in range(pages))
        writer.object(1, b"<</Type/Catalog/Pages 2 0 R>>")
        writer.object(2, b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids))
        name = b"LiberationSerif" if program else b"Times-Roman"
        widths = b" ".join([b"500"] * 224)
        writer.object(3, b"<</Type/Font/Subtype/TrueType/BaseFont/%s/Encoding/WinAnsiEncoding"
                         b"/FirstChar 32/LastChar 255/Widths[%s]/FontDescriptor 4 0 R>>" % (name, widths))
        embedded = b"/FontFile2 5 0 R" if program else b""
        writer.object(4, b"<</Type/FontDescriptor/FontName/%s/Flags 32/FontBBox[0 -200 1000 900]"
                         b"/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80%s>>" % (name, embedded))
        writer.stream(5, b"/Filter/FlateDecode/Length1 %d" % len(program or b""), zlib.compress(program or b""))
        for number in range(6, 10):
            writer.object(number, b"null")
        for page in range(pages):
            number = 10 + 3 * page
            writer.object(number, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R"
                                  b"/Resources<</Font<</F 3 0 R>>/XObject<</P %d 0 R>>>>>>" % (number + 1, number + 2))
            writer.stream(number + 1, b"/Filter/FlateDecode", zlib.compress(page_text(chance, page + 1)))
            side = int((picture / 3) ** 0.5)
            writer.stream(number + 2, b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB"
                                      b"/BitsPerComponent 8" % (side, side), chance.randbytes(side * side * 3))
        writer.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--megabytes", type=int, default=150)
    arguments = parser.parse_args()
    extract = build()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.pdf"
        write(path, arguments.pages, arguments.megabytes * 1_000_000)
        print(f"{path.stat().st_size:,} bytes, {arguments.pages} pages")
        print("| tool | words | CPU s | peak MiB |")
        print("|---|---|---|---|")
        commands = {
            "pdf-text": [extract, str(path)],
            "pdftotext": ["pdftotext", "-enc", "UTF-8", "-q", str(path), "-"],
            "pymupdf": [sys.executable, "-c", PROGRAMS["pymupdf"], str(path)],
            "pypdf": [sys.executable, "-c", PROGRAMS["pypdf"], str(path)],
        }
        counts = set()
        for tool, command in commands.items():
            text, cpu, memory = run(command)
            counts.add(len(words(text) or []))
            print(f"| {tool} | {len(words(text) or []):,} | {cpu:.1f} | {memory:.0f} |", flush=True)
        stats = subprocess.run([extract, "--stats", str(path)], capture_output=True, text=True, check=True)
        print(f"pdf-text read {stats.stderr.strip()}")
        if len(counts) != 1:
            sys.exit(f"the tools disagree: {counts}")


if __name__ == "__main__":
    main()
