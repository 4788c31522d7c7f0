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
pub mod certificate;
pub mod check;
pub mod cli;
pub mod client;
pub mod commit;
pub mod context;
pub mod delivery;
pub mod destination;
mod dial;
pub mod env;
pub mod error;
pub mod escape;
mod failure;
mod file;
pub mod git;
pub mod hint;
pub mod junit;
pub mod key;
pub mod link;
pub mod outcome;
pub mod output;
pub mod plan;
pub mod provider;
pub mod proxy;
pub mod refname;
pub mod report;
pub mod repository;
pub mod request;
pub mod retry;
pub mod run;
pub mod scopes;
pub mod secret;
pub mod show;
pub mod state;
mod tls;
pub mod voice;

use crate::auth::Credentials;
use crate::cli::{Args, Command, ContextArgs, Output, ReportArgs};
use crate::client::Client;
use crate::delivery::Courier;
use crate::destination::Product;
use crate::env::Env;
use crate::error::Error;
use crate::output::Told;
use crate::plan::Plan;
use crate::retry::Policy;
use crate::state::State;
use crate::voice::Voice;

/// How a command ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// What goes to stdout, to the last newline.
    pub stdout: String,
    /// What goes to stderr as it is: `run` leaves stdout to its command.
    pub stderr: String,
    /// The exit code.
    pub code: u8,
}

impl Ending {
    /// It went well, and this is for stdout.
    pub fn printed(stdout: String) -> Self {
        Self {
            stdout,
            stderr: String::new(),
            code: 0,
        }
    }

    /// It went wrong, as stderr has been told.
    pub fn failed(error: &Error) -> Self {
        Self {
            stdout: String::new(),
            stderr: String::new(),
            code: error.exit_code(),
        }
    }
}

/// Does what `args` ask for. `log` gets each line that is for stderr, as soon as it is known.
pub fn run(args: &Args, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    match &args.command {
        None => report(&args.report, env, log),
        Some(Command::Run(args)) => run::run(args, env, log),
        Some(Command::Check(args)) => check::run(args, env, log),
        Some(Command::Show(args)) => show::run(args, env, log),
        Some(Command::Context(args)) => context(args, env, log),
    }
}

fn report(args: &ReportArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let behaviour = &args.behaviour;
    let mut voice = Voice::new(env, log, args.print.quiet, args.print.verbose);
    let mut told = Told::default();
    if let Err(error) = deliver(args, env, &mut told, &mut voice) {
        told.error = Some(error);
    }
    let mut code = 0;
    if let Some(error) = &told.error {
        let forgiven = behaviour.no_fail && error.is_forgivable();
        code = if forgiven { 0 } else { error.exit_code() };
        voice.error(error, forgiven);
    }
    let stdout = match args.print.output {
        Output::Json => told.json(voice.redactor()),
        Output::Text if args.print.quiet && !behaviour.dry_run => String::new(),
        Output::Text => told.text(voice.redactor()),
    };
    Ending {
        stdout,
        stderr: String::new(),
        code,
    }
}

/// The flow, from what is said to what Bitbucket answers.
fn deliver(
    args: &ReportArgs,
    env: &Env,
    told: &mut Told,
    voice: &mut Voice<'_>,
) -> Result<(), Error> {
    let plan = Plan::new(args, env, told, voice)?;
    let report = told.report.insert(plan.report.clone());
    let mut warnings = Vec::new();
    if let Some(results) = junit::count(&args.tests.junit, None, &mut warnings) {
        report.describe(
            args,
            &results.to_string(),
            plan.destination.product().limits(),
        );
        report.test_results = Some(results);
    }
    for warning in &warnings {
        voice.warn(warning);
    }
    if args.behaviour.dry_run {
        if let Err(error) = &plan.credentials {
            voice.warn(&error.to_string());
        }
        let product = plan.destination.product();
        if report.state == State::Stopped && product == Product::DataCenter {
            voice.warn("a server before 8.0 does not know CANCELLED: it would get FAILED");
        }
        let credentials = plan.credentials.ok().map(Credentials::in_dry_run);
        told.dry_run = Some(plan.destination.request(report, credentials.as_ref()));
        return Ok(());
    }
    let credentials = plan.credentials?;
    let client = Client::new(&args.network, &args.origins, plan.destination.url(), env)?;
    let policy = Policy::new(report.state, args.network.timeout);
    let mut courier = Courier::new(&client, policy, voice);
    let outcome = courier.deliver(&plan.destination, report, &credentials);
    let error = outcome.error.clone();
    told.outcome = Some(outcome);
    error.map_or(Ok(()), Err)
}

fn context(args: &ContextArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let mut voice = Voice::new(env, log, false, false);
    match provider::read(args.provider.as_deref(), env) {
        Ok((about, context)) => {
            if let Some(unreadable) = &context.unreadable {
                voice.warn(unreadable);
            }
            Ending::printed(match args.output {
                Output::Text => output::context_text(about, &context, voice.redactor()),
                Output::Json => output::context_json(about, &context, voice.redactor()),
            })
        }
        Err(error) => {
            voice.error(&error, false);
            Ending::failed(&error)
        }
    }
}
