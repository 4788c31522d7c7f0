//! `build_status run`: runs a command, and reports INPROGRESS and its result.

mod child;
mod ending;
#[cfg(unix)]
mod signals;

use std::ffi::OsString;
use std::thread;
use std::time::{Instant, SystemTime};

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::{Delivery, Outcome};
use crate::bitbucket::destination::Destination;
use crate::cli::{Options, Output};
use crate::command::plan::Plan;
use crate::command::run::child::{Ended, ExitReason, Running};
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::retry::Policy;
use crate::http::session::{Cancel, Session};
use crate::junit;
use crate::output::log::Log;
use crate::output::{self, Exit};
use crate::report::Report;
use crate::status::product::Product;
use crate::status::state::State;

/// How often to check whether a late INPROGRESS has overwritten the final state.
const LOOKS: u32 = 3;

/// The arguments of `run`.
pub(super) struct Run<'a> {
    pub(super) command: &'a [OsString],
    pub(super) strict: bool,
    pub(super) options: &'a Options,
    pub(super) env: &'a Env,
}

/// What both reports need.
struct Reporter<'a> {
    run: &'a Run<'a>,
    /// The report of INPROGRESS, on which the final one is based.
    report: Report,
    destination: Destination,
    credentials: Credentials,
    client: Client,
}

impl Run<'_> {
    /// Runs the command and reports it. The command starts before anything else is done.
    pub(super) fn run(&self, ignored: &[Error], mut log: Log<'_>) -> Exit {
        let since = SystemTime::now();
        let running = Running::start(self.command);
        for problem in ignored {
            log.warn(&format!("ignored: {problem}"));
        }
        let (ended, summary) = if self.options.dry_run {
            log.warn("this run is not reported: dry run");
            (running.wait(), Summary::default())
        } else {
            self.report(running, since, &mut log)
        };
        if matches!(
            ended.exit,
            ExitReason::NotFound | ExitReason::NotExecutable(_)
        ) {
            let problem = ending::description(ended, &self.program(), None);
            log.line(&output::line(&problem, log.redactor()));
        }
        self.exit(ended, &summary, log)
    }

    fn program(&self) -> String {
        let program = self
            .command
            .first()
            .map(|program| program.to_string_lossy());
        program.unwrap_or_default().into_owned()
    }

    fn report(&self, running: Running, since: SystemTime, log: &mut Log<'_>) -> (Ended, Summary) {
        let (summary, reporter) = match Plan::new(self.options, self.env, log) {
            Ok(plan) => (Summary::of(&plan), self.reporter(&plan, log)),
            Err(error) => (Summary::default(), Err(error)),
        };
        match reporter {
            Ok(reporter) => reporter.accompany(running, since, summary, log),
            Err(error) => {
                let reason = match error.hint() {
                    Some(hint) => format!("{error} ({hint})"),
                    None => error.to_string(),
                };
                log.warn(&format!("this run is not reported: {reason}"));
                (running.wait(), summary.with_error(error))
            }
        }
    }

    fn reporter(&self, plan: &Plan<'_>, log: &mut Log<'_>) -> Result<Reporter<'_>, Error> {
        let report = plan.report(Some("running"), log)?;
        let (destination, credentials, client) = plan.connection()?;
        Ok(Reporter {
            run: self,
            report,
            destination,
            credentials,
            client,
        })
    }

    /// The exit code and the result, which goes to stderr: stdout belongs to the command.
    fn exit(&self, ended: Ended, summary: &Summary, mut log: Log<'_>) -> Exit {
        let own = summary.error.as_ref().map_or(0, Error::exit_code);
        let code = match ended.exit.code() {
            0 if self.strict && matches!(own, 4 | 5) => own,
            code => code,
        };
        let mut stderr = String::new();
        let print = self.options.print;
        match print.output {
            Output::Json => stderr = summary.json(log.redactor()),
            Output::Text if print.quiet || self.options.dry_run => {}
            Output::Text => {
                let text = summary.text(log.redactor());
                text.lines().for_each(|line| log.line(line));
            }
        }
        Exit {
            stdout: String::new(),
            stderr,
            code,
        }
    }
}

impl Reporter<'_> {
    /// Reports INPROGRESS while the command runs, and the final state when it has ended.
    fn accompany(
        &self,
        running: Running,
        since: SystemTime,
        mut summary: Summary,
        log: &mut Log<'_>,
    ) -> (Ended, Summary) {
        let cancel = Cancel::default();
        let (ended, end, begun) = thread::scope(|scope| {
            let level = log.level();
            let redactor = log.redactor().clone();
            let cancel = &cancel;
            let beginning = scope.spawn(move || {
                // The command may be writing to stderr: keep the lines until it has ended.
                let mut lines = Vec::new();
                let mut keep = |line: &str| lines.push(line.to_owned());
                let begun = self.begin(cancel, &mut Log::new(redactor, level, &mut keep));
                (begun, lines)
            });
            let ended = running.wait();
            let end = Instant::now();
            // Wait for a request that is on its way: it could arrive after the final state.
            cancel.now();
            (ended, end, beginning.join().ok())
        });
        let (begun, lines) = begun.unzip();
        lines.into_iter().flatten().for_each(|line| log.line(&line));
        let deadline = Deadline::since(end, self.run.options.network.timeout);
        let report = self.end(ended, since, deadline, log);
        let outcome = self.report_end(&report, deadline, begun.as_ref(), log);
        if let Some(error) = &outcome.error {
            log.error(error, true);
            summary.error = Some(error.clone());
        }
        summary.report = Some(report);
        summary.outcome = Some(outcome);
        (ended, summary)
    }

    /// Reports INPROGRESS, unless the command has ended before it is sent.
    fn begin(&self, cancel: &Cancel, log: &mut Log<'_>) -> Outcome {
        let deadline = Deadline::after(self.run.options.network.timeout);
        let outcome = {
            let session = self.session(State::InProgress, deadline, log).until(cancel);
            self.delivery(session).deliver(&self.report)
        };
        match &outcome.error {
            None | Some(Error::Cancelled) => {}
            Some(error) => log.warn(&format!("INPROGRESS was not reported: {error}")),
        }
        outcome
    }

    /// The report of the final state.
    fn end(
        &self,
        ended: Ended,
        since: SystemTime,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Report {
        let options = self.run.options;
        let counted = junit::count(&options.tests.junit, Some(since), deadline);
        counted
            .warnings
            .iter()
            .for_each(|warning| log.warn(warning));
        let mut report = self.report.clone();
        report.state = ending::state(ended);
        report.duration = Some(ended.elapsed);
        report.test_results = counted.results;
        let text = ending::description(ended, &self.run.program(), counted.results);
        report.describe(options, &text, self.product());
        report
    }

    fn report_end(
        &self,
        report: &Report,
        deadline: Deadline,
        begun: Option<&Outcome>,
        log: &mut Log<'_>,
    ) -> Outcome {
        let mut delivery = self.delivery(self.session(report.state, deadline, log));
        let mut outcome = delivery.deliver(report);
        // An INPROGRESS without an answer may still arrive.
        let begun = begun.and_then(|begun| begun.error.as_ref());
        let is_lost = matches!(
            begun,
            Some(Error::Unreachable { .. } | Error::Failing { .. })
        );
        for _ in 0..LOOKS {
            if !is_lost || outcome.error.is_some() {
                break;
            }
            if delivery.shown_state(report).as_deref() != Some(State::InProgress.as_str()) {
                break;
            }
            outcome = delivery.deliver(report);
        }
        outcome
    }

    fn session<'a, 'l>(
        &'a self,
        state: State,
        deadline: Deadline,
        log: &'a mut Log<'l>,
    ) -> Session<'a, 'l> {
        let policy = Policy::new(state, deadline.total());
        Session::new(&self.client, policy, deadline, log)
    }

    fn delivery<'a, 'l>(&'a self, session: Session<'a, 'l>) -> Delivery<'a, 'l> {
        Delivery::new(session, &self.destination, Some(self.credentials.clone()))
    }

    fn product(&self) -> Product {
        self.destination.product()
    }
}
