//! Codemagic. <https://docs.codemagic.io/yaml-basic-configuration/environment-variables/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Codemagic {
    build_number: Option<String>,
    cm_branch: Option<String>,
    cm_build_dir: Option<String>,
    cm_build_id: Option<String>,
    cm_build_step_status: Option<String>,
    cm_commit: Option<String>,
    cm_project_id: Option<String>,
    cm_pull_request_number: Option<String>,
    cm_repo_slug: Option<String>,
    cm_tag: Option<String>,
    cm_test_step_status: Option<String>,
    cm_workflow_name: Option<String>,
}

/// Not `skipped`: failed tests may have kept the build from starting.
const STATES: &[(&str, State)] = &[("success", State::Successful), ("failure", State::Failed)];

impl Provider for Codemagic {
    const INFO: ProviderInfo = ProviderInfo {
        id: "codemagic",
        name: "Codemagic",
        docs: "https://docs.codemagic.io/yaml-basic-configuration/environment-variables/",
        key: "codemagic",
        signs: &[Sign::Set("CM_BUILD_ID")],
        commit: &["CM_COMMIT"],
        state: Some("CM_BUILD_STEP_STATUS"),
        state_caveat: "it is set in the Workflow Editor's scripts after the build; with \
                       `codemagic.yaml`, pass the state in `publishing: scripts`, which run after a \
                       failure too",
        url_setting: "CM_PROJECT_ID and CM_BUILD_ID",
        secrets_caveat: "a variable group is passed when the workflow's environment names it under \
                         groups",
    };

    fn context(self) -> Context {
        let page = || {
            let (app, build) = (segment(&self.cm_project_id?), segment(&self.cm_build_id?));
            Some(format!("https://codemagic.io/app/{app}/build/{build}"))
        };
        let tests = State::named_in(STATES, self.cm_test_step_status);
        Context {
            commit: DetectedCommit::of("CM_COMMIT", self.cm_commit),
            branch: self.cm_branch,
            tag: self.cm_tag,
            // No variable holds the host; the git remote has it.
            repository: Repository::with_path(self.cm_repo_slug),
            job_name: self.cm_workflow_name,
            url: page(),
            build_number: self.build_number,
            pull_request: self.cm_pull_request_number,
            state: tests
                .filter(|state| *state == State::Failed)
                .or_else(|| State::named_in(STATES, self.cm_build_step_status)),
            directory: self.cm_build_dir,
            ..Context::default()
        }
    }
}
