//! Suggestions for mistyped words.

use super::commands::{COMMANDS, Shape};
use super::variables;
use crate::status::state::WORDS;

/// The least Jaro similarity of a suggestion, from 0 to 1.
const SIMILAR: f64 = 0.8;

/// The variable of ours that `name` is nearly. Some CIs have names like ours, so it must be very near.
pub(crate) fn meant_variable(name: &str) -> Option<&'static str> {
    const NEARLY: f64 = 0.97;
    let is_ours = name.starts_with("BITBUCKET_") || name.starts_with("BUILD_STATUS");
    let likeness = |known: &'static str| (known, strsim::jaro_winkler(name, known));
    let (known, likeness) = variables::names()
        .map(likeness)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (is_ours && likeness > NEARLY && known != name).then_some(known)
}

/// The command or state that is most similar to `word`, if one is similar enough.
pub(crate) fn nearest_word(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let states = WORDS.iter().flat_map(|(_, words)| words.iter().copied());
    let commands = COMMANDS.iter().filter_map(Shape::name);
    let likeness = |known: &'static str| (known, strsim::jaro(&word, known));
    commands
        .chain(states)
        .map(likeness)
        .filter(|(_, likeness)| *likeness > SIMILAR)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(known, _)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_nearly_one_of_ours_is_recognised() {
        for (name, expected) in [
            ("BITBUCKET_SERVER_URI", Some("BITBUCKET_SERVER_URL")),
            ("BITBUCKET_ACESS_TOKEN", Some("BITBUCKET_ACCESS_TOKEN")),
            ("BUILD_STATUS_KEYS", Some("BUILD_STATUS_KEY")),
            ("BITBUCKET_SERVER_URL", None),
            ("BITBUCKET_REPO_SLUG", None),
            ("BITBUCKET_COMMIT", None),
            ("BITBUCKET_BRANCH", None),
            ("BITBUCKET_BUILD_NUMBER", None),
            ("BITBUCKET_WORKSPACE", None),
            ("BUILD_NUMBER", None),
        ] {
            assert_eq!(meant_variable(name), expected, "{name}");
        }
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        for (word, expected) in [
            ("passd", Some("passed")),
            ("Faild", Some("failed")),
            ("ckeck", Some("check")),
            ("shwo", Some("show")),
            ("green", None),
            ("true", None),
            ("1", None),
        ] {
            assert_eq!(nearest_word(word), expected, "{word}");
        }
    }
}
