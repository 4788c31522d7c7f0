//! Pipelines and jobs, as GitLab's API shows them.
//! <https://docs.gitlab.com/api/jobs/>

use serde::Deserialize;

use crate::error::Error;

/// A pipeline with its jobs, and those of its child pipelines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pipeline {
    /// What is known without its jobs. Where these are not shown, nothing.
    pub(crate) about: About,
    /// The newest attempt of each job. Trigger jobs ("bridges") are jobs too.
    pub(crate) jobs: Vec<Job>,
    /// Its child pipelines, as far as they are known.
    pub(crate) children: Vec<Child>,
    /// Whether there may be jobs that are not among these, because GitLab does not show them.
    pub(crate) is_cut: bool,
    /// What could not be read.
    pub(crate) problems: Vec<Error>,
}

/// A child pipeline, as its trigger job shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Child {
    pub(crate) about: About,
    /// Whether the pipeline passes without it.
    pub(crate) is_tolerated: bool,
}

/// What a list shows of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct About {
    /// Unique on the GitLab.
    pub(crate) id: u64,
    /// Unique in the project: what people see. Before 14.6 it is not shown.
    pub(crate) iid: Option<u64>,
    /// In merged results, of a merge commit that only GitLab has.
    pub(crate) sha: String,
    /// A branch or tag, or `refs/merge-requests/…`.
    #[serde(rename = "ref")]
    pub(crate) git_ref: String,
    /// Its page.
    pub(crate) web_url: String,
    /// One of GitLab's words.
    pub(crate) status: Option<String>,
    source: Option<String>,
    pub(super) project_id: Option<u64>,
}

impl About {
    /// The number that `CI_PIPELINE_IID`, or before it `CI_PIPELINE_ID`, has.
    pub(crate) fn number(&self) -> String {
        self.iid.unwrap_or(self.id).to_string()
    }

    /// The merge request that it is for.
    pub(crate) fn merge_request(&self) -> Option<u64> {
        let rest = self.git_ref.strip_prefix("refs/merge-requests/")?;
        rest.split('/').next()?.parse().ok()
    }

    /// Whether its commit is a merge commit that only GitLab has.
    pub(crate) fn is_merged_result(&self) -> bool {
        let merged = self.git_ref.ends_with("/merge") || self.git_ref.ends_with("/train");
        merged && self.merge_request().is_some()
    }

    pub(super) fn is_child(&self) -> bool {
        self.source.as_deref() == Some("parent_pipeline")
    }

    /// Whether it is a child of `parent`, whose trigger job started it: such a job may also start a
    /// pipeline of another branch. A GitLab that does not say where a pipeline came from tells the two
    /// apart by the commit.
    pub(super) fn is_child_of(&self, parent: &Self) -> bool {
        self.is_child() || (self.source.is_none() && self.sha == parent.sha)
    }
}

impl Pipeline {
    /// The commit as Bitbucket knows it. "target_id, source_id = commit.parent_ids":
    /// <https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/services/merge_requests/merge_to_ref_service.rb>
    pub(crate) fn commit(&self) -> Option<&str> {
        if !self.about.is_merged_result() {
            return Some(&self.about.sha);
        }
        let parents = &self.own_job()?.commit.as_ref()?.parent_ids;
        parents.get(1).map(String::as_str)
    }

    /// Whether it is of a tag.
    pub(crate) fn is_of_tag(&self) -> bool {
        self.own_job().is_some_and(|job| job.tag)
    }

    fn own_job(&self) -> Option<&Job> {
        self.jobs
            .iter()
            .find(|job| job.pipeline.id == self.about.id)
    }
}

/// A job, or a trigger job, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Job {
    /// Unique on the GitLab.
    pub(crate) id: u64,
    /// As in `CI_JOB_NAME`.
    pub(crate) name: String,
    /// As in `CI_JOB_STAGE`.
    #[serde(default)]
    pub(crate) stage: String,
    /// One of GitLab's words, or one that is younger than this program.
    pub(crate) status: String,
    /// Why it failed, in GitLab's word.
    pub(crate) failure_reason: Option<String>,
    /// Whether the pipeline passes without it.
    #[serde(default)]
    pub(crate) allow_failure: bool,
    /// Its page.
    pub(crate) web_url: String,
    /// The pipeline that it is in.
    pub(crate) pipeline: About,
    /// Whether that is a child.
    #[serde(skip)]
    pub(crate) is_child: bool,
    /// Whether a trigger job above it may fail.
    #[serde(skip)]
    pub(crate) is_below_tolerated: bool,
    /// Of a trigger job, once there is one.
    pub(super) downstream_pipeline: Option<About>,
    #[serde(default)]
    tag: bool,
    /// Null when it is gone.
    commit: Option<Commit>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Commit {
    #[serde(default)]
    parent_ids: Vec<String>,
}

impl Job {
    /// Its name, told from a namesake's in the parent pipeline.
    pub(crate) fn full_name(&self) -> String {
        let child = if self.is_child { "child/" } else { "" };
        format!("{child}{}", self.name)
    }
}
