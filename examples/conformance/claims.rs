//! Claims, and what became of them.

use crate::bitbucket::{Answer, Bitbucket};

/// What became of a claim.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    True,
    /// Bitbucket does this instead.
    False(String),
    /// It could not be asked, and why.
    Unknown(String),
}

/// Whether asking may store a status.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asks {
    /// By reading only.
    Reading,
    /// By a report that is to be refused. If the claim is false, it is stored.
    BeingRefused,
    /// By reports that are stored.
    Writing,
}

/// Something that the stand-in does, and Bitbucket is said to do.
pub(crate) struct Claim {
    pub(crate) text: &'static str,
    pub(crate) asks: Asks,
    pub(crate) ask: fn(&Bitbucket) -> Result<Found, String>,
}

impl Claim {
    pub(crate) fn found(&self, bitbucket: &Bitbucket) -> Found {
        (self.ask)(bitbucket)
            .unwrap_or_else(|reason| Found::Unknown(format!("no answer: {reason}")))
    }
}

/// The claim holds if `answer` has this status, and all of these words in its body.
pub(crate) fn says(answer: &Answer, status: u16, words: &[&str]) -> Found {
    let has = |word: &&str| answer.text.contains(*word);
    if answer.status == status && words.iter().all(has) {
        Found::True
    } else {
        instead(answer)
    }
}

/// The claim holds if `is_so`; else `answer` shows why not.
pub(crate) fn holds(is_so: bool, answer: &Answer) -> Found {
    if is_so { Found::True } else { instead(answer) }
}

pub(crate) fn instead(answer: &Answer) -> Found {
    Found::False(describe(answer))
}

/// Status and the beginning of the body.
pub(crate) fn describe(answer: &Answer) -> String {
    let beginning: String = answer.text.trim().chars().take(300).collect();
    format!("HTTP {} {beginning}", answer.status)
        .trim_end()
        .to_owned()
}

/// The first of several that is not true.
pub(crate) fn all(found: impl IntoIterator<Item = Found>) -> Found {
    let mut found = found.into_iter();
    found.find(|it| *it != Found::True).unwrap_or(Found::True)
}
