//! Codemagic. <https://docs.codemagic.io/yaml-basic-configuration/environment-variables/>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::info::{Provider, ProviderInfo, Sign};
use crate::ci::context::Context;
use crate::status::commit::DetectedCommit;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;
use crate::status::url::SEGMENT;

#[derive(Deserialize)]
pub(super) struct Codemagic {
    build_number: Option<String>,
    cm_branch: Option<String>,
    cm_build_dir: Option<String>,
    cm_build_id: Option<String>,
    cm_build_step_status: Option<StepStatus>,
    cm_commit: Option<String>,
    cm_project_id: Option<String>,
    cm_pull_request_number: Option<String>,
    cm_repo_slug: Option<String>,
    cm_tag: Option<String>,
    cm_test_step_status: Option<StepStatus>,
    cm_workflow_name: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum StepStatus {
    Success,
    Failure,
    /// Includes `skipped`: failed tests may have kept the build from starting.
    #[serde(other)]
    Unknown,
}

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
        let segment = |id: String| utf8_percent_encode(&id, SEGMENT).to_string();
        let project = self.cm_project_id.map(segment);
        let steps = [self.cm_test_step_status, self.cm_build_step_status];
        Context {
            commit: DetectedCommit::first_set([("CM_COMMIT", self.cm_commit)]),
            branch: self.cm_branch,
            tag: self.cm_tag,
            // No variable holds the host; the git remote has it.
            repository: self
                .cm_repo_slug
                .and_then(|path| Repository::at(Site::Elsewhere, None, &path)),
            job_name: self.cm_workflow_name,
            url: project
                .zip(self.cm_build_id.map(segment))
                .map(|(app, build)| format!("https://codemagic.io/app/{app}/build/{build}")),
            build_number: self.build_number,
            pull_request: self.cm_pull_request_number,
            state: match steps {
                [Some(StepStatus::Failure), _] | [_, Some(StepStatus::Failure)] => {
                    Some(State::Failed)
                }
                [_, Some(StepStatus::Success)] => Some(State::Successful),
                _ => None,
            },
            directory: self.cm_build_dir,
            ..Context::default()
        }
    }
}
