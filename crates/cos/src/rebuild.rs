//! Rebuilds the cross-reference by a scan of the file.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Error, File, Limit, OpenError, Source,
    file::Header,
    lexer::is_white_space,
    object::{Dict, Object, Ref},
    xref::Entry,
};

/// Finds the objects of the body: the offset and generation of the last object with each number.
pub(crate) fn scan<S: Source>(file: &File<S>) -> Result<BTreeMap<u32, (u64, u16)>, Error> {
    if file.len() > file.limits.rebuild_bytes {
        return Ok(BTreeMap::new());
    }
    let bytes = file.input.read(0..file.len())?;
    let mut found = BTreeMap::new();
    for at in memchr::memmem::find_iter(&bytes, b"obj") {
        if let Some((number, generation, start)) = header_before(&bytes[..at]) {
            if found.len() >= file.limits.objects {
                return Err(Error::Limit(Limit::Objects));
            }
            found.insert(number, (start as u64, generation));
        }
    }
    Ok(found)
}

/// The offsets of the objects that a scan found.
pub(crate) fn offsets(found: BTreeMap<u32, (u64, u16)>) -> HashMap<u32, u64> {
    found.into_iter().map(|(number, (offset, _))| (number, offset)).collect()
}

/// Object number, generation and start of the `N G` at the end of `bytes`.
fn header_before(bytes: &[u8]) -> Option<(u32, u16, usize)> {
    let space = |bytes: &[u8]| {
        bytes.iter().rev().take(16).take_while(|byte| is_white_space(**byte)).count()
    };
    let digits =
        |bytes: &[u8]| bytes.iter().rev().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let end = bytes.len() - space(bytes);
    let generation = digits(&bytes[..end]);
    let between = end - generation;
    let gap = space(&bytes[..between]);
    let number_end = between - gap;
    let number = digits(&bytes[..number_end]);
    if generation == 0 || gap == 0 || number == 0 {
        return None;
    }
    let start = number_end - number;
    let text = |range| std::str::from_utf8(&bytes[range]).ok();
    let number = text(start..number_end)?.parse().ok()?;
    Some((number, text(between..end)?.parse().unwrap_or_default(), start))
}

impl<S: Source> File<S> {
    /// Replaces the cross-reference with the result of a scan.
    pub(crate) fn rebuild(&mut self) -> Result<(), OpenError> {
        if self.len() > self.limits.rebuild_bytes {
            return Err(OpenError::Damaged(
                "no usable cross-reference, and the file is too large to rebuild it",
            ));
        }
        self.reset();
        let found = scan(self)?;
        let numbers: Vec<u32> = found.keys().copied().collect();
        for (number, (offset, generation)) in &found {
            self.xref.add(*number, Entry::At { offset: *offset, generation: *generation });
        }
        self.scanned = std::cell::OnceCell::from(offsets(found));
        self.rebuilt.set(true);

        self.trailer = match self.last_trailer()? {
            Some(trailer) => trailer,
            None => self.stream_trailer(&numbers).unwrap_or_default(),
        };
        self.unlock()?;
        let mut catalog = None;
        for number in numbers {
            let found = match self.numbered(number) {
                Err(Error::Io(error)) => return Err(OpenError::Io(error)),
                found => found.ok().flatten(),
            };
            let Some(found) = found else { continue };
            let Some(dict) = found.object.as_dict() else { continue };
            if dict.is("Type", "ObjStm") {
                self.add_object_stream(number);
            } else if dict.is("Type", "Catalog") {
                catalog = Some(found.id);
            }
        }
        if self.root().is_err() {
            let catalog = catalog.or_else(|| self.find_catalog());
            let id = catalog.ok_or(OpenError::Damaged("no catalog"))?;
            let mut entries: Vec<_> =
                self.trailer.iter().filter(|(key, _)| *key != "Root").cloned().collect();
            entries.push((crate::Name::new("Root"), Object::Ref(id)));
            self.trailer = Dict::from(entries);
        }
        self.root()?;
        Ok(())
    }

    /// The dictionary of the first cross-reference stream with a `/Root`.
    fn stream_trailer(&self, numbers: &[u32]) -> Option<Dict> {
        numbers.iter().find_map(|number| {
            let found = self.numbered(*number).ok()??;
            let dict = found.object.as_dict()?;
            (dict.is("Type", "XRef") && dict.contains("Root")).then(|| dict.clone())
        })
    }

    /// The last trailer dictionary with a `/Root`.
    fn last_trailer(&self) -> Result<Option<Dict>, Error> {
        let bytes = self.input.read(0..self.len())?;
        for at in memchr::memmem::rfind_iter(&bytes, b"trailer").take(64) {
            if let Ok((_, Object::Dict(dict))) = self.lex_value(at as u64 + 7)
                && dict.contains("Root")
            {
                return Ok(Some(dict));
            }
        }
        Ok(None)
    }

    /// Adds the objects of an object stream that the body does not have.
    fn add_object_stream(&mut self, number: u32) {
        let Ok(objects) = self.numbers_in(number) else { return };
        for (index, inner) in objects.into_iter().enumerate() {
            if self.xref.entries.len() >= self.limits.objects {
                return;
            }
            if let Ok(index) = u32::try_from(index) {
                self.xref.add(inner, Entry::In { stream: number, index });
            }
        }
    }

    fn find_catalog(&self) -> Option<Ref> {
        self.xref.refs().into_iter().find(|id| {
            self.object(*id)
                .is_ok_and(|object| object.as_dict().is_some_and(|dict| dict.is("Type", "Catalog")))
        })
    }
}

impl Header {
    /// Whether the header is at the first byte of the file.
    #[must_use]
    pub const fn at_start(&self) -> bool {
        self.offset == 0
    }
}
