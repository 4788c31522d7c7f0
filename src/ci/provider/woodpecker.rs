//! Woodpecker. <https://woodpecker-ci.org/docs/usage/environment>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Woodpecker {
    ci_commit_branch: Option<String>,
    ci_commit_pull_request: Option<String>,
    ci_commit_ref: Option<String>,
    ci_commit_sha: Option<String>,
    ci_commit_source_branch: Option<String>,
    ci_commit_tag: Option<String>,
    ci_forge_type: Option<String>,
    ci_forge_url: Option<String>,
    ci_pipeline_number: Option<String>,
    ci_pipeline_status: Option<String>,
    ci_pipeline_url: Option<String>,
    ci_repo: Option<String>,
    ci_repo_clone_url: Option<String>,
    ci_step_name: Option<String>,
    /// Gone since 3.0.
    ci_step_status: Option<String>,
    ci_step_url: Option<String>,
    ci_workflow_name: Option<String>,
    ci_workflow_number: Option<String>,
    ci_workspace: Option<String>,
}

const STATES: &[(&str, State)] = &[("success", State::Successful), ("failure", State::Failed)];

impl Provider for Woodpecker {
    const INFO: ProviderInfo = ProviderInfo {
        id: "woodpecker",
        name: "Woodpecker",
        docs: "https://woodpecker-ci.org/docs/usage/environment",
        key: "woodpecker",
        signs: &[Sign::Is("CI", "woodpecker")],
        commit: &["CI_COMMIT_SHA"],
        state: Some("CI_PIPELINE_STATUS"),
        state_caveat: "since 3.15, it is the workflow's state when the step begins, so report in a \
                       last step with `when: status: [success, failure]`",
        url_setting: "WOODPECKER_HOST",
        secrets_caveat: "a secret is passed when the step's `environment` names it with \
                         `from_secret`, and to pull requests when the secret's events say so",
    };

    fn context(self) -> Context {
        let path = self.ci_repo.as_deref();
        // Before 3.0, a pull request on Bitbucket Cloud had the target's branch and commit, and the
        // first number in its name as number: server/forge/bitbucket/convert.go
        let is_pull_request = self.ci_commit_source_branch.is_some();
        let full_ref = self.ci_commit_ref.unwrap_or_default();
        let is_target = is_pull_request && full_ref.starts_with("refs/heads/");
        Context {
            commit: if is_target {
                DetectedCommit::refused(format!(
                    "CI_COMMIT_SHA belongs to `{full_ref}`, the target of the pull request"
                ))
            } else {
                DetectedCommit::hash_or_prefix("CI_COMMIT_SHA", self.ci_commit_sha)
            },
            branch: match (self.ci_commit_source_branch, &self.ci_commit_tag) {
                (None, Some(_)) => None,
                (source, _) => source.or(self.ci_commit_branch),
            },
            tag: self.ci_commit_tag,
            repository: match self.ci_forge_type.as_deref() {
                Some("bitbucket") => {
                    path.and_then(|path| Repository::at(Site::Cloud, Some("bitbucket.org"), path))
                }
                Some("bitbucket_dc") => path.and_then(|path| {
                    let server = self.ci_forge_url;
                    Repository::at(Site::DataCenter { server }, None, path)
                }),
                _ => Repository::cloned_from(self.ci_repo_clone_url)
                    .or_else(|| Repository::with_path(self.ci_repo)),
            },
            // Matrix jobs share their workflow's name, but not its number, which a restart keeps.
            job_name: job_name::joined(&[
                self.ci_workflow_name
                    .map(|name| match self.ci_workflow_number {
                        Some(number) => format!("{name} {number}"),
                        None => name,
                    }),
                self.ci_step_name,
            ]),
            url: self.ci_step_url.or_else(|| self.ci_pipeline_url.clone()),
            pipeline_url: self.ci_pipeline_url,
            build_number: self.ci_pipeline_number,
            pull_request: self.ci_commit_pull_request.filter(|_| !is_target),
            state: match State::named_in(STATES, self.ci_pipeline_status) {
                // "always being set to `success`" before 3.0: https://woodpecker-ci.org/migrations
                Some(State::Successful) if self.ci_step_status.is_some() => None,
                state => state,
            },
            directory: self.ci_workspace,
            ..Context::default()
        }
    }
}
