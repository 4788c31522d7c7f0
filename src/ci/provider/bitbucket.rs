//! Bitbucket Pipelines. <https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Bitbucket {
    bitbucket_branch: Option<String>,
    bitbucket_build_number: Option<String>,
    bitbucket_clone_dir: Option<String>,
    bitbucket_commit: Option<String>,
    bitbucket_exit_code: Option<String>,
    bitbucket_parallel_step: Option<String>,
    bitbucket_parallel_step_count: Option<String>,
    bitbucket_pr_id: Option<String>,
    bitbucket_repo_full_name: Option<String>,
    bitbucket_tag: Option<String>,
}

impl Provider for Bitbucket {
    const INFO: ProviderInfo = ProviderInfo {
        id: "bitbucket",
        name: "Bitbucket Pipelines",
        docs: "https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/",
        key: "bitbucket",
        signs: &[Sign::Set("BITBUCKET_BUILD_NUMBER")],
        commit: &["BITBUCKET_COMMIT"],
        state: Some("BITBUCKET_EXIT_CODE"),
        state_caveat: "it is set in `after-script` only",
        url_setting: "BITBUCKET_REPO_FULL_NAME",
        secrets_caveat: "a deployment's variable is passed to the steps with that `deployment` only",
    };

    fn context(self) -> Context {
        let repository = self
            .bitbucket_repo_full_name
            .and_then(|path| Repository::at(Site::Cloud, Some("bitbucket.org"), &path));
        let page = |number: &String| {
            let repository = repository.as_ref()?;
            let (owner, name) = (segment(&repository.owner), segment(&repository.name));
            let pipelines = format!("https://bitbucket.org/{owner}/{name}/pipelines");
            Some(format!("{pipelines}/results/{number}"))
        };
        let url = self.bitbucket_build_number.as_ref().and_then(page);
        // No variable holds the step's name, and its UUID changes with each run.
        let total = self.bitbucket_parallel_step_count;
        let step = total.is_some().then(|| "step".to_owned());
        let shard = job_name::shard(0, self.bitbucket_parallel_step, total);
        Context {
            // 12 digits in pull requests. HEAD is no substitute: the target is merged into it.
            commit: DetectedCommit::hash_or_prefix("BITBUCKET_COMMIT", self.bitbucket_commit),
            branch: self.bitbucket_branch,
            tag: self.bitbucket_tag,
            repository,
            job_name: step.map(|step| step + &shard),
            url: url.clone(),
            pipeline_url: url,
            build_number: self.bitbucket_build_number,
            pull_request: self.bitbucket_pr_id,
            state: match self.bitbucket_exit_code.as_deref().map(str::parse::<i32>) {
                Some(Ok(0)) => Some(State::Successful),
                Some(Ok(_)) => Some(State::Failed),
                Some(Err(_)) | None => None,
            },
            directory: self.bitbucket_clone_dir,
            ..Context::default()
        }
    }
}
