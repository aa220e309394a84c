//! Inspects every object of the file body.

use std::collections::HashSet;

use cos::{Entry, File, Object, Ref, Source, Stream, is_regular, is_white_space};
use memchr::memmem;

use crate::{Error, Feature, Findings, features, meter::Meter, refusal::readable, streams};

/// Length in bytes of the parts in which the file is searched for objects.
const CHUNK: u64 = 4 << 20;
/// Maximum bytes before `obj` for the object number and generation.
const NUMBERS: usize = 32;

pub(crate) struct Body<'a, S> {
    pub(crate) file: &'a File<S>,
    pub(crate) meter: &'a mut Meter,
    pub(crate) findings: &'a mut Findings,
    /// Start offsets of the objects already inspected.
    starts: HashSet<u64>,
}

impl<'a, S: Source> Body<'a, S> {
    pub(crate) fn new(file: &'a File<S>, meter: &'a mut Meter, findings: &'a mut Findings) -> Self {
        Self { file, meter, findings, starts: HashSet::new() }
    }

    /// Inspects the trailers, each object of the cross-reference, and the objects that it does not
    /// name. Returns whether the file was searched for the latter.
    pub(crate) fn inspect(&mut self) -> Result<bool, Error> {
        for section in self.file.xref().sections() {
            self.look(&Object::Dict(section.trailer.clone()), None)?;
        }
        let mut containers = HashSet::new();
        for id in self.file.xref().refs() {
            self.meter.work(1)?;
            match self.file.xref().entry(id.number) {
                Some(Entry::At { offset, .. }) => self.listed(id, offset)?,
                // Inspected together with its object stream.
                Some(Entry::In { stream, .. }) => {
                    containers.insert(stream);
                }
                _ => {}
            }
        }
        // Object streams without `/Type /ObjStm`.
        for number in containers {
            let id = Ref { number, generation: 0 };
            match readable(self.file.object(id))? {
                Some(Object::Stream(stream)) if !stream.dict().is("Type", "ObjStm") => {
                    self.object_stream(&stream, id)?;
                }
                Some(Object::Stream(_)) => {}
                _ => self.findings.add(Feature::DamagedObjects, Some(id)),
            }
        }
        if self.file.len() > self.meter.limits.whole_bytes {
            return Ok(false);
        }
        self.unlisted()?;
        Ok(true)
    }

    /// Inspects an object that the cross-reference names.
    fn listed(&mut self, id: Ref, offset: u64) -> Result<(), Error> {
        let Some(Some(indirect)) = readable(self.file.indirect(id))? else {
            self.starts.insert(offset);
            self.findings.add(Feature::DamagedObjects, Some(id));
            return Ok(());
        };
        if let Some(form) = &indirect.form {
            self.starts.insert(form.start);
            self.meter.read(form.value_end.saturating_sub(form.start))?;
        }
        self.object(&indirect.object, id)
    }

    /// Inspects an object and its stream; for an object stream, also the objects in it.
    fn object(&mut self, object: &Object, id: Ref) -> Result<(), Error> {
        self.look(object, Some(id))?;
        let Object::Stream(stream) = object else { return Ok(()) };
        match streams::count(self.file, stream, self.meter)? {
            streams::State::Whole => {}
            streams::State::Damaged => self.findings.add(Feature::DamagedObjects, Some(id)),
            streams::State::Locked => self.findings.add(Feature::LockedAttachments, Some(id)),
        }
        if stream.dict().is("Type", "ObjStm") {
            self.object_stream(stream, id)?;
        }
        Ok(())
    }

    fn object_stream(&mut self, stream: &Stream, id: Ref) -> Result<(), Error> {
        self.findings.add(Feature::ObjectStreams, Some(id));
        let file = self.file;
        let walked = file.each_object_in(stream, |number, object, length| {
            self.meter.read(length as u64)?;
            self.look(&object, Some(Ref { number, generation: 0 }))
        });
        match walked {
            Err(Error::Refused(crate::Refusal::Damaged)) => {
                self.findings.add(Feature::DamagedObjects, Some(id));
                Ok(())
            }
            other => other,
        }
    }

    fn look(&mut self, object: &Object, id: Option<Ref>) -> Result<(), Error> {
        let resolve =
            |object: &Object| Ok(readable(self.file.resolve(object))?.unwrap_or_default());
        features::look(object, id, &resolve, self.meter, self.findings)
    }

    /// Searches the file for objects, and inspects those not yet inspected.
    fn unlisted(&mut self) -> Result<(), Error> {
        let mut from = 0;
        while from < self.file.len() {
            let to = from.saturating_add(CHUNK).min(self.file.len());
            self.meter.read(to - from)?;
            // Include the bytes before `from`, which may contain the numbers of the first `obj`.
            let start = from.saturating_sub(NUMBERS as u64);
            let end = to.saturating_add(2).min(self.file.len());
            let bytes = self.file.bytes(start..end)?;
            for at in memmem::find_iter(&bytes, b"obj") {
                let Some(place) = start_of(&bytes[..at]) else { continue };
                let place = start + place as u64;
                if place + (NUMBERS as u64) >= from && self.starts.insert(place) {
                    self.unlisted_at(place)?;
                }
            }
            from = to;
        }
        Ok(())
    }

    fn unlisted_at(&mut self, place: u64) -> Result<(), Error> {
        let Some(indirect) = readable(self.file.indirect_at(place))? else { return Ok(()) };
        let length = indirect.form.map_or(0, |form| form.value_end.saturating_sub(form.start));
        self.meter.read(length)?;
        self.findings.add(Feature::UnlistedObjects, Some(indirect.id));
        self.look(&indirect.object, Some(indirect.id))?;
        match &indirect.object {
            Object::Stream(stream) if stream.dict().is("Type", "ObjStm") => {
                self.object_stream(stream, indirect.id)
            }
            _ => Ok(()),
        }
    }
}

/// Start of the `N G` at the end of `bytes`.
fn start_of(bytes: &[u8]) -> Option<usize> {
    let back = |end: usize, is: fn(u8) -> bool| {
        let count = bytes[..end].iter().rev().take(NUMBERS).take_while(|byte| is(**byte)).count();
        end - count
    };
    let digit = |byte: u8| byte.is_ascii_digit();
    let generation_end = back(bytes.len(), is_white_space);
    let generation = back(generation_end, digit);
    let number_end = back(generation, is_white_space);
    let number = back(number_end, digit);
    let apart = number == 0 || !is_regular(bytes[number - 1]);
    let there = number < number_end && number_end < generation && generation < generation_end;
    (apart && there).then_some(number)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_start_of_an_object_header_is_found() {
        assert_eq!(super::start_of(b"xref 12 0 "), Some(5));
        assert_eq!(super::start_of(b"12 0 "), Some(0));
        assert_eq!(super::start_of(b"12 0"), Some(0));
        assert_eq!(super::start_of(b"a12 0 "), None);
        assert_eq!(super::start_of(b"end"), None);
        assert_eq!(super::start_of(b""), None);
    }
}
