"""Measures memory while PDFs of growing size go through the local stack.

    infra/local/run.sh functions/documents/worker_memory.py

For each PDF it prints the peak of the resident memory of the workers, the peak of the processes that they start to read
the PDF, and the outcome. A worker keeps only a few ranges of the file in memory.
"""

import json
import random
import threading
import time
import zlib
from pathlib import Path

from common import api_url
from functions.auth import users
from functions.documents import tour

WORKERS = ("documents-validate", "documents-scan", "documents-check-pdfa", "documents-extract-text")
MIB = 1 << 20


def pdf(size: int, compressed: bool) -> bytes:
    """A PDF of about `size` bytes, with pages full of words."""
    chance = random.Random(size)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(2000)]
    out, offsets, pages, number = bytearray(b"%PDF-1.7\n"), {}, [], 4

    def add(number: int, body: bytes) -> None:
        offsets[number] = len(out)
        out.extend(b"%d 0 obj\n" % number + body + b"\nendobj\n")

    add(3, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    while len(out) < size - 20_000:
        lines = [" ".join(chance.choices(words, k=12)) for _ in range(60)]
        shown = "".join(f"({line}) Tj T*\n" for line in lines)
        content = f"BT /F1 9 Tf 11 TL 40 800 Td\n{shown}ET".encode()
        filters = b""
        if compressed:
            content, filters = zlib.compress(content), b"/Filter/FlateDecode"
        add(number, b"<</Length %d%b>>stream\n" % (len(content), filters) + content + b"\nendstream")
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R" % number
        add(number + 1, page + b"/Resources<</Font<</F1 3 0 R>>>>>>")
        pages.append(number + 1)
        number += 2
    add(1, b"<</Type/Catalog/Pages 2 0 R>>")
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    add(2, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(pages), kids))
    start = len(out)
    entries = b"".join(b"%010d 00000 n \n" % offsets[n] for n in range(1, number))
    out += b"xref\n0 %d\n0000000000 65535 f \n" % number + entries
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (number, start)
    return bytes(out)


def picture(size: int) -> bytes:
    """A PDF of about `size` bytes, with one page that contains one picture."""
    data = random.Random(size).randbytes(size - 1000)
    image = b"<</Type/XObject/Subtype/Image/Width 1000/Height %d" % (len(data) // 1000)
    image += b"/ColorSpace/DeviceGray/BitsPerComponent 8/Length %d>>stream\n" % len(data)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 5 0 R"
        b"/Resources<</XObject<</I 4 0 R>>>>>>",
        image + data + b"\nendstream",
        b"<</Length 4>>stream\n/I Do\nendstream",
    ]
    out, entries = bytearray(b"%PDF-1.4\n"), b""
    for number, body in enumerate(objects, 1):
        entries += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, entries)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


class Peaks(threading.Thread):
    """Watches processes, and keeps the highest peak in MiB of the workers and of the processes that they start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.workers, self.children, self.is_over = 0, 0, False

    def run(self) -> None:
        """Looks about a hundred times a second. The kernel keeps the peak of a process, so only the last moment is missed."""
        while not self.is_over:
            for process in Path("/proc").glob("[0-9]*"):
                self.look(process)
            time.sleep(0.005)

    def look(self, process: Path) -> None:
        """Looks at one process."""
        try:
            command = (process / "cmdline").read_bytes()
            if b"read-pdf" in command:
                self.children = max(self.children, peak(process))
            elif b"bootstrap" in command:
                environment = (process / "environ").read_bytes().decode(errors="replace")
                if any(f"arsenal-{worker}\0" in environment for worker in WORKERS):
                    self.workers = max(self.workers, peak(process))
        except (OSError, IndexError):
            pass


def peak(process: Path) -> int:
    """The peak of the resident memory of a process, in MiB."""
    return int((process / "status").read_text().split("VmHWM:")[1].split()[0]) // 1024


def described(document: dict) -> str:
    """The outcome of a document."""
    if document["status"] != "ready":
        return json.dumps(document.get("rejection") or document.get("failure"))[:100]
    text = document["stages"]["text"]["result"]
    took = {name: tour.milliseconds(done) for name, done in document["stages"].items()}
    return f"{text['pages']} pages, {text['text_bytes']:,} bytes of text, ms: {took}"


def main() -> None:
    """Measures and prints."""
    api = api_url()
    token = users.new(api, "memory")
    print("file                    bytes     workers    children  outcome")
    for name, make in (
        ("text", lambda size: pdf(size, False)),
        ("text, deflated", lambda size: pdf(size, True)),
        ("picture", picture),
    ):
        for size in (MIB, 10 * MIB, 50 * MIB, 150 * MIB):
            file = make(size)
            peaks = Peaks()
            peaks.start()
            url, form = tour.announce(api, token, name, file)
            tour.upload(form, file)
            outcome = described(tour.wait(url, token))
            peaks.is_over = True
            peaks.join()
            seen = f"{peaks.workers:>8}  {peaks.children:>10}"
            print(f"{name:16} {len(file):>12,}  {seen}  {outcome}", flush=True)


if __name__ == "__main__":
    main()
