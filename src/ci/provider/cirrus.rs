//! Cirrus CI. <https://cirrus-ci.org/guide/writing-tasks/#environment-variables>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Cirrus {
    ci_node_index: Option<String>,
    ci_node_total: Option<String>,
    cirrus_branch: Option<String>,
    cirrus_build_id: Option<String>,
    cirrus_change_in_repo: Option<String>,
    cirrus_pr: Option<String>,
    cirrus_repo_clone_url: Option<String>,
    cirrus_tag: Option<String>,
    cirrus_task_id: Option<String>,
    cirrus_task_name: Option<String>,
}

impl Provider for Cirrus {
    const INFO: ProviderInfo = ProviderInfo {
        id: "cirrus",
        name: "Cirrus CI",
        docs: "https://cirrus-ci.org/guide/writing-tasks/#environment-variables",
        key: "cirrus",
        signs: &[Sign::Is("CIRRUS_CI", "true")],
        commit: &["CIRRUS_CHANGE_IN_REPO"],
        state: None,
        state_caveat: "pass `passed` in a last script and `failed` in one under `on_failure:`",
        url_setting: "CIRRUS_TASK_ID",
        secrets_caveat: "encrypted variables are missing in changes by users without write access \
                         to the repository",
    };

    fn context(self) -> Context {
        let page = |kind: &str, id: Option<&String>| {
            Some(format!("https://cirrus-ci.com/{kind}/{}", segment(id?)))
        };
        // Matrix jobs share a name; the index counts all tasks of the build.
        let siblings = self.ci_node_total.is_some_and(|total| total != "1");
        let index = self.ci_node_index.filter(|_| siblings);
        Context {
            commit: DetectedCommit::of("CIRRUS_CHANGE_IN_REPO", self.cirrus_change_in_repo),
            // In a pull request, it is `pull/7`, and no variable holds the source branch.
            branch: self
                .cirrus_branch
                .filter(|_| self.cirrus_pr.is_none() && self.cirrus_tag.is_none()),
            tag: self.cirrus_tag,
            repository: Repository::cloned_from(self.cirrus_repo_clone_url),
            job_name: self.cirrus_task_name.map(|name| match index {
                Some(index) => format!("{name}/{index}"),
                None => name,
            }),
            url: page("task", self.cirrus_task_id.as_ref()),
            pipeline_url: page("build", self.cirrus_build_id.as_ref()),
            build_number: self.cirrus_build_id,
            pull_request: self.cirrus_pr,
            ..Context::default()
        }
    }
}
