//! Commit hashes.

/// Whether `text` is a full SHA-1 or SHA-256 hash, in hexadecimal.
pub fn is_full_hash(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

/// Whether `text` is a hash or the beginning of one, which Bitbucket Cloud accepts too: 7 to 64
/// hexadecimal digits.
pub fn is_hash_or_prefix(text: &str) -> bool {
    (7..=64).contains(&text.len()) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a CI says about the commit.
///
/// Variables for the commit may hold branch names, `HEAD`, ARNs of S3 objects or version ids, so each
/// value is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DetectedCommit {
    /// No variable for the commit is set.
    #[default]
    Nothing,
    /// A full hash, in lower case.
    Hash(String),
    /// Not the hash of a commit that Bitbucket knows. It is never sent.
    Refused {
        /// Why, naming the variable.
        reason: String,
        /// The revision that git may resolve instead: `HEAD`, or the first digits of a hash.
        revision: Option<String>,
    },
}

impl DetectedCommit {
    /// The value of `variable`.
    pub(crate) fn of(variable: &'static str, value: Option<String>) -> Self {
        value.map_or(Self::Nothing, |value| Self::check(variable, &value))
    }

    /// The first of `candidates` that is set.
    pub(crate) fn first_set<const N: usize>(
        candidates: [(&'static str, Option<String>); N],
    ) -> Self {
        let set = candidates.into_iter().find(|(_, value)| value.is_some());
        set.map_or(Self::Nothing, |(variable, value)| Self::of(variable, value))
    }

    /// The first of `candidates` that is a hash; else the first that is set.
    pub(crate) fn first_hash<const N: usize>(
        candidates: [(&'static str, Option<String>); N],
    ) -> Self {
        let mut found = Self::Nothing;
        for (variable, value) in candidates {
            let Some(value) = value else { continue };
            match Self::check(variable, &value) {
                hash @ Self::Hash(_) => return hash,
                other if found == Self::Nothing => found = other,
                _ => {}
            }
        }
        found
    }

    /// A hash, or the first digits of one, which git may complete. In pull requests, webhooks of
    /// Bitbucket Cloud contain 12 digits, which CIs pass on.
    pub(crate) fn hash_or_prefix(variable: &'static str, value: Option<String>) -> Self {
        let found = Self::of(variable, value.clone());
        match value.filter(|value| is_hash_or_prefix(value)) {
            Some(prefix) => found.or_ask_git_for(&prefix),
            None => found,
        }
    }

    fn check(variable: &'static str, value: &str) -> Self {
        if is_full_hash(value) {
            Self::Hash(value.to_ascii_lowercase())
        } else {
            let reason = format!("{variable} is `{value}`, which is not a commit hash");
            Self::refused(reason)
        }
    }

    /// A value that is not used, for this reason.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
            revision: None,
        }
    }

    /// Lets git resolve `revision` if this is not a hash. For CIs that document such a value, or that
    /// the variable may be unset.
    #[must_use]
    pub(crate) fn or_ask_git_for(self, revision: &str) -> Self {
        let reason = match self {
            Self::Hash(_) => return self,
            Self::Nothing => "the CI does not name one".to_owned(),
            Self::Refused { reason, .. } => reason,
        };
        Self::Refused {
            reason,
            revision: Some(revision.to_owned()),
        }
    }

    /// The hash, if there is one.
    pub(crate) fn hash(&self) -> Option<&str> {
        match self {
            Self::Hash(hash) => Some(hash),
            Self::Nothing | Self::Refused { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    #[test]
    fn full_hashes_are_40_or_64_hexadecimal_digits() {
        let long = "0a".repeat(32);
        for (text, full, prefix) in [
            (SHA, true, true),
            (long.as_str(), true, true),
            ("1ecfd275763e", false, true),
            ("1ecfd2", false, false),
            ("HEAD", false, false),
            ("", false, false),
            ("zecfd275763eff1d6b4844ea3168962458c9f27a", false, false),
            ("1ecfd275763eff1d6b4844ea3168962458c9f27á", false, false),
        ] {
            assert_eq!(is_full_hash(text), full, "{text}");
            assert_eq!(is_hash_or_prefix(text), prefix, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_hash_is_kept_for_the_message_only() {
        let main = || Some("main".to_owned());
        let sha = || Some(SHA.to_uppercase());
        let set = |a, b| DetectedCommit::first_set([("A", a), ("B", b)]);
        let hash = |a, b| DetectedCommit::first_hash([("A", a), ("B", b)]);
        assert_eq!(set(None, sha()).hash(), Some(SHA));
        assert_eq!(hash(main(), sha()).hash(), Some(SHA));
        let refused = DetectedCommit::refused("A is `main`, which is not a commit hash");
        assert_eq!(set(main(), sha()), refused);
        assert_eq!(hash(main(), main()), refused);
        assert_eq!(hash(None, None), DetectedCommit::Nothing);
    }

    #[test]
    fn git_is_asked_for_the_rest_of_a_hash_and_for_no_word() {
        let found =
            |value: Option<&str>| DetectedCommit::hash_or_prefix("A", value.map(str::to_owned));
        assert_eq!(found(Some(SHA)).hash(), Some(SHA));
        let refused = DetectedCommit::refused("A is `1ecfd275763e`, which is not a commit hash");
        let prefix = refused.or_ask_git_for("1ecfd275763e");
        assert_eq!(found(Some("1ecfd275763e")), prefix);
        let refused = DetectedCommit::refused("A is `main`, which is not a commit hash");
        assert_eq!(found(Some("main")), refused);
        assert_eq!(found(None), DetectedCommit::Nothing);
    }
}
