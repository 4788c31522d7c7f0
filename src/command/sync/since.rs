//! `sync --since`: what is INPROGRESS on Bitbucket though its job has ended, in all pipelines that have
//! changed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::bitbucket::guard;
use crate::bitbucket::statuses::{self, Status};
use crate::command::sync::claims::{Wanted, When};
use crate::command::sync::summary::Tally;
use crate::command::sync::{SHARE, Sync, may_pass};
use crate::error::Error;
use crate::gitlab::pipeline::{About, Pipeline};
use crate::gitlab::reader::Reader;
use crate::gitlab::server::GitLab;
use crate::output::log::Log;
use crate::report::Report;
use crate::status::commit::is_full_hash;
use crate::status::refname::Refname;
use crate::status::state::State;

/// The pipelines of a commit, and what it has.
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
                let found = self.read(about.id, &mut reader);
                let Some(pipeline) = forgive(found, &mut self.tally)? else {
                    continue;
                };
                let commit = pipeline.commit().map(str::to_owned);
                read.insert(about.id, pipeline);
                commit
            } else {
                Some(about.sha.clone())
            };
            match commit {
                Some(commit) if is_full_hash(&commit) => {
                    commits.entry(commit).or_default().pipelines.push(about);
                }
                Some(commit) => self.tally.problems.push(no_commit(about.id, &commit)),
                None => {}
            }
        }
        let mut tally = std::mem::take(&mut self.tally);
        let mut delivery = self.delivery(log);
        delivery.authorize()?;
        let mut left = u32::try_from(commits.len()).unwrap_or(u32::MAX);
        for (sha, commit) in &mut commits {
            // The lists share a half of the time: the rest is for the jobs, and for what is sent.
            let half = self.deadline.left() / 2;
            self.set_patience(self.share().max(half / left), &mut delivery);
            let found = statuses::in_progress(&mut delivery, sha);
            if found.is_err() {
                let text = format!("commit {sha} is left out");
                delivery.session().log().warn(&text);
            }
            commit.in_progress = forgive(found, &mut tally)?.unwrap_or_default();
            left -= 1;
        }
        self.credentials = delivery.into_credentials();
        let mut differences = Vec::new();
        let mut reader = Reader::new(gitlab, self.deadline, log);
        for commit in commits.into_values() {
            differences.extend(self.ended(commit, &mut read, &mut reader, &mut tally)?);
        }
        self.send(differences, &mut self.delivery(log), &mut tally);
        self.tally = tally;
        Ok(())
    }

    /// How long one of many may take.
    fn share(&self) -> Duration {
        SHARE.min(self.deadline.left() / 4)
    }

    fn read(&self, id: u64, reader: &mut Reader<'_, '_>) -> Result<Pipeline, Error> {
        reader.set_patience(self.share());
        let found = reader.pipeline(id);
        if found.is_err() {
            reader.warn(&format!("pipeline {id} is left out"));
        }
        found
    }

    /// What a commit's statuses ought to say, as far as their jobs have ended. The newest pipeline that
    /// has the job counts: nothing turns green from an older one where a newer one is not known to agree.
    fn ended(
        &self,
        commit: Commit,
        read: &mut BTreeMap<u64, Pipeline>,
        reader: &mut Reader<'_, '_>,
        tally: &mut Tally,
    ) -> Result<Vec<Report>, Error> {
        let mut pipelines = commit.pipelines;
        pipelines.sort_by_key(|about| std::cmp::Reverse(about.id));
        let mut open = commit.in_progress;
        let mut ended = Vec::new();
        let mut unread: Vec<Option<String>> = Vec::new();
        // What newer ones say: how a pipeline as a whole has ended, or that the job is not green.
        let mut newest: BTreeMap<_, Option<Report>> = BTreeMap::new();
        for about in pipelines {
            if open.is_empty() {
                break;
            }
            let branch = match about.merge_request() {
                None => Some(about.git_ref.clone()),
                // A job's token may not read it.
                Some(iid) => reader.source_branch(iid).ok(),
            };
            if !open
                .iter()
                .any(|status| may_be_of(status, branch.as_deref()))
            {
                continue;
            }
            let pipeline = match read.remove(&about.id) {
                Some(pipeline) => pipeline,
                None => match forgive(self.read(about.id, reader), tally)? {
                    Some(pipeline) => pipeline,
                    None => {
                        unread.push(branch);
                        continue;
                    }
                },
            };
            // The branch will be that of the status.
            let claims = self.claims.of(&pipeline, |_| Ok(String::new()));
            let (all, problems) = claims.unwrap_or_else(|error| (Vec::new(), vec![error]));
            let is_whole = problems.is_empty() && !pipeline.is_cut;
            tally.problems.extend(problems);
            open.retain(|status| {
                if !may_be_of(status, branch.as_deref()) {
                    return true;
                }
                let id = (status.key.clone(), status.refname.clone());
                // Of which branch it is, may not be known: then its own links say what it has written.
                let is_of =
                    |it: &&Wanted| branch.is_some() || status.url.as_ref() == Some(&it.report.url);
                let mut ours = all.iter().filter(is_of);
                let Some(found) = ours.find(|it| is_about(it, status)) else {
                    let is_namesake =
                        |it: &&Wanted| branch.is_some() && it.report.key == status.key;
                    let mut namesakes = all.iter().filter(is_namesake);
                    let is_whole = |it: &Wanted| !it.is_of_job && it.when == When::Differs;
                    if let Some(newer) = namesakes.find(|it| is_whole(it) || !may_be_green(it)) {
                        let end = is_whole(newer).then(|| newer.report.clone());
                        newest.entry(id).or_insert(end);
                    }
                    return true;
                };
                let is_unread = unread
                    .iter()
                    .any(|branch| may_be_of(status, branch.as_deref()));
                let is_green = |report: &Report| report.state == State::Successful;
                let newer = newest.get(&id);
                let newer = newer.filter(|end| end.is_some() || is_green(&found.report));
                let Some(end) = newer.map_or(Some(&found.report), Option::as_ref) else {
                    return true;
                };
                if is_unread && (is_green(end) || is_green(&found.report)) {
                    return true;
                }
                if found.when == When::Never || !found.report.state.is_final() {
                    tally.counts.still_running += 1;
                } else {
                    ended.push(Report {
                        refname: status.refname.as_deref().map(refname),
                        ..end.clone()
                    });
                }
                false
            });
            if !is_whole {
                unread.push(branch);
            }
        }
        Ok(ended)
    }
}

/// What was found; nothing where the fault may be of this one only, which is told in the end.
fn forgive<T>(found: Result<T, Error>, tally: &mut Tally) -> Result<Option<T>, Error> {
    match found {
        Err(error) if may_pass(&error) => {
            tally.problems.push(error);
            Ok(None)
        }
        found => found.map(Some),
    }
}

fn no_commit(pipeline: u64, commit: &str) -> Error {
    let message =
        format!("GitLab says that pipeline {pipeline} is of `{commit}`, which is no hash");
    Error::unexpected(message, None)
}

/// Whether an older pipeline may say that the job has passed.
fn may_be_green(wanted: &Wanted) -> bool {
    match wanted.when {
        When::Never => false,
        When::InProgress => true,
        When::Differs => wanted.report.state == State::Successful,
    }
}

fn refname(name: &str) -> Refname {
    Refname::from_full(name).unwrap_or_else(|| Refname::Branch(name.to_owned()))
}

/// Whether a job of a pipeline of that branch, or of an unknown one, may have written `status`.
fn may_be_of(status: &Status, branch: Option<&str>) -> bool {
    let name = status.refname.as_deref().map(refname);
    branch.is_none_or(|branch| name.is_none_or(|it| it.name() == branch))
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
