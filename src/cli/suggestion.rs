//! Suggestions for mistyped words.

use super::commands::{COMMANDS, Shape};
use crate::status::state::WORDS;

/// The least Jaro similarity of a suggestion, from 0 to 1.
const SIMILAR: f64 = 0.8;

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
