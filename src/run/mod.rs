//! `build_status run`: a command between an INPROGRESS and its end.

mod child;
mod ending;
#[cfg(unix)]
mod signals;

use std::ffi::{OsStr, OsString};
use std::thread;
use std::time::{Instant, SystemTime};

use crate::Ending;
use crate::auth::Credentials;
use crate::cli::{BehaviourArgs, Output, ReportArgs, RunArgs};
use crate::client::Client;
use crate::delivery::{Courier, Recall};
use crate::env::Env;
use crate::error::Error;
use crate::junit;
use crate::outcome::Outcome;
use crate::output::{self, Told};
use crate::plan::Plan;
use crate::report::Report;
use crate::retry::Policy;
use crate::run::child::{Ended, Exit, Running};
use crate::state::State;
use crate::voice::Voice;

/// How often it is looked whether the end was overtaken.
const LOOKS: u32 = 3;

/// Runs the command, and reports around it. The command starts before anything else is done.
pub fn run(args: &RunArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let since = SystemTime::now();
    let running = Running::start(&args.command);
    let mut voice = Voice::new(env, log, args.print.quiet, args.print.verbose);
    let mut told = Told::default();
    let report_args = with_report_args(args);
    let program = args
        .command
        .first()
        .map_or(OsStr::new(""), OsString::as_os_str);
    for problem in &args.ignored {
        voice.warn(problem);
    }
    let reporter = if args.dry_run {
        Err(Error::Recalled)
    } else {
        Reporter::new(&report_args, program, env, &mut told, &mut voice)
    };
    let (ended, result) = match reporter {
        Err(error) if args.dry_run => {
            voice.warn("this run is not reported: it is a dry run");
            (running.wait(), Err(error))
        }
        Ok(reporter) => reporter.accompany(running, since, &mut told, &mut voice),
        Err(error) => {
            let reason = match error.hint() {
                Some(hint) => format!("{error} ({hint})"),
                None => error.to_string(),
            };
            voice.warn(&format!("this run is not reported: {reason}"));
            (running.wait(), Err(error))
        }
    };
    if matches!(ended.exit, Exit::NotFound | Exit::NotExecutable(_)) {
        let program = program.to_string_lossy();
        voice.say(&output::line(
            &ending::description(ended, &program, None),
            voice.redactor(),
        ));
    }
    let code = match (&result, ended.exit.code()) {
        (Err(error), 0) if args.strict && !args.dry_run && matches!(error.exit_code(), 4 | 5) => {
            error.exit_code()
        }
        (_, code) => code,
    };
    told.error = result.err();
    let stderr = match args.print.output {
        Output::Json => told.json(voice.redactor()),
        Output::Text => {
            if !args.print.quiet && told.error.is_none() {
                voice.say(told.text(voice.redactor()).trim_end());
            }
            String::new()
        }
    };
    Ending {
        stdout: String::new(),
        stderr,
        code,
    }
}

/// The options of the INPROGRESS that comes first.
fn with_report_args(args: &RunArgs) -> ReportArgs {
    ReportArgs {
        state: Some("running".into()),
        build: args.build.clone(),
        tests: args.tests.clone(),
        destination: args.destination.clone(),
        credentials: args.credentials.clone(),
        network: args.network.clone(),
        behaviour: BehaviourArgs::default(),
        print: args.print.clone(),
        origins: args.origins.clone(),
    }
}

/// What the reports take.
struct Reporter<'a> {
    args: &'a ReportArgs,
    env: &'a Env,
    program: String,
    plan: Plan,
    credentials: Credentials,
    client: Client,
}

impl<'a> Reporter<'a> {
    fn new(
        args: &'a ReportArgs,
        program: &OsStr,
        env: &'a Env,
        told: &mut Told,
        voice: &mut Voice<'_>,
    ) -> Result<Self, Error> {
        let plan = Plan::new(args, env, told, voice)?;
        let credentials = plan.credentials.clone()?;
        let client = Client::new(&args.network, &args.origins, plan.destination.url(), env)?;
        Ok(Self {
            args,
            env,
            program: program.to_string_lossy().into_owned(),
            plan,
            credentials,
            client,
        })
    }

    /// Reports INPROGRESS while the command runs, and its end when it has ended.
    fn accompany(
        &self,
        running: Running,
        since: SystemTime,
        told: &mut Told,
        voice: &mut Voice<'_>,
    ) -> (Ended, Result<(), Error>) {
        let recall = Recall::default();
        let (ended, end, begun) = thread::scope(|scope| {
            let beginning = scope.spawn(|| self.begin(&recall));
            let ended = running.wait();
            let end = Instant::now();
            // What is on its way is waited for: were it left alone, it could arrive after the end.
            recall.now();
            (ended, end, beginning.join().ok())
        });
        let (begun, said) = begun.unzip();
        said.into_iter().flatten().for_each(|line| voice.say(&line));
        let report = told.report.insert(self.end(ended, since, voice));
        let outcome = self.report_end(report, end, begun.as_ref(), voice);
        let error = outcome.error.clone();
        told.outcome = Some(outcome);
        if let Some(error) = &error {
            voice.error(error, true);
        }
        (ended, error.map_or(Ok(()), Err))
    }

    /// Reports INPROGRESS, unless the command has ended before it is sent. What there is to say
    /// comes back in lines, because somebody else may be speaking.
    fn begin(&self, recall: &Recall) -> (Outcome, Vec<String>) {
        let mut said = Vec::new();
        let mut keep = |line: &str| said.push(line.to_owned());
        let print = &self.args.print;
        let mut voice = Voice::new(self.env, &mut keep, print.quiet, print.verbose);
        voice.hide(&self.credentials);
        let policy = Policy::new(State::InProgress, self.args.network.timeout);
        let mut courier = Courier::new(&self.client, policy, &mut voice).until(recall);
        let outcome = courier.deliver(&self.plan.destination, &self.plan.report, &self.credentials);
        match &outcome.error {
            None | Some(Error::Recalled) => {}
            Some(error) => voice.warn(&format!("INPROGRESS is not reported: {error}")),
        }
        (outcome, said)
    }

    /// What there is to report now.
    fn end(&self, ended: Ended, since: SystemTime, voice: &mut Voice<'_>) -> Report {
        let mut warnings = Vec::new();
        let results = junit::count(&self.args.tests.junit, Some(since), &mut warnings);
        for warning in &warnings {
            voice.warn(warning);
        }
        let mut report = self.plan.report.clone();
        report.state = ending::state(ended);
        report.duration = Some(ended.elapsed);
        report.test_results = results;
        let limits = self.plan.destination.product().limits();
        let text = ending::description(ended, &self.program, results);
        report.describe(self.args, &text, limits);
        report
    }

    fn report_end(
        &self,
        report: &Report,
        end: Instant,
        begun: Option<&Outcome>,
        voice: &mut Voice<'_>,
    ) -> Outcome {
        let policy = Policy::new(report.state, self.args.network.timeout);
        let mut courier = Courier::new(&self.client, policy, voice).since(end);
        let (destination, credentials) = (&self.plan.destination, &self.credentials);
        let mut outcome = courier.deliver(destination, report, credentials);
        // An INPROGRESS that was never answered may still be on its way.
        let begun = begun.and_then(|begun| begun.error.as_ref());
        if matches!(
            begun,
            Some(Error::Unreachable { .. } | Error::Failing { .. })
        ) {
            for _ in 0..LOOKS {
                let shown = (outcome.error.is_none())
                    .then(|| courier.shown_state(destination, report, credentials))
                    .flatten();
                if shown.as_deref() != Some(State::InProgress.as_str()) {
                    break;
                }
                outcome = courier.deliver(destination, report, credentials);
            }
        }
        outcome
    }
}
