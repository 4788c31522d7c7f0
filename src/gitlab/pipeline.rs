//! Pipelines and jobs, as GitLab's API shows them.
//! <https://docs.gitlab.com/api/jobs/>

use serde::Deserialize;

/// A pipeline with its jobs, and those of its child pipelines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pipeline {
    /// What is known without its jobs.
    pub(crate) about: About,
    /// Whether it is of a tag.
    pub(crate) tag: bool,
    /// The second parent of its commit.
    pub(crate) second_parent: Option<String>,
    /// The newest attempt of each job. Trigger jobs ("bridges") are jobs too.
    pub(crate) jobs: Vec<Job>,
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
}

impl Pipeline {
    /// The commit as Bitbucket knows it. "target_id, source_id = commit.parent_ids":
    /// <https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/services/merge_requests/merge_to_ref_service.rb>
    pub(crate) fn commit(&self) -> Option<&str> {
        if self.about.is_merged_result() {
            self.second_parent.as_deref()
        } else {
            Some(&self.about.sha)
        }
    }
}

/// A job, or a trigger job.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Job {
    /// Unique on the GitLab.
    pub(crate) id: u64,
    /// As in `CI_JOB_NAME`.
    pub(crate) name: String,
    /// As in `CI_JOB_STAGE`.
    pub(crate) stage: String,
    /// One of GitLab's words, or one that is younger than this program.
    pub(crate) status: String,
    /// Why it failed, in GitLab's word.
    pub(crate) failure_reason: Option<String>,
    /// Whether the pipeline passes without it.
    pub(crate) allow_failure: bool,
    /// Its page.
    pub(crate) web_url: String,
    /// The id of its pipeline.
    pub(crate) pipeline: u64,
    /// The number of its pipeline.
    pub(crate) number: String,
    /// Whether its pipeline is a child.
    pub(crate) is_child: bool,
    /// Whether a trigger job above it may fail.
    pub(crate) is_below_tolerated: bool,
}

impl Job {
    /// Its name, told from a namesake's in the parent pipeline.
    pub(crate) fn full_name(&self) -> String {
        let child = if self.is_child { "child/" } else { "" };
        format!("{child}{}", self.name)
    }
}

/// A job in a list, as far as it matters.
#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) id: u64,
    name: String,
    #[serde(default)]
    stage: String,
    status: String,
    failure_reason: Option<String>,
    #[serde(default)]
    pub(super) allow_failure: bool,
    web_url: String,
    #[serde(default)]
    pub(super) tag: bool,
    /// Null when the commit is gone.
    pub(super) commit: Option<Commit>,
    pub(super) pipeline: About,
    /// Of a trigger job, once there is one.
    pub(super) downstream_pipeline: Option<About>,
}

#[derive(Deserialize)]
pub(super) struct Commit {
    #[serde(default)]
    pub(super) parent_ids: Vec<String>,
}

impl Row {
    pub(super) fn into_job(self, is_child: bool, is_below_tolerated: bool) -> Job {
        Job {
            id: self.id,
            name: self.name,
            stage: self.stage,
            status: self.status,
            failure_reason: self.failure_reason,
            allow_failure: self.allow_failure,
            web_url: self.web_url,
            number: self.pipeline.number(),
            pipeline: self.pipeline.id,
            is_child,
            is_below_tolerated,
        }
    }
}
