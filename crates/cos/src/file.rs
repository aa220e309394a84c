//! An open file, whose objects are read on demand.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    ops::Range,
    sync::Arc,
};

use crate::{
    Error, Limit, Limits, Source,
    crypt::{Access, Crypt},
    lexer::Lexer,
    object::{Dict, Object, Ref, Stream},
    object_streams::ObjectStream,
    source::{Input, to_usize},
    xref::{Entry, Xref},
};

/// An open PDF file. Objects are read on demand and cached up to [`Limits::cache_bytes`].
pub struct File<S> {
    pub(crate) input: Input<S>,
    pub(crate) limits: Limits,
    pub(crate) header: Header,
    /// Added to the offsets in the file, if they count from a header that is not at byte 0.
    pub(crate) base: u64,
    pub(crate) xref: Xref,
    pub(crate) trailer: Dict,
    pub(crate) startxref_at: Option<u64>,
    pub(crate) access: Access,
    pub(crate) crypt: Option<Crypt>,
    pub(crate) rebuilt: Cell<bool>,
    pub(crate) scanned: OnceCell<HashMap<u32, u64>>,
    objects: RefCell<Cache>,
    pub(crate) object_streams: RefCell<Vec<(u32, Arc<ObjectStream>)>>,
    depth: Cell<usize>,
    pub(crate) spent: Cell<u64>,
    pub(crate) searched: Cell<u64>,
}

/// The first line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Offset of `%PDF-`, in bytes from the start of the file.
    pub offset: u64,
    /// The version in it: `(1, 4)` for `%PDF-1.4`.
    pub version: Option<(u8, u8)>,
}

impl Header {
    pub(crate) fn find(head: &[u8]) -> Option<Self> {
        let at = memchr::memmem::find(head, b"%PDF-")?;
        let version = match &head[at + 5..] {
            [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9', ..] => {
                Some((major - b'0', minor - b'0'))
            }
            _ => None,
        };
        Some(Self { offset: at as u64, version })
    }
}

/// An indirect object.
#[derive(Clone, Debug)]
pub struct Indirect {
    /// Its number and generation, as written before `obj`.
    pub id: Ref,
    /// Its value.
    pub object: Object,
    /// Positions of its parts; `None` for an object in an object stream.
    pub form: Option<Form>,
}

/// Positions of the parts of an indirect object, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The first digit of its number.
    pub start: u64,
    /// After `obj`.
    pub header_end: u64,
    /// After its value, or after `endstream`.
    pub value_end: u64,
    /// The `e` of `endobj`, if it follows.
    pub endobj: Option<u64>,
}

#[derive(Default)]
struct Cache {
    objects: HashMap<u32, (Result<Arc<Indirect>, Error>, usize)>,
    bytes: usize,
}

/// Maximum number of nested loads: an object may need its length, its object stream, and the length
/// of that stream.
const LOADING: usize = 8;
/// Maximum length of a chain of references.
const CHAIN: usize = 32;

impl<S: Source> File<S> {
    pub(crate) fn new(input: Input<S>, limits: Limits, header: Header) -> Self {
        Self {
            input,
            limits,
            header,
            base: 0,
            xref: Xref::default(),
            trailer: Dict::default(),
            startxref_at: None,
            access: Access::Open,
            crypt: None,
            rebuilt: Cell::new(false),
            scanned: OnceCell::new(),
            objects: RefCell::default(),
            object_streams: RefCell::default(),
            depth: Cell::new(0),
            spent: Cell::new(0),
            searched: Cell::new(0),
        }
    }

    /// Clears the cross-reference and all cached objects.
    pub(crate) fn reset(&mut self) {
        self.xref = Xref::default();
        self.trailer = Dict::default();
        self.access = Access::Open;
        self.crypt = None;
        self.objects = RefCell::default();
        self.object_streams = RefCell::default();
    }

    /// The limits of this file.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Length of the file in bytes.
    pub const fn len(&self) -> u64 {
        self.input.len()
    }

    /// Whether the file has no bytes. Always `false` for an open file.
    pub const fn is_empty(&self) -> bool {
        self.input.len() == 0
    }

    /// The bytes of `range`, cut at the end of the file.
    pub fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        if range.end.saturating_sub(range.start) > self.limits.stream_bytes as u64 {
            return Err(Error::Limit(Limit::StreamBytes));
        }
        Ok(self.input.read(range)?)
    }

    /// The first line of the file.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The version in the header, or in the catalog if that is later (ISO 32000-1, 7.2.2).
    pub fn version(&self) -> Option<(u8, u8)> {
        let catalog = self.root().ok().and_then(|root| self.get(&root, "Version").ok());
        let catalog =
            catalog.as_ref().and_then(Object::as_name).and_then(|name| match name.as_bytes() {
                [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
                    Some((major - b'0', minor - b'0'))
                }
                _ => None,
            });
        self.header.version.max(catalog)
    }

    /// Offset of the last `startxref`.
    pub const fn startxref_at(&self) -> Option<u64> {
        self.startxref_at
    }

    /// The cross-reference.
    pub const fn xref(&self) -> &Xref {
        &self.xref
    }

    /// Whether the cross-reference, or the offset of an object in it, was wrong, so that the file
    /// was scanned for objects.
    pub const fn rebuilt(&self) -> bool {
        self.rebuilt.get()
    }

    /// The newest trailer dictionary with a `/Root`. In a linearized file, the trailer of the first
    /// page.
    pub const fn trailer(&self) -> &Dict {
        &self.trailer
    }

    /// Whether a trailer has `/Encrypt`. [`File::access`] tells whether strings and streams are
    /// readable.
    pub fn is_encrypted(&self) -> bool {
        self.trailer.contains("Encrypt")
            || self.xref.sections.iter().any(|section| section.trailer.contains("Encrypt"))
    }

    /// Whether strings and streams are readable. In a file that is [`Access::Locked`] or
    /// [`Access::Unknown`] they are returned encrypted.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Tries the empty password, if the file is encrypted.
    pub(crate) fn unlock(&mut self) -> Result<(), Error> {
        self.access = Access::Open;
        self.crypt = None;
        let sections = self.xref.sections.iter().map(|section| &section.trailer);
        let trailer =
            std::iter::once(&self.trailer).chain(sections).find(|dict| dict.contains("Encrypt"));
        let Some(trailer) = trailer else { return Ok(()) };
        match Crypt::new(self, &trailer.clone()) {
            Ok(Ok(crypt)) => {
                self.access = crypt.access();
                self.crypt = Some(crypt);
                // Objects that were read before the key was known are not decrypted.
                self.objects = RefCell::default();
                self.object_streams = RefCell::default();
            }
            Ok(Err(access)) => self.access = access,
            Err(Error::Syntax { .. }) => self.access = Access::Unknown,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The catalog.
    pub fn root(&self) -> Result<Dict, Error> {
        match self.get(&self.trailer, "Root")? {
            Object::Dict(dict) => Ok(dict),
            _ => Err(Error::syntax(self.startxref_at.unwrap_or(0), "no catalog")),
        }
    }

    /// The linearization dictionary, if the first object is one (ISO 32000-1, annex F).
    pub fn linearization(&self) -> Option<Dict> {
        let mut head = self.input.read(0..1_024).ok()?;
        head.drain(..to_usize(self.header.offset).min(head.len()));
        let mut lexer = Lexer::new(&head, 0, true, &self.limits);
        lexer.unsigned()?;
        lexer.unsigned()?;
        if !lexer.keyword(b"obj") {
            return None;
        }
        let dict = lexer.value().ok()?;
        dict.as_dict().filter(|dict| dict.contains("Linearized")).cloned()
    }

    /// The value of an indirect object; `null` if the object does not exist.
    pub fn object(&self, id: Ref) -> Result<Object, Error> {
        Ok(self.indirect(id)?.map_or(Object::Null, |indirect| indirect.object.clone()))
    }

    /// An indirect object with its position; `None` if it does not exist. An object with another
    /// generation than `id` is a different object (ISO 32000-1, 7.3.10). The generation is the
    /// number before `obj`; the one in the cross-reference does not count.
    pub fn indirect(&self, id: Ref) -> Result<Option<Arc<Indirect>>, Error> {
        let found = self.numbered(id.number)?;
        Ok(found.filter(|found| found.id.generation == id.generation))
    }

    /// The object with this number, whatever its generation.
    pub(crate) fn numbered(&self, number: u32) -> Result<Option<Arc<Indirect>>, Error> {
        let Some(entry) = self.xref.entry(number) else { return Ok(None) };
        if entry == Entry::Free {
            return Ok(None);
        }
        if let Some((kept, _)) = self.objects.borrow().objects.get(&number) {
            return kept.clone().map(Some);
        }
        if self.depth.get() >= LOADING {
            return Err(Error::syntax(0, "objects depend on each other"));
        }
        self.depth.set(self.depth.get() + 1);
        let loaded = self.load(number, entry);
        self.depth.set(self.depth.get() - 1);
        let (loaded, cost) = match loaded {
            Ok((indirect, cost)) => (Ok(Arc::new(indirect)), cost),
            Err(error) => (Err(error), 64),
        };
        let mut cache = self.objects.borrow_mut();
        if cache.bytes > self.limits.cache_bytes {
            *cache = Cache::default();
        }
        cache.bytes += cost;
        cache.objects.insert(number, (loaded.clone(), cost));
        loaded.map(Some)
    }

    /// The indirect object at `offset`, after optional white space, whether the cross-reference
    /// names it or not.
    pub fn indirect_at(&self, offset: u64) -> Result<Indirect, Error> {
        self.parse_indirect(offset, None)
    }

    /// Follows a reference to its object. Any other object is returned unchanged.
    pub fn resolve(&self, object: &Object) -> Result<Object, Error> {
        let mut object = object.clone();
        for _ in 0..CHAIN {
            match object {
                Object::Ref(id) => object = self.object(id)?,
                other => return Ok(other),
            }
        }
        Err(Error::syntax(0, "a chain of references is too long"))
    }

    /// The value of `key`, resolved; `null` if the key is absent.
    pub fn get(&self, dict: &Dict, key: &str) -> Result<Object, Error> {
        dict.get(key).map_or(Ok(Object::Null), |value| self.resolve(value))
    }

    /// Reads the object, and estimates its size in the cache in bytes.
    fn load(&self, number: u32, entry: Entry) -> Result<(Indirect, usize), Error> {
        match entry {
            Entry::Free => Err(Error::syntax(0, "a free object")),
            Entry::In { stream, index } => self.load_from_stream(number, stream, index),
            Entry::At { offset, .. } => {
                let indirect = match self.parse_indirect(offset, Some(number)) {
                    Err(wrong @ Error::Syntax { .. }) => match self.scanned().get(&number) {
                        Some(found) if *found != offset => {
                            self.parse_indirect(*found, Some(number))
                        }
                        _ => Err(wrong),
                    },
                    other => other,
                }?;
                let cost = indirect.form.map_or(0, |form| {
                    let end = indirect
                        .object
                        .as_stream()
                        .map_or(form.value_end, |stream| stream.form().keyword);
                    to_usize(end.saturating_sub(form.start)).saturating_mul(4)
                });
                Ok((indirect, cost.saturating_add(200)))
            }
        }
    }

    /// The offsets of all objects, from one scan of the file. Empty if the file is too large.
    fn scanned(&self) -> &HashMap<u32, u64> {
        self.scanned.get_or_init(|| {
            let found = crate::rebuild::scan(self).unwrap_or_default();
            self.rebuilt.set(true);
            crate::rebuild::offsets(found)
        })
    }

    /// Runs `read` on the bytes from `offset`, and repeats it with more bytes while their end
    /// affects the result. Returns the offset after the data read, and the result.
    pub(crate) fn lex<T>(
        &self,
        offset: u64,
        read: impl Fn(&mut Lexer<'_>) -> Result<T, Error>,
    ) -> Result<(u64, T), Error> {
        let mut least = 512;
        loop {
            let window = self.input.window(offset, least)?;
            let mut lexer = Lexer::new(window.bytes(), offset, true, &self.limits);
            let result = read(&mut lexer);
            self.spend(lexer.pos)?;
            if !lexer.hit_end || window.last || matches!(result, Err(Error::Limit(_))) {
                return result.map(|value| (offset + lexer.pos as u64, value));
            }
            let had = window.bytes().len();
            if had >= self.limits.object_bytes {
                return Err(Error::Limit(Limit::ObjectBytes));
            }
            least = had.saturating_mul(4).clamp(64 << 10, self.limits.object_bytes);
        }
    }

    /// The value at `offset`, and the offset after it.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime")]
    pub(crate) fn lex_value(&self, offset: u64) -> Result<(u64, Object), Error> {
        self.lex(offset, |lexer| lexer.value())
    }

    /// The indirect object at `offset`, after optional white space. If its number is not
    /// `expected`, the result is an error before its value is read, so that many entries that point
    /// to one large object cost little.
    pub(crate) fn parse_indirect(
        &self,
        offset: u64,
        expected: Option<u32>,
    ) -> Result<Indirect, Error> {
        let (end, (id, start, header_end, object, keyword)) = self.lex(offset, |lexer| {
            lexer.skip_space();
            let start = lexer.offset();
            let number = lexer.unsigned().and_then(|number| u32::try_from(number).ok());
            let generation = lexer.unsigned().and_then(|generation| u16::try_from(generation).ok());
            let (Some(number), Some(generation), true) =
                (number, generation, lexer.keyword(b"obj"))
            else {
                return Err(Error::syntax(start, "expected an indirect object"));
            };
            if expected.is_some_and(|expected| expected != number) {
                return Err(Error::syntax(start, "another object is at this offset"));
            }
            let header_end = lexer.offset();
            let before = lexer.pos;
            let object = if lexer.keyword(b"endobj") {
                lexer.pos = before;
                Object::Null
            } else {
                lexer.value()?
            };
            let after = lexer.pos;
            lexer.skip_space();
            let keyword = lexer.offset();
            let stream = matches!(object, Object::Dict(_)) && lexer.keyword(b"stream");
            if stream {
                // `parse_stream` looks at up to two bytes, CR LF. This call loads them into the
                // window.
                lexer.peek();
            } else {
                lexer.pos = after;
            }
            Ok((Ref { number, generation }, start, header_end, object, stream.then_some(keyword)))
        })?;
        let object = match &self.crypt {
            Some(crypt) => crypt.object(id, object),
            None => object,
        };
        let (object, value_end) = match (object, keyword) {
            (Object::Dict(dict), Some(keyword)) => {
                let form = self.parse_stream(&dict, keyword, end)?;
                let end = form.endstream.map_or(form.end, |at| at + 9);
                (Object::Stream(Stream::new(dict, id, form)), end)
            }
            (object, _) => (object, end),
        };
        let window = self.input.window(value_end, 64)?;
        let mut lexer = Lexer::new(window.bytes(), value_end, true, &self.limits);
        let found = lexer.keyword(b"endobj");
        let endobj = found.then(|| lexer.offset() - 6);
        Ok(Indirect { id, object, form: Some(Form { start, header_end, value_end, endobj }) })
    }
}
