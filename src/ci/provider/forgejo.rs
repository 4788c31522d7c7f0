//! Forgejo Actions. <https://forgejo.org/docs/latest/user/actions/reference/>

use super::actions::Actions;
use super::prelude::*;

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Forgejo(Actions);

impl Provider for Forgejo {
    const INFO: ProviderInfo = ProviderInfo {
        id: "forgejo",
        name: "Forgejo Actions",
        docs: "https://forgejo.org/docs/latest/user/actions/reference/",
        key: "forgejo",
        signs: &[Sign::Is("FORGEJO_ACTIONS", "true")],
        commit: &["GITHUB_EVENT_PATH", "GITHUB_SHA"],
        state: None,
        state_caveat: "pass `${{ job.status }}` in a last step with `if: always()`",
        url_setting: "ROOT_URL in Forgejo's app.ini",
        secrets_caveat: "a secret is passed when the step's env names it, and never to pull requests \
                         from forks",
    };

    fn context(self) -> Context {
        let Self(actions) = self;
        // URLs have the run's number in the repository; GITHUB_RUN_ID leads nowhere:
        // https://codeberg.org/forgejo/forgejo/issues/611
        let run = actions.run(actions.github_run_number.as_deref());
        Context {
            // The URL of the job's page has an index that no variable holds.
            url: run.clone(),
            pipeline_url: run,
            ..actions.context()
        }
    }
}
