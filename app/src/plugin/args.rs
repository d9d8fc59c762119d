//! The command line of `holdback plugin`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgAction, Subcommand, ValueEnum};
use holdback_plugins::{AllowedOrigin, MailTls, Network, Origin, SecretError, SecretSource};

use crate::args::Format;

pub(crate) const PLUGIN_HELP: &str = "\
A channel is a wasm component that renders notices into requests and judges the answers; the host sends. COMPONENT is a .wasm
file, a guest crate's folder in which one was built, or the name of a component that is granted or ships with the program.

Examples:
  holdback plugin new my-channel
  holdback plugin build my-channel
  holdback plugin test my-channel
  holdback plugin check my-channel
  holdback plugin grant my-channel --origin https://hooks.example.com --secret signing=env:HOOK_SECRET
  holdback plugin send my-channel --to destination.toml --dry-run

The host's folder holds what is granted, components in quarantine and compiled code: --home DIR, else HOLDBACK_HOME, else
`holdback` in the user's data folder. Nobody else may read it. A file `signers` in it names minisign public keys, a line
each; if there is one, only components signed by one of them run, besides those that ship with the program.

Exit codes: 0 fine; 1 findings; 2 unusable input or arguments.";

const GRANT_HELP: &str = "\
A grant is for one component, byte for byte, and for what it asks for now: a changed one is granted anew. It takes the place
of an earlier grant of the same name. Nothing can be granted that was not asked for.

A component asks for fixed origins, for the origin of the URL in a setting, or for mail. An origin stands for addresses on the open
network unless `=private` or `=loopback` follows it. Secrets are named by their places, `env:NAME` or `file:PATH`, and are
read when something is sent.

Examples:
  holdback plugin grant dingtalk --asked --secret token=env:DINGTALK_TOKEN --secret secret=file:/etc/holdback/dingtalk
  holdback plugin grant webhook --origin https://hooks.example.com --secret signing=env:HOOK_SECRET
  holdback plugin grant webhook --origin http://127.0.0.1:8080=loopback --secret signing=env:HOOK_SECRET --yes
  holdback plugin grant email --mail-server mail.example.com:465 --mail-tls implicit --mail-from alerts@example.com \\
      --mail-user alerts --mail-password env:SMTP_PASSWORD --recipient @example.com
  holdback plugin grant webhook --reset
  holdback plugin grant webhook --revoke

Exit codes: 0 granted, reset or revoked; 1 refused by you; 2 refused by the host, unusable arguments.";

const SEND_HELP: &str = "\
DESTINATION.toml is what an operator sets for one destination of a channel:

  name = \"duty desk\"
  locale = \"zh\"
  to = [{ name = \"Wang\", email = \"wang@example.com\", phone = \"+8613800000000\", handle = \"wang\" }]
  [settings]
  url = \"https://hooks.example.com/in?team=1\"

NOTICE.json is a line of `notices.ndjson`, or the `notice` of a fixture; `-` is standard input. Without one a sample is sent.

Exit codes: 0 delivered or accepted (with --dry-run: rendered); 1 otherwise; 2 not granted, unusable input or arguments.";

#[derive(Debug, clap::Args)]
pub(crate) struct PluginArgs {
    /// The host's folder [default: HOLDBACK_HOME, else `holdback` in the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Write a channel to begin with: a crate that builds and tests green
    New(NewArgs),
    /// Build a component of a guest crate, or of a core module
    Build(BuildArgs),
    /// Tell what a component is, what it asks for, and what it is held to
    Check(CheckArgs),
    /// Run a component on recorded deliveries and answers
    Test(TestArgs),
    /// Measure instantiating, rendering and dropping
    Bench(BenchArgs),
    /// Allow a component what it asks for; take that away; end a quarantine
    #[command(after_help = GRANT_HELP)]
    Grant(GrantArgs),
    /// List the components that ship with the program, and those granted
    List(ListArgs),
    /// Deliver one notice for real, and show each step
    #[command(after_help = SEND_HELP)]
    Send(SendArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// The channel's name: small letters, digits and `-`
    pub(crate) name: String,
    /// The folder to write; it must not exist yet, or be empty [default: the name]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// The guest crate's folder
    #[arg(default_value = ".", conflicts_with = "module")]
    pub(crate) dir: PathBuf,
    /// Make a component of this core module, of whatever language
    #[arg(long, value_name = "FILE", conflicts_with = "toolchain")]
    pub(crate) module: Option<PathBuf>,
    /// The Rust to build with
    #[arg(long, value_enum, default_value_t = ToolchainName::Rustup)]
    pub(crate) toolchain: ToolchainName,
    /// Write the component here [default: NAME.wasm in the folder, or beside the module]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A Rust that builds guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToolchainName {
    /// The one on the path, with rustup's target wasm32-unknown-unknown
    Rustup,
    /// Debian's rustc-web, which builds the standard library along
    Debian,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// A .wasm file, a guest crate's folder, or a name
    pub(crate) component: PathBuf,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// A .wasm file, a guest crate's folder, or a name
    pub(crate) component: PathBuf,
    /// The folder of the fixtures [default: `fixtures` beside the component]
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// A .wasm file, a guest crate's folder, or a name
    pub(crate) component: PathBuf,
    /// How often to render
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) calls: u32,
    /// Render this fixture's delivery, or climb its ladder [default: a sample with the settings' examples]
    #[arg(long, value_name = "FILE")]
    pub(crate) fixture: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GrantArgs {
    /// A .wasm file, a guest crate's folder, or a name
    pub(crate) component: PathBuf,
    /// An origin it may send to, and in which network: ORIGIN, ORIGIN=private or ORIGIN=loopback; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN[=NETWORK]", value_parser = origin, action = ArgAction::Append)]
    pub(crate) origins: Vec<AllowedOrigin>,
    /// All fixed origins that it asks for
    #[arg(long)]
    pub(crate) asked: bool,
    /// Where a secret is kept: SLOT=env:NAME or SLOT=file:PATH; may be repeated
    // Read by `places`, whose errors do not repeat what was written: it may be the secret itself.
    #[arg(long = "secret", value_name = "SLOT=SOURCE", action = ArgAction::Append)]
    pub(crate) secrets: Vec<String>,
    #[command(flatten)]
    pub(crate) mail: MailArgs,
    /// Its minisign signature [default: the component's file name with .minisig after it, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
    /// Grant without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Take the grant of this name away
    #[arg(long, conflicts_with_all = ["origins", "asked", "secrets", "mail_server", "signature", "reset"])]
    pub(crate) revoke: bool,
    /// End the component's quarantine
    #[arg(long, conflicts_with_all = ["origins", "asked", "secrets", "mail_server", "signature"])]
    pub(crate) reset: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MailArgs {
    /// The server that takes mails, with its port, and in which network: HOST:PORT, HOST:PORT=private or HOST:PORT=loopback
    #[arg(long, value_name = "HOST:PORT[=NETWORK]", value_parser = server, requires_all = ["mail_from", "recipients"])]
    pub(crate) mail_server: Option<Server>,
    /// When the connection to it is under TLS
    #[arg(long, value_enum, value_name = "WHEN", default_value = "implicit")]
    pub(crate) mail_tls: TlsName,
    /// The sender: an address, or `Name <address>`
    #[arg(long, value_name = "ADDRESS", requires = "mail_server")]
    pub(crate) mail_from: Option<String>,
    /// The user that it knows the host by
    #[arg(long, value_name = "USER", requires_all = ["mail_server", "mail_password"])]
    pub(crate) mail_user: Option<String>,
    /// Where the user's password is kept
    #[arg(long, value_name = "SOURCE", requires = "mail_user")]
    pub(crate) mail_password: Option<String>,
    /// An address that may be sent to, or `@` and a domain; may be repeated
    #[arg(long = "recipient", value_name = "ADDRESS|@DOMAIN", requires = "mail_server", action = ArgAction::Append)]
    pub(crate) recipients: Vec<String>,
}

/// The slot of the mail server's password, in a component that has room for one.
pub(crate) const PASSWORD: &str = "password";

/// A mail server, its port, and where in the world it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) network: Network,
}

/// When a connection to a mail server is under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsName {
    /// From the first byte: port 465
    Implicit,
    /// From the command STARTTLS on: port 587
    Starttls,
    /// Never: for a relay on this machine
    None,
}

impl From<TlsName> for MailTls {
    fn from(name: TlsName) -> MailTls {
        match name {
            TlsName::Implicit => MailTls::Implicit,
            TlsName::Starttls => MailTls::StartTls,
            TlsName::None => MailTls::None,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// The name of a granted component; its file or folder will do, too
    pub(crate) component: PathBuf,
    /// Where to
    #[arg(long, value_name = "DESTINATION.toml")]
    pub(crate) to: PathBuf,
    /// What [default: a sample]
    #[arg(long, value_name = "NOTICE.json")]
    pub(crate) notice: Option<PathBuf>,
    /// Render and show, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// A text, and the network after its last `=`.
fn network(text: &str) -> Result<(&str, Network), String> {
    match text.rsplit_once('=') {
        None => Ok((text, Network::Public)),
        Some((text, "public")) => Ok((text, Network::Public)),
        Some((text, "private")) => Ok((text, Network::Private)),
        Some((text, "loopback")) => Ok((text, Network::Loopback)),
        Some((_, other)) => {
            let near = crate::did_you_mean(other, ["public", "private", "loopback"]);
            Err(format!("`{other}` is no network: expected `public`, `private` or `loopback`{near}"))
        }
    }
}

fn origin(text: &str) -> Result<AllowedOrigin, String> {
    let (text, network) = network(text)?;
    let origin = Origin::parse(text).map_err(|error| error.to_string())?;
    AllowedOrigin::new(origin, network).map_err(|error| error.to_string())
}

fn server(text: &str) -> Result<Server, String> {
    let (text, network) = network(text)?;
    let expected = "expected HOST:PORT, such as `mail.example.com:465`";
    let (host, port) = text.rsplit_once(':').ok_or(expected)?;
    let port = port.parse().map_err(|_| expected)?;
    Ok(Server { host: host.to_owned(), port, network })
}

/// Where the secrets of slots are kept. No error repeats what was written in the place of a place.
pub(crate) fn places(args: &GrantArgs) -> Result<BTreeMap<String, SecretSource>, String> {
    let mut places = BTreeMap::new();
    for text in &args.secrets {
        let (slot, source) = match text.split_once('=') {
            Some((slot, source)) if !slot.is_empty() => (slot, source),
            _ => return Err("--secret: expected SLOT=env:NAME or SLOT=file:PATH".to_owned()),
        };
        let source = source.parse().map_err(|error: SecretError| format!("--secret {slot}: {error}"))?;
        if places.insert(slot.to_owned(), source).is_some() {
            return Err(format!("--secret {slot}: named twice"));
        }
    }
    if let Some(source) = &args.mail.mail_password {
        let source = source.parse().map_err(|error: SecretError| format!("--mail-password: {error}"))?;
        if places.insert(PASSWORD.to_owned(), source).is_some() {
            return Err(format!("--mail-password: `--secret {PASSWORD}` names it, too"));
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_says_its_network() {
        let of = |text| origin(text).map(|allowed| (allowed.origin().to_string(), allowed.network()));
        assert_eq!(of("https://a.example"), Ok(("https://a.example".to_owned(), Network::Public)));
        let local = "http://127.0.0.1:8080";
        assert_eq!(of("http://127.0.0.1:8080=loopback"), Ok((local.to_owned(), Network::Loopback)));
        assert!(of("https://a.example=privat").is_err_and(|why| why.contains("did you mean `private`")));
        assert!(of("http://a.example").is_err_and(|why| why.contains("clear text")));
        assert!(of("https://a.example/path").is_err_and(|why| why.contains("a path")));
    }

    #[test]
    fn a_mail_server_has_a_port() {
        let here = Server { host: "127.0.0.1".to_owned(), port: 2525, network: Network::Loopback };
        assert_eq!(server("127.0.0.1:2525=loopback"), Ok(here));
        assert!(server("mail.example.com").is_err() && server("mail.example.com:smtp").is_err());
    }
}
