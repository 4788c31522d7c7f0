//! Gitea Actions. <https://docs.gitea.com/usage/actions/comparison>

use super::actions::Actions;
use super::prelude::*;

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Gitea(Actions);

impl Provider for Gitea {
    const INFO: ProviderInfo = ProviderInfo {
        id: "gitea",
        name: "Gitea Actions",
        docs: "https://docs.gitea.com/usage/actions/comparison",
        key: "gitea",
        signs: &[
            Sign::Is("GITEA_ACTIONS", "true"),
            // Forgejo's runner, a fork of Gitea's, may set both.
            Sign::Unset("FORGEJO_ACTIONS"),
        ],
        commit: &["GITHUB_EVENT_PATH", "GITHUB_SHA"],
        state: None,
        state_caveat: "pass `${{ job.status }}` in a last step with `if: always()`",
        url_setting: "ROOT_URL in Gitea's app.ini",
        secrets_caveat: "a secret is passed when the step's env names it, and never to pull requests \
                         from forks",
    };

    fn context(self) -> Context {
        let Self(actions) = self;
        // Before Gitea 1.26, URLs had GITHUB_RUN_NUMBER, but no variable holds Gitea's version:
        // https://github.com/go-gitea/gitea/pull/36842
        let run = actions.run(actions.github_run_id.as_deref());
        Context {
            // The URL of the job's page has a number that no variable holds.
            url: run.clone(),
            pipeline_url: run,
            ..actions.context()
        }
    }
}
