//! Determines the repository on Bitbucket, and its server.

use crate::bitbucket::cloud::Cloud;
use crate::bitbucket::data_center::DataCenter;
use crate::bitbucket::destination::Destination;
use crate::ci::context::Context;
use crate::cli::{DestinationArgs, Options, Origins};
use crate::env;
use crate::error::Error;
use crate::status::product::Product;
use crate::status::repository::{Repository, Site};
use crate::status::url;

const CLOUD_API: &str = "https://api.bitbucket.org/2.0";

/// Determines the product and the repository: from options and variables, else from the CI's
/// repository if that is on Bitbucket or a mirror of one there, else from the git remote.
pub fn destination(
    options: &Options,
    context: &Context,
    remote: impl FnOnce() -> Option<Repository>,
) -> Result<Destination, Error> {
    let (owner, name) = given(&options.destination, &options.origins)?;
    let of_bitbucket = |it: &Repository| it.site != Site::Elsewhere;
    let from_ci = context.repository.clone().filter(of_bitbucket);
    let known = from_ci.or_else(|| {
        let all_given = owner.is_some() && name.is_some();
        if all_given {
            None
        } else {
            remote().filter(of_bitbucket)
        }
    });
    let server = Server::find(options, known.as_ref())?;
    // A repository on the other product says nothing about this one.
    let known = known.filter(|it| match &it.site {
        Site::Cloud => server.product == Product::Cloud,
        Site::DataCenter { .. } => server.product == Product::DataCenter,
        Site::Mirror | Site::Elsewhere => true,
    });
    let owner = owner.or_else(|| known.as_ref().map(|it| it.owner.clone()));
    let name = name.or_else(|| known.map(|it| it.name));
    let (owner, repository) = both(owner, name, context.repository.as_ref())?;
    Ok(server.repository(owner, repository))
}

/// Determines the product only, for requests that need no repository.
pub(crate) fn without_repository(options: &Options) -> Result<Destination, Error> {
    let server = Server::find(options, None)?;
    Ok(server.repository(String::new(), String::new()))
}

struct Server {
    product: Product,
    url: String,
}

impl Server {
    /// `--server-url`, or a repository on a Data Center, means Data Center; anything else means Cloud.
    fn find(options: &Options, known: Option<&Repository>) -> Result<Self, Error> {
        let (args, origins) = (&options.destination, &options.origins);
        let allow_http = options.network.allow_http;
        let is_cloud = |url: &str| url::host(url).ends_with("bitbucket.org");
        if let Some(url) = args.server_url.as_deref().filter(|url| is_cloud(url)) {
            return Err(Error::Setting {
                origin: origins.name("server_url"),
                problem: format!("{} is Bitbucket Cloud", url::without_user(url)),
                hint: Some("unset it: by default, reports go to Bitbucket Cloud".into()),
            });
        }
        let checked = |product, origin: String, url: &str| match url::server_url(url, allow_http) {
            Ok(url) => Ok(Self { product, url }),
            Err(problem) => Err(Error::Setting {
                origin,
                problem,
                hint: Some(format!(
                    "set it to the base URL of the server, such as {}",
                    match product {
                        Product::Cloud => CLOUD_API,
                        Product::DataCenter => "https://git.example.com",
                    }
                )),
            }),
        };
        // Options and variables alone say where the credentials go. A clone URL may have been
        // written by whoever wrote the code under test.
        match (
            &args.server_url,
            &args.api_root,
            known.map(|it| (it, &it.site)),
        ) {
            (Some(_), Some(_), _) => Err(Error::Setting {
                origin: origins.name("server_url"),
                problem: format!("{} is set too", origins.name("api_root")),
                hint: Some(
                    "set only one: the first is for Data Center, the second for Cloud".into(),
                ),
            }),
            (Some(url), None, _) => checked(Product::DataCenter, origins.name("server_url"), url),
            (None, Some(url), _) => checked(Product::Cloud, origins.name("api_root"), url),
            (None, None, Some((repository, Site::DataCenter { server }))) => Err(Error::NoServer {
                host: repository.host.clone().unwrap_or_default(),
                url: server.clone(),
            }),
            (None, None, _) => checked(Product::Cloud, origins.name("api_root"), CLOUD_API),
        }
    }

    fn repository(self, owner: String, repository: String) -> Destination {
        match self.product {
            Product::Cloud => Destination::Cloud(Cloud {
                api_root: self.url,
                workspace: owner,
                repository,
            }),
            Product::DataCenter => Destination::DataCenter(DataCenter {
                server: self.url,
                project: owner,
                repository,
            }),
        }
    }
}

/// The owner and the repository that options and variables name.
fn given(
    args: &DestinationArgs,
    origins: &Origins,
) -> Result<(Option<String>, Option<String>), Error> {
    let trimmed = |value: &Option<String>| value.as_deref().map(without_address);
    let (given_path, given_owner) = (trimmed(&args.repository), trimmed(&args.workspace));
    for (option, value) in [("repository", &given_path), ("workspace", &given_owner)] {
        if let Some(value) = value {
            check_names(&origins.name(option), value)?;
        }
    }
    let Some(path) = &given_path else {
        return Ok((given_owner, None));
    };
    let (in_path, name) = match path.split_once('/') {
        None => (None, path.as_str()),
        Some((workspace, name)) => (Some(workspace), name),
    };
    if name.contains('/') {
        return Err(Error::Setting {
            origin: origins.name("repository"),
            problem: format!("`{path}` is neither REPO nor WORKSPACE/REPO"),
            hint: Some("use the names in the URL of the repository's page on Bitbucket".into()),
        });
    }
    // An option wins over a variable, and WORKSPACE/REPO over a separate workspace.
    let typed = |option| origins.variable(option).is_none();
    let owner = match (in_path, &given_owner) {
        (Some(_), Some(workspace)) if typed("workspace") && !typed("repository") => {
            Some(workspace.as_str())
        }
        (in_path, workspace) => in_path.or(workspace.as_deref()),
    };
    Ok((owner.map(str::to_owned), Some(name.to_owned())))
}

/// `WORKSPACE/REPO` of a clone URL or the URL of a page, which people paste, or a name without `.git`.
fn without_address(given: &str) -> String {
    let given = given.trim();
    let page: Vec<_> = given.split('/').take(5).collect();
    let is_cloud = |it: &Repository| it.site == Site::Cloud;
    let found = Repository::from_url(&page.join("/"))
        .filter(is_cloud)
        .or_else(|| Repository::from_url(given));
    match found.filter(|it| it.site != Site::Elsewhere) {
        Some(repository) => repository.path(),
        None => given.strip_suffix(".git").unwrap_or(given).to_owned(),
    }
}

/// Refuses anything but one or two names of a workspace, project or repository.
fn check_names(origin: &str, names: &str) -> Result<(), Error> {
    env::check_expanded(origin, names)?;
    if names.split('/').all(is_name) {
        return Ok(());
    }
    // The user part of a clone URL may hold a password: do not repeat it.
    let names = names.rsplit_once('@').map_or(names, |(_, rest)| rest);
    Err(Error::Setting {
        origin: origin.to_owned(),
        problem: format!("`{names}` is not a valid name on Bitbucket"),
        hint: Some("use the names in the URL of the repository's page on Bitbucket".into()),
    })
}

fn is_name(name: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "@:#?%\\$/".contains(c);
    !matches!(name, "" | "." | "..") && !name.contains(odd)
}

/// Both names, or an error about the missing or invalid one.
fn both(
    owner: Option<String>,
    name: Option<String>,
    from_ci: Option<&Repository>,
) -> Result<(String, String), Error> {
    let found = match (owner, name) {
        (Some(owner), Some(name)) if is_name(&owner) && is_name(&name) => {
            return Ok((owner, name));
        }
        (Some(owner), Some(name)) if !owner.contains('/') => {
            Some(format!("`{owner}/{name}` is not a valid name on Bitbucket"))
        }
        (Some(owner), Some(_)) => Some(format!(
            "`{owner}` is a nested GitLab group; Bitbucket has no equivalent"
        )),
        (Some(_), None) => Some("the workspace is known, but the repository's name is not".into()),
        (None, Some(_)) => Some("its name is known, but its workspace is not".into()),
        (None, None) => from_ci.filter(|it| it.site == Site::Elsewhere).map(|it| {
            let host = it.host.as_deref().unwrap_or("another host");
            format!(
                "this job builds `{}` on {host}, which is not Bitbucket",
                it.path()
            )
        }),
    };
    Err(Error::NoRepository { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(
        given: [Option<&str>; 2],
        from_ci: Option<Repository>,
        remote: Option<&str>,
    ) -> Result<String, Error> {
        let mut options = Options::default();
        options.destination.repository = given[0].map(str::to_owned);
        options.destination.workspace = given[1].map(str::to_owned);
        let context = Context {
            repository: from_ci,
            ..Context::default()
        };
        let remote = || remote.and_then(Repository::from_url);
        destination(&options, &context, remote).map(|destination| destination.repository())
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

    /// Found by fuzzing: a path with `..` in it is another place in the API.
    #[test]
    fn what_a_ci_or_a_remote_names_must_be_a_name_too() {
        let remote = |url| find([None, None], None, Some(url));
        for url in [
            "https://bitbucket.org/ws/..",
            "https://bitbucket.org/%2e%2e/repo.git",
            "https://bitbucket.org/ws/a%2fb",
            "https://bitbucket.org/ws/a%0ab",
            "git@bitbucket.org:./repo.git",
        ] {
            let error = remote(url).unwrap_err();
            assert_eq!(error.kind(), "no_repository", "{url}");
        }
        let from_ci = find([None, None], Some(at(Site::Mirror, "..")), None);
        assert_eq!(from_ci.unwrap_err().kind(), "no_repository");
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

    fn server_for(
        server_url: Option<&str>,
        api_root: Option<&str>,
        clone_url: Option<&str>,
        given: Option<&str>,
    ) -> Result<String, Error> {
        let options = Options {
            destination: DestinationArgs {
                repository: given.map(str::to_owned),
                server_url: server_url.map(str::to_owned),
                api_root: api_root.map(str::to_owned),
                ..DestinationArgs::default()
            },
            ..Options::default()
        };
        let context = Context {
            repository: clone_url.and_then(Repository::from_url),
            ..Context::default()
        };
        let found = destination(&options, &context, || None)?;
        Ok(match found {
            Destination::Cloud(it) => format!("{} {}/{}", it.api_root, it.workspace, it.repository),
            Destination::DataCenter(it) => {
                format!("{} {}/{}", it.server, it.project, it.repository)
            }
        })
    }

    #[test]
    fn a_server_url_means_data_center_and_a_clone_url_of_one_without_it_is_an_error() {
        let server = Some("https://git.example.com/bitbucket/");
        let http = Some("https://git.example.com/ctx/scm/PROJ/repo.git");
        let ssh = Some("ssh://git@git.example.com:7999/proj/repo.git");
        let cloud = Some("git@bitbucket.org:ws/repo.git");
        for (server_url, api_root, clone_url, given, expected) in [
            (
                server,
                None,
                http,
                None,
                "https://git.example.com/bitbucket PROJ/repo",
            ),
            (
                server,
                None,
                ssh,
                None,
                "https://git.example.com/bitbucket proj/repo",
            ),
            (
                server,
                None,
                cloud,
                Some("~jdoe/x"),
                "https://git.example.com/bitbucket ~jdoe/x",
            ),
            (
                None,
                Some(CLOUD_API),
                http,
                Some("a/b"),
                "https://api.bitbucket.org/2.0 a/b",
            ),
            (
                None,
                None,
                cloud,
                None,
                "https://api.bitbucket.org/2.0 ws/repo",
            ),
        ] {
            let found = server_for(server_url, api_root, clone_url, given);
            assert_eq!(found.as_deref(), Ok(expected));
        }
        for (clone_url, url) in [(http, Some("https://git.example.com/ctx")), (ssh, None)] {
            for given in [None, Some("A/b")] {
                let expected = Error::NoServer {
                    host: "git.example.com".into(),
                    url: url.map(str::to_owned),
                };
                assert_eq!(server_for(None, None, clone_url, given), Err(expected));
            }
        }
        let both = server_for(server, Some(CLOUD_API), None, Some("a/b"));
        assert!(matches!(both, Err(Error::Setting { .. })));
        for clone_url in [cloud, None] {
            let elsewhere = server_for(server, None, clone_url, None);
            assert!(matches!(elsewhere, Err(Error::NoRepository { .. })));
        }
    }
}
