//! Origins: scheme, host and port, in one spelling.
//!
//! What is compared and what is connected to must be read by the same parser, and there must be nothing that another parser could
//! read otherwise. So an origin is taken only as it would be written back.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::address::Network;
use crate::defence::{Defence, Defences};

/// Longer than any origin; what is longer is not even parsed, in bytes.
const MOST: usize = 512;

/// How an origin is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scheme {
    /// In clear text, port 80 unless another is named.
    Http,
    /// Under TLS, port 443 unless another is named.
    Https,
}

/// The host of an origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Host {
    /// A name in lower-case ASCII.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Scheme, host and port of a server, and nothing else.
///
/// It is taken in its one canonical spelling: lower case, names in punycode, addresses as people write them, no port where it is
/// the scheme's own.
///
/// ```
/// use holdback_plugins::Origin;
/// let origin: Origin = "https://oapi.dingtalk.com".parse()?;
/// assert_eq!(origin.to_string(), "https://oapi.dingtalk.com");
/// assert!(Origin::parse("https://oapi.dingtalk.com:443").is_err(), "that is its own port");
/// assert!(Origin::parse("http://0x7f.1").is_err(), "that is 127.0.0.1");
/// # Ok::<(), holdback_plugins::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// No scheme, no host, or a host that cannot be one.
    #[error("`{0}` is no origin: expected scheme and host, such as `https://example.com`")]
    NotAnOrigin(String),
    /// Neither `http` nor `https`.
    #[error("the scheme `{0}` is not sent to: expected `https`, or `http` within one's own network")]
    Scheme(String),
    /// A user, a path, a query or a fragment. The text is not shown: such parts may hold a password.
    #[error("there is {0} in it; an origin is scheme, host and port, and nothing else")]
    More(&'static str),
    /// Another spelling of the same.
    #[error("`{written}` is not written as it is meant: expected `{canonical}`")]
    Spelling {
        /// As it came.
        written: String,
        /// As it is meant.
        canonical: String,
    },
    /// Port 0.
    #[error("port 0 is no port")]
    PortZero,
    /// Clear text on the open network.
    #[error(
        "`{0}` is sent to in clear text; that can be granted within a `private` network or on `loopback` only"
    )]
    ClearText(String),
}

impl Origin {
    /// Reads an origin in its canonical spelling.
    ///
    /// # Errors
    /// Whatever is no scheme, host and port; more than that; any other spelling, with the canonical one named; port 0.
    pub fn parse(text: &str) -> Result<Origin, OriginError> {
        Origin::parse_with(text, &Defences::default())
    }

    /// The origin of a URL: what stands before its path, in its canonical spelling.
    ///
    /// # Errors
    /// As for [`Origin::parse`]; a URL with a user is none that is sent to.
    pub fn of_url(text: &str) -> Result<Origin, OriginError> {
        let host = text.find("://").map_or(0, |at| at.saturating_add(3));
        let rest = text.get(host..).unwrap_or_default();
        let end = rest.find(['/', '?', '#', '\\']).map_or(text.len(), |at| host.saturating_add(at));
        Origin::parse(text.get(..end).unwrap_or_default())
    }

    pub(crate) fn parse_with(text: &str, defences: &Defences) -> Result<Origin, OriginError> {
        let not_an_origin = || OriginError::NotAnOrigin(shown(text));
        let (scheme, rest) =
            text.split_once("://").filter(|_| text.len() <= MOST).ok_or_else(not_an_origin)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, beyond) = rest.split_at_checked(end).ok_or_else(not_an_origin)?;
        let (user, host_and_port) = match authority.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, authority),
        };
        if defences.on(Defence::OriginOnly) {
            if user.is_some() {
                return Err(OriginError::More("a user"));
            }
            match beyond.chars().next() {
                None => {}
                Some('?') => return Err(OriginError::More("a query")),
                Some('#') => return Err(OriginError::More("a fragment")),
                Some(_) => return Err(OriginError::More("a path")),
            }
        }
        let written = format!("{scheme}://{host_and_port}");
        let url = Url::parse(&written).map_err(|_| not_an_origin())?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(OriginError::Scheme(shown(other))),
        };
        let host = match url.host().ok_or_else(not_an_origin)? {
            url::Host::Ipv4(address) => Host::Address(address.into()),
            url::Host::Ipv6(address) => Host::Address(address.into()),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                if !is_name(name) {
                    return Err(not_an_origin());
                }
                Host::Name(name.to_owned())
            }
        };
        let port = match url.port() {
            Some(0) => return Err(OriginError::PortZero),
            Some(port) => port,
            None => scheme.port(),
        };
        let origin = Origin { scheme, host, port };
        let canonical = origin.to_string();
        if written != canonical && defences.on(Defence::CanonicalHost) {
            return Err(OriginError::Spelling { written: shown(&written), canonical });
        }
        Ok(origin)
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl Host {
    /// Reads a host alone, in its canonical spelling.
    pub(crate) fn parse(text: &str) -> Result<Host, OriginError> {
        let host = match text.parse() {
            Ok(address) => Host::Address(IpAddr::V6(address)),
            Err(_) => Origin::parse(&format!("https://{text}"))?.host,
        };
        if host.to_string().trim_matches(['[', ']']) != text.trim_matches(['[', ']']) {
            return Err(OriginError::Spelling { written: shown(text), canonical: host.to_string() });
        }
        Ok(host)
    }
}

/// Whether it is the ASCII name of a host: labels of 1 to 63 letters, digits, `-` and `_`, 253 bytes together.
pub(crate) fn is_name(name: &str) -> bool {
    let of_label =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    name.len() <= 253
        && name.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(of_label))
}

/// A text of unknown origin, on one line and not too long.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        short.push_str("...");
    }
    short
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            // As the `url` crate writes it: std would show a mapped address with dots.
            Host::Address(IpAddr::V6(address)) => write!(f, "{}", url::Host::<&str>::Ipv6(*address)),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != self.scheme.port() {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Origin, OriginError> {
        Origin::parse(text)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;
    fn try_from(text: String) -> Result<Origin, OriginError> {
        Origin::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.to_string()
    }
}

/// An origin that the operator grants, and where in the world its addresses have to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Granted", into = "Granted")]
pub struct AllowedOrigin {
    origin: Origin,
    network: Network,
}

impl AllowedOrigin {
    /// Grants an origin.
    ///
    /// # Errors
    /// [`OriginError::ClearText`] for `http` with [`Network::Public`]: what is sent there holds secrets.
    pub fn new(origin: Origin, network: Network) -> Result<AllowedOrigin, OriginError> {
        if origin.scheme == Scheme::Http && network == Network::Public {
            return Err(OriginError::ClearText(origin.to_string()));
        }
        Ok(AllowedOrigin { origin, network })
    }

    /// The origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where its addresses have to be.
    pub fn network(&self) -> Network {
        self.network
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Granted {
    origin: Origin,
    #[serde(default)]
    network: Network,
}

impl TryFrom<Granted> for AllowedOrigin {
    type Error = OriginError;
    fn try_from(granted: Granted) -> Result<AllowedOrigin, OriginError> {
        AllowedOrigin::new(granted.origin, granted.network)
    }
}

impl From<AllowedOrigin> for Granted {
    fn from(AllowedOrigin { origin, network }: AllowedOrigin) -> Granted {
        Granted { origin, network }
    }
}
