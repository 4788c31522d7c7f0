//! Buildkite. <https://buildkite.com/docs/pipelines/configure/environment-variables>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Buildkite {
    buildkite_branch: Option<String>,
    buildkite_build_checkout_path: Option<String>,
    buildkite_build_number: Option<String>,
    buildkite_build_url: Option<String>,
    buildkite_command: Option<String>,
    buildkite_command_exit_status: Option<String>,
    buildkite_commit: Option<String>,
    /// The label of the group that the step is in.
    buildkite_group_label: Option<String>,
    buildkite_job_cancelled: Option<String>,
    buildkite_job_id: Option<String>,
    buildkite_job_timed_out: Option<String>,
    buildkite_label: Option<String>,
    buildkite_last_hook_exit_status: Option<String>,
    buildkite_parallel_job: Option<String>,
    buildkite_parallel_job_count: Option<String>,
    buildkite_pipeline_slug: Option<String>,
    buildkite_pull_request: Option<String>,
    buildkite_repo: Option<String>,
    buildkite_step_key: Option<String>,
    buildkite_tag: Option<String>,
}

impl Provider for Buildkite {
    const INFO: ProviderInfo = ProviderInfo {
        id: "buildkite",
        name: "Buildkite",
        docs: "https://buildkite.com/docs/pipelines/configure/environment-variables",
        key: "buildkite",
        signs: &[Sign::Is("BUILDKITE", "true")],
        commit: &["BUILDKITE_COMMIT"],
        state: Some("BUILDKITE_COMMAND_EXIT_STATUS"),
        state_caveat: "it is set in the hooks `post-command` and `pre-exit` only; a hook that failed \
                       before (`BUILDKITE_LAST_HOOK_EXIT_STATUS`) means FAILED",
        url_setting: "BUILDKITE_BUILD_URL",
        secrets_caveat: "a Buildkite secret is passed when the pipeline's or step's `secrets` names \
                         it, and into a container when the plugin passes it on",
    };

    fn context(self) -> Context {
        let state = self.state();
        let has_timed_out = self.buildkite_job_timed_out.as_deref() == Some("true");
        let shard = job_name::shard(
            0,
            self.buildkite_parallel_job,
            self.buildkite_parallel_job_count,
        );
        // The key of a step is the same in all jobs of its matrix; the label may differ.
        let step = self.buildkite_label.or(self.buildkite_step_key);
        // A step needs neither. Its command tells it apart; several commands are lines.
        let command = self.buildkite_command.as_deref().unwrap_or_default();
        let command = command.lines().map(str::trim).find(|it| !it.is_empty());
        let step = step.or(command.map(str::to_owned));
        let pull_request = self.buildkite_pull_request.filter(|it| it != "false");
        let branch = self
            .buildkite_branch
            .filter(|it| self.buildkite_tag.as_ref() != Some(it));
        Context {
            commit: DetectedCommit::of("BUILDKITE_COMMIT", self.buildkite_commit)
                .or_ask_git_for("HEAD"),
            // `user:branch` in a pull request from a fork. No branch has a colon.
            branch: branch.map(|it| match it.split_once(':') {
                Some((_, branch)) => branch.to_owned(),
                None => it,
            }),
            tag: self.buildkite_tag,
            repository: Repository::cloned_from(self.buildkite_repo),
            job_name: job_name::joined(&[
                self.buildkite_pipeline_slug,
                self.buildkite_group_label,
                step,
            ])
            .map(|it| it + &shard),
            url: self.buildkite_build_url.clone().map(|build| {
                let job = self.buildkite_job_id.map(|id| format!("#{id}"));
                build + &job.unwrap_or_default()
            }),
            pipeline_url: self.buildkite_build_url,
            build_number: self.buildkite_build_number,
            pull_request,
            has_timed_out,
            state,
            directory: self.buildkite_build_checkout_path,
            ..Context::default()
        }
    }
}

impl Buildkite {
    fn state(&self) -> Option<State> {
        let is = |it: &Option<String>| it.as_deref() == Some("true");
        // First: a job that timed out is also cancelled (`Cancel` in internal/job of
        // https://github.com/buildkite/agent).
        if is(&self.buildkite_job_timed_out) {
            return Some(State::Failed);
        }
        if is(&self.buildkite_job_cancelled) {
            return Some(State::Stopped);
        }
        let status = |it: &Option<String>| it.as_deref()?.parse::<i64>().ok();
        // A hook that fails fails the job, also before the command and after one that passed. One that
        // passes sets 0 again (`runWrappedShellScriptHook`, in the same place).
        let last_hook = status(&self.buildkite_last_hook_exit_status).unwrap_or(0);
        match (last_hook, status(&self.buildkite_command_exit_status)) {
            (0, None) => None,
            (0, Some(0)) => Some(State::Successful),
            // -1 if the hook or the command was killed.
            _ => Some(State::Failed),
        }
    }
}
