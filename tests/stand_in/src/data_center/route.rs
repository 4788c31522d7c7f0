//! Which resource a path means.

use crate::percent::decode;
use crate::version::Version;

/// A resource with its parameters, decoded.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    ApplicationProperties,
    Capabilities,
    BuildCapabilities,
    In(Repository),
    /// The build statuses of a commit, wherever it is.
    Statuses(String),
    /// Their number.
    Stats(String),
}

/// Something of a repository.
#[derive(Debug, PartialEq)]
pub(super) struct Repository {
    pub(super) project: String,
    pub(super) slug: String,
    pub(super) part: Part,
}

/// What of a repository.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Itself,
    Commit(String),
    Builds(String),
}

impl Route {
    /// The resource of a request target. One slash at the end does not matter.
    pub(super) fn of(target: &str, context_path: &str, version: Version) -> Option<Self> {
        let path = target.split('?').next()?.strip_prefix(context_path)?;
        let mut parts: Vec<&str> = path.strip_prefix("/rest/")?.split('/').collect();
        parts.pop_if(|last| last.is_empty());
        let rich = version.since(7, 4);
        Some(match parts[..] {
            ["capabilities"] => Self::Capabilities,
            ["api", "latest" | "1.0", ref rest @ ..] => match *rest {
                ["application-properties"] => Self::ApplicationProperties,
                ["build", "capabilities"] if rich => Self::BuildCapabilities,
                ["projects", project, "repos", slug, ref rest @ ..] => Self::In(Repository {
                    project: decode(project),
                    slug: decode(slug),
                    part: match *rest {
                        [] => Part::Itself,
                        ["commits", sha] => Part::Commit(decode(sha)),
                        ["commits", sha, "builds"] if rich => Part::Builds(decode(sha)),
                        _ => return None,
                    },
                }),
                _ => return None,
            },
            ["build-status", "latest" | "1.0", "commits", "stats", sha] => Self::Stats(decode(sha)),
            ["build-status", "latest" | "1.0", "commits", sha] => Self::Statuses(decode(sha)),
            _ => return None,
        })
    }

    /// The methods that the stand-in knows for it.
    pub(super) fn methods(&self, version: Version) -> &'static [&'static str] {
        match self {
            Self::In(Repository {
                part: Part::Builds(_),
                ..
            }) if !version.since(7, 14) => &["POST"],
            Self::In(Repository {
                part: Part::Builds(_),
                ..
            }) => &["GET", "POST", "DELETE"],
            Self::Statuses(_) => &["GET", "POST"],
            _ => &["GET"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(version: &str, path: &str) -> Option<Part> {
        let target = format!("/ctx/rest/api/1.0/projects/~j%C3%BC/repos/a.b{path}");
        match Route::of(&target, "/ctx", Version::parse(version)?)? {
            Route::In(repository) => {
                let names = (repository.project.as_str(), repository.slug.as_str());
                assert_eq!(names, ("~jü", "a.b"));
                Some(repository.part)
            }
            _ => None,
        }
    }

    #[test]
    fn paths_mean_resources() {
        assert_eq!(part("9.4", ""), Some(Part::Itself));
        assert_eq!(part("9.4", "/?x"), Some(Part::Itself));
        let commit = Some(Part::Commit("abc".to_owned()));
        assert_eq!(part("7.3", "/commits/abc"), commit);
        let builds = Some(Part::Builds("abc".to_owned()));
        assert_eq!(part("7.4", "/commits/abc/builds"), builds);
        for (version, path) in [
            ("7.3.9", "/commits/abc/builds"),
            ("9.4", "/commits"),
            ("9.4", "/branches"),
        ] {
            assert_eq!(part(version, path), None, "{version} {path}");
        }
    }
}
