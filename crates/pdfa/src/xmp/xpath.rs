//! Checks whether a text is an XPath 1.0 expression, from its tokens and brackets.

/// The permitted next token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// An expression.
    Operand,
    /// A step of a location path.
    Step,
    /// A step, or a token that may follow a single `/`.
    StepOrOperator,
    /// An operator, a closing bracket or the end.
    Operator,
}

/// Checks the order of tokens and the nesting of brackets. Function names and prefixes are not
/// resolved, because their bindings are unknown.
pub(super) fn is_expression(text: &str) -> bool {
    let Some(tokens) = tokens(text) else { return false };
    let mut reader = Reader { tokens: tokens.into_iter().peekable(), brackets: Vec::new() };
    let mut expect = Expect::Operand;
    while let Some(token) = reader.tokens.next() {
        let next = match expect {
            Expect::Operand => reader.operand(token),
            Expect::Step => reader.step(token),
            Expect::StepOrOperator => reader.step(token).or_else(|| reader.operator(token)),
            Expect::Operator => match token {
                "/" | "//" => Some(Expect::Step),
                "[" => Some(reader.open('[')),
                _ => reader.operator(token),
            },
        };
        let Some(next) = next else { return false };
        expect = next;
    }
    reader.brackets.is_empty() && matches!(expect, Expect::Operator | Expect::StepOrOperator)
}

/// Reads one token at a time, and returns what may follow.
struct Reader<'t> {
    tokens: std::iter::Peekable<std::vec::IntoIter<&'t str>>,
    /// Open brackets; `f` is the bracket of a function.
    brackets: Vec<char>,
}

impl Reader<'_> {
    fn open(&mut self, bracket: char) -> Expect {
        self.brackets.push(bracket);
        Expect::Operand
    }

    fn operand(&mut self, token: &str) -> Option<Expect> {
        match token {
            "-" => Some(Expect::Operand),
            "$" => self.tokens.next_if(|name| is_name(name)).map(|_| Expect::Operator),
            "(" => Some(self.open('(')),
            "/" => Some(Expect::StepOrOperator),
            "//" => Some(Expect::Step),
            _ if token.starts_with(['"', '\'']) || is_number(token) => Some(Expect::Operator),
            _ => self.step(token),
        }
    }

    fn step(&mut self, token: &str) -> Option<Expect> {
        if token == "@" {
            return Some(Expect::Step);
        }
        if is_name(token) && self.tokens.next_if_eq(&"::").is_some() {
            return Some(Expect::Step);
        }
        if is_name(token) && self.tokens.next_if_eq(&"(").is_some() {
            let empty = self.tokens.next_if_eq(&")").is_some();
            return Some(if empty { Expect::Operator } else { self.open('f') });
        }
        (is_name(token) || matches!(token, "." | ".." | "*")).then_some(Expect::Operator)
    }

    /// Reads a token after an operand, except a step or a predicate.
    fn operator(&mut self, token: &str) -> Option<Expect> {
        match token {
            "]" => (self.brackets.pop() == Some('[')).then_some(Expect::Operator),
            ")" => matches!(self.brackets.pop(), Some('(' | 'f')).then_some(Expect::Operator),
            "," => (self.brackets.last() == Some(&'f')).then_some(Expect::Operand),
            _ => is_operator(token).then_some(Expect::Operand),
        }
    }
}

fn is_operator(token: &str) -> bool {
    matches!(
        token,
        "|" | "+" | "-" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "*" | "and" | "or" | "div" | "mod"
    )
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn is_number(token: &str) -> bool {
    token.bytes().any(|byte| byte.is_ascii_digit())
        && token.starts_with(|c: char| c == '.' || c.is_ascii_digit())
}

/// The tokens; `None` if a character starts no token or a literal does not end.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let run = |wanted: fn(char) -> bool| rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        let length = match first {
            '"' | '\'' => rest[1..].find(first)? + 2,
            c if c.is_alphabetic() || c == '_' => qualified_name(rest),
            c if c.is_ascii_digit() => run(|c| c.is_ascii_digit() || c == '.'),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                run(|c| c.is_ascii_digit() || c == '.')
            }
            _ if ["::", "//", "..", "!=", "<=", ">="].iter().any(|pair| rest.starts_with(pair)) => {
                2
            }
            '(' | ')' | '[' | ']' | '.' | '@' | ',' | '/' | '|' | '+' | '-' | '=' | '<' | '>'
            | '*' | '$' => 1,
            _ => return None,
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// The length of `name`, `prefix:name` or `prefix:*`.
fn qualified_name(text: &str) -> usize {
    let part = |text: &str| {
        text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .unwrap_or(text.len())
    };
    let first = part(text);
    match text[first..].strip_prefix(':') {
        Some(local) if local.starts_with('*') => first + 2,
        Some(local) if is_name(local) => first + 1 + part(local),
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::is_expression;

    #[test]
    fn expressions_are_distinguished_from_other_text() {
        for text in [
            "/",
            "/a/b",
            "//a[1]/@b",
            "a | b",
            "child::para[position() = 1]",
            "count(//a) > 2 * 3",
            ".",
            "../a",
            "@*",
            "'text'",
            "-1",
            "dc:title/*[1]",
            "/x:a/x:*",
            "not(a and b)",
            "concat('a', \"b\", c)",
            "$v + .5",
            "(a)[1]",
        ] {
            assert!(is_expression(text), "{text}");
        }
        for text in [
            "", "a b", "a[", "a]", "/a/", "a//", "f(a", "f(a,)", "a::", "'x", "a +", "#", "()",
            "a[]", "(a,b)",
        ] {
            assert!(!is_expression(text), "{text}");
        }
    }
}
