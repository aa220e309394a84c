//! Parses values from bytes (ISO 32000-1, 7.2 and 7.3), for the body of a file and for content
//! streams.

use crate::{
    Limits,
    error::{Error, Limit},
    object::{Array, Dict, Hex, Name, Object, Ref, Str},
};

/// NUL, tab, line feed, form feed, carriage return, space.
#[must_use]
pub const fn is_white_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

/// `( ) < > [ ] { } / %`.
#[must_use]
pub const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

/// Neither white space nor delimiter.
#[must_use]
pub const fn is_regular(byte: u8) -> bool {
    !is_white_space(byte) && !is_delimiter(byte)
}

/// A value, a keyword that is not a value, or the end.
pub(crate) enum Item<'a> {
    Value(Object),
    Keyword(&'a [u8]),
    /// `]`, `>>`, `}` or `)` without an opening delimiter, or `{`.
    Stray(u8),
    End,
}

/// Reads values from `data`.
pub(crate) struct Lexer<'a> {
    data: &'a [u8],
    pub(crate) pos: usize,
    /// Offset of `data` in the file, for errors.
    base: u64,
    /// Whether the end of `data` affected the result, so that more data may change it.
    pub(crate) hit_end: bool,
    /// Whether `1 0 R` is a reference.
    references: bool,
    nesting: usize,
    /// Values that may still be read.
    pub(crate) values: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(data: &'a [u8], base: u64, references: bool, limits: &Limits) -> Self {
        Self {
            data,
            pos: 0,
            base,
            hit_end: false,
            references,
            nesting: limits.nesting,
            values: limits.values,
        }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    pub(crate) fn data(&self) -> &'a [u8] {
        self.data
    }

    fn error(&self, what: &'static str) -> Error {
        Error::syntax(self.offset(), what)
    }

    pub(crate) fn peek(&mut self) -> Option<u8> {
        let byte = self.data.get(self.pos).copied();
        self.hit_end |= byte.is_none();
        byte
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.pos += 1;
        Some(byte)
    }

    fn take_while(&mut self, take: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.data.get(self.pos..).unwrap_or_default();
        let count = rest.iter().position(|byte| !take(*byte)).unwrap_or(rest.len());
        self.hit_end |= count == rest.len();
        self.pos += count;
        &rest[..count]
    }

    /// Skips white space and comments.
    pub(crate) fn skip_space(&mut self) {
        loop {
            self.take_while(is_white_space);
            if self.peek() != Some(b'%') {
                return;
            }
            self.take_while(|byte| byte != b'\n' && byte != b'\r');
        }
    }

    /// Reads the next run of regular characters, if it is an unsigned integer.
    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        self.skip_space();
        let start = self.pos;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(digits).ok()?.parse().ok();
        if number.is_none() || self.peek().is_some_and(is_regular) {
            self.pos = start;
            return None;
        }
        number
    }

    /// Reads `keyword` if it comes next. Returns whether it did.
    pub(crate) fn keyword(&mut self, keyword: &[u8]) -> bool {
        self.skip_space();
        let rest = self.data.get(self.pos..).unwrap_or_default();
        if rest.len() <= keyword.len() {
            self.hit_end = true;
        }
        if rest.starts_with(keyword) {
            self.pos += keyword.len();
            return true;
        }
        false
    }

    /// Reads one value; anything else is an error.
    pub(crate) fn value(&mut self) -> Result<Object, Error> {
        match self.item(0)? {
            Item::Value(value) => Ok(value),
            Item::Keyword(_) | Item::Stray(_) | Item::End => Err(self.error("expected a value")),
        }
    }

    /// Reads the next value or keyword, at nesting level `depth`.
    pub(crate) fn item(&mut self, depth: usize) -> Result<Item<'a>, Error> {
        self.skip_space();
        let Some(first) = self.peek() else { return Ok(Item::End) };
        self.values = self.values.checked_sub(1).ok_or(Error::Limit(Limit::Values))?;
        Ok(Item::Value(match first {
            b'/' => {
                self.pos += 1;
                Object::Name(self.name())
            }
            b'(' => {
                self.pos += 1;
                Object::String(self.literal()?)
            }
            b'<' if self.data.get(self.pos + 1) == Some(&b'<') => {
                self.pos += 2;
                Object::Dict(self.dict(depth + 1)?)
            }
            b'<' => {
                self.pos += 1;
                Object::String(self.hexadecimal()?)
            }
            b'[' => {
                self.pos += 1;
                Object::Array(self.array(depth + 1)?)
            }
            b'>' => {
                self.pos += 1;
                if self.peek() == Some(b'>') {
                    self.pos += 1;
                }
                return Ok(Item::Stray(b'>'));
            }
            b']' | b'{' | b'}' | b')' => {
                self.pos += 1;
                return Ok(Item::Stray(first));
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => {
                let start = self.pos;
                if let Some(number) = self.number() {
                    number
                } else {
                    self.pos = start;
                    return Ok(Item::Keyword(self.take_while(is_regular)));
                }
            }
            _ => match self.take_while(is_regular) {
                b"true" => Object::Bool(true),
                b"false" => Object::Bool(false),
                b"null" => Object::Null,
                other => return Ok(Item::Keyword(other)),
            },
        }))
    }

    /// Reads a number, or a reference if `references` is set. `None` if the text only starts like a
    /// number.
    fn number(&mut self) -> Option<Object> {
        let text = self.take_while(is_regular);
        let (value, simple) = number(text)?;
        if self.references
            && simple
            && let Object::Integer(number) = value
            && let Ok(number) = u32::try_from(number)
        {
            let after = self.pos;
            if let Some(generation) = self.unsigned().and_then(|value| u16::try_from(value).ok())
                && self.keyword(b"R")
                && !self.peek().is_some_and(is_regular)
            {
                return Some(Object::Ref(Ref { number, generation }));
            }
            self.pos = after;
        }
        Some(value)
    }

    fn name(&mut self) -> Name {
        let raw = self.take_while(is_regular);
        if !raw.contains(&b'#') {
            return Name::new(raw);
        }
        let mut bytes = Vec::with_capacity(raw.len());
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            let pair = (*byte == b'#')
                .then(|| Some(hex_digit(*raw.get(at + 1)?)? << 4 | hex_digit(*raw.get(at + 2)?)?))
                .flatten();
            bytes.push(pair.unwrap_or(*byte));
            at += if pair.is_some() { 3 } else { 1 };
        }
        Name::new(bytes)
    }

    fn literal(&mut self) -> Result<Str, Error> {
        let mut bytes = Vec::new();
        let mut open = 1_usize;
        loop {
            bytes.extend_from_slice(
                self.take_while(|byte| !matches!(byte, b'(' | b')' | b'\\' | b'\r')),
            );
            match self.next().ok_or_else(|| self.error("a string does not end"))? {
                b'(' => {
                    open += 1;
                    bytes.push(b'(');
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(Str::new(bytes));
                    }
                    bytes.push(b')');
                }
                b'\r' => {
                    if self.peek() == Some(b'\n') {
                        self.pos += 1;
                    }
                    bytes.push(b'\n');
                }
                _ => self.escape(&mut bytes),
            }
        }
    }

    /// Decodes an escape after the reverse solidus.
    fn escape(&mut self, bytes: &mut Vec<u8>) {
        let Some(byte) = self.next() else { return };
        match byte {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'\n' => {}
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.pos += 1;
                }
            }
            b'0'..=b'7' => {
                let mut code = byte - b'0';
                for _ in 0..2 {
                    match self.peek() {
                        Some(digit @ b'0'..=b'7') => {
                            // High-order overflow is ignored (7.3.4.2).
                            code = code.wrapping_shl(3) | (digit - b'0');
                            self.pos += 1;
                        }
                        _ => break,
                    }
                }
                bytes.push(code);
            }
            other => bytes.push(other),
        }
    }

    fn hexadecimal(&mut self) -> Result<Str, Error> {
        let raw = self.take_while(|byte| byte != b'>');
        self.next().ok_or_else(|| self.error("a hexadecimal string does not end"))?;
        let mut bytes = Vec::with_capacity(raw.len() / 2 + 1);
        let mut hex = Hex { digits: 0, foreign: false };
        let mut high = None;
        for byte in raw {
            match (hex_digit(*byte), high) {
                (Some(digit), None) => {
                    hex.digits += 1;
                    high = Some(digit << 4);
                }
                (Some(digit), Some(first)) => {
                    hex.digits += 1;
                    bytes.push(first | digit);
                    high = None;
                }
                (None, _) => hex.foreign |= !is_white_space(*byte),
            }
        }
        bytes.extend(high);
        Ok(Str::hexadecimal(&bytes, hex))
    }

    fn array(&mut self, depth: usize) -> Result<Array, Error> {
        self.check(depth)?;
        let mut objects = Vec::new();
        loop {
            let start = self.pos;
            match self.item(depth)? {
                Item::Value(value) => objects.push(value),
                Item::Stray(b']') => return Ok(objects.into()),
                Item::Keyword(b"endobj" | b"endstream" | b"stream") | Item::Stray(b'>') => {
                    // The delimiter closes an outer array or dictionary, so it also ends this
                    // array.
                    self.pos = start;
                    return Ok(objects.into());
                }
                Item::Keyword(_) | Item::Stray(_) => {}
                Item::End => return Err(self.error("an array does not end")),
            }
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Dict, Error> {
        self.check(depth)?;
        let mut entries = Vec::new();
        let mut key: Option<Name> = None;
        loop {
            let start = self.pos;
            match (self.item(depth)?, key.take()) {
                (Item::Value(Object::Name(name)), None) => key = Some(name),
                (Item::Value(value), Some(name)) => entries.push((name, value)),
                (Item::Stray(b'>'), name) => {
                    entries.extend(name.map(|name| (name, Object::Null)));
                    return Ok(entries.into());
                }
                (Item::Keyword(b"endobj" | b"endstream" | b"stream"), _) => {
                    self.pos = start;
                    return Ok(entries.into());
                }
                (Item::End, _) => return Err(self.error("a dictionary does not end")),
                (Item::Value(_) | Item::Keyword(_) | Item::Stray(_), name) => key = name,
            }
        }
    }

    /// Reads the entries of a dictionary up to the keyword `end` (`ID` for an inline image).
    pub(crate) fn dict_until(&mut self, end: &[u8]) -> Result<Dict, Error> {
        let mut entries = Vec::new();
        let mut key: Option<Name> = None;
        loop {
            match (self.item(1)?, key.take()) {
                (Item::Keyword(word), _) if word == end => return Ok(entries.into()),
                (Item::Value(Object::Name(name)), None) => key = Some(name),
                (Item::Value(value), Some(name)) => entries.push((name, value)),
                (Item::End, _) => return Err(self.error("an inline image has no data")),
                (_, name) => key = name,
            }
        }
    }

    fn check(&self, depth: usize) -> Result<(), Error> {
        if depth > self.nesting { Err(Error::Limit(Limit::Nesting)) } else { Ok(()) }
    }
}

pub(crate) const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The number in `text`, and whether it is an integer without a sign. Like other readers, this
/// accepts repeated signs (`--5`) and stops at a sign inside (`12-3` is 12).
fn number(text: &[u8]) -> Option<(Object, bool)> {
    let signs = text.iter().take_while(|byte| matches!(byte, b'+' | b'-')).count();
    let negative = text.first() == Some(&b'-');
    let rest = &text[signs..];
    let whole_len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = rest.split_at(whole_len);
    let fraction = match rest {
        [] => None,
        [b'.', fraction @ ..] => Some(fraction),
        [b'-' | b'+', ..] if !whole.is_empty() => None,
        _ => return None,
    };
    let Some(fraction) = fraction else {
        if whole.is_empty() {
            return None;
        }
        let value = whole.iter().fold(0_i64, |value, digit| {
            value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
        });
        return Some((
            Object::Integer(if negative { -value } else { value }),
            signs == 0 && rest.is_empty(),
        ));
    };
    let fraction_len = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = fraction.split_at(fraction_len);
    if !matches!(rest, [] | [b'-' | b'+' | b'.', ..])
        || whole.is_empty() && fraction.is_empty() && rest.is_empty() && text.len() > 1
    {
        return None;
    }
    let digits = [b"0".as_slice(), whole, b".", fraction, b"0"].concat();
    let value: f64 = std::str::from_utf8(&digits).ok()?.parse().ok()?;
    Some((Object::Real(if negative { -value } else { value }), false))
}
