//! Streams: the position of their data, and decoding it.

use crate::{
    Error, Limit, Source,
    file::File,
    filters::{self, Codec, Decoded, Filter},
    lexer::is_regular,
    object::{Dict, Object, Stream, StreamForm},
    predictor::Predictor,
};

impl<S: Source> File<S> {
    /// Finds the data of a stream. `after` is the offset after the keyword `stream`.
    pub(crate) fn parse_stream(
        &self,
        dict: &Dict,
        keyword: u64,
        after: u64,
    ) -> Result<StreamForm, Error> {
        let eol = self.input.read(after..after.saturating_add(2))?;
        let start = after
            + match eol.as_slice() {
                [b'\r', b'\n', ..] => 2,
                [b'\r' | b'\n', ..] => 1,
                _ => 0,
            };
        // An unreadable length counts as a wrong one.
        let length = match self.get(dict, "Length") {
            Err(error @ Error::Io(_)) => return Err(error),
            value => value.unwrap_or_default(),
        };
        let declared = length.as_i64();
        let end = declared
            .and_then(|length| start.checked_add(u64::try_from(length).ok()?))
            .filter(|end| *end <= self.len());
        if let Some(end) = end {
            let near = self.input.read(end..end.saturating_add(32))?;
            let space = near.iter().take_while(|byte| !is_regular(**byte)).count();
            if near[space..].starts_with(b"endstream") {
                let endstream = Some(end + space as u64);
                return Ok(StreamForm {
                    keyword,
                    start,
                    end,
                    endstream,
                    declared,
                    as_declared: true,
                });
            }
        }
        let endstream = self.find_endstream(start)?;
        let end = match endstream {
            Some(found) => {
                let before = self.input.read(found.saturating_sub(2).max(start)..found)?;
                found
                    - match before.as_slice() {
                        [b'\r', b'\n'] => 2,
                        [.., b'\r' | b'\n'] => 1,
                        _ => 0,
                    }
            }
            None => end.unwrap_or(self.len()),
        };
        Ok(StreamForm { keyword, start, end, endstream, declared, as_declared: false })
    }

    fn find_endstream(&self, start: u64) -> Result<Option<u64>, Error> {
        const CHUNK: u64 = 64 << 10;
        let mut at = start;
        while at < self.len() {
            let chunk = self.input.read(at..at + CHUNK)?;
            let searched = self.searched.get() + chunk.len() as u64;
            self.searched.set(searched);
            if searched > self.limits.search_bytes {
                return Err(Error::Limit(Limit::SearchBytes));
            }
            if let Some(found) = memchr::memmem::find(&chunk, b"endstream") {
                return Ok(Some(at + found as u64));
            }
            if at + chunk.len() as u64 >= self.len() {
                break;
            }
            // The keyword may span two chunks.
            at += CHUNK - 8;
        }
        Ok(None)
    }

    /// The bytes of a stream before any filter. They are decrypted if the file is
    /// [`Access::Unlocked`](crate::Access::Unlocked).
    pub fn raw(&self, stream: &Stream) -> Result<Vec<u8>, Error> {
        let bytes = self.bytes(stream.form().start..stream.form().end)?;
        Ok(match &self.crypt {
            Some(crypt) => crypt.stream(stream.id(), stream.dict(), bytes),
            None => bytes,
        })
    }

    /// Whether a stream is encrypted with a key that the empty password does not give: an
    /// attachment of a file that is
    /// [`Access::AttachmentsLocked`](crate::Access::AttachmentsLocked). Its data is returned
    /// encrypted.
    pub fn is_locked(&self, stream: &Stream) -> bool {
        self.crypt.as_ref().is_some_and(|crypt| crypt.is_locked(stream.dict()))
    }

    /// The data of a stream after its filters, up to the first image codec.
    pub fn stream_data(&self, stream: &Stream) -> Result<Vec<u8>, Error> {
        self.decode(stream).map(|decoded| decoded.data)
    }

    /// The data of a stream after its filters, up to the first image codec, and whether decoding
    /// was complete.
    pub fn decode(&self, stream: &Stream) -> Result<Decoded, Error> {
        let filters = self.filters(stream.dict(), "Filter", "DecodeParms")?;
        self.run(self.raw(stream)?, &filters)
    }

    /// The data of an inline image after its filters, whose names may be abbreviated.
    pub fn decode_inline(&self, dict: &Dict, data: &[u8]) -> Result<Decoded, Error> {
        let filter = if dict.contains("F") { "F" } else { "Filter" };
        let parameters = if dict.contains("DP") { "DP" } else { "DecodeParms" };
        self.run(data.to_vec(), &self.filters(dict, filter, parameters)?)
    }

    fn run(&self, data: Vec<u8>, filters: &[Filter]) -> Result<Decoded, Error> {
        filters::decode(data, filters, self.limits.stream_bytes, |bytes| self.spend(bytes))
    }

    /// Counts bytes decoded or parsed. Objects in a file may overlap, so parsing one object may
    /// cost as much as the whole file.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), Error> {
        let total = self.spent.get().saturating_add(bytes as u64);
        self.spent.set(total);
        if total > self.limits.total_bytes { Err(Error::Limit(Limit::TotalBytes)) } else { Ok(()) }
    }

    fn filters(&self, dict: &Dict, key: &str, parameters: &str) -> Result<Vec<Filter>, Error> {
        let parameters = self.get(dict, parameters)?;
        match self.get(dict, key)? {
            Object::Name(name) => {
                let parameters = match parameters {
                    Object::Array(array) => {
                        array.first().map_or(Ok(Object::Null), |first| self.resolve(first))?
                    }
                    other => other,
                };
                Ok(vec![self.filter(name.as_bytes(), &parameters)?])
            }
            Object::Array(names) => {
                if names.len() > self.limits.filters {
                    return Err(Error::Limit(Limit::Filters));
                }
                let filter = |(at, name): (usize, &Object)| {
                    let parameters = match &parameters {
                        Object::Array(array) => {
                            array.get(at).map_or(Ok(Object::Null), |one| self.resolve(one))?
                        }
                        dict if names.len() == 1 => dict.clone(),
                        _ => Object::Null,
                    };
                    let name = self.resolve(name)?;
                    self.filter(name.as_name().map_or(b"", |name| name.as_bytes()), &parameters)
                };
                names.iter().enumerate().map(filter).collect()
            }
            _ => Ok(Vec::new()),
        }
    }

    fn filter(&self, name: &[u8], parameters: &Object) -> Result<Filter, Error> {
        let none = Dict::default();
        let parameters = parameters.as_dict().unwrap_or(&none);
        let integer =
            |key, default| Ok::<_, Error>(self.get(parameters, key)?.as_i64().unwrap_or(default));
        let predictor = || {
            Predictor::new(
                integer("Predictor", 1)?,
                integer("Colors", 1)?,
                integer("BitsPerComponent", 8)?,
                integer("Columns", 1)?,
                self.limits.stream_bytes,
            )
            .map_err(|()| Error::Limit(Limit::Predictor))
        };
        Ok(match name {
            b"FlateDecode" | b"Fl" => Filter::Flate(predictor()?),
            b"LZWDecode" | b"LZW" => Filter::Lzw {
                early_change: integer("EarlyChange", 1)? != 0,
                predictor: predictor()?,
            },
            b"ASCIIHexDecode" | b"AHx" => Filter::AsciiHex,
            b"ASCII85Decode" | b"A85" => Filter::Ascii85,
            b"RunLengthDecode" | b"RL" => Filter::RunLength,
            b"DCTDecode" | b"DCT" => Filter::Stop(Codec::Dct),
            b"JPXDecode" => Filter::Stop(Codec::Jpx),
            b"CCITTFaxDecode" | b"CCF" => Filter::Stop(Codec::CcittFax),
            b"JBIG2Decode" => Filter::Stop(Codec::Jbig2),
            b"Crypt" => match self.get(parameters, "Name")? {
                Object::Null => Filter::Identity,
                name if name.is_name("Identity") => Filter::Identity,
                _ => Filter::Stop(Codec::Unknown),
            },
            _ => Filter::Stop(Codec::Unknown),
        })
    }
}
