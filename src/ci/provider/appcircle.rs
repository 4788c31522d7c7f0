//! Appcircle.
//! <https://docs.appcircle.io/environment-variables/appcircle-specific-environment-variables>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::info::{Provider, ProviderInfo, Sign};
use super::job_name;
use crate::ci::context::Context;
use crate::status::commit::DetectedCommit;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;
use crate::status::url::SEGMENT;

#[derive(Deserialize)]
pub(super) struct Appcircle {
    ac_build_number: Option<String>,
    ac_build_profile_id: Option<String>,
    ac_build_status: Option<BuildStatus>,
    ac_git_branch: Option<String>,
    ac_git_commit: Option<String>,
    ac_git_tag: Option<String>,
    ac_git_url: Option<String>,
    ac_internal_configuration_name: Option<String>,
    ac_provider_name: Option<String>,
    ac_pull_number: Option<String>,
    ac_repository_dir: Option<String>,
    ac_workflow_name: Option<String>,
}

#[derive(Deserialize)]
enum BuildStatus {
    Success,
    Warning,
    Failed,
    #[serde(other)]
    Unknown,
}

impl Provider for Appcircle {
    const INFO: ProviderInfo = ProviderInfo {
        id: "appcircle",
        name: "Appcircle",
        docs: "https://docs.appcircle.io/environment-variables/appcircle-specific-environment-variables",
        key: "appcircle",
        signs: &[Sign::Is("AC_APPCIRCLE", "true")],
        commit: &["AC_GIT_COMMIT"],
        state: Some("AC_BUILD_STATUS"),
        state_caveat: "it covers the steps so far, so report in a last step with `Always run this \
                       step even if the previous steps fail`",
        url_setting: "AC_BUILD_PROFILE_ID",
        secrets_caveat: "an environment variable group is passed if the build configuration \
                         selects it",
    };

    fn context(self) -> Context {
        let profile = self.ac_build_profile_id.as_deref();
        let mut repository = self.ac_git_url.as_deref().and_then(Repository::from_url);
        if let Some(it) = &mut repository
            && it.site == Site::Elsewhere
            && self.ac_provider_name.as_deref() == Some("Bitbucket Server")
        {
            it.site = Site::DataCenter { server: None };
        }
        // A repository may have a profile for iOS and another for Android, each with a `Default Push
        // Workflow`. No variable holds the profile's name, so the first digits of its id are used.
        let names = [
            self.ac_workflow_name.as_deref(),
            self.ac_internal_configuration_name.as_deref(),
            profile.and_then(|id| id.split('-').next()),
        ];
        Context {
            // An optional input of the step Git Clone. Without it, a branch or tag is checked out:
            // https://github.com/appcircleio/appcircle-git-clone-component
            commit: DetectedCommit::first_set([("AC_GIT_COMMIT", self.ac_git_commit)])
                .or_ask_git_for("HEAD"),
            branch: self.ac_git_branch,
            tag: self.ac_git_tag,
            repository,
            job_name: job_name::joined(&names),
            // The URL of the build's page has an id that no variable holds.
            pipeline_url: profile.map(|id| {
                let id = utf8_percent_encode(id, SEGMENT);
                format!("https://my.appcircle.io/build/detail/{id}")
            }),
            build_number: self.ac_build_number,
            pull_request: self.ac_pull_number,
            state: match self.ac_build_status {
                Some(BuildStatus::Success | BuildStatus::Warning) => Some(State::Successful),
                Some(BuildStatus::Failed) => Some(State::Failed),
                Some(BuildStatus::Unknown) | None => None,
            },
            directory: self.ac_repository_dir,
            ..Context::default()
        }
    }
}
