//! Reports a run: INPROGRESS while the command runs, and its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::bitbucket::auth;
use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::{Delivery, Outcome};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::guard;
use crate::bitbucket::statuses::{self, Status};
use crate::cli::Options;
use crate::command::plan::Plan;
use crate::command::run::ending::{self, End, Ended};
use crate::command::run::progress::Progress;
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::failure::Arrival;
use crate::http::retry::Policy;
use crate::http::session::Session;
use crate::junit;
use crate::output::log::Log;
use crate::report::Report;
use crate::status::state::State;

/// The pause after the first look at whether a late INPROGRESS has overwritten the final state. It
/// doubles with each further look, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// How long an INPROGRESS may still arrive whose connection broke.
const SOON: Duration = Duration::from_secs(10);

/// What reports the run.
pub(super) struct Reporter {
    pub(super) progress: Arc<Progress>,
    pub(super) program: String,
    pub(super) options: Options,
    pub(super) env: Env,
    /// When the run began.
    pub(super) since: SystemTime,
    pub(super) stderr: fn(&str),
}

/// What both reports need.
struct Way {
    /// The report of INPROGRESS, on which the final one is based.
    report: Report,
    destination: Destination,
    credentials: Credentials,
    /// What they were exchanged for.
    issued: Mutex<Option<Credentials>>,
    client: Client,
    /// For a STOPPED that does not wait for the INPROGRESS on its way.
    second_client: Client,
    guard: Option<bool>,
}

impl Reporter {
    /// Reports INPROGRESS while the command runs, and its end when it has ended.
    pub(super) fn report(&self) -> Summary {
        let mut stderr = self.stderr;
        let log = &mut self.log(&mut stderr);
        let deadline = Deadline::after(self.options.network.timeout);
        let (summary, way) = match Plan::new(&self.options, &self.env, deadline, log) {
            Ok(plan) => (Summary::of(&plan), Self::way(&plan, log)),
            Err(error) => (Summary::default(), Err(error)),
        };
        self.progress.plan();
        if !self.progress.wait_for_start() {
            return summary;
        }
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

    fn log<'a>(&self, stderr: &'a mut fn(&str)) -> Log<'a> {
        Log::new(
            auth::redactor(&self.env),
            self.options.print.level(),
            stderr,
        )
    }

    fn way(plan: &Plan<'_>, log: &mut Log<'_>) -> Result<Way, Error> {
        let report = plan.report(Some("running"), log)?;
        let (destination, credentials, client) = plan.connection()?;
        Ok(Way {
            second_client: plan.client(&destination)?,
            report,
            destination,
            credentials,
            issued: Mutex::default(),
            client,
            guard: plan.options.guard,
        })
    }

    fn report_both(
        &self,
        way: &Way,
        mut summary: Summary,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Summary {
        let (report, outcome) = thread::scope(|scope| {
            let beginning = thread::Builder::new()
                .spawn_scoped(scope, move || self.begin(way, deadline))
                .ok();
            let join =
                |beginning: thread::ScopedJoinHandle<'_, Option<Deadline>>| beginning.join().ok();
            let is_finished = thread::ScopedJoinHandle::<Option<Deadline>>::is_finished;
            let ended = self.progress.wait_for_end();
            // What is on its way is waited for: it could arrive after the end. But whoever asks to
            // stop soon kills what is left, so that STOPPED does not wait.
            let (begun, beginning) = match ended.end {
                End::Stopped if !beginning.as_ref().is_none_or(is_finished) => (None, beginning),
                _ => (beginning.and_then(join), None),
            };
            let timeout = self.options.network.timeout;
            let deadline = self.progress.deadline(ended, timeout);
            let report = self.end(way, ended, deadline, log);
            let client = if beginning.is_some() {
                &way.second_client
            } else {
                &way.client
            };
            let delivery = way.delivery(client, report.state, deadline, log);
            let mut delivery = delivery.urgent(ended.end == End::Stopped);
            let mut outcome = way.deliver(&mut delivery, &report);
            let overtaking = beginning.and_then(join);
            let until = match overtaking {
                Some(until) => until.or(Some(Deadline::after(Duration::ZERO))),
                None => begun.flatten(),
            };
            if let Some(until) = until {
                outcome = way.insist(&mut delivery, &report, outcome, until);
            }
            (report, outcome)
        });
        summary.end(outcome, &report);
        if let Some(error) = &summary.error {
            log.error(error, true);
        }
        summary.report = Some(report);
        summary
    }

    /// Reports INPROGRESS, unless the command has ended before it is sent. Returns until when
    /// Bitbucket may store one that it has not answered.
    fn begin(&self, way: &Way, deadline: Deadline) -> Option<Deadline> {
        let mut stderr = self.stderr;
        let log = &mut self.log(&mut stderr);
        log.hide(way.credentials.secrets());
        let policy = Policy::new(State::InProgress, deadline.total());
        let session = Session::new(&way.client, policy, deadline, log);
        let mut delivery = way.delivery_in(session.until(&self.progress.cancel));
        let outcome = way.deliver(&mut delivery, &way.report);
        let arrival = delivery.session().arrival();
        *way.issued.lock().unwrap_or_else(PoisonError::into_inner) = delivery.into_issued();
        match &outcome.error {
            None | Some(Error::Cancelled) => {}
            Some(error) => log.warn(&format!("INPROGRESS was not reported: {error}")),
        }
        match arrival {
            Arrival::None => None,
            Arrival::Soon => Some(Deadline::after(SOON)),
            Arrival::Late => Some(self.progress.latest_arrival()),
        }
    }

    /// The report of the final state.
    fn end(&self, way: &Way, ended: Ended, deadline: Deadline, log: &mut Log<'_>) -> Report {
        let mut report = way.report.clone();
        report.state = ending::state(ended.end);
        report.duration = Some(ended.elapsed);
        // Whoever asks to stop does not wait for long.
        if ended.end != End::Stopped {
            let patterns = &self.options.tests.junit;
            let is_urgent = || self.progress.is_to_stop();
            let counted = junit::count(patterns, Some(self.since), deadline, is_urgent);
            counted.warnings.iter().for_each(|text| log.warn(text));
            report.test_results = counted.results;
        }
        let text = ending::description(ended, &self.program, report.test_results);
        // Of the command's own words, a secret may be one.
        let text = log.redactor().redact(&text);
        report.describe(&self.options, &text, way.destination.product());
        report
    }
}

impl Way {
    /// Sends `report` again where Bitbucket shows the run's own INPROGRESS, which was on its way. It may
    /// arrive up to the end of `until`.
    fn insist(
        &self,
        delivery: &mut Delivery<'_, '_>,
        report: &Report,
        mut outcome: Outcome,
        until: Deadline,
    ) -> Outcome {
        let mut pause = FIRST_PAUSE;
        while outcome.error.is_none() && outcome.kept.is_none() {
            let theirs = statuses::of_report(delivery, report).ok().flatten();
            let is_others = |it: &Status| it.url.as_ref().is_some_and(|url| *url != report.url);
            if theirs.as_ref().is_some_and(is_others) {
                // Another run has reported since: our end is no longer what counts.
                break;
            }
            let is_overtaken = theirs.is_some_and(|it| it.state == State::InProgress.as_str());
            if is_overtaken {
                outcome = self.deliver(delivery, report);
            }
            // One more look takes time, too.
            let left = delivery.session().deadline().left();
            let left = left.saturating_sub(FIRST_PAUSE);
            if !is_overtaken && until.is_over() {
                break;
            }
            if left.is_zero() {
                delivery.session().log().warn(&format!(
                    "INPROGRESS got no answer: if Bitbucket stores it later, it replaces {}",
                    report.state
                ));
                break;
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        outcome
    }

    fn deliver(&self, delivery: &mut Delivery<'_, '_>, report: &Report) -> Outcome {
        if guard::is_on(self.guard, report.state) {
            guard::deliver(delivery, report, false)
        } else {
            delivery.deliver(report)
        }
    }

    fn delivery<'a, 'l>(
        &'a self,
        client: &'a Client,
        state: State,
        deadline: Deadline,
        log: &'a mut Log<'l>,
    ) -> Delivery<'a, 'l> {
        let policy = Policy::new(state, deadline.total());
        self.delivery_in(Session::new(client, policy, deadline, log))
    }

    fn delivery_in<'a, 'l>(&'a self, session: Session<'a, 'l>) -> Delivery<'a, 'l> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        Delivery::new(session, &self.destination, Some(self.credentials.clone()))
            .with_issued(issued.clone())
    }
}
