//! An open file: its objects, on demand.

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

/// An open PDF file. Objects are read when they are asked for, and kept up to
/// [`Limits::cache_bytes`].
pub struct File<S> {
    pub(crate) input: Input<S>,
    pub(crate) limits: Limits,
    pub(crate) header: Header,
    /// Added to the offsets in the file, for those that count from a header that is not at byte 0.
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
    /// Where `%PDF-` stands, in bytes from the start of the file.
    pub offset: u64,
    /// The version that it names: `(1, 4)` for `%PDF-1.4`.
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
    /// Its number, as the object itself says.
    pub id: Ref,
    /// Its value.
    pub object: Object,
    /// Where its parts are; `None` for one of an object stream.
    pub form: Option<Form>,
}

/// Where the parts of an indirect object are, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The first digit of its number.
    pub start: u64,
    /// After `obj`.
    pub header_end: u64,
    /// After its value, or after `endstream`.
    pub value_end: u64,
    /// The `e` of `endobj`, if that follows.
    pub endobj: Option<u64>,
}

#[derive(Default)]
struct Cache {
    objects: HashMap<u32, (Result<Arc<Indirect>, Error>, usize)>,
    bytes: usize,
}

/// Objects that may be loading at once: an object needs its length, its object stream, that one's
/// length.
const LOADING: usize = 8;
/// References to references.
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

    /// Forgets what was read of the cross-reference, and every object.
    pub(crate) fn reset(&mut self) {
        self.xref = Xref::default();
        self.trailer = Dict::default();
        self.access = Access::Open;
        self.crypt = None;
        self.objects = RefCell::default();
        self.object_streams = RefCell::default();
    }

    /// Its budgets.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes in the file.
    pub const fn len(&self) -> u64 {
        self.input.len()
    }

    /// Whether there are none; never, for a file that opened.
    pub const fn is_empty(&self) -> bool {
        self.input.len() == 0
    }

    /// The bytes of `range`, cut at the file's end.
    pub fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        if range.end.saturating_sub(range.start) > self.limits.stream_bytes as u64 {
            return Err(Error::Limit(Limit::StreamBytes));
        }
        Ok(self.input.read(range)?)
    }

    /// Its first line.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The version that the header names, or the catalog if that is later (ISO 32000-1, 7.2.2).
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

    /// Where the `startxref` at the end of the file stands.
    pub const fn startxref_at(&self) -> Option<u64> {
        self.startxref_at
    }

    /// The cross-reference.
    pub const fn xref(&self) -> &Xref {
        &self.xref
    }

    /// Whether the cross-reference, or an object's place in it, was wrong, and the file was
    /// scanned for objects instead.
    pub const fn rebuilt(&self) -> bool {
        self.rebuilt.get()
    }

    /// The newest trailer dictionary with a `/Root`; of a linearized file, that of the first page.
    pub const fn trailer(&self) -> &Dict {
        &self.trailer
    }

    /// Whether a trailer has `/Encrypt`. What that means for strings and streams is
    /// [`File::access`].
    pub fn is_encrypted(&self) -> bool {
        self.trailer.contains("Encrypt")
            || self.xref.sections.iter().any(|section| section.trailer.contains("Encrypt"))
    }

    /// Whether strings and streams are given as they were meant: not in a file that is
    /// [`Access::Locked`] or [`Access::Unknown`], which gives them as they are, encrypted.
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
                // What was read on the way was not decrypted.
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

    /// The value of an indirect object; `null` for one that is nowhere.
    pub fn object(&self, id: Ref) -> Result<Object, Error> {
        Ok(self.indirect(id)?.map_or(Object::Null, |indirect| indirect.object.clone()))
    }

    /// An indirect object with its place; `None` for one that is nowhere. An object that has another
    /// generation than `id` is not the one that `id` names (ISO 32000-1, 7.3.10). Its generation is
    /// the number before `obj`, whatever the cross-reference says.
    pub fn indirect(&self, id: Ref) -> Result<Option<Arc<Indirect>>, Error> {
        let found = self.numbered(id.number)?;
        Ok(found.filter(|found| found.id.generation == id.generation))
    }

    /// The object that a number stands for, whatever its generation.
    pub(crate) fn numbered(&self, number: u32) -> Result<Option<Arc<Indirect>>, Error> {
        let Some(entry) = self.xref.entry(number) else { return Ok(None) };
        if entry == Entry::Free {
            return Ok(None);
        }
        if let Some((kept, _)) = self.objects.borrow().objects.get(&number) {
            return kept.clone().map(Some);
        }
        if self.depth.get() >= LOADING {
            return Err(Error::syntax(0, "objects that need one another to be read"));
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

    /// The indirect object that stands at `offset`, white space before it allowed, whether the
    /// cross-reference names it or not.
    pub fn indirect_at(&self, offset: u64) -> Result<Indirect, Error> {
        self.parse_indirect(offset, None)
    }

    /// What `object` stands for: itself, or what its reference leads to.
    pub fn resolve(&self, object: &Object) -> Result<Object, Error> {
        let mut object = object.clone();
        for _ in 0..CHAIN {
            match object {
                Object::Ref(id) => object = self.object(id)?,
                other => return Ok(other),
            }
        }
        Err(Error::syntax(0, "a reference that leads to itself"))
    }

    /// The value of `key`, resolved; `null` if there is none.
    pub fn get(&self, dict: &Dict, key: &str) -> Result<Object, Error> {
        dict.get(key).map_or(Ok(Object::Null), |value| self.resolve(value))
    }

    /// The object and roughly what it costs to keep, in bytes.
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

    /// The offsets of all objects by a scan of the file, made once; none if it is too large.
    fn scanned(&self) -> &HashMap<u32, u64> {
        self.scanned.get_or_init(|| {
            let found = crate::rebuild::scan(self).unwrap_or_default();
            self.rebuilt.set(true);
            crate::rebuild::offsets(found)
        })
    }

    /// Runs `read` over the bytes from `offset`, with more and more of them until their end has no
    /// say in what it reads. Gives where it stopped, and its result.
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

    /// The value at `offset`, and where it ends.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime")]
    pub(crate) fn lex_value(&self, offset: u64) -> Result<(u64, Object), Error> {
        self.lex(offset, |lexer| lexer.value())
    }

    /// The indirect object at `offset`, which may be preceded by white space. One with another
    /// number than `expected` is an error before its value is read, so that many entries of the
    /// cross-reference that lead to one great object cost little.
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
                return Err(Error::syntax(start, "another object is at this one's place"));
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
                // At most CR LF, looked at by `parse_stream`; here so that the window has them.
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
