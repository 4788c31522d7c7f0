//! Harness CI.
//! <https://developer.harness.io/docs/continuous-integration/troubleshoot-ci/ci-env-var/>

use serde::Deserialize;

use super::info::{Provider, ProviderInfo, Sign};
use super::job_name;
use crate::ci::context::Context;
use crate::status::commit::DetectedCommit;
use crate::status::refname::Refname;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;

#[derive(Deserialize)]
pub(super) struct Harness {
    ci_build_link: Option<String>,
    drone_branch: Option<String>,
    drone_build_link: Option<String>,
    drone_build_status: Option<Status>,
    drone_commit_sha: Option<String>,
    drone_git_http_url: Option<String>,
    drone_git_ssh_url: Option<String>,
    drone_pull_request: Option<String>,
    drone_remote_url: Option<String>,
    drone_repo: Option<String>,
    drone_source_branch: Option<String>,
    drone_stage_name: Option<String>,
    drone_stage_status: Option<Status>,
    drone_step_name: Option<String>,
    drone_tag: Option<String>,
    harness_build_id: Option<String>,
    harness_pipeline_id: Option<String>,
    harness_stage_index: Option<String>,
    harness_stage_total: Option<String>,
    harness_step_index: Option<String>,
    harness_step_total: Option<String>,
    harness_workspace: Option<String>,
}

/// "`success` or `true`", "`failed` or `false`".
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[serde(alias = "true")]
    Success,
    #[serde(alias = "false", alias = "failure")]
    Failed,
    #[serde(other)]
    Unknown,
}

impl Provider for Harness {
    const INFO: ProviderInfo = ProviderInfo {
        id: "harness",
        name: "Harness CI",
        docs: "https://developer.harness.io/docs/continuous-integration/troubleshoot-ci/ci-env-var/",
        key: "harness",
        signs: &[Sign::Set("HARNESS_BUILD_ID")],
        commit: &["DRONE_COMMIT_SHA"],
        state: Some("DRONE_STAGE_STATUS"),
        state_caveat: "it is the stage's state when the step begins, so report in a last step with \
                       `when: stageStatus: All`",
        url_setting: "the account's vanity URL",
        secrets_caveat: "a secret is passed when the step's environment variables name it as \
                         `<+secrets.getValue(\"…\")>`",
    };

    fn context(self) -> Context {
        let stage = job_name::shard(
            0,
            self.harness_stage_index.as_deref(),
            self.harness_stage_total.as_deref(),
        );
        let step = job_name::shard(
            0,
            self.harness_step_index.as_deref(),
            self.harness_step_total.as_deref(),
        );
        let urls = [
            self.drone_git_http_url,
            self.drone_git_ssh_url,
            self.drone_remote_url,
        ];
        let path = self.drone_repo.as_deref();
        let link = self.drone_build_link.or(self.ci_build_link);
        // `refs/tags/v1` in a build of a tag, the target in a pull request
        let branch = self
            .drone_branch
            .map(|it| Refname::from_full(&it).unwrap_or(Refname::Branch(it)));
        let mut context = Context {
            // "For Bitbucket PR builds … a shortened SHA"
            commit: DetectedCommit::hash_or_prefix("DRONE_COMMIT_SHA", self.drone_commit_sha),
            repository: urls
                .iter()
                .flatten()
                .find_map(|url| Repository::from_url(url))
                .or_else(|| Repository::at(Site::Elsewhere, None, path?)),
            job_name: job_name::joined(&[
                self.harness_pipeline_id,
                self.drone_stage_name.map(|name| name + &stage),
                self.drone_step_name.map(|name| name + &step),
            ]),
            url: link.clone(),
            pipeline_url: link,
            build_number: self.harness_build_id,
            state: match self.drone_stage_status.or(self.drone_build_status) {
                Some(Status::Success) => Some(State::Successful),
                Some(Status::Failed) => Some(State::Failed),
                Some(Status::Unknown) | None => None,
            },
            directory: self.harness_workspace,
            ..Context::default()
        };
        context.set_refname(match (&self.drone_pull_request, self.drone_tag) {
            (Some(_), _) => self.drone_source_branch.map(Refname::Branch),
            (None, Some(tag)) => Some(Refname::Tag(tag)),
            (None, None) => branch,
        });
        context.pull_request = self.drone_pull_request;
        context
    }
}
