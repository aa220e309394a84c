//! Content streams (ISO 32000-1, 7.8.2): operators with their operands, and inline images.

use crate::{
    Limits,
    error::{Error, Limit},
    lexer::{Item, Lexer, is_white_space},
    object::{Dict, Object},
};

/// An operator of a content stream. [`Operations::operands`] returns its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator<'a> {
    /// Its name, such as `Tj`. An inline image is one operator, `EI`.
    pub name: &'a [u8],
    /// Offset of the name, in bytes from the start of the content.
    pub offset: usize,
}

/// The image of the last `EI`.
#[derive(Debug, Clone)]
pub struct InlineImage<'a> {
    /// The entries between `BI` and `ID`: abbreviated keys and values are not expanded.
    pub dict: Dict,
    /// The bytes between `ID` and `EI`.
    pub data: &'a [u8],
}

/// Reads the operators of a content stream in order.
pub struct Operations<'a> {
    lexer: Lexer<'a>,
    operands: Vec<Object>,
    image: Option<InlineImage<'a>>,
    limits: Limits,
    count: usize,
}

impl<'a> Operations<'a> {
    /// Reads `content`: the data of one stream, or of all streams of a page, separated by white
    /// space.
    #[must_use]
    pub fn new(content: &'a [u8], limits: &Limits) -> Self {
        let lexer = Lexer::new(content, 0, false, limits);
        Self { lexer, operands: Vec::new(), image: None, limits: *limits, count: 0 }
    }

    /// The next operator; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::Limit`] if a limit is exceeded, [`Error::Syntax`] if a value does not end. After an
    /// error there are no more operators.
    #[expect(
        clippy::should_implement_trait,
        reason = "it returns errors, and the operands borrow from it"
    )]
    pub fn next(&mut self) -> Result<Option<Operator<'a>>, Error> {
        self.operands.clear();
        self.image = None;
        // The limit of values applies to one object: here, to one operator with its operands.
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

    /// The operands of the last operator. At the end: the operands that no operator follows.
    #[must_use]
    pub fn operands(&self) -> &[Object] {
        &self.operands
    }

    /// The inline image, if the last operator was `EI`.
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

/// Offset of the white space before the `EI` that ends the image data: the first `EI` that is a
/// separate word with only text after it, else the first `EI` that is a separate word.
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
