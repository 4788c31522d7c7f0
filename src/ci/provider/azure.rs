//! Azure Pipelines.
//! <https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::info::{Provider, ProviderInfo, Sign};
use super::job_name;
use crate::ci::context::Context;
use crate::status::commit::DetectedCommit;
use crate::status::refname::Refname;
use crate::status::repository::Repository;
use crate::status::state::State;
use crate::status::url::SEGMENT;

#[derive(Deserialize)]
pub(super) struct Azure {
    agent_jobstatus: Option<JobStatus>,
    build_buildid: Option<String>,
    build_buildnumber: Option<String>,
    build_definitionname: Option<String>,
    build_repository_uri: Option<String>,
    build_sourcebranch: Option<String>,
    build_sourceversion: Option<String>,
    system_collectionuri: Option<String>,
    system_jobdisplayname: Option<String>,
    system_jobid: Option<String>,
    system_jobname: Option<String>,
    system_jobpositioninphase: Option<String>,
    system_pullrequest_pullrequestid: Option<String>,
    system_pullrequest_pullrequestnumber: Option<String>,
    system_pullrequest_sourcebranch: Option<String>,
    system_pullrequest_sourcecommitid: Option<String>,
    system_stagedisplayname: Option<String>,
    system_teamproject: Option<String>,
    system_totaljobsinphase: Option<String>,
}

#[derive(Deserialize)]
enum JobStatus {
    Succeeded,
    SucceededWithIssues,
    Failed,
    Canceled,
    #[serde(other)]
    Unknown,
}

impl Provider for Azure {
    const INFO: ProviderInfo = ProviderInfo {
        id: "azure",
        name: "Azure Pipelines",
        docs: "https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables",
        key: "azure",
        signs: &[Sign::Is("TF_BUILD", "True")],
        commit: &["SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"],
        state: Some("AGENT_JOBSTATUS"),
        state_caveat: "it is Succeeded until a step fails, so report in a last step with \
                       `condition: always()`",
        url_setting: "SYSTEM_COLLECTIONURI",
        secrets_caveat: "a secret variable is passed if the step maps it under `env:`, and to \
                         builds of forks only if the pipeline allows it",
    };

    fn context(self) -> Context {
        let source = self.build_sourcebranch.as_deref();
        let is_merge = source.is_some_and(|name| name.starts_with("refs/pull/"));
        let mut context = Context {
            commit: match self.system_pullrequest_sourcecommitid {
                None if is_merge => DetectedCommit::refused(
                    "BUILD_SOURCEVERSION is a merge commit in a pull request, and \
                     SYSTEM_PULLREQUEST_SOURCECOMMITID, which has the head, is not set",
                ),
                head => DetectedCommit::first_set([
                    ("SYSTEM_PULLREQUEST_SOURCECOMMITID", head),
                    ("BUILD_SOURCEVERSION", self.build_sourceversion),
                ]),
            },
            repository: self
                .build_repository_uri
                .as_deref()
                .and_then(Repository::from_url),
            job_name: job_name([
                // Several pipelines of a repository may have a job called `Job`.
                self.build_definitionname,
                self.system_stagedisplayname,
                self.system_jobdisplayname.or(self.system_jobname),
            ])
            .map(|job| {
                let (index, total) = (self.system_jobpositioninphase, self.system_totaljobsinphase);
                format!(
                    "{}{}",
                    &job,
                    job_name::shard(1, index.as_deref(), total.as_deref())
                )
            }),
            build_number: self.build_buildnumber,
            // For GitHub, the number is the one that people see, and the id another. For other hosts,
            // only the id is set.
            pull_request: self
                .system_pullrequest_pullrequestnumber
                .or(self.system_pullrequest_pullrequestid),
            state: self.agent_jobstatus.and_then(JobStatus::state),
            ..Context::default()
        };
        let pipeline = self.system_collectionuri.zip(self.system_teamproject);
        context.pipeline_url = pipeline
            .zip(self.build_buildid)
            .map(|((server, project), id)| {
                let server = server.trim_end_matches('/');
                let project = utf8_percent_encode(&project, SEGMENT);
                format!("{server}/{project}/_build/results?buildId={id}")
            });
        context.url = context
            .pipeline_url
            .clone()
            .map(|url| match self.system_jobid {
                Some(job) => format!("{url}&view=logs&j={job}"),
                None => url,
            });
        let head = self.system_pullrequest_sourcebranch.as_deref();
        context.set_refname(head.or(source).and_then(refname));
        context
    }
}

/// Joins the parts. A stage or job without a name is called `__default`.
fn job_name(parts: [Option<String>; 3]) -> Option<String> {
    let named = |part: Option<String>| part.filter(|part| part != "__default");
    job_name::joined(&parts.map(named))
}

/// Reads `refs/heads/main` or `main`. The latter is used for GitHub's pull requests, and was used for
/// branches on Bitbucket (<https://github.com/microsoft/azure-pipelines-tasks/issues/7595>).
fn refname(text: &str) -> Option<Refname> {
    let bare = !text.starts_with("refs/");
    Refname::from_full(text).or_else(|| bare.then(|| Refname::Branch(text.to_owned())))
}

impl JobStatus {
    fn state(self) -> Option<State> {
        match self {
            Self::Succeeded | Self::SucceededWithIssues => Some(State::Successful),
            Self::Failed => Some(State::Failed),
            Self::Canceled => Some(State::Stopped),
            Self::Unknown => None,
        }
    }
}
