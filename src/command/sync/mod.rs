//! `build_status sync`: what GitLab shows of a pipeline, brought to Bitbucket.

mod claims;
mod difference;
mod since;
mod summary;
mod words;

use std::time::Duration;

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::{Delivery, Outcome};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::guard;
use crate::bitbucket::statuses::{self, Listed};
use crate::cli::{Options, SyncArgs};
use crate::command::plan::Plan;
use crate::command::sync::claims::{Claims, Wanted};
use crate::command::sync::difference::{Difference, Theirs};
use crate::command::sync::summary::Tally;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::gitlab::reader::Reader;
use crate::gitlab::server::GitLab;
use crate::http::client::Client;
use crate::http::retry::Policy;
use crate::http::session::Session;
use crate::output::Exit;
use crate::output::log::Log;
use crate::report::Report;
use crate::status::state::State;
use crate::status::url;

/// One difference may take at least this long before the next one is tried.
const SHARE: Duration = Duration::from_secs(10);

/// What a sync is done with, and what came of it.
struct Sync<'a> {
    plan: &'a Plan<'a>,
    claims: Claims<'a>,
    deadline: Deadline,
    destination: Destination,
    /// In a dry run, there may be none.
    credentials: Option<Credentials>,
    client: Client,
    tally: Tally,
}

/// Reads both sides, sends what differs, and says how that went.
pub(super) fn run(args: &SyncArgs, options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    let deadline = Deadline::after(options.network.timeout);
    let tally = sync(args, options, env, deadline, &mut log).unwrap_or_else(Tally::failed);
    tally.exit(options, &mut log)
}

fn sync(
    args: &SyncArgs,
    options: &Options,
    env: &Env,
    deadline: Deadline,
    log: &mut Log<'_>,
) -> Result<Tally, Error> {
    let plan = Plan::new(options, env, deadline, log)?;
    if plan.info.is_none_or(|info| info.id != "gitlab") {
        return Err(Error::setting(
            "sync",
            "this is not a job of GitLab CI, and sync knows GitLab only",
            "run it in a GitLab CI job; elsewhere, report each job: build_status [STATE]",
        ));
    }
    let destination = plan.destination.clone()?;
    let credentials = match &plan.credentials {
        Err(error @ Error::NoCredentials { .. }) if options.dry_run => {
            log.warn(&format!("{error}: what Bitbucket has is not known"));
            None
        }
        credentials => Some(credentials.clone()?),
    };
    let mut sync = Sync {
        claims: Claims::new(args, &plan, env)?,
        client: plan.client(&destination)?,
        plan: &plan,
        deadline,
        destination,
        credentials,
        tally: Tally::default(),
    };
    if args.state.is_some() {
        sync.begin(log)?;
    } else if let Some(span) = args.since {
        sync.mend(&GitLab::of_job(options, env)?, span, log)?;
    } else {
        sync.bring(&GitLab::of_job(options, env)?, log)?;
    }
    Ok(sync.tally)
}

impl Sync<'_> {
    /// Reports that the pipeline is running: as from a job, but never over its end.
    fn begin(&mut self, log: &mut Log<'_>) -> Result<(), Error> {
        let Some(Wanted { report, .. }) = self.claims.running_pipeline()? else {
            return Err(Error::setting(
                "--pipeline-key",
                "it is empty, and there is nothing else to report before the jobs",
                "leave out the job for sync running, or give a key",
            ));
        };
        let outcome = (!self.plan.options.dry_run).then(|| {
            let mut delivery = self.delivery(log);
            let policy = Policy::new(State::InProgress, self.deadline.total());
            delivery.session().change_policy(policy);
            guard::deliver(&mut delivery, &report, false)
        });
        self.tally.add(self.plan, report, outcome);
        Ok(())
    }

    /// Reports all of a pipeline.
    fn bring(&mut self, gitlab: &GitLab, log: &mut Log<'_>) -> Result<(), Error> {
        let id = self.claims.pipeline()?;
        let mut reader = Reader::new(gitlab, self.deadline, log);
        let pipeline = reader.pipeline(id)?;
        // This job is one of them.
        if pipeline.jobs.is_empty() && self.claims.is_own(id) {
            return Err(reader.no_jobs(id));
        }
        let (all, problems) = self.claims.of(&pipeline, |iid| reader.source_branch(iid))?;
        self.tally.problems = problems;
        let Some(Wanted { report, .. }) = all.first() else {
            if self.tally.problems.is_empty() && !self.claims.is_scheduled() {
                log.warn(
                    "there is nothing to report: the pipeline has no other jobs, or --jobs and \
                     --pipeline-key leave them out",
                );
            }
            return Ok(());
        };
        let mut tally = std::mem::take(&mut self.tally);
        let mut delivery = self.delivery(log);
        let theirs = match self.credentials {
            Some(_) => {
                let refname = report.refname.as_ref();
                // It needs the credentials' exchange, without which nothing can be sent.
                delivery.authorize()?;
                let half = self.deadline.elapsed() + self.deadline.left() / 2;
                let policy = Policy::one_of_many(half, half);
                delivery.session().change_policy(policy);
                match statuses::of_refname(&mut delivery, &report.commit, refname) {
                    Err(error) if may_pass(&error) => {
                        let text = format!(
                            "what Bitbucket has is not known, so that it is overwritten: {error}"
                        );
                        delivery.session().log().warn(&text);
                        Listed::default()
                    }
                    listed => listed?,
                }
            }
            None => Listed::default(),
        };
        let theirs = Theirs::new(theirs);
        let mut differences = Vec::new();
        for wanted in all {
            self.set_patience(SHARE, &mut delivery);
            match theirs.compare(&wanted, &mut delivery) {
                Difference::Send => differences.push(wanted.report),
                Difference::Kept(kept) => {
                    let outcome = delivery.outcome(None, None, Some(kept));
                    tally.add(self.plan, wanted.report, Some(outcome));
                }
                Difference::Right => tally.counts.right_already += 1,
                Difference::Running => tally.counts.still_running += 1,
                Difference::Nothing => {}
            }
        }
        self.send(differences, &mut delivery, &mut tally);
        self.tally = tally;
        Ok(())
    }

    fn delivery<'s, 'l>(&'s self, log: &'s mut Log<'l>) -> Delivery<'s, 'l> {
        let total = self.deadline.total();
        let policy = Policy::one_of_many(total, total);
        let session = Session::new(&self.client, policy, self.deadline, log);
        Delivery::new(session, &self.destination, self.credentials.clone())
    }

    /// Lets one of many requests try for so long.
    fn set_patience(&self, patience: Duration, delivery: &mut Delivery<'_, '_>) {
        let (total, until) = (self.deadline.total(), self.deadline.elapsed() + patience);
        let policy = Policy::one_of_many(total, until);
        delivery.session().change_policy(policy);
    }

    /// Sends all of them, one after another, even when one is refused. What fails and may pass is sent once
    /// more behind the others.
    fn send(&self, reports: Vec<Report>, delivery: &mut Delivery<'_, '_>, tally: &mut Tally) {
        let (deadline, is_dry) = (self.deadline, self.plan.options.dry_run);
        let mut outcomes: Vec<Option<Outcome>> = reports.iter().map(|_| None).collect();
        for number in (0..reports.len()).chain(0..reports.len()) {
            if is_dry || deadline.is_over() || !is_open(outcomes[number].as_ref()) {
                continue;
            }
            let left = outcomes.iter().filter(|it| is_open(it.as_ref())).count();
            let left = u32::try_from(left).unwrap_or(u32::MAX);
            let (begun, share) = (deadline.elapsed(), deadline.left() / left);
            self.set_patience(share.max(SHARE), delivery);
            let mut outcome = delivery.deliver(&reports[number]);
            outcome.elapsed = outcome.elapsed.saturating_sub(begun);
            outcomes[number] = Some(outcome);
        }
        for (report, outcome) in reports.into_iter().zip(outcomes) {
            if outcome.is_some() || is_dry {
                tally.add(self.plan, report, outcome);
            } else {
                tally.counts.not_tried += 1;
            }
        }
        let unsent = tally.counts.not_tried;
        tally.error = (unsent > 0).then(|| Error::Unreachable {
            server: url::authority(self.destination.url()),
            message: format!("no time was left for {unsent} of the statuses"),
            gave_up: None,
            hint: Some("raise --timeout; what is not sent now, the next run sends"),
        });
    }
}

/// Whether a report is to be sent, for the first time or once more.
fn is_open(outcome: Option<&Outcome>) -> bool {
    outcome.is_none_or(|it| {
        let error = it.error.as_ref();
        error.is_some_and(|error| error.exit_code() == 5 && may_pass(error))
    })
}

/// Whether another request may fare better: not where the credentials are refused, nor where no attempt
/// reaches the server.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unreachable { gave_up, .. } => gave_up.is_some(),
        other => other.http_status().is_some_and(|status| status != 401),
    }
}
