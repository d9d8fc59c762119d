//! A component's pieces made into a request of HTTP: encoded once, by the host alone.

use ureq::http;
use zeroize::Zeroizing;

use super::origin::{Origin, shown};
use crate::defence::{Defence, Defences};
use crate::secret::Secrets;
use crate::signing::fill;
use crate::wire::{Field, HttpRequest, Method, Part};

const MOST_HEADERS: usize = 32;
/// Names and values, in bytes.
const MOST_HEADER_BYTES: usize = 8 * 1024;
const MOST_BODY: usize = 256 * 1024;
/// Path and query together, encoded, in bytes. Servers take 8 KiB at least.
const MOST_TARGET: usize = 16 * 1024;

/// Headers that frame a request or belong to one hop of it.
const FRAMING: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
];

/// The request with everything filled in, or why there is none. No reason shows what a secret holds.
pub(super) fn build(
    origin: &Origin,
    request: &HttpRequest,
    secrets: &Secrets,
    defences: &Defences,
) -> Result<http::Request<Zeroizing<Vec<u8>>>, String> {
    let filled = |parts: &[Part]| {
        fill(secrets, parts)
            .map_err(|slot| format!("secret `{}` is not described, or not granted", shown(&slot)))
    };
    let mut target = path(&filled(&request.path)?)?;
    for (position, item) in request.query.iter().enumerate() {
        target.push(if position == 0 { '?' } else { '&' });
        target.push_str(&percent(item.name.as_bytes()));
        target.push('=');
        target.push_str(&percent(&filled(&item.value)?));
    }
    if target.len() > MOST_TARGET {
        return Err(format!("path and query have {} bytes; {MOST_TARGET} are taken", target.len()));
    }
    let method = match request.method {
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Get => http::Method::GET,
    };
    let body = filled(&request.body)?;
    if body.len() > MOST_BODY {
        return Err(format!("the body has {} bytes; {MOST_BODY} are taken", body.len()));
    }
    if method == http::Method::GET && !body.is_empty() {
        return Err("a GET has no body".to_owned());
    }
    let mut built = http::Request::builder().method(method).uri(format!("{origin}{target}"));
    let mut bytes = 0;
    if request.headers.len() > MOST_HEADERS {
        return Err(format!("{} headers; {MOST_HEADERS} are taken", request.headers.len()));
    }
    for field in &request.headers {
        let value = filled(&field.value)?;
        bytes += field.name.len() + value.len();
        let (name, value) = header(field, &value, defences)?;
        built = built.header(name, value);
    }
    if bytes > MOST_HEADER_BYTES {
        return Err(format!("the headers have {bytes} bytes; {MOST_HEADER_BYTES} are taken"));
    }
    // The crate's own error may quote the URL.
    built.body(body).map_err(|_| "path, query and headers make no request".to_owned())
}

fn header(
    field: &Field,
    value: &[u8],
    defences: &Defences,
) -> Result<(http::HeaderName, http::HeaderValue), String> {
    let name = shown(&field.name);
    let token = http::HeaderName::from_bytes(field.name.as_bytes())
        .map_err(|_| format!("`{name}` is no name of a header"))?;
    if defences.on(Defence::HeaderRules) {
        if FRAMING.contains(&token.as_str()) || token.as_str().starts_with("proxy-") {
            return Err(format!("header `{token}` is the host's"));
        }
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return Err(format!("header `{token}` holds more than visible ASCII, spaces and tabs"));
        }
    }
    let mut value = http::HeaderValue::from_bytes(value)
        .map_err(|_| format!("header `{token}` has a value that is none"))?;
    // So that nothing that logs requests shows it.
    value.set_sensitive(field.value.iter().any(|part| matches!(part, Part::Secret(_))));
    Ok((token, value))
}

/// A path, encoded. `/` stays what it is; all else that has a meaning in a URL loses it.
fn path(bytes: &[u8]) -> Result<String, String> {
    match bytes {
        [b'/', b'/', ..] => return Err("the path begins with more than one `/`".to_owned()),
        [b'/', ..] => {}
        _ => return Err("the path does not begin with `/`".to_owned()),
    }
    if bytes.split(|byte| *byte == b'/').any(|segment| segment == b"." || segment == b"..") {
        return Err("the path has a segment `.` or `..`".to_owned());
    }
    Ok(encode(bytes, |byte| b"/!$&'()*+,;=:@".contains(&byte)))
}

/// The text of bytes in a URL: all but the unreserved characters of RFC 3986 as `%XX`.
pub(crate) fn percent(bytes: &[u8]) -> String {
    encode(bytes, |_| false)
}

fn encode(bytes: &[u8], kept: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |four: u8| DIGITS.get(usize::from(four)).map_or('0', |digit| char::from(*digit));
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || kept(*byte) {
            text.push(char::from(*byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, others @ ..] = rest {
            if *first == b'%' {
                let two = std::str::from_utf8(&others[..2]).unwrap();
                bytes.push(u8::from_str_radix(two, 16).unwrap());
                rest = &others[2..];
            } else {
                bytes.push(*first);
                rest = others;
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn what_is_encoded_once_is_decoded_once(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let text = percent(&bytes);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            prop_assert_eq!(decoded(&text), bytes);
        }

        #[test]
        fn a_path_stays_the_path_that_was_meant(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut whole = b"/".to_vec();
            whole.extend(&bytes);
            if let Ok(text) = path(&whole) {
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\\"<>".contains(&byte)));
                prop_assert!(!text.starts_with("//"));
                prop_assert!(text.split('/').all(|segment| segment != "." && segment != ".."));
                prop_assert_eq!(decoded(&text), whole);
                let url = format!("https://example.com{text}");
                prop_assert!(url.parse::<http::Uri>().is_ok());
            }
        }
    }

    #[test]
    fn the_signature_of_dingtalk_is_encoded_once() {
        assert_eq!(
            percent(b"upWL49Sc6xHaCCYoKkW4f3Ma8/vgh2Pmd7ikavMUQGo="),
            "upWL49Sc6xHaCCYoKkW4f3Ma8%2Fvgh2Pmd7ikavMUQGo%3D"
        );
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for wrong in ["", "a", "//evil.example/a", "/a/../b", "/./a", "/..", "?a", "http://evil.example/"] {
            assert!(path(wrong.as_bytes()).is_err(), "{wrong}");
        }
        for (written, encoded) in [
            ("/", "/"),
            ("/a?b#c", "/a%3Fb%23c"),
            ("/%2e%2e/a", "/%252e%252e/a"),
            ("/\\..\\a", "/%5C..%5Ca"),
            ("/签 名\r\n", "/%E7%AD%BE%20%E5%90%8D%0D%0A"),
            ("/workflows/a:b/triggers/@m", "/workflows/a:b/triggers/@m"),
        ] {
            assert_eq!(path(written.as_bytes()).as_deref(), Ok(encoded));
        }
    }
}
