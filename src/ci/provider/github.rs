//! GitHub Actions.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>

use super::actions::Actions;
use super::prelude::*;

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct GitHub(Actions);

impl Provider for GitHub {
    const INFO: ProviderInfo = ProviderInfo {
        id: "github",
        name: "GitHub Actions",
        docs: "https://docs.github.com/en/actions/reference/workflows-and-actions/variables",
        key: "github",
        signs: &[
            Sign::Is("GITHUB_ACTIONS", "true"),
            // Gitea and Forgejo set GitHub's variables too.
            Sign::Unset("GITEA_ACTIONS"),
            Sign::Unset("FORGEJO_ACTIONS"),
        ],
        commit: &["GITHUB_EVENT_PATH", "GITHUB_SHA"],
        state: None,
        state_caveat: "pass `${{ job.status }}` in a last step with `if: always()`",
        url_setting: "GITHUB_SERVER_URL",
        secrets_caveat: "a secret is passed when the step's env names it, and never to workflows of \
                         forks",
    };

    fn context(self) -> Context {
        let Self(actions) = self;
        let run = actions.run(actions.github_run_id.as_deref());
        let (job, attempt) = (actions.check_run_id(), &actions.github_run_attempt);
        let url = run.as_ref().map(|run| match (job, attempt) {
            (Some(job), _) => format!("{run}/job/{job}"),
            (None, Some(attempt)) => format!("{run}/attempts/{attempt}"),
            (None, None) => run.clone(),
        });
        Context {
            url,
            pipeline_url: run,
            ..actions.context()
        }
    }
}
