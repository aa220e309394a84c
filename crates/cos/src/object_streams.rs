//! Object streams (ISO 32000-1, 7.5.7).

use std::sync::Arc;

use crate::{
    Error, Limit, Limits, Source,
    file::{File, Indirect},
    lexer::Lexer,
    object::{Object, Ref, Stream},
    source::to_usize,
    xref::Entry,
};

/// A decoded object stream: its data, and the offset of each object.
pub(crate) struct ObjectStream {
    data: Vec<u8>,
    objects: Vec<(u32, usize)>,
}

impl ObjectStream {
    /// The object at `offset`, and its length in bytes.
    fn object(&self, offset: usize, limits: &Limits) -> Result<(Object, usize), Error> {
        let data = self.data.get(offset..).unwrap_or_default();
        let mut lexer = Lexer::new(data, offset as u64, true, limits);
        match lexer.value() {
            Err(error @ Error::Limit(_)) => Err(error),
            value => Ok((value.unwrap_or_default(), lexer.pos)),
        }
    }
}

/// Maximum number of decoded object streams in the cache; [`Limits::cache_bytes`] also applies.
const OBJECT_STREAMS: usize = 4;

impl<S: Source> File<S> {
    /// Calls `each` for every object of an object stream, with its number and its length in bytes,
    /// whether the cross-reference names it or not. An object that cannot be read is
    /// [`Object::Null`].
    ///
    /// # Errors
    /// Errors from reading the stream, an object over a limit, and errors that `each` returns.
    pub fn each_object_in<E: From<Error>>(
        &self,
        stream: &Stream,
        mut each: impl FnMut(u32, Object, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let unpacked = self.unpack(stream)?;
        for (number, offset) in &unpacked.objects {
            let (object, length) = unpacked.object(*offset, &self.limits)?;
            each(*number, object, length)?;
        }
        Ok(())
    }

    pub(crate) fn load_from_stream(
        &self,
        number: u32,
        stream: u32,
        index: u32,
    ) -> Result<(Indirect, usize), Error> {
        let objects = self.object_stream(stream)?;
        let found = objects.objects.get(index as usize).filter(|(found, _)| *found == number);
        let found = found.or_else(|| objects.objects.iter().find(|(found, _)| *found == number));
        let Some((_, offset)) = found else {
            return Err(Error::syntax(0, "an object is missing from its object stream"));
        };
        let (object, length) = objects.object(*offset, &self.limits)?;
        // Many entries may point to the same bytes, so each read counts.
        self.spend(length)?;
        let cost = length.saturating_mul(4).saturating_add(200);
        Ok((Indirect { id: Ref { number, generation: 0 }, object, form: None }, cost))
    }

    /// The numbers of the objects in an object stream.
    pub(crate) fn numbers_in(&self, number: u32) -> Result<Vec<u32>, Error> {
        Ok(self.object_stream(number)?.objects.iter().map(|(number, _)| *number).collect())
    }

    fn object_stream(&self, number: u32) -> Result<Arc<ObjectStream>, Error> {
        if let Some((_, kept)) =
            self.object_streams.borrow().iter().find(|(kept, _)| *kept == number)
        {
            return Ok(kept.clone());
        }
        if !matches!(self.xref.entry(number), Some(Entry::At { .. })) {
            return Err(Error::syntax(0, "an object stream is not in the body"));
        }
        let found = self.numbered(number)?;
        let Some(stream) = found.as_ref().and_then(|found| found.object.as_stream()) else {
            return Err(Error::syntax(0, "an object stream is not a stream"));
        };
        let objects = Arc::new(self.unpack(stream)?);
        let mut kept = self.object_streams.borrow_mut();
        kept.insert(0, (number, objects.clone()));
        kept.truncate(OBJECT_STREAMS);
        // The newest one stays whatever its size, because more of its objects may follow.
        let mut bytes = 0;
        kept.retain(|(found, stream)| {
            bytes += stream.data.len();
            *found == number || bytes <= self.limits.cache_bytes
        });
        Ok(objects)
    }

    /// Decodes an object stream, and reads the offsets of its objects.
    fn unpack(&self, stream: &Stream) -> Result<ObjectStream, Error> {
        let integer = |key| {
            Ok::<_, Error>(
                self.get(stream.dict(), key)?
                    .as_i64()
                    .and_then(|value| u64::try_from(value).ok())
                    .map(to_usize),
            )
        };
        let count = integer("N")?.unwrap_or(0);
        let first = integer("First")?.unwrap_or(0);
        if count > self.limits.objects {
            return Err(Error::Limit(Limit::Objects));
        }
        let data = self.stream_data(stream)?;
        let mut lexer = Lexer::new(&data, 0, false, &self.limits);
        let mut objects = Vec::new();
        for _ in 0..count {
            let (Some(number), Some(offset)) = (lexer.unsigned(), lexer.unsigned()) else { break };
            if let Ok(number) = u32::try_from(number) {
                objects.push((number, first.saturating_add(to_usize(offset))));
            }
        }
        Ok(ObjectStream { data, objects })
    }
}
