//! The tokens of a character map, which has PostScript syntax.

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// The bytes of a string.
    String(Vec<u8>),
    /// An invalid string.
    Bad,
    Name(&'a [u8]),
    Number(u32),
    /// An operator, or a bracket of a dictionary or procedure.
    Word(&'a [u8]),
    Open,
    Close,
}

impl Token<'_> {
    /// A string of one to four bytes as a code.
    pub(super) fn code(&self) -> Option<u32> {
        match self {
            Self::String(bytes) if (1..=4).contains(&bytes.len()) => {
                Some(bytes.iter().fold(0, |code, &byte| code << 8 | u32::from(byte)))
            }
            _ => None,
        }
    }
}

/// Reads tokens. Each byte is read a limited number of times.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
    /// Whether a literal string had no end; later literal strings are then not searched.
    is_unbalanced: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, is_unbalanced: false }
    }

    /// Reads bytes while `is_part` is true, and returns them.
    fn run(&mut self, is_part: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self.rest.iter().take_while(|&&byte| is_part(byte)).count();
        let (run, rest) = self.rest.split_at(len);
        self.rest = rest;
        run
    }

    /// Reads a hexadecimal string, after its opening bracket. It ends at the next bracket of either
    /// kind.
    fn hex(&mut self) -> Token<'a> {
        let digits = self.run(|byte| byte != b'>' && byte != b'<');
        // A truncated string would give wrong characters.
        if self.rest.is_empty() {
            return Token::Bad;
        }
        self.rest = self.rest.strip_prefix(b">").unwrap_or(self.rest);
        let mut bytes = Vec::new();
        let mut high = None;
        for &byte in digits.iter().filter(|byte| !is_space(**byte)) {
            let Some(digit) =
                char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
            else {
                return Token::Bad;
            };
            match high.take() {
                None => high = Some(digit << 4),
                Some(high) => bytes.push(high | digit),
            }
        }
        bytes.extend(high);
        Token::String(bytes)
    }

    /// Skips a literal string, after its opening bracket. Maps do not need them, so the contents do
    /// not matter.
    fn literal(&mut self) -> Token<'a> {
        if self.is_unbalanced {
            return Token::Bad;
        }
        let (mut depth, mut escaped) = (1, false);
        for (at, &byte) in self.rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = &self.rest[at + 1..];
                return Token::Bad;
            }
        }
        self.is_unbalanced = true;
        Token::Bad
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.run(is_space);
            let (&first, rest) = self.rest.split_first()?;
            match first {
                b'%' => {
                    self.run(|byte| byte != b'\n' && byte != b'\r');
                    continue;
                }
                b'<' | b'>' if rest.first() == Some(&first) => {
                    let (word, rest) = self.rest.split_at(2);
                    self.rest = rest;
                    return Some(Token::Word(word));
                }
                b'/' => {
                    self.rest = rest;
                    return Some(Token::Name(self.run(is_regular)));
                }
                _ if is_regular(first) => {
                    let word = self.run(is_regular);
                    let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
                    return Some(number.map_or(Token::Word(word), Token::Number));
                }
                _ => self.rest = rest,
            }
            match first {
                b'<' => return Some(self.hex()),
                b'(' => return Some(self.literal()),
                b'[' => return Some(Token::Open),
                b']' => return Some(Token::Close),
                // A bracket without a partner.
                _ => {}
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}
