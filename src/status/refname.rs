//! Branches and tags.

use std::fmt;

/// A branch or tag, by its name without `refs/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refname {
    /// `refs/heads/…`
    Branch(String),
    /// `refs/tags/…`
    Tag(String),
}

impl Refname {
    /// Reads a fully qualified ref. `None` for others, such as `refs/pull/7/merge`.
    pub fn from_full(text: &str) -> Option<Self> {
        let named = |prefix| text.strip_prefix(prefix).filter(|name| !name.is_empty());
        named("refs/heads/")
            .map(|name| Self::Branch(name.to_owned()))
            .or_else(|| named("refs/tags/").map(|name| Self::Tag(name.to_owned())))
    }

    /// The name without `refs/…`, as Bitbucket Cloud requires: with any other form "the
    /// build status disappears from the webpage and merge conditions will not work"
    /// (jenkinsci/bitbucket-branch-source-plugin#946).
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Branch(name) | Self::Tag(name) => name,
        }
    }

    /// The name with `refs/…`, as Bitbucket Data Center requires: `^refs/.*`.
    pub fn full(&self) -> String {
        match self {
            Self::Branch(name) => format!("refs/heads/{name}"),
            Self::Tag(name) => format!("refs/tags/{name}"),
        }
    }
}

impl fmt::Display for Refname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_heads_and_tags_have_names() {
        for (text, expected) in [
            ("refs/heads/a/b", Some(Refname::Branch("a/b".into()))),
            ("refs/tags/v1", Some(Refname::Tag("v1".into()))),
            ("refs/heads/", None),
            ("refs/pull/7/merge", None),
            ("main", None),
        ] {
            assert_eq!(Refname::from_full(text), expected, "{text}");
        }
    }
}
