//! `build_status run`: runs a command, and reports INPROGRESS and its result.

mod child;
mod ending;
mod progress;
#[cfg(unix)]
mod script;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod wait;

use std::cell::RefCell;
use std::ffi::OsString;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::SystemTime;

use crate::bitbucket::auth;
use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::{Delivery, Outcome};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::guard;
use crate::cli::{Options, Output};
use crate::command::plan::Plan;
use crate::command::run::child::Running;
use crate::command::run::ending::{End, Ended, ExitReason};
use crate::command::run::progress::Progress;
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::retry::Policy;
use crate::http::session::Session;
use crate::junit;
use crate::output::log::Log;
use crate::output::{self, Exit};
use crate::report::Report;
use crate::status::state::State;

/// How often to check whether a late INPROGRESS has overwritten the final state.
const LOOKS: u32 = 3;

/// The run of this process.
static ACTIVE: OnceLock<Arc<Progress>> = OnceLock::new();

/// Whether this thread may end without the process: that of a run goes on until its command has ended.
/// Its report is given up.
pub fn give_up_reporting() -> bool {
    let is_main = thread::current().name() == Some("main");
    let Some(progress) = ACTIVE.get().filter(|_| !is_main) else {
        return false;
    };
    progress.report(None);
    true
}

/// The arguments of `run`.
pub(super) struct Run<'a> {
    pub(super) command: &'a [OsString],
    pub(super) strict: bool,
    pub(super) options: &'a Options,
    pub(super) env: &'a Env,
    pub(super) stderr: fn(&str),
}

impl Run<'_> {
    /// Runs the command, and reports around it. The command starts before anything else is done, and
    /// whatever goes wrong on our side.
    pub(super) fn run(&self, ignored: &[Error], mut log: Log<'_>) -> Exit {
        let since = SystemTime::now();
        let progress = Arc::new(Progress::new());
        let running = Running::start(self.command, &progress);
        for problem in ignored {
            log.warn(&format!("ignored: {problem}"));
        }
        let exit = if let Some(error) = running.refused() {
            log.warn(&format!(
                "this run is not reported: cannot start a process: {error}"
            ));
            progress.report(None);
            child::replace_us(self.command)
        } else {
            self.start_reporting(&progress, since, &mut log);
            running.wait()
        };
        progress.exit(exit, exit.patience());
        if exit.is_of_no_process() {
            let ended = progress.wait_for_end();
            let problem = ending::description(ended, &self.program(), None);
            log.line(&output::line(&problem, log.redactor()));
        }
        let summary = progress.wait_for_report().unwrap_or_default();
        self.exit(exit, &summary, log)
    }

    fn program(&self) -> String {
        let program = self
            .command
            .first()
            .map(|program| program.to_string_lossy());
        program.unwrap_or_default().into_owned()
    }

    /// Reports in a thread of its own, so that nothing of it holds up the command.
    fn start_reporting(&self, progress: &Arc<Progress>, since: SystemTime, log: &mut Log<'_>) {
        if self.options.dry_run {
            log.warn("this run is not reported: dry run");
            return progress.report(None);
        }
        let reporter = Reporter {
            progress: Arc::clone(ACTIVE.get_or_init(|| Arc::clone(progress))),
            program: self.program(),
            options: self.options.clone(),
            env: self.env.clone(),
            since,
        };
        let mut stderr = self.stderr;
        let work = move || {
            let redactor = auth::redactor(&reporter.env);
            let mut log = Log::new(redactor, reporter.options.print.level(), &mut stderr);
            let summary = reporter.report(&mut log);
            reporter.progress.report(Some(summary));
        };
        if let Err(error) = thread::Builder::new().spawn(work) {
            log.warn(&format!(
                "this run is not reported: cannot start a thread: {error}"
            ));
            progress.report(None);
        }
    }

    /// The exit code and the result, which goes to stderr: stdout belongs to the command.
    fn exit(&self, exit: ExitReason, summary: &Summary, mut log: Log<'_>) -> Exit {
        let own = summary.error.as_ref().map_or(0, Error::exit_code);
        let code = match exit.code() {
            0 if self.strict && matches!(own, 4 | 5) => own,
            code => code,
        };
        let mut stderr = String::new();
        let print = self.options.print;
        match print.output {
            Output::Json => stderr = summary.json(log.redactor()),
            Output::Text if print.quiet => {}
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

/// What reports the run.
struct Reporter {
    progress: Arc<Progress>,
    program: String,
    options: Options,
    env: Env,
    /// When the run began.
    since: SystemTime,
}

/// What both reports need.
struct Way {
    /// The report of INPROGRESS, on which the final one is based.
    report: Report,
    destination: Destination,
    credentials: Credentials,
    /// What they were exchanged for.
    issued: RefCell<Option<Credentials>>,
    client: Client,
    guard: Option<bool>,
}

impl Reporter {
    /// Reports INPROGRESS while the command runs, and its end when it has ended.
    fn report(&self, log: &mut Log<'_>) -> Summary {
        let deadline = Deadline::after(self.options.network.timeout);
        let (summary, way) = match Plan::new(&self.options, &self.env, deadline, log) {
            Ok(plan) => (Summary::of(&plan), Self::way(&plan, log)),
            Err(error) => (Summary::default(), Err(error)),
        };
        match way {
            Ok(way) => self.report_both(&way, summary, deadline, log),
            Err(error) => {
                let reason = match error.hint() {
                    Some(hint) => format!("{error} ({hint})"),
                    None => error.to_string(),
                };
                log.warn(&format!("this run is not reported: {reason}"));
                summary.with_error(error)
            }
        }
    }

    fn way(plan: &Plan<'_>, log: &mut Log<'_>) -> Result<Way, Error> {
        let report = plan.report(Some("running"), log)?;
        let (destination, credentials, client) = plan.connection()?;
        Ok(Way {
            report,
            destination,
            credentials,
            issued: RefCell::default(),
            client,
            guard: plan.claim().options.guard,
        })
    }

    fn report_both(
        &self,
        way: &Way,
        mut summary: Summary,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Summary {
        let begun = self.begin(way, deadline, log);
        let ended = self.progress.wait_for_end();
        let timeout = self.options.network.timeout;
        let deadline = self.progress.deadline(ended, timeout);
        let report = self.end(way, ended, deadline, log);
        let outcome = way.report_end(&report, deadline, &begun, log);
        if let Some(error) = &outcome.error {
            log.error(error, true);
            summary.error = Some(error.clone());
        }
        summary.report = Some(report);
        summary.outcome = Some(outcome);
        summary
    }

    /// Reports INPROGRESS, unless the command has ended before it is sent. What is on its way is
    /// waited for: were it left alone, it could arrive after the end.
    fn begin(&self, way: &Way, deadline: Deadline, log: &mut Log<'_>) -> Outcome {
        let session = way.session(State::InProgress, deadline, log);
        let session = session.until(&self.progress.cancel);
        let mut delivery = way.delivery(session);
        let outcome = way.deliver(&mut delivery, &way.report);
        way.issued.replace(delivery.into_issued());
        match &outcome.error {
            None | Some(Error::Cancelled) => {}
            Some(error) => log.warn(&format!("INPROGRESS was not reported: {error}")),
        }
        outcome
    }

    /// The report of the final state.
    fn end(&self, way: &Way, ended: Ended, deadline: Deadline, log: &mut Log<'_>) -> Report {
        let mut report = way.report.clone();
        report.state = ending::state(ended.end);
        report.duration = Some(ended.elapsed);
        // Whoever asks to stop does not wait for long.
        if ended.end != End::Stopped {
            let patterns = &self.options.tests.junit;
            let counted = junit::count(patterns, Some(self.since), deadline);
            counted.warnings.iter().for_each(|text| log.warn(text));
            report.test_results = counted.results;
        }
        let text = ending::description(ended, &self.program, report.test_results);
        report.describe(&self.options, &text, way.destination.product());
        report
    }
}

impl Way {
    fn report_end(
        &self,
        report: &Report,
        deadline: Deadline,
        begun: &Outcome,
        log: &mut Log<'_>,
    ) -> Outcome {
        let mut delivery = self.delivery(self.session(report.state, deadline, log));
        let mut outcome = self.deliver(&mut delivery, report);
        // An INPROGRESS without an answer may still arrive.
        let is_lost = matches!(
            begun.error,
            Some(Error::Unreachable { .. } | Error::Failing { .. })
        );
        for _ in 0..LOOKS {
            if !is_lost || outcome.error.is_some() || outcome.kept.is_some() {
                break;
            }
            if delivery.shown_state(report).as_deref() != Some(State::InProgress.as_str()) {
                break;
            }
            outcome = self.deliver(&mut delivery, report);
        }
        outcome
    }

    fn deliver(&self, delivery: &mut Delivery<'_, '_>, report: &Report) -> Outcome {
        if guard::is_on(self.guard, report.state) {
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
        Delivery::new(session, &self.destination, Some(self.credentials.clone()))
            .with_issued(self.issued.borrow().clone())
    }
}
