//! `build_status sync`: what GitLab shows of a pipeline, brought to Bitbucket.

mod claims;
mod difference;
mod since;
mod summary;
mod words;

use std::time::Duration;

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::Delivery;
use crate::bitbucket::destination::Destination;
use crate::bitbucket::{guard, statuses};
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

/// What a sync is done with.
struct Sync<'a, 'b> {
    args: &'a SyncArgs,
    plan: &'a Plan<'b>,
    claims: Claims<'a>,
    deadline: Deadline,
    destination: Destination,
    /// In a dry run, there may be none.
    credentials: Option<Credentials>,
    client: Client,
}

/// Reads both sides, sends what differs, and says how that went.
pub(super) fn run(args: &SyncArgs, options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    let deadline = Deadline::after(options.network.timeout);
    let mut tally = Tally::new(options.dry_run);
    let done = Plan::new(options, env, deadline, &mut log).and_then(|plan| {
        let mut sync = Sync::new(args, &plan, env, deadline, &mut log)?;
        sync.run(env, &mut tally, &mut log)
    });
    tally.error = done.err().or(tally.error);
    tally.exit(options, &mut log)
}

impl<'a, 'b> Sync<'a, 'b> {
    fn new(
        args: &'a SyncArgs,
        plan: &'a Plan<'b>,
        env: &Env,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Self, Error> {
        if plan.info.is_none_or(|info| info.id != "gitlab") {
            return Err(Error::setting(
                "sync",
                "this is not a job of GitLab CI, and sync knows GitLab only",
                "run it in a GitLab CI job; elsewhere, report each job: build_status [STATE]",
            ));
        }
        let destination = plan.destination.clone()?;
        let credentials = match &plan.credentials {
            Ok(credentials) => Some(credentials.clone()),
            Err(error @ Error::NoCredentials { .. }) if plan.options.dry_run => {
                log.warn(&format!("{error}: what Bitbucket has is not known"));
                None
            }
            Err(error) => return Err(error.clone()),
        };
        Ok(Self {
            args,
            claims: Claims::new(args, plan, env)?,
            client: plan.client(&destination)?,
            plan,
            deadline,
            destination,
            credentials,
        })
    }

    fn run(&mut self, env: &Env, tally: &mut Tally, log: &mut Log<'_>) -> Result<(), Error> {
        if self.args.state.is_some() {
            let wanted = self.claims.running_pipeline()?;
            return self.deliver_one(wanted, tally, log);
        }
        let gitlab = GitLab::of_job(self.plan.options, env)?;
        if let Some(span) = self.args.since {
            return self.mend(&gitlab, span, tally, log);
        }
        let id = self.claims.pipeline()?;
        let mut reader = Reader::new(&gitlab, self.deadline, log);
        let pipeline = reader.pipeline(id)?;
        // This job is one of them.
        if pipeline.jobs.is_empty() && self.claims.is_own(id) {
            return Err(reader.no_jobs(id));
        }
        let wanted = self.claims.of(&pipeline, |iid| reader.source_branch(iid))?;
        let Some(first) = wanted.first() else {
            log.warn("the pipeline has no other jobs: there is nothing to report");
            return Ok(());
        };
        let (commit, refname) = (first.report.commit.clone(), first.report.refname.clone());
        let mut delivery = self.delivery(log);
        let theirs = match &self.credentials {
            Some(_) => statuses::of_refname(&mut delivery, &commit, refname.as_ref())?,
            None => Vec::new(),
        };
        let theirs = Theirs::new(theirs, self.destination.product());
        let mut differences = Vec::new();
        for wanted in wanted {
            match theirs.compare(wanted, &mut delivery)? {
                Difference::Send(report) => differences.push(*report),
                Difference::Kept(kept, report) => {
                    let outcome = delivery.outcome(None, None, Some(kept));
                    tally.add(self.plan, *report, outcome);
                }
                Difference::Right => tally.right += 1,
                Difference::Running => tally.running += 1,
                Difference::Nothing => {}
            }
        }
        self.send(differences, &mut delivery, tally);
        Ok(())
    }

    /// The INPROGRESS of the pipeline: as a report from a job, but never over its end.
    fn deliver_one(
        &self,
        wanted: Option<Wanted>,
        tally: &mut Tally,
        log: &mut Log<'_>,
    ) -> Result<(), Error> {
        let Some(Wanted { report, .. }) = wanted else {
            return Err(Error::setting(
                "--pipeline-key",
                "it is empty, and there is nothing else to report before the jobs",
                "leave out the job for sync running, or give a key",
            ));
        };
        let mut delivery = self.delivery(log);
        if self.plan.options.dry_run {
            self.send(vec![report], &mut delivery, tally);
            return Ok(());
        }
        let policy = Policy::new(State::InProgress, self.deadline.total());
        delivery.session().change_policy(policy);
        let outcome = guard::deliver(&mut delivery, &report);
        tally.add(self.plan, report, outcome);
        Ok(())
    }

    fn delivery<'s, 'l>(&'s self, log: &'s mut Log<'l>) -> Delivery<'s, 'l> {
        let total = self.deadline.total();
        let policy = Policy::one_of_many(total, total);
        let session = Session::new(&self.client, policy, self.deadline, log);
        Delivery::new(session, &self.destination, self.credentials.clone())
    }

    /// Sends all of them, one after another, even when one is refused.
    fn send(&self, reports: Vec<Report>, delivery: &mut Delivery<'_, '_>, tally: &mut Tally) {
        let deadline = self.deadline;
        let mut left = u32::try_from(reports.len()).unwrap_or(u32::MAX);
        for report in reports {
            if self.plan.options.dry_run {
                tally.add_request(self.plan, report);
                continue;
            }
            if deadline.is_over() {
                tally.unsent += 1;
                continue;
            }
            let share = (deadline.left() / left).max(SHARE);
            left -= 1;
            let begun = deadline.elapsed();
            let policy = Policy::one_of_many(deadline.total(), begun + share);
            delivery.session().change_policy(policy);
            let mut outcome = delivery.deliver(&report);
            outcome.elapsed = outcome.elapsed.saturating_sub(begun);
            tally.add(self.plan, report, outcome);
        }
        if tally.unsent > 0 {
            tally.error = Some(Error::Unreachable {
                server: url::authority(self.destination.url()),
                message: format!("no time was left for {} of the statuses", tally.unsent),
                gave_up: None,
                hint: Some("raise --timeout; what is not sent now, the next run sends"),
            });
        }
    }
}
