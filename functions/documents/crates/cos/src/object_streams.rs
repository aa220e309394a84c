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

/// A decoded object stream: its data, and where each object starts.
pub(crate) struct ObjectStream {
    data: Vec<u8>,
    objects: Vec<(u32, usize)>,
}

impl ObjectStream {
    /// The object at `offset`, and how many bytes it takes.
    fn object(&self, offset: usize, limits: &Limits) -> Result<(Object, usize), Error> {
        let data = self.data.get(offset..).unwrap_or_default();
        let mut lexer = Lexer::new(data, offset as u64, true, limits);
        match lexer.value() {
            Err(error @ Error::Limit(_)) => Err(error),
            value => Ok((value.unwrap_or_default(), lexer.pos)),
        }
    }
}

/// Object streams kept decoded, if they fit into [`Limits::cache_bytes`].
const OBJECT_STREAMS: usize = 4;

impl<S: Source> File<S> {
    /// Gives each object of an object stream to `each`, with its number and the bytes that it
    /// takes, whether the cross-reference names it or not. One that cannot be read is
    /// [`Object::Null`].
    ///
    /// # Errors
    /// What reading the stream gives, an object over a budget, and what `each` returns.
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
            return Err(Error::syntax(
                0,
                "an object is not in the object stream that should have it",
            ));
        };
        let (object, length) = objects.object(*offset, &self.limits)?;
        // Any number of entries may lead to the same bytes.
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
            return Err(Error::syntax(0, "an object stream is no stream"));
        };
        let objects = Arc::new(self.unpack(stream)?);
        let mut kept = self.object_streams.borrow_mut();
        kept.insert(0, (number, objects.clone()));
        kept.truncate(OBJECT_STREAMS);
        // The newest is kept whatever its size, for there may be more to read of it.
        let mut bytes = 0;
        kept.retain(|(found, stream)| {
            bytes += stream.data.len();
            *found == number || bytes <= self.limits.cache_bytes
        });
        Ok(objects)
    }

    /// Decodes an object stream, and reads where its objects start.
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
