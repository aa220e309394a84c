//! The words, digits and marks in dates.

use unicode_normalization::char::is_combining_mark;

use super::months::month_of;

/// A part of a date, or of the text around one.
#[derive(Clone, Copy)]
pub(super) enum Token<'a> {
    Number { value: u32, digits: usize },
    Month(u8),
    Word(&'a str),
    Mark(char),
}

/// The tokens of a text, each with its byte range.
pub(super) struct Tokens<'a> {
    pub(super) tokens: Vec<(Token<'a>, usize, usize)>,
}

pub(super) fn tokens(text: &str) -> Tokens<'_> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let class = |c: char| {
            if c.is_ascii_digit() {
                1
            } else {
                i32::from(c.is_alphabetic() || is_combining_mark(c)) * 2
            }
        };
        let ideograph = ('\u{4e00}'..='\u{9fff}').contains(&c);
        let end = match class(c) {
            0 => at + c.len_utf8(),
            _ if ideograph => at + c.len_utf8(),
            kind => text[at..].find(|c| class(c) != kind).map_or(text.len(), |length| at + length),
        };
        let piece = &text[at..end];
        match class(c) {
            0 if c.is_whitespace() => {}
            0 => tokens.push((Token::Mark(c), at, end)),
            1 => {
                let value = if piece.len() <= 8 { piece.parse().unwrap_or(0) } else { 0 };
                tokens.push((Token::Number { value, digits: piece.len() }, at, end));
            }
            _ => word(text, &mut tokens, at, end),
        }
        at = end;
    }
    Tokens { tokens }
}

/// Adds a word, which may be the name of a month or, after a hyphen at the end of a line, the rest of a name.
fn word<'a>(text: &'a str, tokens: &mut Vec<(Token<'a>, usize, usize)>, start: usize, end: usize) {
    let piece = &text[start..end];
    if let [.., (Token::Word(head), from, _), (Token::Mark('-'), _, hyphen)] = tokens[..]
        && text[hyphen..start].contains('\n')
        && let Some(month) = month_of(&format!("{head}{piece}"))
    {
        tokens.truncate(tokens.len() - 2);
        tokens.push((Token::Month(month), from, end));
        return;
    }
    let token = month_of(piece).map_or(Token::Word(piece), Token::Month);
    tokens.push((token, start, end));
}

impl Tokens<'_> {
    pub(super) fn number(&self, at: usize, lengths: &[usize]) -> Option<u32> {
        match self.tokens.get(at)?.0 {
            Token::Number { value, digits } if lengths.contains(&digits) => Some(value),
            _ => None,
        }
    }

    pub(super) fn month(&self, at: usize) -> Option<u32> {
        match self.tokens.get(at)?.0 {
            Token::Month(month) => Some(month.into()),
            _ => None,
        }
    }

    pub(super) fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at)?.0 {
            Token::Mark(mark) => Some(mark),
            Token::Word(word @ ("年" | "月" | "日")) => word.chars().next(),
            _ => None,
        }
    }

    /// The next token after marks and short words that may be between the parts of a date.
    pub(super) fn past(&self, at: usize, words: &[&str]) -> usize {
        let skips = |at: usize| match self.tokens.get(at).map(|token| token.0) {
            Some(Token::Mark(mark)) => matches!(mark, '.' | ',' | '-' | '/' | 'º' | '°' | '\''),
            Some(Token::Word(word)) => words.iter().any(|known| word.eq_ignore_ascii_case(known)),
            _ => false,
        };
        (at..at + 4).find(|at| !skips(*at)).unwrap_or(at + 4)
    }

    /// Whether a mark and a digit directly follow the token: `21.11.2026.7` is not a date.
    pub(super) fn continues(&self, at: usize) -> bool {
        let touches = |at: usize| matches!((self.tokens.get(at), self.tokens.get(at + 1)), (Some(one), Some(next)) if one.2 == next.1);
        touches(at)
            && touches(at + 1)
            && matches!(self.mark(at + 1), Some('.' | '/' | '-'))
            && matches!(self.tokens[at + 2].0, Token::Number { .. })
    }

    /// Whether a mark and another number directly precede the number: `1.2.2026` does not contain `2.2026`.
    pub(super) fn joined_by_mark(&self, at: usize) -> bool {
        let mark = matches!(self.mark(at - 1), Some('.' | '/' | '-'))
            && self.tokens[at - 1].2 == self.tokens[at].1;
        mark && at > 1
            && matches!(self.tokens[at - 2].0, Token::Number { .. })
            && self.tokens[at - 2].2 == self.tokens[at - 1].1
    }
}
