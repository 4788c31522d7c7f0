//! GitLab's words for how a job ended, and why.
//! <https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/concerns/enums/ci/commit_status.rb>

use crate::gitlab::pipeline::Job;
use crate::status::state::State;

/// How a job stands, from what hides the others with the same key to what they hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Failed,
    Cancelled,
    /// Also in a word that is younger than this program: nothing unknown turns green.
    Running,
    Passed,
    /// Skipped, or waiting for a person.
    AtRest,
}

impl Standing {
    pub(super) fn of(job: &Job) -> Self {
        match job.status.as_str() {
            "success" => Self::Passed,
            "failed" => Self::Failed,
            "canceled" => Self::Cancelled,
            "skipped" | "manual" => Self::AtRest,
            _ => Self::Running,
        }
    }

    /// What is claimed for it. AtRest has a state only over an INPROGRESS.
    pub(super) const fn state(self) -> Option<State> {
        match self {
            Self::Failed => Some(State::Failed),
            Self::Cancelled | Self::AtRest => Some(State::Stopped),
            Self::Passed => Some(State::Successful),
            Self::Running => None,
        }
    }
}

/// What happened, where more is known of it than the state.
pub(super) fn description(job: &Job) -> Option<String> {
    if job.status == "skipped" || job.status == "manual" {
        return Some(match job.status.as_str() {
            "skipped" => "The job was skipped.".into(),
            _ => "The job waits to be started by hand.".into(),
        });
    }
    let reason = match (job.status.as_str(), job.failure_reason.as_deref()) {
        ("failed", reason) => reason_in_words(reason?),
        _ => return None,
    };
    let tolerated = if job.allow_failure {
        " (allowed to fail)"
    } else {
        ""
    };
    Some(format!("{reason}{tolerated}"))
}

fn reason_in_words(reason: &str) -> String {
    let words = match reason {
        "script_failure" => "the script failed",
        "job_execution_timeout"
        | "job_execution_server_timeout"
        | "server_timeout_running"
        | "server_timeout_canceling" => "timed out",
        "stuck_or_timeout_failure" => "stuck, or timed out",
        "stuck_pending_with_matching_runners"
        | "stuck_pending_no_matching_runners"
        | "no_matching_runner" => "no runner took the job",
        "runner_system_failure" | "no_updates_running" | "no_updates_canceling" => {
            "the runner was lost"
        }
        "runner_unsupported" => "the runner is too old",
        "runner_configuration_error" => "the runner is not configured for the job",
        "runner_external_dependency_failure" => "the runner missed something that it needs",
        "runner_interrupted" => "the runner was interrupted",
        "missing_dependency_failure" => "artifacts of another job are missing",
        "trace_size_exceeded" => "the job's log is too long",
        "unmet_prerequisites" => "the job's prerequisites failed",
        "downstream_pipeline_creation_failed" => "the downstream pipeline could not be created",
        "ci_quota_exceeded" => "no compute minutes are left",
        "user_blocked" => "the user is blocked",
        "unknown_failure" => "The build failed.",
        // Their words say it; new ones come with every release.
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_running_and_an_unknown_reason_is_told_as_it_is() {
        for word in ["superseded", "SUCCESS", ""] {
            let job = Job {
                status: word.into(),
                ..Job::default()
            };
            assert_eq!(Standing::of(&job), Standing::Running, "{word}");
        }
        assert_eq!(
            reason_in_words("protected_environment_failure"),
            "protected environment failure"
        );
    }
}
