//! Which endpoint a path means.

use crate::percent::decode;

/// An endpoint with its parameters, decoded.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    User,
    In(Repository),
}

/// A repository, or a commit in it.
#[derive(Debug, PartialEq)]
pub(super) struct Repository {
    pub(super) workspace: String,
    pub(super) slug: String,
    pub(super) commit: Option<Commit>,
}

/// Something of a commit.
#[derive(Debug, PartialEq)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) part: Part,
}

/// What of a commit.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// The commit itself.
    Itself,
    /// Its statuses, listed.
    Statuses,
    /// Where build statuses are posted.
    Builds,
    /// The build status with this key, which may contain slashes, encoded or not.
    Build(String),
}

impl Route {
    /// The endpoint of a request target. One slash at the end does not matter.
    pub(super) fn of(target: &str) -> Option<Self> {
        let path = target.split('?').next()?.strip_prefix("/2.0/")?;
        let mut parts: Vec<&str> = path.splitn(8, '/').collect();
        parts.pop_if(|last| last.is_empty());
        if parts == ["user"] {
            return Some(Self::User);
        }
        let ["repositories", workspace, slug, rest @ ..] = &parts[..] else {
            return None;
        };
        let commit = match rest {
            [] => None,
            ["commit", sha] => Some((sha, Part::Itself)),
            ["commit", sha, "statuses"] => Some((sha, Part::Statuses)),
            ["commit", sha, "statuses", "build"] => Some((sha, Part::Builds)),
            ["commit", sha, "statuses", "build", key] => Some((sha, Part::Build(decode(key)))),
            _ => return None,
        };
        Some(Self::In(Repository {
            workspace: decode(workspace),
            slug: decode(slug),
            commit: commit.map(|(sha, part)| Commit {
                sha: decode(sha),
                part,
            }),
        }))
    }

    /// The one method that the stand-in knows for it.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::In(Repository {
                commit: Some(Commit {
                    part: Part::Builds, ..
                }),
                ..
            }) => "POST",
            _ => "GET",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(path: &str) -> Option<Part> {
        match Route::of(&format!("/2.0/repositories/w/r/commit/abc{path}"))? {
            Route::In(repository) => Some(repository.commit?.part),
            Route::User => None,
        }
    }

    #[test]
    fn paths_mean_endpoints() {
        let key = |key: &str| Some(Part::Build(key.to_owned()));
        for (path, expected) in [
            ("", Some(Part::Itself)),
            ("/", Some(Part::Itself)),
            ("/statuses?pagelen=5", Some(Part::Statuses)),
            ("/statuses/build", Some(Part::Builds)),
            ("/statuses/build/", Some(Part::Builds)),
            ("/statuses/build/ci", key("ci")),
            (
                "/statuses/build/ci/gitlab-ci/test",
                key("ci/gitlab-ci/test"),
            ),
            ("/statuses/build/ci%2Fa%20b", key("ci/a b")),
            ("/statuses/other", None),
            ("/comments", None),
        ] {
            assert_eq!(part(path), expected, "{path}");
        }
    }

    #[test]
    fn names_are_percent_decoded() {
        assert_eq!(
            Route::of("/2.0/repositories/%7Babc%7D/my%20repo"),
            Some(Route::In(Repository {
                workspace: "{abc}".to_owned(),
                slug: "my repo".to_owned(),
                commit: None,
            }))
        );
    }

    #[test]
    fn other_paths_mean_nothing() {
        for path in [
            "/",
            "/2.0",
            "/2.0/",
            "/1.0/user",
            "/2.0/repositories/w",
            "*",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
