//! Azure Pipelines.
//! <https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Azure {
    agent_jobstatus: Option<String>,
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

const STATES: &[(&str, State)] = &[
    ("Succeeded", State::Successful),
    ("SucceededWithIssues", State::Successful),
    ("Failed", State::Failed),
    ("Canceled", State::Stopped),
];

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
        let head = self.system_pullrequest_sourcebranch.as_deref();
        let page = || {
            let server = self.system_collectionuri?;
            let (server, project) = (server.trim_end_matches('/'), self.system_teamproject?);
            let (project, id) = (segment(&project), self.build_buildid?);
            Some(format!("{server}/{project}/_build/results?buildId={id}"))
        };
        let pipeline_url = page();
        Context {
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
            repository: Repository::cloned_from(self.build_repository_uri),
            job_name: job_name([
                // Several pipelines of a repository may have a job called `Job`.
                self.build_definitionname,
                self.system_stagedisplayname,
                self.system_jobdisplayname.or(self.system_jobname),
            ])
            .map(|job| {
                let (index, total) = (self.system_jobpositioninphase, self.system_totaljobsinphase);
                job + &job_name::shard(1, index, total)
            }),
            url: pipeline_url.clone().map(|url| match self.system_jobid {
                Some(job) => format!("{url}&view=logs&j={job}"),
                None => url,
            }),
            pipeline_url,
            build_number: self.build_buildnumber,
            // For GitHub, the number is the one that people see, and the id another. For other hosts,
            // only the id is set.
            pull_request: self
                .system_pullrequest_pullrequestnumber
                .or(self.system_pullrequest_pullrequestid),
            state: State::named_in(STATES, self.agent_jobstatus),
            ..Context::on(head.or(source).and_then(refname))
        }
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
