//! The host's folder: grants, compiled code, quarantine.

use std::fs;

use super::guests::{honest, rendering};
use super::*;
use crate::grant::asked;
use crate::{Grant, GrantError, Home, HostError, STRIKES};

fn at(folder: &tempfile::TempDir) -> HostConfig {
    HostConfig { home: Some(folder.path().join("home")), ..config() }
}

fn cached(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let found = fs::read_dir(folder.path().join("home/cache")).expect("a cache").flatten();
    let code =
        found.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "cwasm"));
    code.expect("compiled code")
}

#[test]
fn compiled_code_is_found_again() {
    let folder = folder();
    let wasm = honest();
    load(&Host::new(at(&folder)).expect("a host"), &wasm);
    // A compiler that cannot run shows that none is needed.
    let program = folder.path().join("missing");
    let compiler = Compiler::Child { program, args: Vec::new(), limits: crate::CompileLimits::default() };
    let host = Host::new(HostConfig { compiler, ..at(&folder) }).expect("a host");
    load(&host, &wasm);
    let told =
        host.load(&rendering("unreachable"), None).err().map(|error| error.to_string()).expect("a refusal");
    assert!(told.contains("could not be run"), "{told}");
}

#[test]
fn foreign_code_in_the_cache_is_not_run() {
    let folder = folder();
    let (good, bad) = (honest(), rendering("unreachable"));
    load(&Host::new(at(&folder)).expect("a host"), &good);
    let place = cached(&folder);
    let mine = fs::read(&place).expect("code");
    // Somebody who can write to the folder puts other code there: well formed, for the same engine, with no MAC of ours.
    let code = Compiler::Here.compile(&bad, crate::sandbox::Kind { fuel: false }).expect("code");
    let forged: Vec<u8> = mine[..32].iter().chain(&code).copied().collect();
    fs::write(&place, &forged).expect("written");
    let host = Host::new(at(&folder)).expect("a host");
    assert_eq!(channel(&host, &good).render(&delivery(&[])), Err(RenderError::Refused("no".to_owned())));
    assert_eq!(fs::read(cached(&folder)).expect("code").len(), mine.len(), "it was compiled anew");
    // Without the MAC the foreign code runs under the good component's name.
    fs::write(&place, &forged).expect("written");
    let host = host_without(at(&folder), &[Defence::CacheMac]);
    assert!(matches!(fault(&host, &good), Fault::Trap(_)));
}

#[test]
fn spoiled_code_is_compiled_anew() {
    let folder = folder();
    let wasm = honest();
    load(&Host::new(at(&folder)).expect("a host"), &wasm);
    let place = cached(&folder);
    let whole = fs::read(&place).expect("code");
    for spoil in [&whole[..0], &whole[..20], &whole[..whole.len() / 2]] {
        fs::write(&place, spoil).expect("written");
        load(&Host::new(at(&folder)).expect("a host"), &wasm);
    }
    fs::write(place.with_file_name("key"), b"short").expect("written");
    load(&Host::new(at(&folder)).expect("a host"), &wasm);
}

#[cfg(unix)]
#[test]
fn a_folder_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("made");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("set");
    let told = Host::new(at(&folder)).err().map(|error| error.to_string()).expect("a refusal");
    assert!(told.contains("is open to others (mode 755"), "{told}");
}

#[test]
fn a_grant_is_for_one_digest_and_one_set_of_wishes() {
    let host = Host::new(config()).expect("a host");
    let (one, other) = (load(&host, &honest()), load(&host, &rendering("unreachable")));
    let grant = Grant::none(one.digest(), one.description());
    assert!(host.channel(&one, grant.clone(), Secrets::none()).is_ok());
    // The same name and the same wishes, another file.
    let changed = host.channel(&other, grant.clone(), Secrets::none()).err();
    assert!(matches!(changed, Some(HostError::Grant(GrantError::Changed { .. }))), "{changed:?}");
    // The same file that asks for something else.
    let mut wishes = one.description().clone();
    wishes.wants.push(crate::wire::Want::Mail);
    assert_ne!(asked(&wishes), grant.asked);
    assert!(matches!(grant.fits(one.digest(), &wishes), Err(GrantError::AskedElse(_))));
    // Without the binding the other file works under the first one's grant.
    let host = host_without(config(), &[Defence::GrantBinding]);
    let other = load(&host, &rendering("unreachable"));
    assert!(host.channel(&other, grant, Secrets::none()).is_ok());
}

#[test]
fn no_more_is_granted_than_was_asked_for() {
    let host = Host::new(config()).expect("a host");
    let plugin = load(&host, &honest());
    let mut grant = Grant::none(plugin.digest(), plugin.description());
    grant.secrets.insert("token".to_owned(), "env:TOKEN".parse().expect("a source"));
    let told = host.channel(&plugin, grant, Secrets::none()).err().map(|error| error.to_string());
    assert_eq!(
        told.as_deref(),
        Some("`wat` did not ask for secret `token`; it may be granted none of that kind")
    );
}

#[test]
fn grants_are_kept_and_taken_away() {
    let folder = folder();
    let host = Host::new(at(&folder)).expect("a host");
    let wasm = honest();
    let plugin = load(&host, &wasm);
    let home = host.home().expect("a folder");
    assert!(host.granted("wat", None).expect("readable").is_none());
    home.grant(Grant::none(plugin.digest(), plugin.description()), &wasm).expect("written");
    let (again, grant) = host.granted("wat", None).expect("readable").expect("granted");
    assert_eq!((again.digest(), grant.name.as_str()), (plugin.digest(), "wat"));
    // A file that was exchanged in the folder is another component.
    fs::write(home.component(plugin.digest()), rendering("unreachable")).expect("written");
    let changed = host.granted("wat", None).err();
    assert!(matches!(changed, Some(HostError::Grant(GrantError::Changed { .. }))), "{changed:?}");
    assert!(home.revoke("wat").expect("written"));
    assert!(!home.revoke("wat").expect("written"));
}

#[test]
fn quarantine_outlives_the_process() {
    let folder = folder();
    let traps = rendering("unreachable");
    let digest = {
        let host = Host::new(at(&folder)).expect("a host");
        let bad = channel(&host, &traps);
        for strike in 0..STRIKES {
            let _ = bad.render(&delivery(&[]).again(u64::from(strike) * 1_000_000));
        }
        bad.plugin().digest()
    };
    let host = Host::new(at(&folder)).expect("a host");
    assert_eq!(host.quarantine().iter().map(|held| held.digest).collect::<Vec<_>>(), [digest]);
    assert!(matches!(fault(&host, &traps), Fault::Aside(_)));
    host.reset(digest).expect("written");
    assert!(Host::new(at(&folder)).expect("a host").quarantine().is_empty());
}

#[test]
fn two_hosts_may_share_a_folder() {
    let folder = folder();
    let wasm = honest();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| load(&Host::new(at(&folder)).expect("a host"), &wasm));
        }
    });
    assert!(Home::open(&folder.path().join("home")).is_ok());
}
