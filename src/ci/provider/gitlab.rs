//! GitLab CI. <https://docs.gitlab.com/ci/variables/predefined_variables/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct GitLab {
    ci_commit_branch: Option<String>,
    ci_commit_ref_name: Option<String>,
    ci_commit_sha: Option<String>,
    ci_commit_tag: Option<String>,
    ci_external_pull_request_iid: Option<String>,
    ci_external_pull_request_source_branch_name: Option<String>,
    ci_external_pull_request_source_branch_sha: Option<String>,
    ci_job_id: Option<String>,
    ci_job_name: Option<String>,
    ci_job_status: Option<String>,
    ci_job_url: Option<String>,
    ci_merge_request_iid: Option<String>,
    ci_merge_request_source_branch_name: Option<String>,
    ci_merge_request_source_branch_sha: Option<String>,
    ci_pipeline_id: Option<String>,
    ci_pipeline_iid: Option<String>,
    ci_pipeline_source: Option<String>,
    ci_pipeline_url: Option<String>,
    ci_project_name: Option<String>,
    ci_project_namespace: Option<String>,
    ci_project_url: Option<String>,
    ci_server_host: Option<String>,
    // GitLab 8
    ci_build_id: Option<String>,
    ci_build_name: Option<String>,
    ci_build_ref: Option<String>,
    ci_build_ref_name: Option<String>,
    ci_build_tag: Option<String>,
}

/// `running` before `after_script`, in which it is one of the others: `runtimeStateAndError` in
/// <https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/common/build.go>.
const STATES: &[(&str, State)] = &[
    ("success", State::Successful),
    ("failed", State::Failed),
    ("timedout", State::Failed),
    ("canceled", State::Stopped),
    ("running", State::InProgress),
];

impl Provider for GitLab {
    const INFO: ProviderInfo = ProviderInfo {
        id: "gitlab",
        name: "GitLab CI",
        docs: "https://docs.gitlab.com/ci/variables/predefined_variables/",
        key: "gitlab-ci",
        signs: &[Sign::Is("GITLAB_CI", "true")],
        commit: &[
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA",
            "CI_COMMIT_SHA",
        ],
        state: Some("CI_JOB_STATUS"),
        state_caveat: "it is final in after_script only; before that, the job is running",
        url_setting: "external_url in GitLab's gitlab.rb",
        secrets_caveat: "a protected CI/CD variable is missing in jobs of unprotected branches and \
                         tags, and in merge requests from forks",
    };

    fn context(self) -> Context {
        let tag = self.ci_commit_tag.or(self.ci_build_tag);
        let ref_name = self.ci_commit_ref_name.or(self.ci_build_ref_name);
        let pipeline_iid = self.ci_pipeline_iid.or(self.ci_pipeline_id);
        Context {
            // In merged results pipelines and merge trains, CI_COMMIT_SHA is a merge commit that
            // exists inside GitLab only: https://gitlab.com/gitlab-org/gitlab/-/issues/330964
            commit: DetectedCommit::first_set([
                (
                    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
                    self.ci_merge_request_source_branch_sha,
                ),
                (
                    "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA",
                    self.ci_external_pull_request_source_branch_sha,
                ),
                ("CI_COMMIT_SHA", self.ci_commit_sha),
                ("CI_BUILD_REF", self.ci_build_ref),
            ]),
            branch: self
                .ci_merge_request_source_branch_name
                .or(self.ci_external_pull_request_source_branch_name)
                .or(self.ci_commit_branch)
                .or(if tag.is_none() { ref_name } else { None }),
            tag,
            repository: self
                .ci_project_namespace
                .zip(self.ci_project_name)
                .map(|(owner, name)| Repository {
                    owner,
                    name,
                    host: self.ci_server_host,
                    site: Site::Mirror,
                }),
            // A child's job may have the name of one of its parent's.
            job_name: (self.ci_job_name.or(self.ci_build_name)).map(|name| {
                match self.ci_pipeline_source.as_deref() {
                    Some("parent_pipeline") => format!("child/{name}"),
                    _ => name,
                }
            }),
            url: self.ci_job_url.or_else(|| {
                let project = self.ci_project_url?;
                let current = self.ci_job_id.map(|id| format!("{project}/-/jobs/{id}"));
                current.or_else(|| self.ci_build_id.map(|id| format!("{project}/builds/{id}")))
            }),
            pipeline_url: self.ci_pipeline_url,
            build_number: pipeline_iid,
            pull_request: self
                .ci_merge_request_iid
                .or(self.ci_external_pull_request_iid),
            has_timed_out: self.ci_job_status.as_deref().is_some_and(State::is_timeout),
            state: State::named_in(STATES, self.ci_job_status),
            ..Context::default()
        }
    }
}
