//! Content streams (ISO 32000-1, 7.8.2): operators with their operands, and inline images.

use crate::{
    Limits,
    error::{Error, Limit},
    lexer::{Item, Lexer, is_white_space},
    object::{Dict, Object},
};

/// An operator of a content stream. Its operands are [`Operations::operands`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator<'a> {
    /// Its name, as in `Tj`. An inline image is one operator, `EI`.
    pub name: &'a [u8],
    /// Where the name stands, in bytes from the start of the content.
    pub offset: usize,
}

/// The image of the last `EI`.
#[derive(Debug, Clone)]
pub struct InlineImage<'a> {
    /// What stands between `BI` and `ID`: abbreviated keys and values, as they are.
    pub dict: Dict,
    /// What stands between `ID` and `EI`.
    pub data: &'a [u8],
}

/// The operations of a content stream, one after another.
pub struct Operations<'a> {
    lexer: Lexer<'a>,
    operands: Vec<Object>,
    image: Option<InlineImage<'a>>,
    limits: Limits,
    count: usize,
}

impl<'a> Operations<'a> {
    /// Reads `content`: one stream's data, or that of a page's streams with white space between.
    #[must_use]
    pub fn new(content: &'a [u8], limits: &Limits) -> Self {
        let lexer = Lexer::new(content, 0, false, limits);
        Self { lexer, operands: Vec::new(), image: None, limits: *limits, count: 0 }
    }

    /// The next operator; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::Limit`] over a budget, [`Error::Syntax`] for a value that does not end; the content
    /// ends there.
    #[expect(clippy::should_implement_trait, reason = "it may fail, and lends the operands")]
    pub fn next(&mut self) -> Result<Option<Operator<'a>>, Error> {
        self.operands.clear();
        self.image = None;
        // The budget of values is an object's: here, that of an operator with its operands.
        self.lexer.values = self.limits.values;
        loop {
            match self.lexer.item(0) {
                Ok(Item::Value(value)) => {
                    if self.operands.len() >= self.limits.operands {
                        return Err(self.stop(Error::Limit(Limit::Operands)));
                    }
                    self.operands.push(value);
                }
                Ok(Item::Keyword(name)) => {
                    self.count += 1;
                    if self.count > self.limits.operators {
                        return Err(self.stop(Error::Limit(Limit::Operators)));
                    }
                    let offset = self.lexer.pos - name.len();
                    if name == b"BI" {
                        return match self.inline_image() {
                            Ok(image) => {
                                self.image = Some(image);
                                Ok(Some(Operator { name: b"EI", offset }))
                            }
                            Err(error) => Err(self.stop(error)),
                        };
                    }
                    return Ok(Some(Operator { name, offset }));
                }
                Ok(Item::Stray(_)) => {}
                Ok(Item::End) => return Ok(None),
                Err(error) => return Err(self.stop(error)),
            }
        }
    }

    /// The operands of the last operator; after the last one, those that no operator follows.
    #[must_use]
    pub fn operands(&self) -> &[Object] {
        &self.operands
    }

    /// The image, if the last operator was `EI`.
    #[must_use]
    pub const fn inline_image_of_last(&self) -> Option<&InlineImage<'a>> {
        self.image.as_ref()
    }

    fn stop(&mut self, error: Error) -> Error {
        self.lexer.pos = self.lexer.data().len();
        error
    }

    fn inline_image(&mut self) -> Result<InlineImage<'a>, Error> {
        let dict = self.lexer.dict_until(b"ID")?;
        let content = self.lexer.data();
        // One white-space character, or the two of an end of line, separate `ID` from the data.
        let start = (self.lexer.pos + 1).min(content.len());
        let rest = &content[start..];
        let end = end_of_image(rest)
            .ok_or_else(|| Error::syntax(start as u64, "an inline image does not end"))?;
        self.lexer.pos = start + end + 3;
        Ok(InlineImage { dict, data: &rest[..end] })
    }
}

/// Where the white space before the first `EI` is that ends an image and is not part of its data:
/// a word of its own, with nothing but text after it.
fn end_of_image(data: &[u8]) -> Option<usize> {
    let mut fallback = None;
    for at in memchr::memmem::find_iter(data, b"EI") {
        let before = at == 0 || is_white_space(data[at - 1]);
        let after = data.get(at + 2);
        if after.is_some_and(|byte| !is_white_space(*byte)) {
            continue;
        }
        let found = at.saturating_sub(1);
        let next = data.get(at + 2..).unwrap_or_default();
        let text = next
            .iter()
            .take(12)
            .all(|byte| is_white_space(*byte) && *byte != 0 || (32..127).contains(byte));
        if before && text && at > 0 {
            return Some(found);
        }
        fallback = fallback.or(Some(found).filter(|_| before && at > 0));
    }
    fallback
}
