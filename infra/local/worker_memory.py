"""Measures the worker's memory: PDFs of growing size go through the local stack.

    infra/local/run.sh local/worker_memory.py

For each it prints the peak of resident memory of the worker (documents-process, which streams the file
to disk), and of the reader that it starts (which holds the file), and what the document came to.
"""

import random
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import tour
from common import ROOT, api_url

WORKER = ROOT / "target/lambda/documents-process/bootstrap"
MIB = 1 << 20


def pdf(size: int, compressed: bool) -> bytes:
    """A PDF of about `size` bytes whose pages are full of words."""
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
    """A PDF of about `size` bytes with one page that is one picture."""
    data = random.Random(size).randbytes(size - 1000)
    body = b"%PDF-1.4\n"
    body += b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    body += b"2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n"
    body += b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 5 0 R"
    body += b"/Resources<</XObject<</I 4 0 R>>>>>>\nendobj\n"
    body += b"4 0 obj\n<</Type/XObject/Subtype/Image/Width 1000/Height %d" % (len(data) // 1000)
    body += b"/ColorSpace/DeviceGray/BitsPerComponent 8/Length %d>>stream\n" % len(data) + data
    body += b"\nendstream\nendobj\n5 0 obj\n<</Length 4>>stream\n/I Do\nendstream\nendobj\n"
    return body + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def reader_peak(file: Path) -> str:
    """The reader's peak in MiB, run as the worker runs it."""
    before = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL);"
    before += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024)"
    command = [sys.executable, "-c", before, WORKER, "read-pdf", file, str(file) + ".txt"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def worker_peak() -> int:
    """The highest peak in MiB among the workers that run."""
    peaks = [0]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "exe").resolve().name != "bootstrap":
                continue
            environment = (process / "environ").read_bytes()
            if b"AWS_LAMBDA_FUNCTION_NAME=arsenal-documents-process" not in environment:
                continue
            status = (process / "status").read_text()
            peaks.append(int(status.split("VmHWM:")[1].split()[0]) // 1024)
        except (OSError, IndexError):
            continue
    return max(peaks)


def told(document: dict) -> str:
    """What the document came to."""
    if document["status"] == "failed":
        return document["failure"]["reason"]
    contents = document["contents"]
    return f"{contents['pages']} pages, {contents['text_bytes']:,} bytes of text"


def main() -> None:
    """Measures."""
    api = api_url()
    email = f"memory-{random.randrange(10**9)}@example.org"
    credentials = {"email": email, "password": "correct horse battery"}
    tour.call("POST", f"{api}/v1/auth/register", credentials)
    token = tour.call("POST", f"{api}/v1/auth/login", credentials)["access_token"]
    print("file                    bytes  worker MiB  reader MiB  outcome")
    with tempfile.TemporaryDirectory() as directory:
        for name, make in (
            ("text", lambda size: pdf(size, False)),
            ("text, deflated", lambda size: pdf(size, True)),
            ("picture", picture),
        ):
            for size in (MIB, 5 * MIB, 10 * MIB, 24 * MIB):
                file = Path(directory) / "file.pdf"
                file.write_bytes(make(size))
                announced = {"name": name, "size": file.stat().st_size}
                created = tour.call("POST", f"{api}/v1/documents", announced, token)
                tour.upload(created["upload"], file)
                url = f"{api}/v1/documents/{created['document']['id']}"
                outcome = told(tour.wait(url, token))
                peaks = f"{worker_peak():>10}  {reader_peak(file):>10}"
                print(f"{name:16} {announced['size']:>12,}  {peaks}  {outcome}", flush=True)


if __name__ == "__main__":
    main()
