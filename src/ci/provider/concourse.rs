//! Concourse. <https://concourse-ci.org/docs/resource-types/implementing/#metadata>

use super::prelude::*;

/// The variables of a resource's `get` and `put`. A task has only `ATC_EXTERNAL_URL` (`TaskEnv` in
/// <https://github.com/concourse/concourse/blob/master/atc/exec/step_metadata.go>). No step has the
/// commit.
#[derive(Deserialize)]
pub(super) struct Concourse {
    atc_external_url: Option<String>,
    build_id: Option<String>,
    build_job_name: Option<String>,
    build_name: Option<String>,
    build_pipeline_instance_vars: Option<String>,
    build_pipeline_name: Option<String>,
    build_status: Option<String>,
    build_team_name: Option<String>,
    build_url: Option<String>,
}

const STATES: &[(&str, State)] = &[
    ("success", State::Successful),
    ("failure", State::Failed),
    ("errored", State::Failed),
    ("aborted", State::Stopped),
];

impl Provider for Concourse {
    const INFO: ProviderInfo = ProviderInfo {
        id: "concourse",
        name: "Concourse",
        docs: "https://concourse-ci.org/docs/resource-types/implementing/#metadata",
        key: "concourse",
        signs: &[Sign::Set("ATC_EXTERNAL_URL")],
        commit: &[],
        state: Some("BUILD_STATUS"),
        state_caveat: "it is set in a `put` of a job's `on_success`, `on_failure`, `on_abort` or \
                       `on_error`; in a `task` there, pass the state",
        url_setting: "CONCOURSE_EXTERNAL_URL of Concourse's web node",
        secrets_caveat: "a credential is passed when the resource's source or the task's params \
                         name it",
    };

    fn context(self) -> Context {
        let server = self.atc_external_url.as_deref();
        let server = server.map(|url| url.trim_end_matches('/'));
        // The instances of a pipeline share its name. fly writes `{"branch":"main"}` as `branch:main`:
        // https://concourse-ci.org/docs/pipelines/grouping-pipelines/
        let instance = self.build_pipeline_instance_vars;
        let instance = instance.map(|vars| vars.replace(['{', '}', '"'], ""));
        let instance = instance.filter(|vars| !vars.is_empty());
        let team_and_pipeline = self.build_team_name.zip(self.build_pipeline_name.clone());
        Context {
            pipeline_url: server
                .zip(team_and_pipeline.filter(|_| instance.is_none()))
                .map(|(server, (team, pipeline))| {
                    let (team, pipeline) = (segment(&team), segment(&pipeline));
                    format!("{server}/teams/{team}/pipelines/{pipeline}")
                }),
            // A one-off build has no job.
            job_name: self.build_job_name.map(|job| {
                let names = [self.build_pipeline_name, instance, Some(job)];
                names.into_iter().flatten().collect::<Vec<_>>().join("/")
            }),
            url: self.build_url.or_else(|| {
                let build = segment(&self.build_id?);
                server.map(|server| format!("{server}/builds/{build}"))
            }),
            build_number: self.build_name,
            state: State::named_in(STATES, self.build_status),
            ..Context::default()
        }
    }
}
