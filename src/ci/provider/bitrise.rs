//! Bitrise. <https://docs.bitrise.io/en/bitrise-ci/references/available-environment-variables.html>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Bitrise {
    bitrise_app_title: Option<String>,
    bitrise_build_number: Option<String>,
    bitrise_build_status: Option<String>,
    bitrise_build_url: Option<String>,
    bitrise_git_branch: Option<String>,
    bitrise_git_commit: Option<String>,
    bitrise_git_tag: Option<String>,
    bitrise_io_parallel_index: Option<String>,
    bitrise_io_parallel_total: Option<String>,
    bitrise_pull_request: Option<String>,
    bitrise_source_dir: Option<String>,
    bitrise_triggered_workflow_id: Option<String>,
    git_clone_commit_hash: Option<String>,
    git_repository_url: Option<String>,
}

/// `0` until a step has failed.
const STATES: &[(&str, State)] = &[("0", State::Successful), ("1", State::Failed)];

impl Provider for Bitrise {
    const INFO: ProviderInfo = ProviderInfo {
        id: "bitrise",
        name: "Bitrise",
        docs: "https://docs.bitrise.io/en/bitrise-ci/references/available-environment-variables.html",
        key: "bitrise",
        signs: &[Sign::Is("BITRISE_IO", "true")],
        commit: &["BITRISE_GIT_COMMIT", "GIT_CLONE_COMMIT_HASH"],
        state: Some("BITRISE_BUILD_STATUS"),
        state_caveat: "it is 0 until a step fails, so report in the last step, with \
                       `is_always_run: true`",
        url_setting: "BITRISE_BUILD_URL",
        secrets_caveat: "a secret is missing in builds of pull requests unless it is exposed to them",
    };

    fn context(self) -> Context {
        let in_pull_request = self.bitrise_pull_request.is_some();
        // Copies of one workflow, counted from 0.
        let shard = job_name::shard(
            0,
            self.bitrise_io_parallel_index,
            self.bitrise_io_parallel_total,
        );
        let workflow = self.bitrise_triggered_workflow_id;
        let workflow = workflow.map(|workflow| workflow + &shard);
        Context {
            commit: match self.bitrise_git_commit {
                // Builds that are started manually or on a schedule have only a branch. In a pull
                // request, HEAD is no substitute: it is a merge commit.
                None if !in_pull_request => {
                    DetectedCommit::of("GIT_CLONE_COMMIT_HASH", self.git_clone_commit_hash)
                        .or_ask_git_for("HEAD")
                }
                // Bitbucket Cloud's webhooks have 12 digits of a pull request's head:
                // https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
                commit => DetectedCommit::hash_or_prefix("BITRISE_GIT_COMMIT", commit),
            },
            branch: self.bitrise_git_branch,
            tag: self.bitrise_git_tag,
            repository: Repository::cloned_from(self.git_repository_url),
            // One repository may have an app for each platform, both with a workflow `primary`.
            job_name: workflow.and_then(|it| job_name::joined(&[self.bitrise_app_title, Some(it)])),
            url: self.bitrise_build_url,
            build_number: self.bitrise_build_number,
            pull_request: self.bitrise_pull_request,
            state: State::named_in(STATES, self.bitrise_build_status),
            directory: self.bitrise_source_dir,
            ..Context::default()
        }
    }
}
