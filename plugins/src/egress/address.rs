//! Addresses: which of them may be sent to, and how names get theirs.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::origin::Host;
use crate::defence::{Defence, Defences};

/// A name with more addresses than this is not sent to.
const MOST: usize = 32;

/// Where in the world the addresses of a grant have to be. Each is exact: a name that was granted within the private network and
/// suddenly has a public address is as suspicious as the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// On the open network.
    #[default]
    Public,
    /// Within one's own: RFC 1918, shared (100.64.0.0/10) and unique local addresses.
    Private,
    /// On this machine: 127.0.0.0/8 and ::1.
    Loopback,
}

/// Gives names their addresses.
pub(crate) trait Resolve: Send + Sync {
    /// All addresses of a name.
    fn addresses(&self, name: &str, within: Duration) -> io::Result<Vec<IpAddr>>;
}

/// The system's own.
pub(crate) struct System;

impl Resolve for System {
    fn addresses(&self, name: &str, within: Duration) -> io::Result<Vec<IpAddr>> {
        // The system's look-up cannot be interrupted, only left behind. It ends by the system's own time-out.
        let (found, answer) = mpsc::sync_channel(1);
        let name = name.to_owned();
        std::thread::Builder::new().name("holdback-resolve".to_owned()).spawn(move || {
            let all = (name.as_str(), 0).to_socket_addrs();
            let _ = found.send(all.map(|all| all.map(|address| address.ip()).collect::<Vec<_>>()));
        })?;
        answer.recv_timeout(within).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// Why a host has no address to send to.
pub(crate) enum Unreachable {
    /// It has one that is outside of the grant.
    Outside(String),
    /// It has none for now.
    Unknown(String),
}

/// The addresses of a host, every one of them within the network that was granted.
///
/// A name is looked up once; who connects uses what comes back here and asks no more, so that there is no second answer.
pub(crate) fn checked(
    host: &Host,
    port: u16,
    network: Network,
    resolver: &dyn Resolve,
    within: Duration,
    defences: &Defences,
) -> Result<Vec<SocketAddr>, Unreachable> {
    let addresses = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolver
            .addresses(name, within)
            .map_err(|reason| Unreachable::Unknown(format!("no address for `{name}`: {reason}")))?,
    };
    if addresses.is_empty() {
        return Err(Unreachable::Unknown(format!("no address for `{host}`")));
    }
    if addresses.len() > MOST {
        return Err(Unreachable::Outside(format!("`{host}` has more than {MOST} addresses")));
    }
    if defences.on(Defence::AddressCheck) {
        for address in &addresses {
            let place = Place::of(*address);
            // One bad address among good ones is an attack, or as good as one.
            if place != Place::In(network) {
                return Err(Unreachable::Outside(format!(
                    "`{host}` has the address {address}, which is {place}; granted is {network}"
                )));
            }
        }
    }
    Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
}

/// Where an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where one may be sent to if that is granted.
    In(Network),
    /// Where nobody is sent to whatever is granted, and what is there.
    Never(&'static str),
}

impl Place {
    /// The place of an address; one that carries another is judged by what it carries.
    pub(crate) fn of(address: IpAddr) -> Place {
        match address {
            IpAddr::V4(address) => Place::of_v4(address),
            IpAddr::V6(address) => Place::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Place {
        match address.octets() {
            [169, 254, 169, 254] | [100, 100, 100, 200] | [168, 63, 129, 16] => {
                Place::Never("a cloud's metadata service")
            }
            [0, ..] => Place::Never("unspecified"),
            [127, ..] => Place::In(Network::Loopback),
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => {
                Place::In(Network::Private)
            }
            [169, 254, ..] => Place::Never("link-local"),
            [192, 0, 0, _] => Place::Never("reserved for protocols"),
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Place::Never("for documentation"),
            [198, 18..=19, ..] => Place::Never("for benchmarks"),
            [192, 88, 99, _] => Place::Never("a relay to IPv6"),
            [224..=239, ..] => Place::Never("multicast"),
            [255, 255, 255, 255] => Place::Never("broadcast"),
            [240..=255, ..] => Place::Never("reserved"),
            _ => Place::In(Network::Public),
        }
    }

    fn of_v6(address: Ipv6Addr) -> Place {
        let segments = address.segments();
        match segments {
            [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] => Place::Never("a cloud's metadata service"),
            [0, 0, 0, 0, 0, 0, 0, 0] => Place::Never("unspecified"),
            [0, 0, 0, 0, 0, 0, 0, 1] => Place::In(Network::Loopback),
            // Mapped: the very same address as far as the system is concerned.
            [0, 0, 0, 0, 0, 0xffff, high, low] => Place::of_v4(v4(high, low)),
            // Compatible, translated, NAT64, 6to4, Teredo and ISATAP: ways that end at the address they carry. No one's own network
            // is reached like that on purpose.
            [0, 0, 0, 0, 0, 0, high, low]
            | [0, 0, 0, 0, 0xffff, 0, high, low]
            | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
            | [0x2002, high, low, ..] => Place::carried(&[v4(high, low)]),
            [0x2001, 0, server_high, server_low, _, _, high, low] => {
                Place::carried(&[v4(server_high, server_low), v4(!high, !low)])
            }
            [0xfe80..=0xfebf, ..] => Place::Never("link-local"),
            [0xfec0..=0xfeff, ..] => Place::Never("site-local"),
            [0xff00..=0xffff, ..] => Place::Never("multicast"),
            [0xfc00..=0xfdff, ..] => Place::In(Network::Private),
            [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, high, low] => Place::carried(&[v4(high, low)]),
            [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Place::Never("for documentation"),
            [0x2001, 2, 0, ..] => Place::Never("for benchmarks"),
            // 2001::/23 but for what was named above: ORCHID, anycast of protocols, and the like.
            [0x2001, 0..=0x1ff, ..] => Place::Never("reserved for protocols"),
            [0x2000..=0x3fff, ..] => Place::In(Network::Public),
            _ => Place::Never("reserved"),
        }
    }

    fn carried(addresses: &[Ipv4Addr]) -> Place {
        if addresses.iter().all(|address| Place::of_v4(*address) == Place::In(Network::Public)) {
            return Place::In(Network::Public);
        }
        Place::Never("a way to an address that is not public")
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Network::Public => "public",
            Network::Private => "private",
            Network::Loopback => "loopback",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::In(network) => network.fmt(f),
            Place::Never(what) => f.write_str(what),
        }
    }
}
