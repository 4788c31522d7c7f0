//! Codefresh. <https://codefresh.io/docs/docs/pipelines/variables/>

use super::prelude::*;
use crate::status::commit::is_hash_or_prefix;

#[derive(Deserialize)]
pub(super) struct Codefresh {
    cf_branch: Option<String>,
    cf_build_url: Option<String>,
    cf_commit_url: Option<String>,
    cf_pipeline_name: Option<String>,
    cf_pull_request_head_commit_sha: Option<String>,
    cf_pull_request_number: Option<String>,
    cf_repo_name: Option<String>,
    cf_repo_owner: Option<String>,
    cf_revision: Option<String>,
    cf_step_name: Option<String>,
}

impl Provider for Codefresh {
    const INFO: ProviderInfo = ProviderInfo {
        id: "codefresh",
        name: "Codefresh",
        docs: "https://codefresh.io/docs/docs/pipelines/variables/",
        key: "codefresh",
        signs: &[Sign::Set("CF_BUILD_ID")],
        commit: &["CF_PULL_REQUEST_HEAD_COMMIT_SHA", "CF_REVISION"],
        state: None,
        state_caveat: "pass it in the pipeline's hooks `on_success` and `on_fail`, both with the same \
                       `--key`: the default key contains the name of the hook's step",
        url_setting: "CF_BUILD_URL",
        secrets_caveat: "variables of a shared configuration are passed only to pipelines that \
                         import it",
    };

    fn context(self) -> Context {
        let revision = self.cf_revision.clone();
        let found = DetectedCommit::first_set([
            (
                "CF_PULL_REQUEST_HEAD_COMMIT_SHA",
                self.cf_pull_request_head_commit_sha,
            ),
            ("CF_REVISION", self.cf_revision),
        ]);
        let path = self.cf_repo_owner.zip(self.cf_repo_name);
        let path = path.map(|(owner, name)| format!("{owner}/{name}"));
        // The commit's page is the only variable that names the host.
        let page = self.cf_commit_url.as_deref();
        let page = page.and_then(|url| Repository::from_url(url.split_once("/commit")?.0));
        let names = [self.cf_pipeline_name, self.cf_step_name];
        Context {
            // "Bitbucket sends only the short hash of a commit in PR events"
            commit: match revision {
                Some(prefix) if is_hash_or_prefix(&prefix) => found.or_ask_git_for(&prefix),
                _ => found,
            },
            // It may be a tag: no variable tells.
            branch: self.cf_branch,
            repository: path.and_then(|path| {
                let page = page.filter(|it| it.path().eq_ignore_ascii_case(&path));
                page.or_else(|| Repository::with_path(Some(path)))
            }),
            job_name: job_name::joined(&names),
            url: self.cf_build_url,
            pull_request: self.cf_pull_request_number,
            ..Context::default()
        }
    }
}
