//! Semaphore. <https://docs.semaphore.io/reference/env-vars>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Semaphore {
    /// Undocumented, like the pipeline's name: `plumber/` in
    /// <https://github.com/semaphoreio/semaphore>.
    semaphore_block_name: Option<String>,
    semaphore_git_pr_number: Option<String>,
    semaphore_git_pr_sha: Option<String>,
    semaphore_git_sha: Option<String>,
    semaphore_git_tag_name: Option<String>,
    semaphore_git_url: Option<String>,
    semaphore_git_working_branch: Option<String>,
    semaphore_job_id: Option<String>,
    semaphore_job_name: Option<String>,
    semaphore_job_result: Option<String>,
    semaphore_organization_url: Option<String>,
    semaphore_pipeline_id: Option<String>,
    semaphore_pipeline_name: Option<String>,
    semaphore_pipeline_result: Option<String>,
    semaphore_workflow_id: Option<String>,
    semaphore_workflow_number: Option<String>,
}

const STATES: &[(&str, State)] = &[
    // "the job has not yet finished"
    ("none", State::InProgress),
    ("passed", State::Successful),
    ("failed", State::Failed),
    ("stopped", State::Stopped),
    ("canceled", State::Stopped),
];

impl Provider for Semaphore {
    const INFO: ProviderInfo = ProviderInfo {
        id: "semaphore",
        name: "Semaphore",
        docs: "https://docs.semaphore.io/reference/env-vars",
        key: "semaphore",
        signs: &[Sign::Is("SEMAPHORE", "true")],
        commit: &["SEMAPHORE_GIT_PR_SHA", "SEMAPHORE_GIT_SHA"],
        state: Some("SEMAPHORE_JOB_RESULT"),
        state_caveat: "it is final in the epilogue only; in the jobs of after_pipeline, the \
                       pipeline's result is used (SEMAPHORE_PIPELINE_RESULT)",
        url_setting: "SEMAPHORE_ORGANIZATION_URL",
        secrets_caveat: "a secret is passed to the blocks that name it, and to pull requests from \
                         forks only if the project's settings allow it",
    };

    fn context(self) -> Context {
        let page = |kind: &str, id: Option<&String>| {
            let server = self.semaphore_organization_url.as_deref()?;
            let (server, id) = (server.trim_end_matches('/'), segment(id?));
            Some(format!("{server}/{kind}/{id}"))
        };
        let workflow = page("workflows", self.semaphore_workflow_id.as_ref());
        let url = page("jobs", self.semaphore_job_id.as_ref());
        // Other blocks, and promoted pipelines, may have jobs of the same name.
        let names = [
            self.semaphore_pipeline_name,
            self.semaphore_block_name,
            // With a suffix ` - 2/4` or ` - RUBY=3.3, DB=mysql` for parallel and matrix jobs.
            self.semaphore_job_name,
        ];
        Context {
            commit: match (&self.semaphore_git_pr_number, self.semaphore_git_pr_sha) {
                (_, Some(sha)) => DetectedCommit::of("SEMAPHORE_GIT_PR_SHA", Some(sha)),
                (Some(_), None) => DetectedCommit::refused(
                    "SEMAPHORE_GIT_SHA is a merge commit in a pull request, and \
                     SEMAPHORE_GIT_PR_SHA, which has the head, is not set",
                ),
                (None, None) => DetectedCommit::of("SEMAPHORE_GIT_SHA", self.semaphore_git_sha),
            },
            // SEMAPHORE_GIT_BRANCH is the target of a pull request.
            branch: self.semaphore_git_working_branch,
            tag: self.semaphore_git_tag_name,
            repository: Repository::cloned_from(self.semaphore_git_url),
            job_name: job_name::joined(&names),
            url,
            pipeline_url: workflow.map(|url| match self.semaphore_pipeline_id {
                Some(id) => format!("{url}?pipeline_id={}", segment(&id)),
                None => url,
            }),
            build_number: self.semaphore_workflow_number,
            pull_request: self.semaphore_git_pr_number,
            // A report from after_pipeline is about the pipeline.
            state: State::named_in(
                STATES,
                self.semaphore_pipeline_result.or(self.semaphore_job_result),
            ),
            ..Context::default()
        }
    }
}
