//! A script's text cut into tokens with their places. rhai's tree tells where a part begins, not where a name, a parameter or
//! a case stands, nor how long it is.

use rhai::Position;

use crate::diagnostic::Place;

/// What a token is, as far as places matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Name,
    Number,
    Text,
    Sign,
}

/// A token and its place. Columns count characters, as rhai counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) sort: Sort,
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) length: usize,
}

/// The tokens of one clause file.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) tokens: Vec<Token>,
}

const SIGNS: [&str; 22] = [
    "..=", "**=", "<<=", ">>=", "==", "!=", "<=", ">=", "&&", "||", "=>", "..", "+=", "-=", "*=", "/=", "%=",
    "**", "??", "?.", "#{", "::",
];

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Source {
        Source { file: file.to_owned(), tokens: Cutter { rest: text, line: 1, column: 1 }.cut() }
    }

    /// The place of the token at a position; the position alone where none begins there.
    pub(crate) fn place(&self, at: Position) -> Place {
        let (line, column) = (at.line().unwrap_or(0), at.position().unwrap_or(0));
        let length =
            self.index(line, column).and_then(|i| self.tokens.get(i)).map_or(0, |token| token.length);
        Place { file: self.file.clone(), line, column, length }
    }

    pub(crate) fn place_of(&self, token: &Token) -> Place {
        Place { file: self.file.clone(), line: token.line, column: token.column, length: token.length }
    }

    /// The token that begins at a place.
    pub(crate) fn index(&self, line: usize, column: usize) -> Option<usize> {
        self.tokens.binary_search_by(|token| (token.line, token.column).cmp(&(line, column))).ok()
    }

    pub(crate) fn at(&self, at: Position) -> Option<usize> {
        self.index(at.line()?, at.position()?)
    }

    /// The name token after `fn` of a function, and its parameters.
    pub(crate) fn function(&self, name: &str) -> Option<(&Token, Vec<&Token>)> {
        let head = self.tokens.windows(2).position(|pair| pair[0].text == "fn" && pair[1].text == name)?;
        let after = self.tokens.get(head + 2..)?;
        let parameters = after.iter().skip(1).take_while(|token| token.text != ")");
        Some((self.tokens.get(head + 1)?, parameters.filter(|token| token.sort == Sort::Name).collect()))
    }

    /// What stands before the `=>` of each arm of the switch at a position; nothing when its text cannot be followed.
    pub(crate) fn arms(&self, switch: Position) -> Option<Vec<&[Token]>> {
        let start = self.after_operand(self.at(switch)? + 1)?;
        let end = self.after_bracket(start)?;
        let (mut arms, mut at) = (Vec::new(), start + 1);
        while at + 1 < end {
            let token = self.tokens.get(at)?;
            at = match token.sort == Sort::Sign {
                true if ["(", "[", "{", "#{"].contains(&token.text.as_str()) => self.after_bracket(at)?,
                true if token.text == "=>" => {
                    let before = self.tokens.get(start..at)?;
                    let ends = |token: &Token| token.is_sign(",") || token.is_sign("{") || token.is_sign("}");
                    arms.push(before.get(before.iter().rposition(ends)? + 1..)?);
                    at + 1
                }
                _ => at + 1,
            };
        }
        Some(arms)
    }

    /// The `{` after what a switch or an `if` asks, which may hold blocks of its own.
    fn after_operand(&self, from: usize) -> Option<usize> {
        let (mut at, mut wants) = (from, true);
        loop {
            let token = self.tokens.get(at)?;
            let text = if token.sort == Sort::Text { "" } else { token.text.as_str() };
            (at, wants) = match text {
                "{" if !wants => return Some(at),
                "(" | "[" | "{" | "#{" => (self.after_bracket(at)?, false),
                "switch" => (self.after_bracket(self.after_operand(at + 1)?)?, false),
                "if" => (self.after_if(at)?, false),
                _ => (at + 1, token.sort == Sort::Sign),
            };
        }
    }

    fn after_if(&self, from: usize) -> Option<usize> {
        let is = |at: usize, text: &str| self.tokens.get(at).is_some_and(|token| token.text == text);
        let mut at = self.after_bracket(self.after_operand(from + 1)?)?;
        while is(at, "else") {
            let next = if is(at + 1, "if") { self.after_operand(at + 2)? } else { at + 1 };
            at = self.after_bracket(next)?;
        }
        Some(at)
    }

    /// What follows the bracket that opens here.
    fn after_bracket(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token.text.as_str() {
                _ if token.sort != Sort::Sign => {}
                "(" | "[" | "{" | "#{" => depth += 1,
                ")" | "]" | "}" => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(at + 1);
            }
        }
        None
    }
}

impl Token {
    fn is_sign(&self, text: &str) -> bool {
        self.sort == Sort::Sign && self.text == text
    }
}

struct Cutter<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Cutter<'_> {
    fn cut(mut self) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some(first) = self.rest.chars().next() {
            if first.is_whitespace() {
                self.skip(1);
            } else if self.rest.starts_with("//") {
                let length = self.rest.find('\n').unwrap_or(self.rest.len());
                self.skip(self.rest.get(..length).map_or(1, |line| line.chars().count()));
            } else if self.rest.starts_with("/*") {
                self.skip_comment();
            } else {
                let (sort, length) = self.measure(first);
                let text: String = self.rest.chars().take(length).collect();
                // What is underlined ends with the line; a text in backticks may go on.
                let shown = text.lines().next().map_or(0, |line| line.chars().count());
                tokens.push(Token { sort, text, line: self.line, column: self.column, length: shown });
                self.skip(length);
            }
        }
        tokens
    }

    /// The sort and the length in characters of the token that begins here.
    fn measure(&self, first: char) -> (Sort, usize) {
        let count = |keep: fn(char) -> bool| self.rest.chars().take_while(|c| keep(*c)).count();
        if first == '"' || first == '`' || first == '\'' {
            return (Sort::Text, self.measure_text(first));
        }
        if first.is_ascii_digit() {
            // A range such as `1..5` is three tokens.
            let digits = count(|c| c.is_ascii_alphanumeric() || c == '_');
            return (Sort::Number, digits.max(1));
        }
        if first.is_alphanumeric() || first == '_' {
            return (Sort::Name, count(|c| c.is_alphanumeric() || c == '_'));
        }
        (Sort::Sign, SIGNS.iter().find(|sign| self.rest.starts_with(**sign)).map_or(1, |sign| sign.len()))
    }

    fn measure_text(&self, quote: char) -> usize {
        let mut escaped = false;
        for (i, c) in self.rest.chars().enumerate().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\n' if quote != '`' => return i,
                c if c == quote => return i + 1,
                _ => {}
            }
        }
        self.rest.chars().count()
    }

    /// Comments nest.
    fn skip_comment(&mut self) {
        let mut depth = 0;
        while !self.rest.is_empty() {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.skip(1);
            }
        }
    }

    fn skip(&mut self, characters: usize) {
        let mut chars = self.rest.chars();
        for c in chars.by_ref().take(characters) {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = chars.as_str();
    }
}
