//! Google Cloud Build.
//! <https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values>

use super::prelude::*;

/// Substitutions, which are variables where the user maps them: `automapSubstitutions: true` in
/// `options`, or one by one in a step's `env`.
#[derive(Deserialize)]
pub(super) struct CloudBuild {
    branch_name: Option<String>,
    build_id: Option<String>,
    commit_sha: Option<String>,
    location: Option<String>,
    project_id: Option<String>,
    repo_full_name: Option<String>,
    revision_id: Option<String>,
    tag_name: Option<String>,
    trigger_name: Option<String>,
    #[serde(rename = "_head_branch")]
    head_branch: Option<String>,
    #[serde(rename = "_pr_number")]
    pr_number: Option<String>,
}

impl Provider for CloudBuild {
    const INFO: ProviderInfo = ProviderInfo {
        id: "cloudbuild",
        name: "Google Cloud Build",
        docs: "https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values",
        key: "cloudbuild",
        // The only variable that every step has without mapping. It names the file for a step's
        // `buildStepOutputs`: https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds
        signs: &[Sign::Set("BUILDER_OUTPUT")],
        commit: &["COMMIT_SHA", "REVISION_ID"],
        state: None,
        state_caveat: "no step runs after a failed one: wrap the command in `build_status run`, \
                       with `--repository`, in a step with `automapSubstitutions: true`",
        url_setting: "LOCATION, BUILD_ID and PROJECT_ID",
        secrets_caveat: "a secret is passed when the build's availableSecrets has it and the step's \
                         secretEnv names it",
    };

    fn context(self) -> Context {
        let page = || {
            let builds = "https://console.cloud.google.com/cloud-build/builds";
            let location = segment(&self.location?);
            let (build, project) = (segment(&self.build_id?), segment(&self.project_id?));
            Some(format!(
                "{builds};region={location}/{build}?project={project}"
            ))
        };
        Context {
            commit: DetectedCommit::first_hash([
                ("COMMIT_SHA", self.commit_sha),
                ("REVISION_ID", self.revision_id),
            ]),
            branch: self.head_branch.or(self.branch_name),
            tag: self.tag_name,
            repository: Repository::with_path(self.repo_full_name),
            job_name: self.trigger_name,
            url: page(),
            pull_request: self.pr_number,
            ..Context::default()
        }
    }
}
