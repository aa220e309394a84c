//! Opens a file: header, tail, and the chain of cross-reference sections.

use std::collections::HashSet;

use crate::{
    Error, File, Limit, Limits, OpenError, Source,
    file::{Header, Indirect},
    lexer::{Lexer, is_white_space},
    object::{Dict, Object},
    source::{Input, to_usize},
    xref::{Entry, Section, SectionKind, Subsection},
};

/// Bytes at the start that may hold the header.
const HEAD: u64 = 1_024;
/// Bytes at the end that may hold `startxref`.
const TAIL: u64 = 2_048;

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        match error {
            Error::Limit(limit) => Self::Limit(limit),
            Error::Syntax { what, .. } => Self::Damaged(what),
            Error::Io(error) => Self::Io(error),
        }
    }
}

impl<S: Source> File<S> {
    /// Reads the header, the tail and the cross-reference of `source`, and nothing else. If the
    /// cross-reference does not lead to a catalog, one scan of the file rebuilds it, provided that
    /// the file is not larger than [`Limits::rebuild_bytes`].
    pub fn open(source: S, limits: Limits) -> Result<Self, OpenError> {
        let input = Input::new(source);
        let head = input.read(0..HEAD).map_err(Error::from)?;
        let header = Header::find(&head).ok_or(OpenError::NotPdf)?;
        let shift = header.offset;
        let mut file = Self::new(input, limits, header);
        let mut outcome = file.read_chain();
        if !file.usable(&outcome) && shift > 0 {
            // Some files count offsets from the header.
            file.base = shift;
            outcome = file.read_chain();
        }
        if file.usable(&outcome) {
            return Ok(file);
        }
        file.base = 0;
        // A file over a limit is not damaged: a scan could find other objects than the
        // cross-reference names.
        if let Err(error @ (Error::Io(_) | Error::Limit(_))) = outcome {
            return Err(error.into());
        }
        file.rebuild()?;
        Ok(file)
    }

    /// Whether the cross-reference is readable and leads to a catalog with pages. A file over a
    /// limit counts as usable, because a scan would not help.
    fn usable(&self, outcome: &Result<(), Error>) -> bool {
        outcome.is_ok()
            && match self.root().and_then(|root| self.get(&root, "Pages")) {
                Ok(pages) => pages.as_dict().is_some(),
                Err(error) => matches!(error, Error::Limit(_)),
            }
    }

    fn read_chain(&mut self) -> Result<(), Error> {
        self.reset();
        let len = self.input.len();
        let tail_start = len.saturating_sub(TAIL);
        let tail = self.input.read(tail_start..len)?;
        let at = memchr::memmem::rfind(&tail, b"startxref")
            .ok_or(Error::syntax(len, "no startxref in the last 2,048 bytes"))?;
        self.startxref_at = Some(tail_start + at as u64);
        let mut lexer = Lexer::new(&tail[at + 9..], 0, false, &self.limits);
        let start = lexer
            .unsigned()
            .ok_or(Error::syntax(tail_start + at as u64, "startxref has no offset"))?;

        let mut seen = HashSet::new();
        let mut next = Some(start);
        while let Some(offset) = next {
            if !seen.insert(offset) {
                break;
            }
            if seen.len() > self.limits.sections {
                return Err(Error::Limit(Limit::Sections));
            }
            let trailer = self.read_section(offset)?;
            next = trailer
                .get("Prev")
                .and_then(Object::as_i64)
                .and_then(|prev| u64::try_from(prev).ok());
        }
        let trailers = self.xref.sections.iter().map(|section| &section.trailer);
        self.trailer =
            trailers.clone().find(|dict| dict.contains("Root")).cloned().unwrap_or_default();
        self.unlock()
    }

    fn read_section(&mut self, offset: u64) -> Result<Dict, Error> {
        let offset = offset
            .checked_add(self.base)
            .ok_or(Error::syntax(offset, "an offset is out of range"))?;
        let window = self.input.window(offset, 64)?;
        let space = window.bytes().iter().take_while(|byte| is_white_space(**byte)).count();
        if window.bytes()[space..].starts_with(b"xref") {
            return self.read_table(offset + space as u64);
        }
        let indirect = self.parse_indirect(offset, None)?;
        let (trailer, kind) = match &indirect {
            Indirect { object: Object::Stream(stream), .. } => {
                (stream.dict().clone(), SectionKind::Stream(stream.id()))
            }
            _ => return Err(Error::syntax(offset, "expected a cross-reference")),
        };
        self.xref.sections.push(Section { offset, trailer: trailer.clone(), kind });
        self.read_stream(&indirect, offset)?;
        Ok(trailer)
    }

    fn read_table(&mut self, offset: u64) -> Result<Dict, Error> {
        let mut position = offset + 4;
        let mut entries = Vec::new();
        let mut subsections = Vec::new();
        let trailer = loop {
            let (next, header) = self.lex(position, |lexer| {
                if lexer.keyword(b"trailer") {
                    return Ok(None);
                }
                lexer.skip_space();
                let header = lexer.offset();
                let first = lexer.unsigned().and_then(|first| u32::try_from(first).ok());
                let count = lexer.unsigned().and_then(|count| u32::try_from(count).ok());
                let (Some(first), Some(count)) = (first, count) else {
                    return Err(Error::syntax(header, "expected a subsection or a trailer"));
                };
                Ok(Some(Subsection { header, header_end: lexer.offset(), first, count }))
            })?;
            let Some(subsection) = header else {
                let (_, trailer) = self.lex_value(next)?;
                break trailer
                    .as_dict()
                    .cloned()
                    .ok_or(Error::syntax(next, "expected a trailer dictionary"))?;
            };
            if entries.len() + self.xref.entries.len() + subsection.count as usize
                > self.limits.objects
            {
                return Err(Error::Limit(Limit::Objects));
            }
            position = self.read_entries(next, subsection, &mut entries)?;
            subsections.push(subsection);
            if subsections.len() > self.limits.objects {
                return Err(Error::Limit(Limit::Objects));
            }
        };
        shift_table_that_starts_at_one(&mut entries);
        self.xref.sections.push(Section {
            offset,
            trailer: trailer.clone(),
            kind: SectionKind::Table(subsections),
        });
        // In a hybrid file the stream lists the objects that the table calls free.
        let (free, used): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, entry)| *entry == Entry::Free);
        for (number, entry) in used {
            self.xref.add(number, entry);
        }
        if let Some(at) =
            trailer.get("XRefStm").and_then(Object::as_i64).and_then(|at| u64::try_from(at).ok())
        {
            self.read_hybrid(at.saturating_add(self.base))?;
        }
        for (number, entry) in free {
            self.xref.add(number, entry);
        }
        Ok(trailer)
    }

    fn read_hybrid(&mut self, offset: u64) -> Result<(), Error> {
        let indirect = self.parse_indirect(offset, None)?;
        if let Object::Stream(stream) = &indirect.object {
            let kind = SectionKind::Hybrid(stream.id());
            self.xref.sections.push(Section { offset, trailer: stream.dict().clone(), kind });
            self.read_stream(&indirect, offset)?;
        }
        Ok(())
    }

    /// Reads the entries of a subsection from `position`, a thousand at a time. Returns the offset
    /// after them.
    fn read_entries(
        &self,
        mut position: u64,
        subsection: Subsection,
        entries: &mut Vec<(u32, Entry)>,
    ) -> Result<u64, Error> {
        let mut number = subsection.first;
        let mut left = subsection.count;
        while left > 0 {
            let batch = left.min(1_000);
            let (next, read) = self.lex(position, |lexer| {
                let mut read = Vec::with_capacity(batch as usize);
                for _ in 0..batch {
                    let before = lexer.pos;
                    let (Some(offset), Some(generation)) = (lexer.unsigned(), lexer.unsigned())
                    else {
                        // There are fewer entries than the header declares.
                        lexer.pos = before;
                        break;
                    };
                    let used = lexer.keyword(b"n");
                    if !used && !lexer.keyword(b"f") {
                        lexer.pos = before;
                        break;
                    }
                    read.push((offset, generation, used));
                }
                Ok(read)
            })?;
            position = next;
            let short = read.len() < batch as usize;
            for (offset, generation, used) in read {
                let entry = match u16::try_from(generation) {
                    Ok(generation) if used && offset > 0 => {
                        Entry::At { offset: offset.saturating_add(self.base), generation }
                    }
                    _ => Entry::Free,
                };
                entries.push((number, entry));
                number = number.saturating_add(1);
            }
            if short {
                break;
            }
            left -= batch;
        }
        Ok(position)
    }

    /// The entries of a cross-reference stream (7.5.8.3).
    fn read_stream(&mut self, indirect: &Indirect, offset: u64) -> Result<(), Error> {
        let Object::Stream(stream) = &indirect.object else { return Ok(()) };
        let bad = |what| Error::syntax(offset, what);
        let dict = stream.dict();
        let integers = |key| {
            let array = dict.get(key).and_then(Object::as_array);
            array.map(|array| {
                array.iter().map(|value| value.as_i64().unwrap_or(-1)).collect::<Vec<_>>()
            })
        };
        let widths = integers("W").filter(|widths| widths.len() >= 3).ok_or(bad("no /W"))?;
        let mut fields = [0_usize; 3];
        for (field, width) in fields.iter_mut().zip(&widths) {
            *field = usize::try_from(*width)
                .ok()
                .filter(|width| *width <= 8)
                .ok_or(bad("/W out of range"))?;
        }
        let width: usize = fields.iter().sum();
        if width == 0 {
            return Err(bad("/W is empty"));
        }
        let data = self.stream_data(stream)?;
        let size = dict.get("Size").and_then(Object::as_i64).unwrap_or(0);
        let index = integers("Index").unwrap_or_else(|| vec![0, size]);
        let mut rows = data.chunks_exact(width);
        for pair in index.chunks_exact(2) {
            let first = u32::try_from(pair[0]).map_err(|_| bad("/Index out of range"))?;
            let count = to_usize(u64::try_from(pair[1]).map_err(|_| bad("/Index out of range"))?);
            // `take` stops at the last row, so a larger count in /Index has no effect.
            for (at, row) in rows.by_ref().take(count).enumerate() {
                let Some(number) = u32::try_from(at).ok().and_then(|at| first.checked_add(at))
                else {
                    break;
                };
                if self.xref.entries.len() >= self.limits.objects {
                    return Err(Error::Limit(Limit::Objects));
                }
                if let Some(entry) = self.stream_entry(row, fields) {
                    self.xref.add(number, entry);
                }
            }
        }
        Ok(())
    }

    fn stream_entry(&self, row: &[u8], [kind, second, third]: [usize; 3]) -> Option<Entry> {
        let field = |from: usize, width: usize| {
            row[from..from + width].iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
        };
        let kind_value = if kind == 0 { 1 } else { field(0, kind) };
        let (second, third) = (field(kind, second), field(kind + second, third));
        Some(match kind_value {
            0 => Entry::Free,
            1 => Entry::At {
                offset: second.saturating_add(self.base),
                generation: u16::try_from(third).ok()?,
            },
            2 => Entry::In {
                stream: u32::try_from(second).ok()?,
                index: u32::try_from(third).unwrap_or(u32::MAX),
            },
            _ => return None,
        })
    }
}

/// Some writers start the table at 1 instead of 0: then the free list head has number 1.
fn shift_table_that_starts_at_one(entries: &mut [(u32, Entry)]) {
    if let Some((1, Entry::Free)) = entries.first()
        && entries.iter().all(|(number, _)| *number > 0)
        && entries.len() > 1
    {
        for (number, _) in entries {
            *number -= 1;
        }
    }
}
