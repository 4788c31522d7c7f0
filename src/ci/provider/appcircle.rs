//! Appcircle.
//! <https://docs.appcircle.io/environment-variables/appcircle-specific-environment-variables>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Appcircle {
    ac_build_number: Option<String>,
    ac_build_profile_id: Option<String>,
    ac_build_status: Option<String>,
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

const STATES: &[(&str, State)] = &[
    ("Success", State::Successful),
    ("Warning", State::Successful),
    ("Failed", State::Failed),
];

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
        let mut repository = Repository::cloned_from(self.ac_git_url);
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
            commit: DetectedCommit::of("AC_GIT_COMMIT", self.ac_git_commit).or_ask_git_for("HEAD"),
            branch: self.ac_git_branch,
            tag: self.ac_git_tag,
            repository,
            job_name: job_name::joined(&names),
            // The URL of the build's page has an id that no variable holds.
            pipeline_url: profile
                .map(|id| format!("https://my.appcircle.io/build/detail/{}", segment(id))),
            build_number: self.ac_build_number,
            pull_request: self.ac_pull_number,
            state: State::named_in(STATES, self.ac_build_status),
            directory: self.ac_repository_dir,
            ..Context::default()
        }
    }
}
