//! A URL that the operator has set, taken apart into what a request holds.

use crate::types::{Part, QueryItem};

/// The pieces of a URL, ready for an `http-request`.
#[derive(Clone, Debug, PartialEq)]
pub struct Url {
    /// Scheme, host and port. Whether it may be reached is the host's to say.
    pub origin: String,
    /// Decoded, since the host encodes it.
    pub path: String,
    /// Names and values, decoded; a name without `=` has an empty value.
    pub query: Vec<(String, String)>,
}

impl Url {
    /// The pieces of `url`. An error says what is wrong with it.
    pub fn parse(url: &str) -> Result<Url, String> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("no URL: {url}"))?;
        if !matches!(scheme, "https" | "http") {
            return Err(format!("neither https nor http: {url}"));
        }
        if url.contains('#') {
            return Err("a fragment is never sent to a server: leave out `#` and what follows".to_owned());
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.is_empty() || authority.contains('@') {
            return Err("between `://` and the path stands a host and no user".to_owned());
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = if path.is_empty() { "/".to_owned() } else { decode(path, false)? };
        let query = query
            .split('&')
            .filter(|item| !item.is_empty())
            .map(|item| {
                let (name, value) = item.split_once('=').unwrap_or((item, ""));
                Ok((decode(name, true)?, decode(value, true)?))
            })
            .collect::<Result<_, String>>()?;
        Ok(Url { origin: format!("{scheme}://{authority}"), path, query })
    }

    /// The path as parts.
    pub fn path_parts(&self) -> Vec<Part> {
        crate::text(self.path.as_str())
    }

    /// The query as items.
    pub fn query_items(&self) -> Vec<QueryItem> {
        self.query.iter().map(|(name, value)| crate::query(name, value.as_str())).collect()
    }
}

/// Percent-decoded; in a query `+` is a space, as forms write it.
fn decode(text: &str, form: bool) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| (byte as char).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => (high << 4 | low) as u8,
                    _ => return Err(format!("after `%` come two hexadecimal digits: {text}")),
                }
            }
            b'+' if form => b' ',
            _ => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| format!("no UTF-8 when decoded: {text}"))
}

/// Percent-encodes all but letters, digits, `-`, `_` and `~`: what is left bears every place of a URL.
pub fn encode(text: &str) -> String {
    encode_but(text, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~'))
}

/// Percent-encodes the bytes that are not `plain`.
pub fn encode_but(text: &str, plain: impl Fn(u8) -> bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(byte as char);
        } else {
            encoded.push('%');
            encoded.push(HEX[usize::from(byte >> 4)] as char);
            encoded.push(HEX[usize::from(byte & 15)] as char);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url =
            Url::parse("https://hooks.example.com:8443/in/%E5%B7%A5%20a+b?team=1&q=a+b%26c&flag&").unwrap();
        assert_eq!(url.origin, "https://hooks.example.com:8443");
        assert_eq!(url.path, "/in/工 a+b");
        let item = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(url.query, [item("team", "1"), item("q", "a b&c"), item("flag", "")]);
        assert_eq!(Url::parse("http://a").unwrap().path, "/");
        assert_eq!(Url::parse("http://a?x=y").unwrap().path, "/");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "hooks.example.com",
            "ftp://a/",
            "https:///x",
            "https://u:p@a/",
            "https://a/#x",
            "https://a/%zz",
            "https://a/%ff",
        ] {
            assert!(Url::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_is_encoded_is_plain() {
        assert_eq!(encode("C-1/工单.1"), "C-1%2F%E5%B7%A5%E5%8D%95%2E1");
    }
}
