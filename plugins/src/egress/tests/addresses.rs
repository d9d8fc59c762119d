use super::address::Place;
use super::*;

fn place(address: &str) -> Place {
    Place::of(address.parse().unwrap())
}

#[test]
fn public_addresses_are_public() {
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.17.255.255",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ] {
        assert_eq!(place(address), Place::In(Network::Public), "{address}");
    }
}

#[test]
fn ones_own_addresses_are_known_as_such() {
    for address in [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "fc00::1",
        "fdff::1",
        "::ffff:10.0.0.1",
    ] {
        assert_eq!(place(address), Place::In(Network::Private), "{address}");
    }
    for address in ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(place(address), Place::In(Network::Loopback), "{address}");
    }
}

const NEVER: [&str; 52] = [
    // Metadata services.
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:100.100.100.200",
    // Special by themselves.
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "169.254.0.1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "2001:2::1",
    "2001:10::1",
    "100::1",
    "64:ff9b:1::1",
    "5f00::1",
    "4000::1",
    "::ffff:0.0.0.0",
    "::ffff:224.0.0.1",
    // Ways to addresses that are not public: compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    "::127.0.0.1",
    "::10.0.0.1",
    "::169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "2001:0:808:808:0:0:80ff:fffe",
    "2001:0:a00:1:0:0:f7f7:f7f7",
    "2606:4700::5efe:127.0.0.1",
    "2606:4700::200:5efe:10.0.0.1",
];

#[test]
fn some_addresses_are_never_sent_to() {
    for address in NEVER {
        assert!(matches!(place(address), Place::Never(_)), "{address}: {:?}", place(address));
        for network in [Network::Public, Network::Private, Network::Loopback] {
            let names = Names::of(&[("receiver.test", &[address])]);
            let answer = egress(&names, &[]).http(
                &post("https://receiver.test"),
                &granted("https://receiver.test", network),
                &Secrets::none(),
            );
            assert!(refused(answer).contains("receiver.test"));
        }
    }
}

#[test]
fn a_network_that_is_granted_is_granted_exactly() {
    for (address, network) in
        [("8.8.8.8", Network::Private), ("10.0.0.1", Network::Loopback), ("127.0.0.1", Network::Private)]
    {
        let names = Names::of(&[("receiver.test", &[address])]);
        let allowance = granted("http://receiver.test", network);
        let reason =
            refused(egress(&names, &[]).http(&post("http://receiver.test"), &allowance, &Secrets::none()));
        assert!(reason.ends_with(&format!("granted is {network}")), "{reason}");
    }
}

#[test]
fn an_address_instead_of_a_name_is_checked_as_well() {
    let names = Names::default();
    for host in ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:7f00:1]", "[fd00:ec2::254]"] {
        let origin = format!("https://{host}");
        let allowance = granted(&origin, Network::Public);
        refused(egress(&names, &[]).http(&post(&origin), &allowance, &Secrets::none()));
    }
    assert_eq!(names.asked(), 0, "an address is no name");
}
