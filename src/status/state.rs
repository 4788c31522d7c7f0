//! The four states of a build, and the words that users may write for them.

use std::fmt;

/// The state of a build, in the words of Bitbucket Cloud.
///
/// <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/>
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Queued or running.
    InProgress,
    /// Passed.
    Successful,
    /// Failed, broken or timed out.
    Failed,
    /// Cancelled or skipped.
    Stopped,
}

/// The words that `STATE` and `BUILD_STATUS` accept for each state, in upper or lower case.
pub const WORDS: &[(State, &[&str])] = &[
    (
        State::InProgress,
        &["running", "pending", "started", "inprogress", "in_progress"],
    ),
    (
        State::Successful,
        &["passed", "success", "successful", "succeeded"],
    ),
    (
        State::Failed,
        &[
            "failed",
            "failure",
            "error",
            "errored",
            "timedout",
            "timed_out",
            "unstable",
        ],
    ),
    (
        State::Stopped,
        &[
            "stopped",
            "canceled",
            "cancelled",
            "aborted",
            "skipped",
            "not_built",
        ],
    ),
];

impl State {
    /// The state for a user's word. Unknown words are not guessed.
    pub fn from_word(word: &str) -> Option<Self> {
        WORDS.iter().find_map(|(state, words)| {
            words
                .iter()
                .any(|known| known.eq_ignore_ascii_case(word))
                .then_some(*state)
        })
    }

    /// The state for a CI's word, by a table of that CI's words. Others say nothing.
    pub(crate) fn named_in(words: &[(&str, Self)], word: Option<String>) -> Option<Self> {
        let word = word?;
        let known = words.iter().find(|(known, _)| *known == word);
        known.map(|(_, state)| *state)
    }

    /// The state in Bitbucket Cloud's API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::Failed => "FAILED",
            Self::Stopped => "STOPPED",
        }
    }

    /// The default description: that of GitLab's `build_status` script.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::InProgress => "The build is running!",
            Self::Successful => "The build passed!",
            Self::Failed => "The build failed.",
            Self::Stopped => "The build was stopped.",
        }
    }

    /// Whether `word` says that the build timed out.
    pub(crate) fn is_timeout(word: &str) -> bool {
        ["timedout", "timed_out"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
    }

    /// Whether the build has ended.
    pub(crate) const fn is_final(self) -> bool {
        !matches!(self, Self::InProgress)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_case_and_belong_to_one_state_each() {
        for (state, words) in WORDS {
            for word in *words {
                assert_eq!(State::from_word(word), Some(*state));
                assert_eq!(State::from_word(&word.to_uppercase()), Some(*state));
            }
        }
    }

    #[test]
    fn unknown_words_are_never_guessed() {
        for word in [
            "", "ok", "1", "0", "true", "green", "passed!", "pass", "unknown",
        ] {
            assert_eq!(State::from_word(word), None, "{word}");
        }
    }

    #[test]
    fn json_and_text_say_the_same_word() {
        for (state, _) in WORDS {
            assert_eq!(
                serde_json::to_value(state).unwrap(),
                serde_json::json!(state.to_string())
            );
        }
    }
}
