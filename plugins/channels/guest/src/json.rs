//! JSON, written and read in the little way a channel needs.
//!
//! By hand: with `serde_json` to read an answer, the DingTalk channel is 12 KB larger, of 70.

/// An object under construction. Names are written in the order they are given, so that the same notice gives the same bytes.
#[derive(Default)]
pub struct Object {
    written: String,
}

impl Object {
    /// An object without members.
    pub fn new() -> Object {
        Object::default()
    }

    /// A text.
    pub fn text(mut self, name: &str, value: &str) -> Object {
        self.name(name);
        quote(&mut self.written, value);
        self
    }

    /// A text, or no member at all.
    pub fn maybe(self, name: &str, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A whole number.
    pub fn number(self, name: &str, value: i64) -> Object {
        self.raw(name, &value.to_string())
    }

    /// `true` or `false`.
    pub fn flag(self, name: &str, value: bool) -> Object {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// An object.
    pub fn object(self, name: &str, value: Object) -> Object {
        self.raw(name, &value.finish())
    }

    /// A list of texts.
    pub fn texts<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Object {
        let mut list = String::new();
        for value in values {
            list.push(if list.is_empty() { '[' } else { ',' });
            quote(&mut list, value);
        }
        self.list(name, list)
    }

    /// A list of objects.
    pub fn objects(self, name: &str, values: impl IntoIterator<Item = Object>) -> Object {
        let mut list = String::new();
        for value in values {
            list.push(if list.is_empty() { '[' } else { ',' });
            list.push_str(&value.finish());
        }
        self.list(name, list)
    }

    /// A list of lists of objects.
    pub fn lists(self, name: &str, values: impl IntoIterator<Item = Vec<Object>>) -> Object {
        let mut list = String::new();
        for value in values {
            list.push(if list.is_empty() { '[' } else { ',' });
            list.push('[');
            for (at, object) in value.into_iter().enumerate() {
                if at > 0 {
                    list.push(',');
                }
                list.push_str(&object.finish());
            }
            list.push(']');
        }
        self.list(name, list)
    }

    /// The text of the object.
    pub fn finish(mut self) -> String {
        self.written.push_str(if self.written.is_empty() { "{}" } else { "}" });
        self.written
    }

    fn list(self, name: &str, mut list: String) -> Object {
        list.push_str(if list.is_empty() { "[]" } else { "]" });
        self.raw(name, &list)
    }

    fn raw(mut self, name: &str, json: &str) -> Object {
        self.name(name);
        self.written.push_str(json);
        self
    }

    fn name(&mut self, name: &str) {
        self.written.push(if self.written.is_empty() { '{' } else { ',' });
        quote(&mut self.written, name);
        self.written.push(':');
    }
}

/// Appends `value` as a JSON text.
pub fn quote(to: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    to.push('"');
    for letter in value.chars() {
        match letter {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\0'..='\x1f' => {
                to.push_str("\\u00");
                to.push(HEX[letter as usize >> 4] as char);
                to.push(HEX[letter as usize & 15] as char);
            }
            _ => to.push(letter),
        }
    }
    to.push('"');
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object, its members in their order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of a whole document (RFC 8259), or nothing if it is none. More than 32 levels are too many for an answer.
    pub fn parse(bytes: &[u8]) -> Option<Json> {
        let mut reader = Reader { text: std::str::from_utf8(bytes).ok()?, at: 0 };
        let value = reader.value(32)?;
        reader.space();
        (reader.at == reader.text.len()).then_some(value)
    }

    /// The first member of this name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one and written as one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Json::Number(number) => number.parse().ok(),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        self.space();
        match self.peek()? {
            b'n' => self.take("null").map(|()| Json::Null),
            b't' => self.take("true").map(|()| Json::Flag(true)),
            b'f' => self.take("false").map(|()| Json::Flag(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => {
                let mut list = Vec::new();
                self.members(']', |reader| reader.value(depth).map(|value| list.push(value)))?;
                Some(Json::List(list))
            }
            b'{' => {
                let mut members = Vec::new();
                self.members('}', |reader| {
                    reader.space();
                    let name = reader.string()?;
                    reader.space();
                    reader.take(":")?;
                    members.push((name, reader.value(depth)?));
                    Some(())
                })?;
                Some(Json::Object(members))
            }
            _ => self.number(),
        }
    }

    /// What stands between brackets, with commas.
    fn members(&mut self, end: char, mut member: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek() == Some(end as u8) {
            self.at += 1;
            return Some(());
        }
        loop {
            member(self)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                byte if byte == end as u8 => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        let _ = self.take("-");
        let first = self.peek();
        let whole = self.at;
        self.digits()?;
        // RFC 8259: no leading zero.
        if first == Some(b'0') && self.at > whole + 1 {
            return None;
        }
        if self.take(".").is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(Json::Number(self.text[start..self.at].to_owned()))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        let mut value = 0;
        for digit in digits {
            value = value << 4 | (*digit as char).to_digit(16)?;
        }
        self.at += 4;
        Some(value)
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut read = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek()?, b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            read.push_str(&self.text[start..self.at]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(read);
                }
                b'\\' => {
                    self.at += 1;
                    let letter = self.peek()?;
                    self.at += 1;
                    read.push(match letter {
                        b'"' | b'\\' | b'/' => letter as char,
                        b'b' => '\x08',
                        b'f' => '\x0c',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => self.escape()?,
                        _ => return None,
                    });
                }
                _ => return None,
            }
        }
    }

    /// What follows `\u`: a character, or both halves of one. Half a character is no text.
    fn escape(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.take("\\u")?;
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = Object::new()
            .text("a\"b", "行\n\\\t\r\u{1}\u{1f}\u{7f}😀")
            .maybe("none", None)
            .number("n", -7)
            .flag("f", true)
            .texts("t", ["x", "y"])
            .texts("e", [])
            .objects("o", [Object::new(), Object::new().text("k", "v")])
            .finish();
        assert_eq!(
            text,
            "{\"a\\\"b\":\"行\\n\\\\\\t\\r\\u0001\\u001f\u{7f}😀\",\"n\":-7,\"f\":true,\"t\":[\"x\",\"y\"],\"e\":[],\"o\":[{},{\"k\":\"v\"}]}"
        );
        let read = Json::parse(text.as_bytes()).unwrap();
        assert_eq!(read.get("a\"b").and_then(Json::text), Some("行\n\\\t\r\u{1}\u{1f}\u{7f}😀"));
        assert_eq!(read.get("n").and_then(Json::integer), Some(-7));
        assert_eq!(read.get("f"), Some(&Json::Flag(true)));
        assert_eq!(read.get("missing"), None);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "01",
            "-",
            "1.",
            "1e",
            "+1",
            ".5",
            "nul",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "1 2",
            "<html>",
            "{} {}",
            "\u{feff}1",
        ] {
            assert_eq!(Json::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Json::parse(b"\xff"), None);
        assert_eq!(Json::parse("[".repeat(33).as_bytes()), None);
        assert_eq!(Json::parse([b"[".repeat(33), b"]".repeat(33)].concat().as_slice()), None);
        assert!(Json::parse([b"[".repeat(32), b"]".repeat(32)].concat().as_slice()).is_some());
    }

    #[test]
    fn numbers_and_escapes() {
        let integer = |text: &str| Json::parse(text.as_bytes()).unwrap().integer();
        assert_eq!(integer("0"), Some(0));
        assert_eq!(integer("-1"), Some(-1));
        assert_eq!(integer("-0"), Some(0));
        assert_eq!(integer("1.0"), None);
        assert_eq!(integer("1e2"), None);
        assert_eq!(integer("99999999999999999999"), None);
        assert_eq!(integer("\"0\""), None);
        assert_eq!(Json::parse(br#""\ud83d\ude00\/\b\f""#), Some(Json::Text("😀/\u{8}\u{c}".to_owned())));
    }
}
