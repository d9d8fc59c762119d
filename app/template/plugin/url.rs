//! A URL taken apart: the host checks the origin against the grant, and encodes path and query itself.

pub struct Url {
    pub origin: String,
    pub path: String,
    pub query: Vec<(String, String)>,
}

pub fn parse(url: &str) -> Result<Url, String> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("no scheme and host in `{url}`"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let items = query.split('&').filter(|item| !item.is_empty()).map(|item| {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        Ok((decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?))
    });
    Ok(Url {
        origin: format!("{scheme}://{host}"),
        path: if path.is_empty() { "/".to_owned() } else { decoded(path)? },
        query: items.collect::<Result<_, String>>()?,
    })
}

/// `%E5` and the like turned back, since the host encodes what it is given.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not encoded as URLs are");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| (byte as char).to_digit(16));
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = parse("https://hooks.example.com:8443/in/%E5%B7%A5?team=a+b%26c&flag").unwrap();
        assert_eq!((url.origin.as_str(), url.path.as_str()), ("https://hooks.example.com:8443", "/in/工"));
        assert_eq!(url.query, [("team".to_owned(), "a b&c".to_owned()), ("flag".to_owned(), String::new())]);
        assert_eq!(parse("http://a").unwrap().path, "/");
        assert!(parse("hooks.example.com").is_err() && parse("https://a/%zz").is_err());
    }
}
