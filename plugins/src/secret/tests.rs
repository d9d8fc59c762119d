use super::*;

const WEBHOOK: &str = "whsec_ZXhhbXBsZS1zZWNyZXQtMjQtYnl0ZXMh";

fn slot(name: &str, encoding: SecretEncoding, required: bool) -> SecretSlot {
    SecretSlot { name: name.to_owned(), about: "A test's.".to_owned(), encoding, required }
}

fn text(name: &str) -> SecretSlot {
    slot(name, SecretEncoding::Text, true)
}

fn webhook(name: &str) -> SecretSlot {
    slot(name, SecretEncoding::Base64(Some("whsec_".to_owned())), true)
}

/// A file that only its owner can read, in a folder that goes with it.
struct Kept {
    folder: PathBuf,
    file: PathBuf,
}

impl Kept {
    fn new(test: &str, content: &[u8], mode: u32) -> Kept {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let folder = std::env::temp_dir().join(format!("holdback-secret-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("secret");
        let mut open = std::fs::OpenOptions::new();
        let mut written = open.write(true).create_new(true).mode(0o600).open(&file).unwrap();
        std::io::Write::write_all(&mut written, content).unwrap();
        written.set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
        Kept { folder, file }
    }

    fn load(&self, slot: SecretSlot) -> Result<Secrets, SecretError> {
        let source = SecretSource::File(self.file.clone());
        Secrets::load(&BTreeMap::from([(slot.name.clone(), source)]), &[slot])
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_file_loses_one_line_break_and_no_more() {
    for (content, expected) in [
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        ("secret\n\n", "secret\n"),
        (" secret ", " secret "),
    ] {
        let kept = Kept::new("line-break", content.as_bytes(), 0o600);
        let secrets = kept.load(text("token")).unwrap();
        assert_eq!(secrets.get("token"), Some(expected.as_bytes()), "{content:?}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_with_how_to_mend_it() {
    for mode in [0o640, 0o604, 0o660, 0o622] {
        let kept = Kept::new("exposed", b"hunter2hunter2", mode);
        let error = kept.load(text("token")).unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 600 {}", kept.file.display())), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_may_hold_16_kib_and_no_more() {
    let kept = Kept::new("just-fits", &vec![b'x'; MOST], 0o600);
    assert_eq!(kept.load(text("token")).unwrap().get("token").unwrap().len(), MOST);
    let kept = Kept::new("too-long", &vec![b'x'; MOST + 1], 0o600);
    assert_eq!(kept.load(text("token")).unwrap_err(), SecretError::TooLong("token".to_owned()));
}

#[test]
fn what_is_too_short_to_be_kept_out_of_logs_is_refused() {
    for content in [b"".as_slice(), b"\n", b"abc", b"abc\n"] {
        let kept = Kept::new("too-short", content, 0o600);
        assert_eq!(kept.load(text("token")).unwrap_err(), SecretError::TooShort("token".to_owned()));
    }
    assert!(Kept::new("long-enough", b"abcd", 0o600).load(text("token")).is_ok());
}

#[test]
fn a_folder_or_a_file_that_is_not_there_is_named() {
    let source = SecretSource::File(std::env::temp_dir());
    let error = Secrets::load(&BTreeMap::from([("a".to_owned(), source)]), &[text("a")]).unwrap_err();
    assert!(error.to_string().ends_with("it is no regular file"), "{error}");
    let source = SecretSource::File("/nowhere/at/all".into());
    let error = Secrets::load(&BTreeMap::from([("a".to_owned(), source)]), &[text("a")]).unwrap_err();
    assert!(error.to_string().contains("`file:/nowhere/at/all`"), "{error}");
}

#[test]
fn the_environment_is_read_and_what_is_not_set_is_named() {
    // Cargo sets it for every test; tests cannot set one themselves, since that is unsafe beside other threads.
    let source = SecretSource::Env("CARGO_MANIFEST_DIR".to_owned());
    let secrets = Secrets::load(&BTreeMap::from([("a".to_owned(), source)]), &[text("a")]).unwrap();
    assert_eq!(secrets.get("a"), Some(env!("CARGO_MANIFEST_DIR").as_bytes()));
    let source = SecretSource::Env("HOLDBACK_NEVER_SET".to_owned());
    let error = Secrets::load(&BTreeMap::from([("a".to_owned(), source)]), &[text("a")]).unwrap_err();
    assert_eq!(error.to_string(), "secret `a` cannot be read from `env:HOLDBACK_NEVER_SET`: it is not set");
}

#[test]
fn base64_is_decoded_after_its_prefix() {
    let kept = Kept::new("whsec", WEBHOOK.as_bytes(), 0o600);
    assert_eq!(kept.load(webhook("key")).unwrap().get("key"), Some(b"example-secret-24-bytes!".as_slice()));
    let kept = Kept::new("no-prefix", b"ZXhhbXBsZS1zZWNyZXQ=", 0o600);
    let error = kept.load(webhook("key")).unwrap_err();
    assert_eq!(error.to_string(), "secret `key` does not begin with `whsec_`");
    let kept = Kept::new("not-base64", b"whsec_hunter2 hunter2", 0o600);
    assert_eq!(kept.load(webhook("key")).unwrap_err(), SecretError::Base64("key".to_owned()));
}

#[test]
fn slots_and_sources_have_to_match() {
    let source = SecretSource::Env("PATH".to_owned());
    let error = Secrets::load(&BTreeMap::from([("tokn".to_owned(), source)]), &[text("token")]).unwrap_err();
    assert_eq!(error.to_string(), "the component has no secret `tokn`; it has `token`");
    let error = Secrets::load(&BTreeMap::new(), &[text("token")]).unwrap_err();
    assert_eq!(error, SecretError::Missing("token".to_owned()));
    let optional = slot("token", SecretEncoding::Text, false);
    assert!(Secrets::load(&BTreeMap::new(), &[optional]).unwrap().get("token").is_none());
}

#[test]
fn a_source_is_a_place_and_never_the_secret() {
    for wrong in ["hunter2", "env:", "env:A B", "file:", "text:hunter2", "ENV:hunter2"] {
        let error = wrong.parse::<SecretSource>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let source: SecretSource = serde_json::from_str("\"file:/run/secrets/a:b\"").unwrap();
    assert_eq!(serde_json::to_string(&source).unwrap(), "\"file:/run/secrets/a:b\"");
}

#[test]
fn debug_shows_nothing() {
    let secrets = Secrets::from_values([("token", "hunter2hunter2")]);
    assert_eq!(format!("{secrets:?}"), "Secrets(..)");
}

#[test]
fn every_form_of_a_secret_is_cut_out() {
    let secret = "s€cret/+ \"quoted\"?";
    let secrets = Secrets::from_values([("token", secret)]);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [
        secret.to_owned(),
        crate::egress::percent(secret.as_bytes()),
        crate::egress::percent(secret.as_bytes()).to_lowercase(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
        hex.to_uppercase(),
        hex,
    ] {
        assert_eq!(secrets.redact(&format!("before {form}, after")), "before «token», after", "{form}");
    }
}

#[test]
fn a_secret_within_longer_base64_is_cut_out() {
    let secrets = Secrets::from_values([("password", "correct horse battery")]);
    let core = |text: &str| STANDARD_NO_PAD.encode(text);
    for before in ["", "a", "ab", "abc", "\0user\0", "\0user@x\0"] {
        let shown = secrets.redact(&core(&format!("{before}correct horse battery, and more")));
        assert!(shown.contains("«password»"), "{before:?}: {shown}");
    }
}

#[test]
fn the_text_of_a_base64_slot_is_cut_out_too() {
    let kept = Kept::new("undecoded", WEBHOOK.as_bytes(), 0o600);
    let secrets = kept.load(webhook("key")).unwrap();
    assert_eq!(secrets.redact(&format!("it was {WEBHOOK}.")), "it was «key».");
    assert_eq!(secrets.redact("example-secret-24-bytes!"), "«key»");
}

#[test]
fn the_longer_of_two_secrets_goes_first() {
    let secrets = Secrets::from_values([("short", "abcdefgh"), ("long", "abcdefghijkl")]);
    assert_eq!(secrets.redact("abcdefghijkl abcdefgh"), "«long» «short»");
    let shown = [b"\xff".as_slice(), "«short»".as_bytes(), b"\xff"].concat();
    assert_eq!(secrets.redact_bytes(b"\xffabcdefgh\xff"), shown);
}
