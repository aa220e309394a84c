//! Writes small PDFs; a case can break any part of them.

use std::fmt::Write;
use std::ops::Range;

use crate::deflate::deflate;

/// The first bytes of a file.
pub(crate) const HEADER: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";

/// A file of one page with the text `text`.
///
/// Object 1 is the catalog, 2 the page tree, 3 the page, 4 its contents and 5 a font. Objects that
/// a case adds start at 6.
pub(crate) struct Pdf {
    pub(crate) head: Vec<u8>,
    catalog: String,
    page: String,
    resources: String,
    trailer: String,
    tree: Vec<u8>,
    leaf: Option<Vec<u8>>,
    contents: Vec<u8>,
    more: Vec<Vec<u8>>,
}

impl Pdf {
    pub(crate) fn new() -> Self {
        Self {
            head: HEADER.to_vec(),
            catalog: String::new(),
            page: String::new(),
            resources: String::new(),
            trailer: String::new(),
            tree: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
            leaf: None,
            contents: stream("", show("beside the attack").as_bytes()),
            more: Vec::new(),
        }
    }

    /// Adds entries to the catalog.
    pub(crate) fn catalog(mut self, entries: &str) -> Self {
        self.catalog.push_str(entries);
        self
    }

    /// Adds entries to the page.
    pub(crate) fn page(mut self, entries: &str) -> Self {
        self.page.push_str(entries);
        self
    }

    /// Adds entries to the page's resources, next to the font `F1`.
    pub(crate) fn resources(mut self, entries: &str) -> Self {
        self.resources.push_str(entries);
        self
    }

    /// Adds entries to the trailer.
    pub(crate) fn trailer(mut self, entries: &str) -> Self {
        self.trailer.push_str(entries);
        self
    }

    /// Replaces the page tree.
    pub(crate) fn tree(mut self, object: impl Into<Vec<u8>>) -> Self {
        self.tree = object.into();
        self
    }

    /// Replaces the page object.
    pub(crate) fn leaf(mut self, object: impl Into<Vec<u8>>) -> Self {
        self.leaf = Some(object.into());
        self
    }

    /// Replaces the contents of the page with these operators.
    pub(crate) fn contents(self, data: impl AsRef<[u8]>) -> Self {
        let object = stream("", data.as_ref());
        self.contents_object(object)
    }

    /// Replaces the object of the page's contents.
    pub(crate) fn contents_object(mut self, object: impl Into<Vec<u8>>) -> Self {
        self.contents = object.into();
        self
    }

    /// Adds an object; the first is object 6.
    pub(crate) fn with(mut self, object: impl Into<Vec<u8>>) -> Self {
        self.more.push(object.into());
        self
    }

    /// The objects in the order of their numbers, from 1.
    pub(crate) fn objects(self) -> Vec<Vec<u8>> {
        // An entry that the case sets itself is not written twice.
        let unless = |entries: &str, key: &str, default| {
            if entries.contains(key) { "" } else { default }
        };
        let size = unless(&self.page, "/MediaBox ", "/MediaBox [0 0 595 842]");
        let font = unless(&self.resources, "/Font ", "/Font << /F1 5 0 R >>");
        let page = format!(
            "<< /Type /Page /Parent 2 0 R {size} /Contents 4 0 R /Resources << {font} {} >> {} >>",
            self.resources, self.page
        );
        let mut objects = vec![
            format!("<< /Type /Catalog /Pages 2 0 R {} >>", self.catalog).into_bytes(),
            self.tree,
            self.leaf.unwrap_or(page.into_bytes()),
            self.contents,
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        ];
        objects.extend(self.more);
        objects
    }

    /// The header and the objects, without a cross-reference.
    pub(crate) fn body(self) -> Body {
        let mut body = Body::new(self.head.clone());
        for object in self.objects() {
            body.add(&object);
        }
        body
    }

    /// The file with a cross-reference table.
    pub(crate) fn finish(self) -> Vec<u8> {
        let trailer = self.trailer.clone();
        self.body().finish(&trailer)
    }

    /// The file with a cross-reference stream, and with every possible object in an object stream.
    pub(crate) fn finish_packed(self) -> Vec<u8> {
        let trailer = self.trailer.clone();
        let mut body = Body::new(self.head.clone());
        let mut packed = Vec::new();
        let objects = self.objects();
        let container = number(objects.len() + 1);
        let mut rows = vec![Row::Free];
        for (n, object) in (1..).zip(objects) {
            if object.ends_with(b"endstream") {
                rows.push(Row::At(body.bytes.len() as u64));
                body.add_as(n, &object);
            } else {
                rows.push(Row::In(container, number(packed.len())));
                packed.push((n, object));
            }
        }
        rows.push(Row::At(body.bytes.len() as u64));
        body.add_as(container, &object_stream("", &packed));
        body.finish_stream(&rows, &format!("/Root 1 0 R {trailer}"))
    }
}

/// A row of a cross-reference stream.
#[derive(Clone, Copy)]
pub(crate) enum Row {
    Free,
    /// At this offset.
    At(u64),
    /// In this object stream, at this index.
    In(u32, u32),
}

/// The part of a file written so far.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Offset of object `n`, at index `n - 1`.
    pub(crate) offsets: Vec<usize>,
}

impl Body {
    pub(crate) fn new(head: Vec<u8>) -> Self {
        Self { bytes: head, offsets: Vec::new() }
    }

    /// Appends an object with the next number.
    pub(crate) fn add(&mut self, object: &[u8]) {
        self.offsets.push(self.bytes.len());
        self.add_as(number(self.offsets.len()), object);
    }

    /// Appends an object with the number `n`.
    pub(crate) fn add_as(&mut self, n: u32, object: &[u8]) {
        self.text(&format!("{n} 0 obj\n"));
        self.bytes.extend_from_slice(object);
        self.text("\nendobj\n");
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends a cross-reference table of all objects, with a trailer. Returns its offset.
    pub(crate) fn table(&mut self, trailer: &str) -> usize {
        let at = self.bytes.len();
        let size = self.offsets.len() + 1;
        self.text(&format!("xref\n0 {size}\n0000000000 65535 f \n"));
        for n in 0..self.offsets.len() {
            self.text(&format!("{:010} 00000 n \n", self.offsets[n]));
        }
        self.text(&format!("trailer\n<< /Size {size} {trailer} >>\n"));
        at
    }

    pub(crate) fn end(mut self, startxref: usize) -> Vec<u8> {
        self.text(&format!("startxref\n{startxref}\n%%EOF\n"));
        self.bytes
    }

    /// Appends a table, a trailer with object 1 as the root, and the end.
    pub(crate) fn finish(mut self, trailer: &str) -> Vec<u8> {
        let at = self.table(&format!("/Root 1 0 R {trailer}"));
        self.end(at)
    }

    /// Appends a cross-reference stream, as the object after the last row, and the end.
    pub(crate) fn finish_stream(mut self, rows: &[Row], entries: &str) -> Vec<u8> {
        let at = self.bytes.len();
        let n = number(rows.len());
        let mut rows = rows.to_vec();
        rows.push(Row::At(at as u64));
        let data = xref_rows(&rows);
        let entries = format!("/Type /XRef /Size {} /W [1 4 4] {entries}", rows.len());
        self.add_as(n, &stream(&entries, &data));
        self.end(at)
    }
}

/// Rows with `/W [1 4 4]`.
pub(crate) fn xref_rows(rows: &[Row]) -> Vec<u8> {
    let mut data = Vec::new();
    for row in rows {
        let (kind, second, third) = match row {
            Row::Free => (0, 0, 65_535),
            Row::At(offset) => (1, u32::try_from(*offset).unwrap_or(u32::MAX), 0),
            Row::In(container, index) => (2, *container, *index),
        };
        data.push(kind);
        data.extend_from_slice(&second.to_be_bytes());
        data.extend_from_slice(&third.to_be_bytes());
    }
    data
}

/// A stream that is not encoded, or whose `data` is already encoded.
pub(crate) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<< /Length {} {entries} >>\nstream\n", data.len()).into_bytes();
    object.extend_from_slice(data);
    object.extend_from_slice(b"\nendstream");
    object
}

/// A stream with the filter FlateDecode.
pub(crate) fn flate(entries: &str, data: &[u8]) -> Vec<u8> {
    already_deflated(entries, &deflate(data))
}

/// A stream with the filter FlateDecode; `data` is already deflated.
pub(crate) fn already_deflated(entries: &str, data: &[u8]) -> Vec<u8> {
    stream(&format!("/Filter /FlateDecode {entries}"), data)
}

/// Deflates `data`, which is already deflated, once more, so that a bomb of megabytes is small.
pub(crate) fn twice_deflated(entries: &str, data: &[u8]) -> Vec<u8> {
    stream(&format!("/Filter [/FlateDecode /FlateDecode] {entries}"), &deflate(data))
}

/// Concatenates the pieces of all numbers.
pub(crate) fn each(numbers: Range<u32>, piece: impl Fn(u32) -> String) -> String {
    let mut text = String::new();
    for n in numbers {
        text.push_str(&piece(n));
    }
    text
}

/// An object stream of numbered objects.
pub(crate) fn object_stream(entries: &str, objects: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let (index, data) = packed(objects);
    let entries = format!("/Type /ObjStm /N {} /First {} {entries}", objects.len(), index.len());
    flate(&entries, &[index, data].concat())
}

/// The header of an object stream of these objects, and the objects.
pub(crate) fn packed(objects: &[(u32, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
    let mut index = String::new();
    let mut data = Vec::new();
    for (n, object) in objects {
        let _ = write!(index, "{n} {} ", data.len());
        data.extend_from_slice(object);
        data.push(b'\n');
    }
    (index.into_bytes(), data)
}

/// A form XObject with its resources.
pub(crate) fn form(resources: &str, contents: &str) -> Vec<u8> {
    let entries =
        format!("/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << {resources} >>");
    stream(&entries, contents.as_bytes())
}

/// Operators that show a line of text in the font `F1`.
pub(crate) fn show(text: &str) -> String {
    format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET\n")
}

/// Pseudo-random bytes, the same each time (a linear congruential generator).
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// A count as an object number; no case has more than 4,294,967,295 objects.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
