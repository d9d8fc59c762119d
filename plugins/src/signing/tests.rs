use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn secret(slot: &str) -> Part {
    Part::Secret(slot.to_owned())
}

fn key(algorithm: Algorithm, parts: Vec<Part>) -> Key {
    Key { algorithm, parts, derive: Vec::new() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// Signs, and holds the signature against `verify`, also with one bit turned.
fn signed(secrets: &Secrets, key: &Key, message: &[Part]) -> Vec<u8> {
    let on = Defences::default();
    let mut budget = Budget::default();
    let mut signature = sign(secrets, &on, key, message, &mut budget).unwrap();
    assert_eq!(verify(secrets, &on, key, message, &signature, &mut budget), Ok(true));
    assert_eq!(verify(secrets, &on, key, message, &signature[1..], &mut budget), Ok(false));
    signature[0] ^= 1;
    assert_eq!(verify(secrets, &on, key, message, &signature, &mut budget), Ok(false));
    signature[0] ^= 1;
    signature
}

#[test]
fn standard_webhooks() {
    let secrets = Secrets::from_values([("key", "example-secret-24-bytes!")]);
    let body =
        r#"{"type":"sla.breach","timestamp":"2026-01-02T03:04:05Z","data":{"ticket":"T-1001","level":2}}"#;
    let message = [text("msg_esc0001l2"), text("."), text("1767323045"), text("."), text(body)];
    let signature = signed(&secrets, &key(Algorithm::HmacSha256, vec![secret("key")]), &message);
    assert_eq!(STANDARD.encode(signature), "806QofVv19W1/onGzG9Yyi67K3xJ10Wv3CfPRYajYic=");
}

#[test]
fn dingtalk_has_the_secret_in_key_and_message() {
    let secrets = Secrets::from_values([(
        "secret",
        "SECexample0000000000000000000000000000000000000000000000000000000",
    )]);
    let message = [text("1767323045000\n"), secret("secret")];
    let signature = signed(&secrets, &key(Algorithm::HmacSha256, vec![secret("secret")]), &message);
    assert_eq!(STANDARD.encode(signature), "upWL49Sc6xHaCCYoKkW4f3Ma8/vgh2Pmd7ikavMUQGo=");
}

#[test]
fn feishu_has_all_in_the_key() {
    let secrets = Secrets::from_values([("secret", "exampleFeishuSecret01")]);
    let key = key(Algorithm::HmacSha256, vec![text("1767323045\n"), secret("secret")]);
    assert_eq!(STANDARD.encode(signed(&secrets, &key, &[])), "of79r8j++s6Bq2q4ev1VjiHGsdSIhs2/CgvX4MHwtMQ=");
}

#[test]
fn slack_and_pagerduty_callbacks() {
    let secrets =
        Secrets::from_values([("slack", "exampleslacksigningsecret"), ("pagerduty", "examplepdsecret")]);
    let message = [text("v0:1767323045:payload=%7B%22type%22%3A%22block_actions%22%7D")];
    let signature = signed(&secrets, &key(Algorithm::HmacSha256, vec![secret("slack")]), &message);
    assert_eq!(hex(&signature), "e6809d90854f2bc5dbe87fef4ce8233d93d8c2c43b702d846d8cedf7c5866624");
    let message = [text(r#"{"event":{"event_type":"incident.acknowledged"}}"#)];
    let signature = signed(&secrets, &key(Algorithm::HmacSha256, vec![secret("pagerduty")]), &message);
    assert_eq!(hex(&signature), "c160b9152bddcffaeb31d65d2bfc710a54b444f1a29abb7befd31b053eaa4a3b");
}

#[test]
fn tencent_derives_its_key_in_a_chain() {
    // Computed with another implementation of HMAC.
    let secrets = Secrets::from_values([("key", "exampletencentsecretkey000000000")]);
    let chain = Key {
        algorithm: Algorithm::HmacSha256,
        parts: vec![text("TC3"), secret("key")],
        derive: vec![vec![text("2026-01-02")], vec![text("sms")], vec![text("tc3_"), text("request")]],
    };
    let message = [
        text("TC3-HMAC-SHA256\n1767323045\n2026-01-02/sms/tc3_request\n"),
        text("0deeb8fa1dbbee4c0dbe7f5e3c9183940139f26d22797ee8ab07c00557a4c2ff"),
    ];
    assert_eq!(
        hex(&signed(&secrets, &chain, &message)),
        "34266db3765b6bcb22aa3285f1b84fbec571f4247013ad6e3b32979a5e372bd9"
    );
}

#[test]
fn hmac_of_rfc_4231() {
    let jefe = Secrets::from_values([("key", "Jefe")]);
    let data = [text("what do ya want "), Part::Bytes(b"for nothing?".to_vec())];
    assert_eq!(
        hex(&signed(&jefe, &key(Algorithm::HmacSha256, vec![secret("key")]), &data)),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(&signed(&jefe, &key(Algorithm::HmacSha512, vec![secret("key")]), &data)),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
         caeab1a34d4a6b4b636e070a38bce737"
    );
    // Case 6: a key longer than the block.
    let long = Secrets::from_values([("key", vec![0xaa; 131])]);
    let data = [text("Test Using Larger Than Block-Size Key - Hash Key First")];
    assert_eq!(
        hex(&signed(&long, &key(Algorithm::HmacSha256, vec![secret("key")]), &data)),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}

#[test]
fn hmac_sha1_of_rfc_2202() {
    let jefe = Secrets::from_values([("key", "Jefe")]);
    assert_eq!(
        hex(&signed(
            &jefe,
            &key(Algorithm::HmacSha1, vec![secret("key")]),
            &[text("what do ya want for nothing?")]
        )),
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    );
}

#[test]
fn ed25519_of_rfc_8032() {
    let seeds = Secrets::from_values([
        ("1", unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")),
        ("2", unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")),
    ]);
    assert_eq!(
        signed(&seeds, &key(Algorithm::Ed25519, vec![secret("1")]), &[]),
        unhex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
             d25bf5f0595bbe24655141438e7a100b"
        )
    );
    assert_eq!(
        signed(&seeds, &key(Algorithm::Ed25519, vec![secret("2")]), &[Part::Bytes(vec![0x72])]),
        unhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
             387b2eaeb4302aeeb00d291612bb0c00"
        )
    );
}

#[test]
fn a_key_of_ed25519_is_one_secret_of_32_bytes() {
    let secrets = Secrets::from_values([("seed", vec![7; 32]), ("short", vec![7; 31])]);
    let on = Defences::default();
    let refused = |key: &Key| sign(&secrets, &on, key, &[], &mut Budget::default()).unwrap_err();
    let unfit = |key: &Key| matches!(refused(key), Refusal::UnfitKey(_));
    assert!(unfit(&key(Algorithm::Ed25519, vec![secret("short")])));
    assert!(unfit(&key(Algorithm::Ed25519, vec![secret("seed"), text("")])));
    let derived = Key { derive: vec![vec![]], ..key(Algorithm::Ed25519, vec![secret("seed")]) };
    assert!(unfit(&derived));
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let none = Secrets::none();
    let on = Defences::default();
    let unknown = Err(Refusal::UnknownSecret("key".to_owned()));
    let key_of = |parts| key(Algorithm::HmacSha256, parts);
    assert_eq!(sign(&none, &on, &key_of(vec![secret("key")]), &[], &mut Budget::default()), unknown);
    let other = Secrets::from_values([("other", "value")]);
    let message = [secret("key")];
    assert_eq!(sign(&other, &on, &key_of(vec![secret("other")]), &message, &mut Budget::default()), unknown);
}

#[test]
fn a_budget_is_spent_and_not_overdrawn() {
    let secrets = Secrets::from_values([("key", "12345678")]);
    let on = Defences::default();
    let one = key(Algorithm::HmacSha256, vec![secret("key")]);
    let mut budget = Budget { signatures: 2, bytes: 1000 };
    assert!(sign(&secrets, &on, &one, &[text("ab")], &mut budget).is_ok());
    assert_eq!(budget, Budget { signatures: 1, bytes: 990 });
    let two = Key { derive: vec![vec![]], ..one.clone() };
    assert_eq!(sign(&secrets, &on, &two, &[], &mut budget), Err(Refusal::TooMuch), "a step is a signature");
    assert_eq!(verify(&secrets, &on, &one, &[], b"", &mut budget), Ok(false));
    assert_eq!(verify(&secrets, &on, &one, &[], b"", &mut budget), Err(Refusal::TooMuch));
    let mut budget = Budget { signatures: 9, bytes: 10 };
    assert_eq!(sign(&secrets, &on, &one, &[text("abc")], &mut budget), Err(Refusal::TooMuch));
    assert!(sign(&secrets, &on, &one, &[text("ab")], &mut budget).is_ok());
}

#[test]
fn attack_a_key_without_a_secret() {
    let secrets = Secrets::from_values([("key", "12345678")]);
    let chosen = key(Algorithm::HmacSha256, vec![text("a key that the component knows")]);
    // The component would learn the secret by trying: all but the secret is its own choice.
    let message = [secret("key")];
    let mut budget = Budget::default();
    assert_eq!(
        sign(&secrets, &Defences::default(), &chosen, &message, &mut budget),
        Err(Refusal::NoSecretInKey)
    );
    let derived = Key { derive: vec![vec![secret("key")]], ..chosen.clone() };
    assert_eq!(sign(&secrets, &Defences::default(), &derived, &[], &mut budget), Err(Refusal::NoSecretInKey));
    let off = Defences::without(&[Defence::SecretInKey]);
    assert!(sign(&secrets, &off, &chosen, &message, &mut budget).is_ok());
}
