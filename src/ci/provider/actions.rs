//! GitHub's variables, which Gitea and Forgejo set too.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>

use super::matrix;
use super::prelude::*;
use crate::ci::context::Namesakes;
use crate::file;
use crate::status::url;

/// The first three are not GitHub's: it has no variables for a matrix or for the job's page. Only
/// `github` and `runner` are contexts that the runner puts into the environment (the classes that are
/// `IEnvironmentContextData` in <https://github.com/actions/runner/tree/main/src/Runner.Worker>).
/// `action.yml` sets them; a step without it can do so:
///
/// ```yaml
/// env:
///   BUILD_STATUS_MATRIX: ${{ toJSON(matrix) }}
///   BUILD_STATUS_JOB_TOTAL: ${{ strategy.job-total }}
///   BUILD_STATUS_CHECK_RUN_ID: ${{ job.check_run_id }}
/// ```
#[derive(Deserialize)]
pub(super) struct Actions {
    /// The number in the URL of the job's page on GitHub. On older servers, Gitea and Forgejo, the
    /// expression is an empty string.
    build_status_check_run_id: Option<String>,
    /// How many jobs the matrix has; 1 without one.
    build_status_job_total: Option<String>,
    build_status_matrix: Option<String>,
    github_event_path: Option<String>,
    github_head_ref: Option<String>,
    github_job: Option<String>,
    github_ref: Option<String>,
    github_repository: Option<String>,
    pub(super) github_run_attempt: Option<String>,
    pub(super) github_run_id: Option<String>,
    pub(super) github_run_number: Option<String>,
    github_server_url: Option<String>,
    github_sha: Option<String>,
    github_workflow: Option<String>,
}

/// The fields used from the webhook's payload.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>
#[derive(Deserialize)]
struct Event {
    pull_request: Option<PullRequest>,
}

#[derive(Deserialize)]
struct PullRequest {
    number: Option<u64>,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

impl Actions {
    /// The page of the run with this id or number.
    pub(super) fn run(&self, run: Option<&str>) -> Option<String> {
        let server = self.github_server_url.as_deref()?.trim_end_matches('/');
        let repository = self.github_repository.as_deref()?;
        Some(format!("{server}/{repository}/actions/runs/{}", run?))
    }

    /// The id in the URL of the job's page, if it is a number.
    pub(super) fn check_run_id(&self) -> Option<&str> {
        let id = self.build_status_check_run_id.as_deref()?;
        id.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
    }

    /// Whether the job's name lacks the values of a matrix.
    fn namesakes(&self, values: &str) -> Namesakes {
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let matrix = self.build_status_matrix.as_deref().unwrap_or("null").trim();
        if !matrix.starts_with('{') && matrix != "null" {
            // One of its values, in place of the whole.
            return Namesakes::Matrix;
        }
        match self.build_status_job_total.as_deref().filter(is_number) {
            _ if !values.is_empty() => Namesakes::None,
            Some("0" | "1") => Namesakes::None,
            Some(_) => Namesakes::Matrix,
            None if self.build_status_matrix.is_none() => Namesakes::Unknown,
            None => Namesakes::None,
        }
    }

    /// What the variables mean, except the URLs of pages, which differ between the products.
    pub(super) fn context(self) -> Context {
        let event = self.github_event_path.as_deref().and_then(file::text);
        let event: Option<Event> = event.and_then(|text| serde_json::from_str(&text).ok());
        let pull_request = event.and_then(|event| event.pull_request);
        // `pull_request`, `pull_request_target`, `pull_request_review` …: the head is the source
        // branch, and GITHUB_SHA a merge commit, which Bitbucket does not have, or the target's head.
        // In a container or a clean environment without GITHUB_HEAD_REF, the ref tells.
        let merge = |full: &str| full.starts_with("refs/pull/") && full.ends_with("/merge");
        let is_pull_request =
            self.github_head_ref.is_some() || self.github_ref.as_deref().is_some_and(merge);
        let values = matrix::suffix(self.build_status_matrix.as_deref());
        let namesakes = self.namesakes(&values);
        let job = self.github_job.map(|job| job + &values);
        let refname = match self.github_head_ref {
            Some(source) => Some(Refname::Branch(source)),
            None => self.github_ref.as_deref().and_then(Refname::from_full),
        };
        Context {
            commit: match &pull_request {
                Some(pull_request) => DetectedCommit::of(
                    "pull_request.head.sha in GITHUB_EVENT_PATH",
                    Some(pull_request.head.sha.clone()),
                ),
                None if is_pull_request => DetectedCommit::refused(match &self.github_event_path {
                    Some(path) => format!(
                        "GITHUB_SHA may be a merge commit in a pull request, and the file with the \
                         head, `{path}` (GITHUB_EVENT_PATH), cannot be read"
                    ),
                    None => "GITHUB_SHA may be a merge commit in a pull request, and \
                             GITHUB_EVENT_PATH, which names the file with the head, is not set"
                        .to_owned(),
                }),
                None => DetectedCommit::of("GITHUB_SHA", self.github_sha),
            },
            repository: self.github_repository.as_deref().and_then(|path| {
                let host = url::host(self.github_server_url.as_deref()?);
                Repository::at(Site::Elsewhere, Some(&host), path)
            }),
            // Jobs of different workflows may share a name.
            job_name: job_name::joined(&[self.github_workflow, job]),
            build_number: self.github_run_number,
            namesakes,
            pull_request: pull_request.and_then(|it| Some(it.number?.to_string())),
            ..Context::on(refname)
        }
    }
}
