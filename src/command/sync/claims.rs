//! What GitLab's jobs come to as build statuses: the same as if each job had reported itself.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::ci::context::Context;
use crate::cli::{Jobs, SyncArgs};
use crate::command::plan::Plan;
use crate::command::sync::words::{self, Standing};
use crate::env::Env;
use crate::error::Error;
use crate::gitlab::pipeline::{Job, Pipeline};
use crate::report::{Claim, Report};
use crate::status::commit::DetectedCommit;
use crate::status::key;
use crate::status::state::State;

/// A status that Bitbucket ought to have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) report: Report,
    pub(super) when: When,
    /// Whether it is of a job, and not of the pipeline as a whole.
    pub(super) is_of_job: bool,
    /// Links of other jobs with the same key.
    pub(super) namesakes: Vec<Option<String>>,
}

/// When it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Where something else is there.
    Differs,
    /// Where its INPROGRESS is there: else it is not worth a status. A job's may be of an older attempt.
    InProgress,
    /// Never: the job has not ended.
    Never,
}

/// Makes claims for the jobs of this and other pipelines.
pub(super) struct Claims<'a> {
    args: &'a SyncArgs,
    plan: &'a Plan<'a>,
    own: Own,
}

/// The job that we are in. It is left out, as are those that the user excludes.
#[derive(Deserialize)]
struct Own {
    ci_job_id: Option<u64>,
    ci_job_stage: Option<String>,
    ci_pipeline_id: Option<u64>,
    ci_pipeline_source: Option<String>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(args: &'a SyncArgs, plan: &'a Plan<'_>, env: &Env) -> Result<Self, Error> {
        let own = env
            .read(&[])
            .map_err(|error| Error::unusable("CI_JOB_ID, CI_PIPELINE_ID", error.to_string()))?;
        Ok(Self { args, plan, own })
    }

    /// The pipeline to look at.
    pub(super) fn pipeline(&self) -> Result<u64, Error> {
        let unset = || Error::setting("CI_PIPELINE_ID", "it is not set", "give --pipeline");
        let given = self.args.pipeline.or(self.own.ci_pipeline_id);
        given.ok_or_else(unset)
    }

    pub(super) fn is_own(&self, pipeline: u64) -> bool {
        self.own.ci_pipeline_id == Some(pipeline)
    }

    /// Whether a schedule started the pipeline: it may be there for `--since` alone.
    pub(super) fn is_scheduled(&self) -> bool {
        self.own.ci_pipeline_source.as_deref() == Some("schedule")
    }

    /// Whether the job has a status of its own. For the pipeline's, it counts all the same.
    fn has_row(&self, job: &Job) -> bool {
        self.args.jobs == Jobs::All && !self.is_excluded(job)
    }

    fn is_excluded(&self, job: &Job) -> bool {
        self.args.exclude.contains(&job.name)
    }

    /// The beginning of this pipeline, unless it is not to have a status.
    pub(super) fn running_pipeline(&self) -> Result<Option<Wanted>, Error> {
        let is_child = self.own.ci_pipeline_source.as_deref() == Some("parent_pipeline");
        self.whole(
            &self.plan.context,
            is_child,
            (State::InProgress, When::Differs),
            "The pipeline is running!",
        )
    }

    /// All statuses for `pipeline`: one for each key, then its own. `source_branch` is asked of merge
    /// requests whose job this is not. With them, why some are missing.
    pub(super) fn of(
        &self,
        pipeline: &Pipeline,
        source_branch: impl FnOnce(u64) -> Result<String, Error>,
    ) -> Result<(Vec<Wanted>, Vec<Error>), Error> {
        let context = self.context(pipeline, source_branch)?;
        let jobs = pipeline.jobs.iter();
        let mut jobs: Vec<_> = jobs
            .filter(|job| Some(job.id) != self.own.ci_job_id)
            .collect();
        // The worse first: one that was read in two states counts in that.
        jobs.sort_by_key(|job| Standing::of(job));
        let mut ids = BTreeSet::new();
        jobs.retain(|job| ids.insert(job.id));
        let mut problems = pipeline.problems.clone();
        // Jobs of two child pipelines may have one key: who failed is not hidden by who passed.
        let mut by_key: BTreeMap<String, Wanted> = BTreeMap::new();
        for job in jobs.iter().filter(|job| self.has_row(job)) {
            let wanted = match self.job(&context, job) {
                // Its page is its own fault, all else is everybody's.
                Err(error @ Error::BadUrl { .. }) => {
                    problems.push(error);
                    continue;
                }
                wanted => wanted?,
            };
            match by_key.entry(wanted.report.key.clone()) {
                Entry::Occupied(worse) => {
                    worse.into_mut().namesakes.push(Some(wanted.report.url));
                }
                Entry::Vacant(first) => drop(first.insert(wanted)),
            }
        }
        let mut all: Vec<_> = by_key.into_values().collect();
        let whole = self.whole_state(pipeline, &jobs);
        if let Some((end, description)) = whole {
            let is_child = jobs
                .iter()
                .any(|job| job.is_child && job.pipeline.id == pipeline.about.id);
            match self.whole(&context, is_child, end, &description) {
                Err(error @ Error::BadUrl { .. }) => problems.push(error),
                whole => all.extend(whole?),
            }
        }
        Ok((all, problems))
    }

    /// What the reporter in a job of `pipeline` reads from its variables, without what differs from
    /// job to job.
    fn context(
        &self,
        pipeline: &Pipeline,
        source_branch: impl FnOnce(u64) -> Result<String, Error>,
    ) -> Result<Context, Error> {
        let about = &pipeline.about;
        if self.is_own(about.id) {
            return Ok(self.plan.context.clone());
        }
        let commit = pipeline.commit().map(str::to_owned);
        let (branch, tag) = match about.merge_request() {
            Some(iid) => (Some(source_branch(iid)?), None),
            None if pipeline.is_of_tag() => (None, Some(about.git_ref.clone())),
            None => (Some(about.git_ref.clone()), None),
        };
        Ok(Context {
            commit: DetectedCommit::first_set([("the pipeline's commit", commit)]),
            branch,
            tag,
            build_number: Some(about.number()),
            pipeline_url: Some(about.web_url.clone()),
            ..Context::default()
        })
    }

    fn job(&self, pipeline: &Context, job: &Job) -> Result<Wanted, Error> {
        let standing = Standing::of(job);
        let context = Context {
            job_name: Some(job.full_name()),
            url: Some(job.web_url.clone()),
            build_number: Some(job.pipeline.number()),
            ..pipeline.clone()
        };
        let mut report = self.report(&context, standing.state().unwrap_or(State::InProgress))?;
        if let Some(description) = words::description(job) {
            report.describe(self.plan.options, &description, self.plan.product());
        }
        let when = match standing {
            Standing::Running => When::Never,
            Standing::AtRest => When::InProgress,
            _ => When::Differs,
        };
        Ok(Wanted {
            report,
            when,
            is_of_job: true,
            namesakes: Vec::new(),
        })
    }

    /// The status of a pipeline as a whole.
    fn whole(
        &self,
        pipeline: &Context,
        is_child: bool,
        (state, when): (State, When),
        description: &str,
    ) -> Result<Option<Wanted>, Error> {
        let child = if is_child { "child/" } else { "" };
        let key = match self.args.pipeline_key.as_deref() {
            Some("") => return Ok(None),
            Some(given) => given.to_owned(),
            None => format!("{child}pipeline"),
        };
        let context = Context {
            job_name: Some(format!("{child}pipeline")),
            url: pipeline.pipeline_url.clone(),
            ..pipeline.clone()
        };
        let mut report = self.report(&context, state)?;
        report.key = key::within(&key, self.plan.product().limits().key);
        report.describe(self.plan.options, description, self.plan.product());
        Ok(Some(Wanted {
            report,
            when,
            is_of_job: false,
            namesakes: Vec::new(),
        }))
    }

    fn report(&self, context: &Context, state: State) -> Result<Report, Error> {
        let claim = Claim {
            context,
            ..self.plan.claim()
        };
        claim.report(Some(state.as_str()))
    }

    /// How the pipeline stands, where that is said, and what its jobs did.
    fn whole_state(&self, whole: &Pipeline, jobs: &[&Job]) -> Option<((State, When), String)> {
        let pipeline = whole.about.id;
        let is_ours = |job: &Job| {
            self.is_own(pipeline)
                && job.pipeline.id == pipeline
                && Some(&job.stage) == self.own.ci_job_stage.as_ref()
        };
        let with = |standing| {
            let jobs = jobs.iter().filter(move |job| Standing::of(job) == standing);
            jobs.copied().collect::<Vec<_>>()
        };
        let (failed, cancelled) = (with(Standing::Failed), with(Standing::Cancelled));
        let (mut running, mut passed) = (with(Standing::Running), with(Standing::Passed));
        let said = self.said(whole);
        // It may wait for a person, and in its own job it says that it is running.
        let waits = |job: &&Job| job.status == "manual" && !job.allow_failure;
        let is_waiting = jobs.iter().any(waits);
        let is_open = !running.is_empty() || said == Some(Standing::Running) || whole.is_cut;
        let is_open = is_open || jobs.is_empty() || is_waiting;
        // Nothing has passed: that ends no more than its own beginning.
        let end = (!is_open).then_some((State::Stopped, When::InProgress));
        running.retain(|job| !is_ours(job));
        let is_fatal = |job: &&&Job| !job.allow_failure && !job.is_below_tolerated;
        let fatal: Vec<_> = failed.iter().filter(is_fatal).collect();
        let is_cancelled = cancelled.iter().any(|job| is_fatal(&job));
        // A scheduled pipeline may have no jobs but the template's: they make nothing green.
        let is_for_nothing = fatal.is_empty() && jobs.iter().all(|job| self.is_excluded(job));
        passed.retain(|job| !self.is_excluded(job));
        let state = match () {
            () if is_for_nothing && !jobs.is_empty() => None,
            () if !fatal.is_empty() || said == Some(Standing::Failed) => Some(State::Failed),
            () if is_cancelled || said == Some(Standing::Cancelled) => Some(State::Stopped),
            () if !running.is_empty() => Some(State::InProgress),
            () if said == Some(Standing::Running) => Some(State::InProgress),
            () if !passed.is_empty() && is_waiting => Some(State::InProgress),
            () if !passed.is_empty() && !whole.is_cut => Some(State::Successful),
            () => None,
        };
        let whole = state.map(|state| (state, When::Differs)).or(end)?;
        let mut names: Vec<_> = failed.iter().map(|job| job.full_name()).collect();
        names.sort();
        // Last, because their names follow.
        let failures = format!("failed: {}", names.join(", "));
        let counts = [
            (passed.len(), "passed"),
            (cancelled.len(), "cancelled"),
            (running.len(), "not ended"),
            (failed.len(), &failures),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let counts = counts.join(", ");
        Some((
            whole,
            if counts.is_empty() {
                words::without_counts(state)
            } else {
                counts
            },
        ))
    }

    /// The worst that GitLab says of the pipeline and its children: jobs may be hidden. In its own job, a
    /// pipeline is running.
    fn said(&self, pipeline: &Pipeline) -> Option<Standing> {
        let own = words::of_pipeline(&pipeline.about);
        let is_own = self.is_own(pipeline.about.id);
        let own = own.filter(|said| !(is_own && *said == Standing::Running));
        let children = pipeline.children.iter().filter_map(|child| {
            let said = words::of_pipeline(&child.about);
            said.filter(|said| !(child.is_tolerated && *said == Standing::Failed))
        });
        children.chain(own).min()
    }
}
