//! `sync --since`: what is INPROGRESS on Bitbucket though its job has ended, in all pipelines that have
//! changed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::bitbucket::guard;
use crate::bitbucket::statuses::{self, Status};
use crate::command::sync::Sync;
use crate::command::sync::claims::{Wanted, When};
use crate::command::sync::summary::Tally;
use crate::error::Error;
use crate::gitlab::pipeline::{About, Pipeline};
use crate::gitlab::reader::Reader;
use crate::gitlab::server::GitLab;
use crate::output::log::Log;
use crate::report::Report;
use crate::status::refname::Refname;

/// The pipelines of a commit, the newest first, and what it has.
#[derive(Default)]
struct Commit {
    pipelines: Vec<About>,
    in_progress: Vec<Status>,
}

impl Sync<'_> {
    /// Updates them.
    pub(super) fn mend(
        &mut self,
        gitlab: &GitLab,
        span: Duration,
        log: &mut Log<'_>,
    ) -> Result<(), Error> {
        // What is there has to be known, in a dry run too.
        self.credentials = Some(self.plan.credentials.clone()?);
        let since = SystemTime::now()
            .checked_sub(span)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let mut read: BTreeMap<u64, Pipeline> = BTreeMap::new();
        let mut commits: BTreeMap<String, Commit> = BTreeMap::new();
        let mut reader = Reader::new(gitlab, self.deadline, log);
        let (listed, problems) = reader.pipelines_since(since)?;
        self.tally.problems = problems;
        for about in listed {
            if self.claims.is_own(about.id) {
                continue;
            }
            let commit = if about.is_merged_result() {
                // Only its jobs tell which commit Bitbucket knows.
                let pipeline = reader.pipeline(about.id)?;
                let commit = pipeline.commit().map(str::to_owned);
                read.insert(about.id, pipeline);
                commit
            } else {
                Some(about.sha.clone())
            };
            if let Some(commit) = commit {
                commits.entry(commit).or_default().pipelines.push(about);
            }
        }
        let mut delivery = self.delivery(log);
        for (sha, commit) in &mut commits {
            commit.in_progress = statuses::in_progress(&mut delivery, sha)?;
        }
        self.credentials = delivery.into_credentials();
        let (mut differences, mut tally) = (Vec::new(), std::mem::take(&mut self.tally));
        let mut reader = Reader::new(gitlab, self.deadline, log);
        for commit in commits.into_values() {
            differences.extend(self.ended(commit, &mut read, &mut reader, &mut tally)?);
        }
        self.send(differences, &mut self.delivery(log), &mut tally);
        self.tally = tally;
        Ok(())
    }

    /// What a commit's statuses ought to say, as far as their jobs have ended. The newest pipeline that
    /// has the job counts.
    fn ended(
        &self,
        commit: Commit,
        read: &mut BTreeMap<u64, Pipeline>,
        reader: &mut Reader<'_, '_>,
        tally: &mut Tally,
    ) -> Result<Vec<Report>, Error> {
        let mut open = commit.in_progress;
        let mut ended = Vec::new();
        for about in commit.pipelines {
            if !open.iter().any(|status| may_be_of(status, &about)) {
                continue;
            }
            let pipeline = match read.remove(&about.id) {
                Some(pipeline) => pipeline,
                None => reader.pipeline(about.id)?,
            };
            // The branch will be that of the status.
            let (all, problems) = self.claims.of(&pipeline, |_| Ok(String::new()))?;
            tally.problems.extend(problems);
            open.retain(|status| {
                let found = all.iter().find(|it| is_about(it, status));
                let Some(found) = found.filter(|_| may_be_of(status, &about)) else {
                    return true;
                };
                if found.when == When::Never || !found.report.state.is_final() {
                    tally.counts.still_running += 1;
                } else {
                    ended.push(Report {
                        refname: status.refname.as_deref().map(refname),
                        ..found.report.clone()
                    });
                }
                false
            });
        }
        Ok(ended)
    }
}

fn refname(name: &str) -> Refname {
    Refname::from_full(name).unwrap_or_else(|| Refname::Branch(name.to_owned()))
}

/// Whether a job of that pipeline may have written `status`. Which branch a merge request is from, a
/// pipeline does not tell.
fn may_be_of(status: &Status, about: &About) -> bool {
    let name = status.refname.as_deref().map(refname);
    about.merge_request().is_some() || name.is_none_or(|it| it.name() == about.git_ref)
}

/// Whether `status` is what `wanted` would overwrite: not of a newer attempt; of a pipeline as a whole,
/// of that pipeline.
fn is_about(wanted: &Wanted, status: &Status) -> bool {
    let is_right_run = if wanted.is_of_job {
        guard::kept(status, &wanted.report).is_none()
    } else {
        status.url.as_ref() == Some(&wanted.report.url)
    };
    wanted.report.key == status.key && is_right_run
}
