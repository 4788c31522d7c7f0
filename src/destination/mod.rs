//! Where a status goes: one file for each of Bitbucket's products.

mod cloud;

pub use cloud::Cloud;

use crate::auth::{self, Credentials};
use crate::cli::{DestinationArgs, Origins};
use crate::context::Context;
use crate::error::Error;
use crate::link;
use crate::report::{Limits, Report};
use crate::repository::{Repository, Site};
use crate::request::Request;

/// A repository on one of Bitbucket's products.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// bitbucket.org
    Cloud(Cloud),
}

impl Destination {
    /// Finds the repository: options and variables first, then the CI's own, if it is one of
    /// Bitbucket's or a mirror of one, then what `remote` (the git remote of the working directory)
    /// says.
    pub fn find(
        args: &DestinationArgs,
        origins: &Origins,
        allow_http: bool,
        context: &Context,
        remote: impl FnOnce() -> Option<Repository>,
    ) -> Result<Self, Error> {
        let api_root =
            link::server_url(&args.api_root, allow_http).map_err(|problem| Error::Setting {
                origin: origins.name("api_root"),
                problem,
                hint: None,
            })?;
        let (workspace, repository) = repository(args, origins, context, remote)?;
        Ok(Self::Cloud(Cloud {
            api_root,
            workspace,
            repository,
        }))
    }

    /// What it takes. Known before the repository is.
    pub const fn limits() -> Limits {
        cloud::LIMITS
    }

    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cloud(_) => "cloud",
        }
    }

    /// `workspace/repository`.
    pub fn repository(&self) -> String {
        match self {
            Self::Cloud(cloud) => format!("{}/{}", cloud.workspace, cloud.repository),
        }
    }

    /// The request that stores `report`.
    pub fn request(&self, report: &Report, credentials: Option<&Credentials>) -> Request {
        match self {
            Self::Cloud(cloud) => cloud.request(report, credentials),
        }
    }
}

/// The workspace and the repository.
fn repository(
    args: &DestinationArgs,
    origins: &Origins,
    context: &Context,
    remote: impl FnOnce() -> Option<Repository>,
) -> Result<(String, String), Error> {
    for (option, value) in [
        ("repository", &args.repository),
        ("workspace", &args.workspace),
    ] {
        if let Some(value) = value {
            auth::check_expanded(&origins.name(option), value)?;
        }
    }
    let (in_path, given_name) = match &args.repository {
        None => (None, None),
        Some(given) => {
            let (workspace, name) = match given.split_once('/') {
                None => (None, given.as_str()),
                Some((workspace, name)) => (Some(workspace), name),
            };
            if name.is_empty() || name.contains('/') || workspace == Some("") {
                return Err(Error::Setting {
                    origin: origins.name("repository"),
                    problem: format!("`{given}` is neither REPO nor WORKSPACE/REPO"),
                    hint: Some("give the names that the repository's page on Bitbucket has".into()),
                });
            }
            (workspace.map(str::to_owned), Some(name.to_owned()))
        }
    };
    // An option beats a variable, and what says both beats what says one.
    let typed = |option| origins.variable(option).is_none();
    let given_owner = match (in_path, args.workspace.clone()) {
        (Some(_), Some(workspace)) if typed("workspace") && !typed("repository") => Some(workspace),
        (in_path, workspace) => in_path.or(workspace),
    };
    if let (Some(owner), Some(name)) = (&given_owner, &given_name) {
        return Ok((owner.clone(), name.clone()));
    }
    let from_ci = context.repository.as_ref();
    let known = match from_ci.filter(|it| it.site != Site::Elsewhere) {
        Some(repository) => Some(repository.clone()),
        None => remote().filter(|it| it.site != Site::Elsewhere),
    };
    let owner = given_owner.or_else(|| known.as_ref().map(|it| it.owner.clone()));
    let name = given_name.or_else(|| known.as_ref().map(|it| it.name.clone()));
    match (owner, name) {
        (Some(owner), Some(name)) if !owner.contains('/') => Ok((owner, name)),
        (Some(owner), Some(_)) => Err(Error::NoRepository {
            found: Some(format!(
                "`{owner}` is a group in a group, and no workspace on Bitbucket"
            )),
        }),
        (Some(_), None) => Err(Error::NoRepository {
            found: Some("the workspace is known, but not the repository".into()),
        }),
        (None, Some(_)) => Err(Error::NoRepository {
            found: Some("its name is known, but not its workspace".into()),
        }),
        (None, None) => Err(Error::NoRepository {
            found: from_ci.map(|it| {
                let host = it.host.as_deref().unwrap_or("another host");
                format!(
                    "this job builds `{}` on {host}, which is not Bitbucket",
                    it.path()
                )
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(
        given: [Option<&str>; 2],
        from_ci: Option<Repository>,
        remote: Option<&str>,
    ) -> Result<String, Error> {
        let args = DestinationArgs {
            repository: given[0].map(str::to_owned),
            workspace: given[1].map(str::to_owned),
            api_root: "https://api.bitbucket.org/2.0".into(),
        };
        let context = Context {
            repository: from_ci,
            ..Context::default()
        };
        let remote = || remote.and_then(Repository::from_url);
        Destination::find(&args, &Origins::default(), false, &context, remote)
            .map(|destination| destination.repository())
    }

    fn at(site: Site, owner: &str) -> Repository {
        Repository {
            owner: owner.into(),
            name: "repo".into(),
            host: None,
            site,
        }
    }

    #[test]
    fn options_beat_the_ci_which_beats_the_remote() {
        let remote = Some("git@bitbucket.org:rws/rrepo.git");
        for (given, from_ci, remote, expected) in [
            (
                [Some("w/r"), None],
                Some(at(Site::Cloud, "ci")),
                remote,
                "w/r",
            ),
            (
                [Some("r"), Some("w")],
                Some(at(Site::Cloud, "ci")),
                remote,
                "w/r",
            ),
            (
                [Some("w/r"), Some("x")],
                Some(at(Site::Cloud, "ci")),
                remote,
                "w/r",
            ),
            (
                [Some("r"), None],
                Some(at(Site::Cloud, "ci")),
                remote,
                "ci/r",
            ),
            (
                [None, Some("w")],
                Some(at(Site::Mirror, "a/b")),
                remote,
                "w/repo",
            ),
            ([None, None], Some(at(Site::Cloud, "ci")), remote, "ci/repo"),
            (
                [None, None],
                Some(at(Site::Mirror, "ci")),
                remote,
                "ci/repo",
            ),
            (
                [None, None],
                Some(at(Site::Elsewhere, "ci")),
                remote,
                "rws/rrepo",
            ),
            ([None, None], None, remote, "rws/rrepo"),
            (
                [Some("{u-u-i-d}"), Some("{w}")],
                None,
                None,
                "{w}/{u-u-i-d}",
            ),
        ] {
            assert_eq!(find(given, from_ci, remote), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        for (given, from_ci, remote) in [
            ([None, None], None, None),
            ([None, None], Some(at(Site::Mirror, "group/sub")), None),
            (
                [None, None],
                Some(at(Site::Elsewhere, "octo")),
                Some("git@github.com:octo/cat.git"),
            ),
            ([Some("r"), None], None, None),
            ([None, Some("w")], None, None),
        ] {
            let error = find(given, from_ci, remote).unwrap_err();
            assert!(matches!(error, Error::NoRepository { .. }), "{error:?}");
            let hint = error.hint().unwrap();
            assert!(hint.contains("BITBUCKET_NAMESPACE") && hint.contains("BITBUCKET_REPOSITORY"));
        }
        for bad in ["a/b/c", "/r", "w/"] {
            assert!(matches!(
                find([Some(bad), None], None, None),
                Err(Error::Setting { .. })
            ));
        }
    }
}
