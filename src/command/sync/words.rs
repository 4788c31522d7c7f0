//! GitLab's words for how a job ended, and why.
//! <https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/concerns/enums/ci/commit_status.rb>

use crate::gitlab::pipeline::{About, Job};
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

/// How GitLab says that a pipeline stands, unless it may have passed. One that waits for a person has
/// not.
pub(super) fn of_pipeline(pipeline: &About) -> Option<Standing> {
    match pipeline.status.as_deref()? {
        "success" | "skipped" => None,
        "failed" => Some(Standing::Failed),
        "canceled" => Some(Standing::Cancelled),
        _ => Some(Standing::Running),
    }
}

/// What happened, where more is known of it than the state.
pub(super) fn description(job: &Job) -> Option<String> {
    match (job.status.as_str(), job.failure_reason.as_deref()) {
        ("skipped", _) => Some("The job was skipped.".into()),
        ("manual", _) => Some("The job waits to be started by hand.".into()),
        ("failed", reason) => {
            let reason = in_words(reason.unwrap_or("unknown_failure"));
            let tolerated = ["", " (allowed to fail)"][usize::from(job.allow_failure)];
            Some(format!("{reason}{tolerated}"))
        }
        _ => None,
    }
}

/// Most of GitLab's words are a phrase with underscores. These say it better.
const REASONS: &[(&str, &str)] = &[
    (
        "downstream_pipeline_creation_failed",
        "the downstream pipeline could not be created",
    ),
    ("job_execution_server_timeout", "timed out"),
    ("job_execution_timeout", "timed out"),
    (
        "missing_dependency_failure",
        "artifacts of another job are missing",
    ),
    ("no_matching_runner", "no runner took the job"),
    ("no_updates_canceling", "the runner was lost"),
    ("no_updates_running", "the runner was lost"),
    ("runner_interrupted", "the runner was interrupted"),
    ("runner_system_failure", "the runner was lost"),
    ("script_failure", "the script failed"),
    ("server_timeout_canceling", "timed out"),
    ("server_timeout_running", "timed out"),
    ("stuck_or_timeout_failure", "stuck, or timed out"),
    (
        "stuck_pending_no_matching_runners",
        "no runner took the job",
    ),
    (
        "stuck_pending_with_matching_runners",
        "no runner took the job",
    ),
];

fn in_words(reason: &str) -> String {
    let known = REASONS.iter().find(|(word, _)| *word == reason);
    known.map_or_else(
        || reason.replace('_', " "),
        |(_, words)| (*words).to_owned(),
    )
}

/// A description where there are no jobs to count, and GitLab says this or nothing of the pipeline.
pub(super) fn without_counts(said: Option<State>) -> String {
    let word = match said {
        None => return "No job that counts has run.".into(),
        Some(State::Failed) => "failed",
        Some(State::Stopped) => "was cancelled",
        Some(_) => "has not ended",
    };
    format!("GitLab says that the pipeline {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_running_and_an_unknown_reason_is_told_as_it_is() {
        for word in ["superseded", "SUCCESS", ""] {
            let mut job = Job::default();
            word.clone_into(&mut job.status);
            assert_eq!(Standing::of(&job), Standing::Running, "{word}");
        }
        assert_eq!(
            in_words("protected_environment_failure"),
            "protected environment failure"
        );
    }
}
