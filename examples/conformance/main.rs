//! Asks a real Bitbucket, Cloud or Data Center, what the stand-in of the tests claims, and prints claim
//! by claim what is true.
//!
//! ```sh
//! BITBUCKET_ACCESS_TOKEN=… cargo run --example conformance -- --repository WORKSPACE/REPO --commit SHA
//! ```
//!
//! It writes build statuses under keys of its own, and says so before it does.

mod bitbucket;
mod claims;
mod cloud;
mod data_center;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use build_status::bitbucket::auth;
use build_status::bitbucket::credentials::Credentials;
use build_status::cli::Options;
use build_status::env::Env;
use build_status::status::product::Product;
use build_status::status::url;
use clap::Parser as _;
use ureq::Proxy;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use self::bitbucket::{Bitbucket, Who};
use self::claims::{Asks, Claim, Found, describe};

const NO_SECOND: &str = "set BITBUCKET_SECOND_ACCESS_TOKEN to a second token for the repository";

/// Asks a Bitbucket what the stand-in of the tests claims, and prints claim by claim what is true
///
/// The token is read as build_status reads it: BITBUCKET_ACCESS_TOKEN, BITBUCKET_USERNAME. A second
/// one, BITBUCKET_SECOND_ACCESS_TOKEN (and BITBUCKET_SECOND_USERNAME), is to say who may overwrite
/// whose statuses. Exit code: 0 if nothing is false, 1 if something is, 2 if it cannot be asked.
#[derive(clap::Parser)]
struct Args {
    /// The repository, where reports may be left
    #[arg(long, value_name = "WORKSPACE/REPO", value_parser = owner_and_name)]
    repository: (String, String),
    /// A commit of it that nobody looks at: all 40 or 64 digits
    #[arg(long, value_name = "SHA", value_parser = hash)]
    commit: String,
    /// Ask a Data Center, at this base URL
    #[arg(long, value_name = "URL", env = "BITBUCKET_SERVER_URL")]
    server_url: Option<String>,
    /// Base URL of Bitbucket Cloud's API
    #[arg(
        long,
        value_name = "URL",
        env = "BITBUCKET_API_ROOT",
        hide_env_values = true
    )]
    #[arg(default_value = "https://api.bitbucket.org/2.0")]
    api_root: String,
    /// CA certificates to trust, instead of the built-in ones
    #[arg(long, value_name = "PEM", env = "BUILD_STATUS_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Leave out what may write a status
    #[arg(long)]
    read_only: bool,
}

fn owner_and_name(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.split_once('/').filter(|(_, name)| !name.contains('/'));
    let (owner, name) = parts.ok_or("not WORKSPACE/REPO")?;
    Ok((owner.to_owned(), name.to_owned()))
}

fn hash(text: &str) -> Result<String, &'static str> {
    let is_one = matches!(text.len(), 40 | 64) && text.bytes().all(|it| it.is_ascii_hexdigit());
    (is_one.then(|| text.to_ascii_lowercase())).ok_or("not 40 or 64 hexadecimal digits")
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is there to print"
)]
fn main() -> ExitCode {
    let (args, env) = (Args::parse(), Env::from_process());
    let asked = run(&args, &env, Proxy::try_from_env(), &mut |line| {
        println!("{line}");
    });
    match asked {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("conformance: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Asks everything, and gives the number of false claims. The error is why nothing was asked.
fn run(
    args: &Args,
    env: &Env,
    proxy: Option<Proxy>,
    say: &mut dyn FnMut(&str),
) -> Result<usize, String> {
    let bitbucket = bitbucket(args, env, proxy)?;
    let on_cloud = args.server_url.is_none();
    let claims = if on_cloud {
        cloud::CLAIMS
    } else {
        data_center::CLAIMS
    };
    check_place(&bitbucket, on_cloud)?;
    say(&bitbucket.line(&format!(
        "Asks Bitbucket {} at {} with {}.",
        if on_cloud { "Cloud" } else { "Data Center" },
        url::without_user(&bitbucket.root),
        bitbucket.credentials.describe(),
    )));
    if args.read_only {
        say("Writes nothing.");
    } else {
        announce(&bitbucket, claims, on_cloud, say);
    }
    let (mut counts, mut left_out) = ([0; 3], 0);
    for asks in [Asks::Reading, Asks::BeingRefused, Asks::Writing] {
        for claim in claims.iter().filter(|claim| claim.asks == asks) {
            if args.read_only && asks != Asks::Reading {
                left_out += 1;
                continue;
            }
            let (index, line) = match claim.found(&bitbucket) {
                Found::True => (0, format!("true   {}", claim.text)),
                Found::False(said) => (1, format!("FALSE  {}: {said}", claim.text)),
                Found::Unknown(reason) => (2, format!("?      {}: {reason}", claim.text)),
            };
            counts[index] += 1;
            say(&bitbucket.line(&line));
        }
    }
    let [true_ones, false_ones, unknown] = counts;
    say(&format!(
        "{true_ones} true, {false_ones} false, {unknown} unknown, {left_out} left out"
    ));
    if !args.read_only {
        let clean_up = if on_cloud {
            cloud::clean_up
        } else {
            data_center::clean_up
        };
        say(&bitbucket.line(&clean_up(&bitbucket)));
    }
    Ok(false_ones)
}

/// Says what will be written.
fn announce(bitbucket: &Bitbucket, claims: &[Claim], on_cloud: bool, say: &mut dyn FnMut(&str)) {
    let count = |asks| claims.iter().filter(|claim| claim.asks == asks).count();
    say(&bitbucket.line(&format!(
        "Writes build statuses to the commit {} of {}/{}, with keys that begin with `{}`: {} claims store \
         some, and each of {} reports that are to be refused, if it is not.",
        bitbucket.commit,
        bitbucket.workspace,
        bitbucket.repository,
        bitbucket.prefix,
        count(Asks::Writing),
        count(Asks::BeingRefused),
    )));
    say(if on_cloud {
        "Bitbucket Cloud deletes none: in the end, all of them are SUCCESSFUL."
    } else {
        "In the end they are deleted, if the token may (repository admin); else all are SUCCESSFUL."
    });
}

/// Whether the token sees the repository and the commit: without them, nothing can be asked.
fn check_place(bitbucket: &Bitbucket, on_cloud: bool) -> Result<(), String> {
    let paths = if on_cloud {
        [cloud::repository(bitbucket), cloud::commit(bitbucket)]
    } else {
        [
            data_center::repository(bitbucket),
            data_center::commit(bitbucket),
        ]
    };
    for (what, path) in ["repository", "commit"].into_iter().zip(paths) {
        let answer = bitbucket.get(Who::We, &path)?;
        if answer.status != 200 {
            let problem = format!("the {what} cannot be read: {}", describe(&answer));
            return Err(bitbucket.line(&problem));
        }
    }
    let shows_builds = || {
        Ok::<_, String>(
            bitbucket
                .get(Who::We, &data_center::builds(bitbucket))?
                .status
                != 405,
        )
    };
    if on_cloud || shows_builds()? {
        return Ok(());
    }
    let problem = "this Data Center is older than 7.14: it does not show the builds that it stores";
    Err(problem.to_owned())
}

fn bitbucket(args: &Args, env: &Env, proxy: Option<Proxy>) -> Result<Bitbucket, String> {
    let (product, url) = match &args.server_url {
        Some(server) => (Product::DataCenter, server),
        None => (Product::Cloud, &args.api_root),
    };
    let root = url::server_url(url, false)?;
    let second = [
        ("BITBUCKET_ACCESS_TOKEN", "BITBUCKET_SECOND_ACCESS_TOKEN"),
        ("BITBUCKET_USERNAME", "BITBUCKET_SECOND_USERNAME"),
    ];
    let second = second.map(|(name, second)| (name, env.get(second).unwrap_or_default()));
    let second: Env = second.into_iter().collect();
    let ours = credentials(env, product)?.ok_or("no credentials: set BITBUCKET_ACCESS_TOKEN")?;
    let another = credentials(&second, product)?;
    let mut redactor = auth::redactor(env);
    for credentials in [Some(&ours), another.as_ref()].into_iter().flatten() {
        credentials
            .secrets()
            .iter()
            .for_each(|it| redactor.add(it.expose()));
    }
    let (workspace, repository) = args.repository.clone();
    Ok(Bitbucket {
        agent: bitbucket::agent(roots(args)?, proxy, Duration::from_secs(30)),
        root,
        workspace,
        repository,
        commit: args.commit.clone(),
        credentials: ours,
        another,
        redactor,
        prefix: format!("conformance-{}/", now()),
        stored: RefCell::default(),
    })
}

/// The token in `env`, if there is one.
fn credentials(env: &Env, product: Product) -> Result<Option<Credentials>, String> {
    let read = auth::read(env, &Options::default(), product);
    match read.map_err(|error| error.to_string())? {
        Some(Credentials::Consumer { .. } | Credentials::Stored(_)) => {
            Err("conformance asks with a token: set BITBUCKET_ACCESS_TOKEN".to_owned())
        }
        credentials => Ok(credentials),
    }
}

/// The CAs of `--ca-file`.
fn roots(args: &Args) -> Result<Option<RootCerts>, String> {
    let Some(path) = &args.ca_file else {
        return Ok(None);
    };
    let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let certificates = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<Certificate<'static>> = certificates.collect();
    if certificates.is_empty() {
        return Err(format!("{} has no certificate", path.display()));
    }
    Ok(Some(certificates.into_iter().into()))
}

/// The seconds of the clock, as few letters: no two runs have the same keys.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut number = since.unwrap_or_default().as_secs();
    let mut letters = Vec::new();
    while number > 0 {
        letters.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize]);
        number /= 36;
    }
    letters.iter().rev().copied().map(char::from).collect()
}
