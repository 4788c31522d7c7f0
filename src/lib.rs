//! Tells Bitbucket how a CI job went.
//!
//! ```text
//! argv ─► Args ─────────────────────────────┐
//!                                           ├─► Report ─► Request ─► Outcome ─► exit code
//! env ─► Env ─► provider ─► Context ────────┘
//!       (read once)        (what the CI says)  (what we claim) (pure data) (what Bitbucket said)
//! ```
//!
//! Each box is a type, in the file of its name, and each arrow a function. [`mod@env`] reads the
//! process environment (and clap, in [`cli`], the variables that stand for options), [`client`] opens
//! sockets, [`git`] runs `git`, and `main.rs` prints and exits. The rest is plain data.
//!
//! The library is there for the binary, its tests and its examples. It promises nothing to others:
//! the command line is what is stable.

pub mod answer;
pub mod auth;
pub mod cli;
pub mod client;
pub mod commit;
pub mod context;
pub mod destination;
pub mod env;
pub mod error;
pub mod escape;
pub mod git;
pub mod key;
pub mod link;
pub mod outcome;
pub mod output;
pub mod provider;
pub mod proxy;
pub mod refname;
pub mod report;
pub mod repository;
pub mod request;
pub mod retry;
pub mod secret;
pub mod state;

use crate::cli::{Args, Command, ContextArgs, Output, ReportArgs};
use crate::client::Client;
use crate::destination::Destination;
use crate::env::Env;
use crate::error::Error;
use crate::output::Told;
use crate::report::Report;
use crate::retry::Policy;
use crate::secret::Redactor;

/// How a command ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// What goes to stdout, to the last newline.
    pub stdout: String,
    /// The exit code.
    pub code: u8,
}

/// Does what `args` ask for. `log` gets each line that is for stderr, as soon as it is known.
pub fn run(args: &Args, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    match &args.command {
        None => report(&args.report, env, log),
        Some(Command::Context(args)) => context(args, env, log),
    }
}

fn report(args: &ReportArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let behaviour = &args.behaviour;
    let mut redactor = auth::redactor(env);
    let mut told = Told::default();
    let mut note = |level: Level, text: &str, redactor: &Redactor| {
        let wanted = match level {
            Level::Warning => !behaviour.quiet,
            Level::Detail => behaviour.verbose,
        };
        if wanted {
            log(&(level.prefix().to_owned() + &escape::text(&redactor.redact(text))));
        }
    };
    if let Err(error) = deliver(args, env, &mut told, &mut redactor, &mut note) {
        told.error = Some(error);
    }
    let mut code = 0;
    if let Some(error) = &told.error {
        let forgiven = behaviour.no_fail && error.is_forgivable();
        code = if forgiven { 0 } else { error.exit_code() };
        for line in output::error_lines(error, &redactor) {
            match (forgiven, behaviour.quiet) {
                (true, true) => {}
                (true, false) => log(&(Level::Warning.prefix().to_owned() + &line)),
                (false, _) => log(&line),
            }
        }
    }
    let stdout = match behaviour.output {
        Output::Json => told.json(&redactor),
        Output::Text if behaviour.quiet && !behaviour.dry_run => String::new(),
        Output::Text => told.text(&redactor),
    };
    Ending { stdout, code }
}

/// How much a line for stderr matters.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Warning,
    Detail,
}

impl Level {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Warning => "warning: ",
            Self::Detail => "",
        }
    }
}

/// The flow, from what is said to what Bitbucket answers.
fn deliver(
    args: &ReportArgs,
    env: &Env,
    told: &mut Told,
    redactor: &mut Redactor,
    note: &mut dyn FnMut(Level, &str, &Redactor),
) -> Result<(), Error> {
    let entry = provider::find(args.build.provider.as_deref(), env)?;
    let about = entry.map(|entry| &entry.about);
    told.provider = about.map(|about| about.id);
    let name = about.map_or("none is known", |about| about.name);
    note(Level::Detail, &format!("CI: {name}"), redactor);
    let context = match entry {
        Some(entry) => entry.context(env)?,
        None => context::Context::default(),
    };

    let mut warnings = Vec::new();
    let limits = Destination::limits();
    let report = Report::new(args, about, &context, limits, &mut warnings)?;
    for warning in warnings {
        note(Level::Warning, &warning, redactor);
    }
    let report = told.report.insert(report);

    let destination = Destination::find(
        &args.destination,
        &args.origins,
        args.network.allow_http,
        &context,
        git::remote,
    )?;
    let destination = told.destination.insert(destination);

    let credentials = auth::read(env, args.credentials.auth)?;
    if let Some(credentials) = &credentials {
        auth::hide(credentials, redactor);
    }
    let request = destination.request(report, credentials.as_ref());
    let missing = || Error::NoCredentials {
        caveat: about.map(|about| about.secrets_caveat),
    };
    if args.behaviour.dry_run {
        if credentials.is_none() {
            note(Level::Warning, &missing().to_string(), redactor);
        }
        told.dry_run = Some(request);
        return Ok(());
    }
    let credentials = credentials.ok_or_else(missing)?;

    let client = Client::new(&args.network, &args.origins, &request.url, env)?;
    note(
        Level::Detail,
        &format!("{} {}", request.method, request.url),
        redactor,
    );
    let policy = Policy::new(report.state, args.network.timeout);
    let outcome = client.deliver(&request, &credentials, policy, &mut |text| {
        note(Level::Detail, &text, redactor);
    });
    told.outcome = Some(outcome.clone());
    outcome.error.map_or(Ok(()), Err)
}

fn context(args: &ContextArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let redactor = auth::redactor(env);
    let read = || -> Result<_, Error> {
        let Some(entry) = provider::find(args.provider.as_deref(), env)? else {
            return Ok((None, context::Context::default()));
        };
        Ok((Some(&entry.about), entry.context(env)?))
    };
    match read() {
        Ok((about, context)) => Ending {
            stdout: match args.output {
                Output::Text => output::context_text(about, &context, &redactor),
                Output::Json => output::context_json(about, &context, &redactor),
            },
            code: 0,
        },
        Err(error) => {
            for line in output::error_lines(&error, &redactor) {
                log(&line);
            }
            Ending {
                stdout: String::new(),
                code: error.exit_code(),
            }
        }
    }
}
