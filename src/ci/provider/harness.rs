//! Harness CI.
//! <https://developer.harness.io/docs/continuous-integration/troubleshoot-ci/ci-env-var/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Harness {
    ci_build_link: Option<String>,
    drone_branch: Option<String>,
    drone_build_link: Option<String>,
    drone_build_status: Option<String>,
    drone_commit_sha: Option<String>,
    drone_git_http_url: Option<String>,
    drone_git_ssh_url: Option<String>,
    drone_pull_request: Option<String>,
    drone_remote_url: Option<String>,
    drone_repo: Option<String>,
    drone_source_branch: Option<String>,
    drone_stage_name: Option<String>,
    drone_stage_status: Option<String>,
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
const STATES: &[(&str, State)] = &[
    ("success", State::Successful),
    ("true", State::Successful),
    ("failed", State::Failed),
    ("failure", State::Failed),
    ("false", State::Failed),
];

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
        let stage = job_name::shard(0, self.harness_stage_index, self.harness_stage_total);
        let step = job_name::shard(0, self.harness_step_index, self.harness_step_total);
        let link = self.drone_build_link.or(self.ci_build_link);
        // `refs/tags/v1` in a build of a tag, the target in a pull request
        let branch = self
            .drone_branch
            .map(|it| Refname::from_full(&it).unwrap_or(Refname::Branch(it)));
        let refname = match (&self.drone_pull_request, self.drone_tag) {
            (Some(_), _) => self.drone_source_branch.map(Refname::Branch),
            (None, Some(tag)) => Some(Refname::Tag(tag)),
            (None, None) => branch,
        };
        Context {
            // "For Bitbucket PR builds … a shortened SHA"
            commit: DetectedCommit::hash_or_prefix("DRONE_COMMIT_SHA", self.drone_commit_sha),
            repository: Repository::cloned_from(self.drone_git_http_url)
                .or_else(|| Repository::cloned_from(self.drone_git_ssh_url))
                .or_else(|| Repository::cloned_from(self.drone_remote_url))
                .or_else(|| Repository::with_path(self.drone_repo)),
            job_name: job_name::joined(&[
                self.harness_pipeline_id,
                self.drone_stage_name.map(|name| name + &stage),
                self.drone_step_name.map(|name| name + &step),
            ]),
            url: link.clone(),
            pipeline_url: link,
            build_number: self.harness_build_id,
            pull_request: self.drone_pull_request,
            state: State::named_in(STATES, self.drone_stage_status.or(self.drone_build_status)),
            directory: self.harness_workspace,
            ..Context::on(refname)
        }
    }
}
