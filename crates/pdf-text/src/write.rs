//! Writes objects as a PDF file in memory.

use cos::{Dict, Object, Ref};

/// Entries of a stream's dictionary that describe the encoding of its data.
const CODED: [&str; 7] = ["Length", "Filter", "DecodeParms", "DL", "F", "FFilter", "FDecodeParms"];

/// A file in progress.
pub(crate) struct Writer {
    out: Vec<u8>,
    /// The objects written, with their offsets.
    objects: Vec<(Ref, usize)>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { out: b"%PDF-1.7\n".to_vec(), objects: Vec::new() }
    }

    /// Number of bytes written.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Writes an indirect object. `refer` returns the new reference for an old one, or `None` to
    /// write `null`.
    pub(crate) fn object(
        &mut self,
        id: Ref,
        object: &Object,
        refer: &mut dyn FnMut(Ref) -> Option<Ref>,
    ) {
        self.start(id);
        self.value(object, refer);
        self.out.extend(b"\nendobj\n");
    }

    /// Writes a stream. `keep_filters` means that `data` is still encoded as in the dictionary.
    pub(crate) fn stream(
        &mut self,
        id: Ref,
        dict: &Dict,
        data: &[u8],
        keep_filters: bool,
        refer: &mut dyn FnMut(Ref) -> Option<Ref>,
    ) {
        self.start(id);
        self.out.extend(b"<<");
        for (key, value) in dict {
            let is_coding = CODED.iter().any(|other| *key == **other);
            if !is_coding || (keep_filters && *key != *"Length") {
                self.name(key.as_bytes());
                self.value(value, refer);
            }
        }
        self.out.extend(format!("/Length {}>>stream\n", data.len()).bytes());
        self.out.extend(data);
        self.out.extend(b"\nendstream\nendobj\n");
    }

    fn start(&mut self, id: Ref) {
        self.objects.push((id, self.out.len()));
        self.out.extend(format!("{} {} obj\n", id.number, id.generation).bytes());
    }

    /// Writes a value. It was parsed before, so its nesting depth is limited.
    fn value(&mut self, value: &Object, refer: &mut dyn FnMut(Ref) -> Option<Ref>) {
        match value {
            Object::Null | Object::Stream(_) => self.out.extend(b" null"),
            Object::Bool(value) => self.out.extend(format!(" {value}").bytes()),
            Object::Integer(value) => self.out.extend(format!(" {value}").bytes()),
            Object::Real(value) => self.out.extend(format!(" {value:.6}").bytes()),
            Object::Name(name) => self.name(name.as_bytes()),
            Object::String(string) => {
                self.out.push(b'<');
                for &byte in string.as_bytes() {
                    self.hex(byte);
                }
                self.out.push(b'>');
            }
            Object::Array(array) => {
                self.out.push(b'[');
                array.iter().for_each(|item| self.value(item, refer));
                self.out.push(b']');
            }
            Object::Dict(dict) => {
                self.out.extend(b"<<");
                for (key, value) in dict {
                    self.name(key.as_bytes());
                    self.value(value, refer);
                }
                self.out.extend(b">>");
            }
            Object::Ref(id) => match refer(*id) {
                Some(id) => {
                    self.out.extend(format!(" {} {} R", id.number, id.generation).bytes());
                }
                None => self.out.extend(b" null"),
            },
        }
    }

    fn name(&mut self, name: &[u8]) {
        self.out.push(b'/');
        for &byte in name {
            if cos::is_regular(byte) && byte != b'#' && (33..127).contains(&byte) {
                self.out.push(byte);
            } else {
                self.out.push(b'#');
                self.hex(byte);
            }
        }
    }

    fn hex(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.out.push(DIGITS[usize::from(byte >> 4)]);
        self.out.push(DIGITS[usize::from(byte & 15)]);
    }

    /// Ends the file with its cross-reference and a trailer of these entries.
    pub(crate) fn finish(mut self, trailer: &[(&str, Ref)]) -> Vec<u8> {
        self.objects.sort_by_key(|(id, _)| id.number);
        let start = self.out.len();
        let size = self.objects.last().map_or(0, |(id, _)| id.number) + 1;
        self.out.extend(b"xref\n0 1\n0000000000 65535 f \n");
        let mut rest = self.objects.as_slice();
        while let Some((first, _)) = rest.first() {
            let run = rest.iter().zip(first.number..).take_while(|((id, _), at)| id.number == *at);
            let (section, after) = rest.split_at(run.count());
            self.out.extend(format!("{} {}\n", first.number, section.len()).bytes());
            for (id, offset) in section {
                self.out.extend(format!("{offset:010} {:05} n \n", id.generation).bytes());
            }
            rest = after;
        }
        self.out.extend(format!("trailer\n<</Size {size}").bytes());
        for (key, id) in trailer {
            self.out.extend(format!("/{key} {} {} R", id.number, id.generation).bytes());
        }
        self.out.extend(format!(">>\nstartxref\n{start}\n%%EOF\n").bytes());
        self.out
    }
}
