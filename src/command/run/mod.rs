//! `build_status run`: a command between an INPROGRESS and its end.

mod child;
mod ending;
#[cfg(unix)]
mod signals;

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime};

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::{Delivery, Outcome};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::guard;
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

/// How often we look whether the end was overtaken by its own INPROGRESS.
const LOOKS: u32 = 3;

/// What is run, and how it is reported.
pub(super) struct Run<'a> {
    pub(super) command: &'a [OsString],
    pub(super) strict: bool,
    pub(super) options: &'a Options,
    pub(super) env: &'a Env,
}

/// What the reports take.
struct Reporter<'a> {
    run: &'a Run<'a>,
    /// The INPROGRESS that comes first.
    report: Report,
    destination: Destination,
    credentials: Credentials,
    /// What they were exchanged for.
    issued: Mutex<Option<Credentials>>,
    client: Client,
}

impl Run<'_> {
    /// Runs the command, and reports around it. The command starts before anything else is done.
    pub(super) fn run(&self, ignored: &[Error], mut log: Log<'_>) -> Exit {
        let since = SystemTime::now();
        let running = Running::start(self.command);
        for problem in ignored {
            log.warn(&format!("ignored: {problem}"));
        }
        let (ended, summary) = if self.options.dry_run {
            log.warn("this run is not reported: it is a dry run");
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
            issued: Mutex::default(),
            client,
        })
    }

    /// stdout belongs to the command.
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
    /// Reports INPROGRESS while the command runs, and its end when it has ended.
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
                // Somebody else may be writing: what there is to say comes back in lines.
                let mut lines = Vec::new();
                let mut keep = |line: &str| lines.push(line.to_owned());
                let begun = self.begin(cancel, &mut Log::new(redactor, level, &mut keep));
                (begun, lines)
            });
            let ended = running.wait();
            let end = Instant::now();
            // What is on its way is waited for: were it left alone, it could arrive after the end.
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
            let mut delivery = self.delivery(session);
            let outcome = self.deliver(&mut delivery, &self.report);
            *self.issued() = delivery.into_issued();
            outcome
        };
        match &outcome.error {
            None | Some(Error::Cancelled) => {}
            Some(error) => log.warn(&format!("INPROGRESS is not reported: {error}")),
        }
        outcome
    }

    /// What there is to report now.
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
        let mut outcome = self.deliver(&mut delivery, report);
        // An INPROGRESS that was never answered may still be on its way.
        let begun = begun.and_then(|begun| begun.error.as_ref());
        let is_lost = matches!(
            begun,
            Some(Error::Unreachable { .. } | Error::Failing { .. })
        );
        for _ in 0..LOOKS {
            if !is_lost || outcome.error.is_some() || outcome.kept.is_some() {
                break;
            }
            if delivery.shown_state(report).as_deref() != Some(State::InProgress.as_str()) {
                break;
            }
            outcome = delivery.deliver(report);
        }
        outcome
    }

    fn deliver(&self, delivery: &mut Delivery<'_, '_>, report: &Report) -> Outcome {
        if guard::is_on(self.run.options.guard, report.state) {
            guard::deliver(delivery, report)
        } else {
            delivery.deliver(report)
        }
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
        let delivery = Delivery::new(session, &self.destination, Some(self.credentials.clone()));
        delivery.with_issued(self.issued().clone())
    }

    fn issued(&self) -> MutexGuard<'_, Option<Credentials>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn product(&self) -> Product {
        self.destination.product()
    }
}
