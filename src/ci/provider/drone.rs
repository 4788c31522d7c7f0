//! Drone. <https://docs.drone.io/pipeline/environment/reference/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Drone {
    drone_branch: Option<String>,
    drone_build_link: Option<String>,
    drone_build_number: Option<String>,
    drone_build_status: Option<String>,
    drone_commit_sha: Option<String>,
    drone_git_http_url: Option<String>,
    drone_git_ssh_url: Option<String>,
    drone_pull_request: Option<String>,
    drone_remote_url: Option<String>,
    drone_repo: Option<String>,
    drone_source_branch: Option<String>,
    drone_stage_name: Option<String>,
    drone_stage_status: Option<String>,
    drone_step_name: Option<String>,
    drone_tag: Option<String>,
    drone_workspace: Option<String>,
}

const STATES: &[(&str, State)] = &[("success", State::Successful), ("failure", State::Failed)];

impl Provider for Drone {
    const INFO: ProviderInfo = ProviderInfo {
        id: "drone",
        name: "Drone",
        docs: "https://docs.drone.io/pipeline/environment/reference/",
        key: "drone",
        signs: &[
            Sign::Is("DRONE", "true"),
            // Harness sets Drone's variables too.
            Sign::Unset("HARNESS_BUILD_ID"),
        ],
        commit: &["DRONE_COMMIT_SHA"],
        state: Some("DRONE_STAGE_STATUS"),
        state_caveat: "it is the stage's state when the step begins, so report in a last step with \
                       `when: status: [success, failure]`",
        url_setting: "DRONE_SERVER_HOST and DRONE_SERVER_PROTO",
        secrets_caveat: "a secret is passed when the step's `environment` names it with \
                         `from_secret`, and to pull requests when the secret allows them",
    };

    fn context(self) -> Context {
        let is_pull_request = self.drone_pull_request.is_some();
        Context {
            commit: DetectedCommit::hash_or_prefix("DRONE_COMMIT_SHA", self.drone_commit_sha),
            branch: match (is_pull_request, &self.drone_tag) {
                // DRONE_BRANCH is the target.
                (true, _) => self.drone_source_branch,
                // DRONE_BRANCH may be the tag.
                (false, Some(_)) => None,
                (false, None) => self.drone_branch,
            },
            tag: self.drone_tag,
            repository: Repository::cloned_from(self.drone_git_http_url)
                .or_else(|| Repository::cloned_from(self.drone_git_ssh_url))
                .or_else(|| Repository::cloned_from(self.drone_remote_url))
                .or_else(|| Repository::with_path(self.drone_repo)),
            job_name: job_name::joined(&[self.drone_stage_name, self.drone_step_name]),
            // CI_BUILD_LINK is the commit's page on the forge.
            url: self.drone_build_link.clone(),
            pipeline_url: self.drone_build_link,
            build_number: self.drone_build_number,
            pull_request: self.drone_pull_request,
            state: State::named_in(STATES, self.drone_stage_status.or(self.drone_build_status)),
            directory: self.drone_workspace,
            ..Context::default()
        }
    }
}
