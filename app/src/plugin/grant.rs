//! `holdback plugin grant`: what an operator allows a component, and how that is taken back.

use std::path::Path;

use holdback_plugins::wire::{Description, Want};
use holdback_plugins::{AllowedOrigin, Grant, Host, MailAllowance, MailLogin, Network, Origin, Plugin};

use super::args::{GrantArgs, MailArgs, PASSWORD, places};
use super::component::{Found, Place, Rather, called, grants, short, signature_beside, signature_in};
use super::{Hosts, escaped, note, show};
use crate::{Console, FINDINGS, FINE, Stop, did_you_mean};

pub(crate) fn grant(args: &GrantArgs, home: Option<&Path>, console: &mut Console<'_>) -> Result<u8, Stop> {
    let hosts = Hosts::new(&console.machine, home);
    if args.revoke {
        return revoke(args, &hosts, console);
    }
    if args.reset {
        return reset(args, &hosts, console);
    }
    let mut found = Found::find(&args.component, &hosts, Rather::Shipped)?;
    if let Some(file) = &args.signature {
        found.signature = Some(signature_in(file)?);
    }
    let host = hosts.with_folder(!found.is_shipped())?;
    let plugin = found.load(&host).map_err(Stop::Unusable)?;
    let granted = wanted(args, &plugin)?;
    granted
        .fits(plugin.digest(), plugin.description())
        .map_err(|error| Stop::Unusable(escaped(&error.to_string())))?;
    let before = grants(&hosts)?.into_iter().find(|before| before.name == granted.name);
    console.say(&text(&found, &plugin, &granted, before.as_ref()))?;
    for missing in missing(&host, &plugin, &granted) {
        note(console, &missing);
    }
    if !args.yes && !agreed(console)? {
        console.say("nothing was granted\n")?;
        return Ok(FINDINGS);
    }
    keep(&host, granted, &found)?;
    console.say(&format!("granted to {}\n", called(&plugin)))?;
    Ok(FINE)
}

/// The grant that the arguments ask for.
fn wanted(args: &GrantArgs, plugin: &Plugin) -> Result<Grant, Stop> {
    let description = plugin.description();
    let mut grant = Grant::none(plugin.digest(), description);
    grant.allow.origins = args.origins.clone();
    if args.asked {
        for origin in asked_origins(description)? {
            if !grant.allow.origins.iter().any(|allowed| allowed.origin() == origin.origin()) {
                grant.allow.origins.push(origin);
            }
        }
    }
    grant.secrets = places(args).map_err(Stop::Unusable)?;
    grant.allow.mail = mail(&args.mail)?;
    Ok(grant)
}

/// The fixed origins that a component asks for. They are on the open network.
fn asked_origins(description: &Description) -> Result<Vec<AllowedOrigin>, Stop> {
    let origins = description.wants.iter().filter_map(|want| match want {
        Want::Origin(origin) => Some(origin),
        Want::Setting(_) | Want::Mail => None,
    });
    let allowed = |text: &String| {
        let unusable =
            |why: String| Stop::Unusable(format!("the component asks for `{}`: {why}", escaped(text)));
        let origin = Origin::parse(text).map_err(|error| unusable(error.to_string()))?;
        AllowedOrigin::new(origin, Network::Public).map_err(|error| unusable(error.to_string()))
    };
    origins.map(allowed).collect()
}

fn mail(args: &MailArgs) -> Result<Option<MailAllowance>, Stop> {
    let (Some(server), Some(from)) = (&args.mail_server, &args.mail_from) else { return Ok(None) };
    let login = args.mail_user.clone().map(|user| MailLogin { user, password: PASSWORD.to_owned() });
    let mail = MailAllowance {
        server: server.host.clone(),
        port: server.port,
        tls: args.mail_tls.into(),
        network: server.network,
        from: from.clone(),
        login,
        recipients: args.recipients.clone(),
    };
    mail.check().map_err(|why| Stop::Unusable(format!("--mail-server: {why}")))?;
    Ok(Some(mail))
}

/// What the operator is shown before anything is granted.
fn text(found: &Found, plugin: &Plugin, granted: &Grant, before: Option<&Grant>) -> String {
    let mut text = format!("{}, {}\n  {}\n", called(plugin), found.place(), plugin.digest());
    text.push_str("\nAsks for\n");
    for line in show::asked(plugin.description()) {
        text.push_str(&show::indented(&line, 2));
    }
    if let Some(before) = before {
        let is = match (before.digest == plugin.digest(), before.asked == granted.asked) {
            (true, true) => "this component",
            (true, false) => "this component, when it asked for something else",
            (false, _) => "another component of that name; this one is new",
        };
        text.push_str(&format!("\nGranted before, to {}, {is}\n", short(before.digest)));
        for line in show::granted(before) {
            text.push_str(&show::indented(&line, 2));
        }
    }
    text.push_str("\nWould be granted\n");
    for line in show::granted(granted) {
        text.push_str(&show::indented(&line, 2));
    }
    text.push('\n');
    text
}

/// What is still missing for anything to be sent.
fn missing(host: &Host, plugin: &Plugin, granted: &Grant) -> Vec<String> {
    let description = plugin.description();
    let mut missing = Vec::new();
    let reaches_nothing = granted.allow.origins.is_empty() && granted.allow.mail.is_none();
    if reaches_nothing && !description.wants.is_empty() {
        missing.push(
            "it may send nowhere: grant an origin by --origin or --asked, or mail by --mail-server"
                .to_owned(),
        );
    }
    if let Err(error) = host.secrets(plugin, granted) {
        missing.push(format!("as things are now nothing can be sent: {}", escaped(&error.to_string())));
    }
    missing
}

/// Whether the operator agrees.
fn agreed(console: &mut Console<'_>) -> Result<bool, Stop> {
    if !console.machine.asks {
        let why = "nobody can be asked, since standard input is no terminal: `--yes` grants without asking";
        return Err(Stop::Unusable(why.to_owned()));
    }
    console.say("Grant this? [y/N] ")?;
    let _ = console.stdout.flush();
    let mut answer = Vec::new();
    let mut byte = [0];
    while let Ok(1) = console.stdin.read(&mut byte) {
        if byte == *b"\n" || answer.len() > 16 {
            break;
        }
        answer.extend(byte);
    }
    Ok(matches!(String::from_utf8_lossy(&answer).trim(), "y" | "Y" | "yes"))
}

/// Installs the component and writes the grant down.
fn keep(host: &Host, granted: Grant, found: &Found) -> Result<(), Stop> {
    let unusable = |error: holdback_plugins::HomeError| Stop::Unusable(error.to_string());
    let Some(home) = host.home() else { return Err(Stop::Unusable("the host has no folder".to_owned())) };
    let component = home.component(granted.digest);
    home.grant(granted, &found.wasm).map_err(unusable)?;
    match &found.signature {
        Some(signature) => write(&signature_beside(&component), signature),
        None => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a signature beside the component that it is of")]
fn write(path: &Path, text: &str) -> Result<(), Stop> {
    std::fs::write(path, text)
        .map_err(|error| Stop::Unusable(format!("{}: cannot be written: {error}", path.display())))
}

/// The name that a grant is known by: what was said, or what the component there calls itself.
fn name_of(args: &GrantArgs, hosts: &Hosts) -> Result<String, Stop> {
    let said = args.component.to_str().map(str::to_owned);
    if let Some(name) = said.filter(|name| !Path::new(name).exists()) {
        return Ok(name);
    }
    let found = Found::find(&args.component, hosts, Rather::Granted)?;
    let (host, _) = hosts.perhaps_with_folder(false)?;
    Ok(found.load(&host).map_err(Stop::Unusable)?.description().name.clone())
}

fn revoke(args: &GrantArgs, hosts: &Hosts, console: &mut Console<'_>) -> Result<u8, Stop> {
    let name = name_of(args, hosts)?;
    let known = grants(hosts)?;
    let host = hosts.with_folder(false)?;
    let home = host.home().ok_or_else(|| Stop::Unusable("the host has no folder".to_owned()))?;
    if !home.revoke(&name).map_err(|error| Stop::Unusable(error.to_string()))? {
        let near = did_you_mean(&name, known.iter().map(|grant| grant.name.as_str()));
        return Err(Stop::Unusable(format!("`{name}` is granted nothing{near}")));
    }
    console.say(&format!("`{name}` may do nothing any more\n"))?;
    Ok(FINE)
}

fn reset(args: &GrantArgs, hosts: &Hosts, console: &mut Console<'_>) -> Result<u8, Stop> {
    let found = Found::find(&args.component, hosts, Rather::Granted)?;
    let digest = match &found.place {
        Place::Granted(grant) => grant.digest,
        Place::Shipped(_) | Place::File(_) => holdback_plugins::Digest::of(&found.wasm),
    };
    let host = hosts.with_folder(false)?;
    let was = host.reset(digest).map_err(|error| Stop::Unusable(error.to_string()))?;
    let told = if was { "is out of quarantine" } else { "was in no quarantine" };
    console.say(&format!("{} ({}) {told}\n", found.place(), short(digest)))?;
    Ok(FINE)
}

#[cfg(test)]
mod tests {
    use holdback_plugins::Compiler;

    use crate::Console;
    use crate::plugin::Machine;

    /// What comes of a grant when somebody at a terminal answers so: the exit code, what was said, and whether it was granted.
    fn answered(answer: &str) -> (u8, String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let machine = Machine { compiler: Compiler::Here, home: Some(home.clone()), asks: true };
        let (mut stdin, mut stdout, mut stderr) = (answer.as_bytes(), Vec::new(), Vec::new());
        let (stdin, stdout_, stderr) = (&mut stdin, &mut stdout, &mut stderr);
        let console = Console { stdin, stdout: stdout_, stderr, watched: false, colours: false, machine };
        let args = ["holdback", "plugin", "grant", "webhook", "--origin", "https://a.example"];
        let code = crate::run_on(args, console);
        (code, String::from_utf8(stdout).unwrap(), home.join("grants.toml").exists())
    }

    #[test]
    fn only_a_yes_grants() {
        let (code, said, granted) = answered("y\n");
        assert!(code == 0 && granted && said.contains("Grant this? [y/N] granted to webhook"), "{said}");
        for answer in ["n\n", "\n", "", "yesterday\n"] {
            let (code, said, granted) = answered(answer);
            assert!(code == 1 && !granted && said.ends_with("nothing was granted\n"), "{answer:?}: {said}");
        }
    }
}
