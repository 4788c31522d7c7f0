//! What there is on a GitLab: projects, pipelines and jobs.

use std::cmp::Reverse;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{DEFAULT_PROJECT_ID, DEFAULT_SHA};

/// Everything on one GitLab.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    pub(super) projects: Vec<Project>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) merge_requests: Vec<MergeRequest>,
    last_job: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) id: u64,
    pub(super) path: String,
    pub(super) public: bool,
}

#[derive(Clone, Debug)]
pub(super) struct MergeRequest {
    pub(super) iid: u64,
    pub(super) source_branch: String,
    pub(super) sha: String,
}

/// A pipeline. [`Pipeline::new`] makes a `running` one of branch `main` at [`DEFAULT_SHA`] in
/// [`DEFAULT_PROJECT_ID`], caused by a push.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are GitLab's")]
pub struct Pipeline {
    pub id: u64,
    pub project_id: u64,
    pub sha: String,
    /// Parents of the commit: of a merged result the target's head, then the source's.
    pub parents: Vec<String>,
    pub git_ref: String,
    pub tag: bool,
    pub source: String,
    /// Does not follow the jobs by itself.
    pub status: String,
    pub updated_at: SystemTime,
    pub jobs: Vec<Job>,
}

/// A job, or a bridge (a trigger job).
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are GitLab's")]
pub struct Job {
    /// 0 until it is in a pipeline: there it gets the instance's next number.
    pub id: u64,
    pub name: String,
    pub stage: String,
    pub status: String,
    /// Shown while the status is `failed`.
    pub failure_reason: String,
    pub allow_failure: bool,
    /// Whether there is a newer attempt.
    pub retried: bool,
    /// Whether a runner took it, when its status leaves that open.
    pub started: bool,
    /// Of a bridge: the pipeline that it created, or nothing so far.
    pub downstream: Option<Option<u64>>,
    /// Replaces or adds fields of what is shown.
    pub fields: Map<String, Value>,
}

impl Instance {
    /// The newest attempt of a job or bridge. Panics when there is none.
    pub fn job(&mut self, pipeline: u64, name: &str) -> &mut Job {
        let mut jobs = self.pipeline(pipeline).jobs.iter_mut();
        let found = jobs.rfind(|job| job.name == name && !job.retried);
        found.unwrap_or_else(|| panic!("pipeline {pipeline} has no job {name}"))
    }

    /// A pipeline. Panics when there is none.
    pub fn pipeline(&mut self, id: u64) -> &mut Pipeline {
        let found = self.pipelines.iter_mut().find(|it| it.id == id);
        found.unwrap_or_else(|| panic!("there is no pipeline {id}"))
    }

    /// Adds a job to a pipeline, with a new id if it has none.
    pub fn add(&mut self, pipeline: u64, mut job: Job) {
        if job.id == 0 {
            job.id = self.last_job + 1;
        }
        self.last_job = self.last_job.max(job.id);
        self.pipeline(pipeline).jobs.push(job);
    }

    /// Starts a job again: a new one, with a new id and this status, takes its place.
    pub fn retry(&mut self, pipeline: u64, name: &str, status: &str) {
        let old = self.job(pipeline, name);
        let mut new = old.clone();
        old.retried = true;
        (new.id, new.status) = (0, status.to_owned());
        self.add(pipeline, new);
    }

    /// Adds a pipeline and numbers its jobs.
    pub fn add_pipeline(&mut self, mut pipeline: Pipeline) {
        let (id, jobs) = (pipeline.id, std::mem::take(&mut pipeline.jobs));
        self.pipelines.push(pipeline);
        jobs.into_iter().for_each(|job| self.add(id, job));
    }
}

impl Pipeline {
    /// A pipeline with this id, which counts those of the whole instance.
    pub fn new(id: u64) -> Self {
        Self {
            id,
            project_id: DEFAULT_PROJECT_ID,
            sha: DEFAULT_SHA.to_owned(),
            parents: vec!["6104942438c14ec7bd21c6cd5bd995272b3faff6".to_owned()],
            git_ref: "main".to_owned(),
            tag: false,
            source: "push".to_owned(),
            status: "running".to_owned(),
            updated_at: SystemTime::now(),
            jobs: Vec::new(),
        }
    }

    /// A child: started by a bridge of the same project.
    pub fn child(id: u64) -> Self {
        Self::new(id).with(|child| child.source = "parent_pipeline".to_owned())
    }

    /// The same after a change.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Is of a merge request, at the head of its source branch.
    #[must_use]
    pub fn merge_request(mut self, iid: u64) -> Self {
        self.git_ref = format!("refs/merge-requests/{iid}/head");
        self.source = "merge_request_event".to_owned();
        self
    }

    /// Is of a merge request's merged result: a merge commit of these two, which only GitLab has.
    #[must_use]
    pub fn merged_result(mut self, iid: u64, target: &str, source: &str) -> Self {
        self = self.merge_request(iid);
        self.git_ref = format!("refs/merge-requests/{iid}/merge");
        self.parents = vec![target.to_owned(), source.to_owned()];
        self
    }

    /// Changed last so long ago.
    #[must_use]
    pub fn updated_ago(self, age: Duration) -> Self {
        self.with(|pipeline| pipeline.updated_at = SystemTime::now() - age)
    }

    /// Has one more job or bridge, the newest so far.
    #[must_use]
    pub fn job(self, job: Job) -> Self {
        self.with(|pipeline| pipeline.jobs.push(job))
    }

    /// Jobs or bridges, retried ones too, the newest first.
    pub(super) fn newest(&self, bridges: bool) -> Vec<&Job> {
        let jobs = self.jobs.iter();
        let mut jobs: Vec<_> = jobs
            .filter(|job| job.downstream.is_some() == bridges)
            .collect();
        jobs.sort_by_key(|job| Reverse(job.id));
        jobs
    }
}

impl Job {
    /// A job of stage `test` with any word for a status.
    pub fn new(name: &str, status: &str) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            stage: "test".to_owned(),
            status: status.to_owned(),
            failure_reason: "script_failure".to_owned(),
            allow_failure: false,
            retried: false,
            started: true,
            downstream: None,
            fields: Map::new(),
        }
    }

    /// A job that failed for GitLab's reason, such as `runner_system_failure`.
    pub fn failed(name: &str, reason: &str) -> Self {
        Self::new(name, "failed").with(|job| reason.clone_into(&mut job.failure_reason))
    }

    /// A trigger job, with the id of the pipeline that it created.
    pub fn bridge(name: &str, status: &str, downstream: Option<u64>) -> Self {
        Self::new(name, status).with(|bridge| bridge.downstream = Some(downstream))
    }

    /// The same after a change.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The same in this stage.
    #[must_use]
    pub fn stage(self, stage: &str) -> Self {
        self.with(|job| stage.clone_into(&mut job.stage))
    }

    /// Shows a field otherwise, or one that GitLab does not have yet. It has to keep to GitLab's
    /// schema: to break that, say a whole [`Answer`](crate::Answer).
    #[must_use]
    pub fn field(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(|job| drop(job.fields.insert(name.to_owned(), value.into())))
    }
}
