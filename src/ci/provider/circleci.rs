//! CircleCI. <https://circleci.com/docs/reference/variables/>

use super::prelude::*;
use crate::status::url;

#[derive(Deserialize)]
pub(super) struct CircleCi {
    circle_branch: Option<String>,
    circle_build_num: Option<String>,
    circle_build_url: Option<String>,
    circle_job: Option<String>,
    circle_node_index: Option<String>,
    circle_node_total: Option<String>,
    circle_pr_number: Option<String>,
    circle_project_reponame: Option<String>,
    circle_project_username: Option<String>,
    circle_pull_request: Option<String>,
    circle_repository_url: Option<String>,
    circle_sha1: Option<String>,
    circle_tag: Option<String>,
    circle_workflow_id: Option<String>,
}

impl Provider for CircleCi {
    const INFO: ProviderInfo = ProviderInfo {
        id: "circleci",
        name: "CircleCI",
        docs: "https://circleci.com/docs/reference/variables/",
        key: "circleci",
        signs: &[Sign::Is("CIRCLECI", "true")],
        commit: &["CIRCLE_SHA1"],
        state: None,
        state_caveat: "pass `passed` in a last step with `when: on_success` and `failed` in one with \
                       `when: on_fail`",
        url_setting: "CIRCLE_BUILD_URL",
        secrets_caveat: "a context's variables are passed to the jobs whose workflow names it, and \
                         to pull requests from forks only if the project allows it",
    };

    fn context(self) -> Context {
        // A self-hosted server has other URLs for its pages.
        let is_cloud = self.circle_build_url.as_deref().is_some_and(|url| {
            let host = url::host(url);
            host == "circleci.com" || host.ends_with(".circleci.com")
        });
        // `pull/7` in pull requests from forks
        let fork = self.circle_pr_number.as_ref();
        let fork = fork.map(|number| format!("pull/{number}"));
        Context {
            commit: DetectedCommit::of("CIRCLE_SHA1", self.circle_sha1),
            branch: self
                .circle_branch
                .filter(|name| Some(name) != fork.as_ref()),
            tag: self.circle_tag,
            // The URL is set for GitHub's OAuth app and Bitbucket Cloud only.
            repository: Repository::cloned_from(self.circle_repository_url).or_else(|| {
                let (owner, name) = (self.circle_project_username?, self.circle_project_reponame?);
                Repository::with_path(Some(format!("{owner}/{name}")))
            }),
            job_name: self.circle_job.map(|job| {
                job + &job_name::shard(0, self.circle_node_index, self.circle_node_total)
            }),
            url: self.circle_build_url,
            pipeline_url: self
                .circle_workflow_id
                .filter(|_| is_cloud)
                .map(|id| format!("https://app.circleci.com/pipelines/workflows/{id}")),
            build_number: self.circle_build_num,
            // The URL of a pull request: of one of them, if the branch has several.
            pull_request: self.circle_pr_number.or_else(|| {
                let (_, number) = self.circle_pull_request.as_deref()?.rsplit_once('/')?;
                Some(number.to_owned()).filter(|it| !it.is_empty())
            }),
            ..Context::default()
        }
    }
}
