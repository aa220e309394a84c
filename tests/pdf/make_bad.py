#!/usr/bin/env python3
"""Write the broken and hostile files of bad/ from the good files beside this script.

Needs only the standard library, and the qpdf program for password.pdf. Every file comes out the
same on each run (with the same zlib) except password.pdf, whose encryption salts are random: it
is kept if it exists.
"""

import io
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
BAD = HERE / "bad"

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def page(contents: bytes, resources: bytes) -> bytes:
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents "
        + contents + b" /Resources " + resources + b" >>"
    )


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n" % (len(data), entries) + data + b"\nendstream"


def show(text: bytes) -> bytes:
    return b"BT /F1 12 Tf 72 720 Td (" + text + b") Tj ET\n"


def number(objects: list[bytes]) -> tuple[bytes, list[int]]:
    """The header and the objects 1, 2, ..., with the offset of each."""
    out, offsets = bytearray(HEADER), []
    for n, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % n + body + b"\nendobj\n"
    return bytes(out), offsets


def pdf(objects: list[bytes]) -> bytes:
    """A file with a classic cross-reference table; object 1 is the catalog."""
    body, offsets = number(objects)
    size = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    )


def pdf_with_object_stream(objects: list[bytes], packed: bytes) -> bytes:
    """A file with a cross-reference stream, whose last object `packed` is in an object stream."""
    container, inner, table = (len(objects) + n for n in (1, 2, 3))
    first = b"%d 0 " % inner
    entries = b"/Type /ObjStm /N 1 /First %d /Filter /FlateDecode" % len(first)
    body, offsets = number(objects + [stream(zlib.compress(first + packed, 9), entries)])
    rows = [(0, 0, 65535)] + [(1, offset, 0) for offset in offsets]
    rows += [(2, container, 0), (1, len(body), 0)]
    xref = stream(
        b"".join(struct.pack(">BIH", *row) for row in rows),
        b"/Type /XRef /Size %d /W [1 4 2] /Root 1 0 R" % len(rows),
    )
    return (
        body + b"%d 0 obj\n" % table + xref
        + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )


def truncated() -> bytes:
    """The first half of a file whose page objects and cross-references are at its end."""
    data = (HERE / "field-report.pdf").read_bytes()
    return data[: len(data) // 2]


def cut_before(keyword: bytes) -> bytes:
    """A file with a classic cross-reference table up to the last place of a keyword."""
    data = (HERE / "x11-security.pdf").read_bytes()
    return data[: data.rindex(keyword)]


def picture() -> bytes:
    """A PNG picture of 96 x 96 pixels with a colour gradient."""
    side = 96
    rows = b"".join(
        b"\0" + b"".join(bytes((x * 255 // side, y * 255 // side, 128)) for x in range(side))
        for y in range(side)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


def zip_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("readme.txt", (2024, 1, 1, 0, 0, 0))
        archive.writestr(entry, "This archive was given the wrong name.\n")
    return buffer.getvalue()


def no_pages() -> bytes:
    return pdf([CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"])


def flate_bomb(size: int = 2 << 30) -> bytes:
    """A page whose content, compressed twice, is 2 GiB long: one line of text, then spaces."""
    compressor = zlib.compressobj(9)
    start = show(b"before the bomb")
    parts = [compressor.compress(start)]
    block = b" " * (1 << 20)
    left = size - len(start)
    while left:
        step = min(left, len(block))
        parts.append(compressor.compress(block[:step]))
        left -= step
    parts.append(compressor.flush())
    contents = zlib.compress(b"".join(parts), 9)
    return pdf([
        CATALOG, ONE_PAGE, page(b"4 0 R", b"<< /Font << /F1 5 0 R >> >>"),
        stream(contents, b"/Filter [/FlateDecode /FlateDecode]"), FONT,
    ])


def nested(depth: int = 200_000) -> bytes:
    return b"[" * depth + b"]" * depth


def nested_arrays() -> bytes:
    """The page's resources, in an object stream, hold an array nested 200,000 deep."""
    objects = [CATALOG, ONE_PAGE, page(b"4 0 R", b"7 0 R"), stream(show(b"beside the nest")), FONT]
    resources = b"<< /Font << /F1 5 0 R >> /Properties " + nested() + b" >>"
    return pdf_with_object_stream(objects, resources)


def nested_content() -> bytes:
    """The same nest as an operand in the page's content stream."""
    contents = show(b"before the nest") + b"BT /F1 12 Tf " + nested() + b" TJ ET\n"
    return pdf([
        CATALOG, ONE_PAGE, page(b"4 0 R", b"<< /Font << /F1 5 0 R >> >>"),
        stream(zlib.compress(contents, 9), b"/Filter /FlateDecode"), FONT,
    ])


def page_loop() -> bytes:
    """The page tree contains itself and claims a thousand million pages."""
    return pdf([
        CATALOG,
        b"<< /Type /Pages /Parent 2 0 R /Kids [3 0 R 2 0 R] /Count 1000000000 >>",
        page(b"4 0 R", b"<< /Font << /F1 5 0 R >> >>"),
        stream(show(b"page in a loop")), FONT,
    ])


def form(contents: bytes, resources: bytes) -> bytes:
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources " + resources
    return stream(contents, entries)


def form_bomb(levels: int = 10, width: int = 10) -> bytes:
    """Ten forms that each draw the next one ten times: 10^10 drawings of the last form's text."""
    objects = [
        CATALOG, ONE_PAGE, page(b"4 0 R", b"<< /XObject << /X 6 0 R >> >>"), stream(b"/X Do\n"),
        FONT,
    ]
    for _ in range(levels):
        following = len(objects) + 2
        resources = b"<< /XObject << /X %d 0 R >> >>" % following
        objects.append(form(b"/X Do\n" * width, resources))
    objects.append(form(show(b"boom"), b"<< /Font << /F1 5 0 R >> >>"))
    return pdf(objects)


def self_form() -> bytes:
    """A form that shows a line of text and then draws itself."""
    resources = b"<< /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >>"
    return pdf([
        CATALOG, ONE_PAGE, page(b"4 0 R", b"<< /XObject << /X 6 0 R >> >>"), stream(b"/X Do\n"),
        FONT, form(show(b"form in a loop") + b"/X Do\n", resources),
    ])


def password(target: Path) -> None:
    """AES-256; the user password is `user`, the owner password `owner`."""
    if not target.exists():
        command = ["qpdf", "--encrypt", "user", "owner", "256", "--"]
        subprocess.run(command + [HERE / "letter-encrypted.pdf", target], check=True)


FILES = {
    "empty.pdf": bytes,
    "flate-bomb.pdf": flate_bomb,
    "form-bomb.pdf": form_bomb,
    "header-only.pdf": lambda: b"%PDF-1.7\n",
    "nested-arrays.pdf": nested_arrays,
    "nested-content.pdf": nested_content,
    "no-pages.pdf": no_pages,
    "page-loop.pdf": page_loop,
    "picture.pdf": picture,
    "self-form.pdf": self_form,
    "text.pdf": lambda: b"Dear reader,\n\nthis is a plain text file with the wrong name.\n",
    "truncated.pdf": truncated,
    "truncated-startxref.pdf": lambda: cut_before(b"startxref"),
    "truncated-tail.pdf": lambda: cut_before(b"trailer"),
    "zip.pdf": zip_archive,
}


def main() -> None:
    BAD.mkdir(exist_ok=True)
    for name, make in FILES.items():
        (BAD / name).write_bytes(make())
    password(BAD / "password.pdf")


if __name__ == "__main__":
    main()
