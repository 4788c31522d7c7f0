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

const NAMES: &str = "use the names in the URL of the repository's page on Bitbucket";

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
    let pasted = options.destination.repository.as_deref();
    let pasted = pasted.and_then(|url| Repository::from_url(url.trim()));
    let all_given = owner.is_some() && name.is_some();
    let known = match from_ci {
        None if !all_given => remote().filter(of_bitbucket),
        from_ci => from_ci,
    };
    // Whoever pastes the URL of a Data Center's page names its host.
    let server = Server::find(options, pasted.as_ref().or(known.as_ref()))?;
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
            return Err(Error::setting(
                origins.name("server_url"),
                format!("{} is Bitbucket Cloud", url::without_user(url)),
                "unset it: by default, reports go to Bitbucket Cloud",
            ));
        }
        let checked = |product, option, url: &str| match url::server_url(url, allow_http) {
            Ok(url) => Ok(Self { product, url }),
            Err(problem) => {
                let example = match product {
                    Product::Cloud => CLOUD_API,
                    Product::DataCenter => {
                        "https://git.example.com/bitbucket (with the context path, if there is one)"
                    }
                };
                let hint = format!("set it to the base URL of the server, such as {example}");
                Err(Error::setting(origins.name(option), problem, hint))
            }
        };
        // Options and variables alone say where the credentials go. A clone URL may have been
        // written by whoever wrote the code under test.
        let site = known.map(|it| (it, &it.site));
        match (&args.server_url, &args.api_root, site) {
            (Some(_), Some(_), _) => Err(Error::setting(
                origins.name("server_url"),
                format!("{} is set too", origins.name("api_root")),
                "set only one: the first is for Data Center, the second for Cloud",
            )),
            (Some(url), None, _) => checked(Product::DataCenter, "server_url", url),
            (None, Some(url), _) => checked(Product::Cloud, "api_root", url),
            (None, None, Some((repository, Site::DataCenter { server }))) => Err(Error::NoServer {
                host: repository.host.clone().unwrap_or_default(),
                url: server.clone(),
            }),
            (None, None, _) => checked(Product::Cloud, "api_root", CLOUD_API),
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
    let one_name = |owner: &str| {
        if !owner.contains('/') {
            return Ok(owner.to_owned());
        }
        let problem = format!("`{owner}` has a slash, and no workspace and no project has");
        Err(Error::setting(origins.name("workspace"), problem, NAMES))
    };
    let Some(path) = &given_path else {
        return Ok((given_owner.as_deref().map(one_name).transpose()?, None));
    };
    let parts = path.split_once('/');
    let (in_path, name) = parts.map_or((None, path.as_str()), |(owner, name)| (Some(owner), name));
    if name.contains('/') {
        let problem = format!("`{path}` is neither REPO nor WORKSPACE/REPO");
        return Err(Error::setting(origins.name("repository"), problem, NAMES));
    }
    // An option wins over a variable, and WORKSPACE/REPO over a separate workspace.
    let typed = |option| origins.variable(option).is_none();
    let owner = match (in_path, &given_owner) {
        (Some(_), Some(workspace)) if typed("workspace") && !typed("repository") => {
            Some(workspace.as_str())
        }
        (in_path, workspace) => in_path.or(workspace.as_deref()),
    };
    Ok((owner.map(one_name).transpose()?, Some(name.to_owned())))
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
    let problem = format!("`{names}` is not a valid name on Bitbucket");
    Err(Error::setting(origin, problem, NAMES))
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
            let (path, host) = (it.path(), it.host.as_deref().unwrap_or("another host"));
            format!("this job builds `{path}` on {host}, which is not Bitbucket")
        }),
    };
    Err(Error::NoRepository { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An option of a test, which is not given if it is empty.
    fn some(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn find(
        repository: &str,
        workspace: &str,
        from_ci: Option<Repository>,
        remote: &str,
    ) -> Result<String, Error> {
        let mut options = Options::default();
        options.destination.repository = some(repository);
        options.destination.workspace = some(workspace);
        let context = Context {
            repository: from_ci,
            ..Context::default()
        };
        let remote = || Repository::from_url(remote);
        destination(&options, &context, remote).map(|destination| destination.repository())
    }

    fn at(site: Site, owner: &str) -> Option<Repository> {
        Repository::at(site, None, &format!("{owner}/repo"))
    }

    #[test]
    fn options_beat_the_ci_which_beats_the_remote() {
        let (cloud, mirror) = (at(Site::Cloud, "ci"), at(Site::Mirror, "ci"));
        let (elsewhere, nested) = (at(Site::Elsewhere, "ci"), at(Site::Mirror, "a/b"));
        for (repository, workspace, from_ci, expected) in [
            ("w/r", "", &cloud, "w/r"),
            ("r", "w", &cloud, "w/r"),
            ("w/r", "x", &cloud, "w/r"),
            ("r", "", &cloud, "ci/r"),
            ("", "w", &nested, "w/repo"),
            ("", "", &cloud, "ci/repo"),
            ("", "", &mirror, "ci/repo"),
            ("", "", &elsewhere, "rws/rrepo"),
            ("", "", &None, "rws/rrepo"),
        ] {
            let remote = "git@bitbucket.org:rws/rrepo.git";
            let found = find(repository, workspace, from_ci.clone(), remote);
            assert_eq!(found.as_deref(), Ok(expected));
        }
        let by_id = find("{u-u-i-d}", "{w}", None, "");
        assert_eq!(by_id.as_deref(), Ok("{w}/{u-u-i-d}"));
    }

    /// Found by fuzzing: a path with `..` in it is another place in the API.
    #[test]
    fn what_a_ci_or_a_remote_names_must_be_a_name_too() {
        for url in [
            "https://bitbucket.org/ws/..",
            "https://bitbucket.org/%2e%2e/repo.git",
            "https://bitbucket.org/ws/a%2fb",
            "https://bitbucket.org/ws/a%0ab",
            "git@bitbucket.org:./repo.git",
        ] {
            let error = find("", "", None, url).unwrap_err();
            assert_eq!(error.kind(), "no_repository", "{url}");
        }
        let from_ci = find("", "", at(Site::Mirror, ".."), "");
        assert_eq!(from_ci.unwrap_err().kind(), "no_repository");
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        let (group, octo) = (at(Site::Mirror, "group/sub"), at(Site::Elsewhere, "octo"));
        for (repository, workspace, from_ci, remote) in [
            ("", "", None, ""),
            ("", "", group, ""),
            ("", "", octo, "git@github.com:octo/cat.git"),
            ("r", "", None, ""),
            ("", "w", None, ""),
        ] {
            let error = find(repository, workspace, from_ci, remote).unwrap_err();
            assert!(matches!(error, Error::NoRepository { .. }), "{error:?}");
            let hint = error.hint().unwrap();
            assert!(hint.contains("BITBUCKET_NAMESPACE") && hint.contains("BITBUCKET_REPOSITORY"));
        }
        for bad in ["a/b/c", "/r", "w/"] {
            let error = find(bad, "", None, "").unwrap_err();
            assert!(matches!(error, Error::Setting { .. }), "{error:?}");
        }
    }

    /// The server and the path that are found.
    fn server_for(
        server_url: &str,
        api_root: &str,
        clone_url: &str,
        given: &str,
    ) -> Result<(String, String), Error> {
        let mut options = Options::default();
        options.destination.repository = some(given);
        options.destination.server_url = some(server_url);
        options.destination.api_root = some(api_root);
        let context = Context {
            repository: Repository::from_url(clone_url),
            ..Context::default()
        };
        let found = destination(&options, &context, || None)?;
        let is_cloud = matches!(found, Destination::Cloud(_));
        assert_eq!(is_cloud, found.url() == CLOUD_API);
        Ok((found.url().to_owned(), found.repository()))
    }

    #[test]
    fn a_server_url_means_data_center_and_a_clone_url_of_one_without_it_is_an_error() {
        let server = "https://git.example.com/bitbucket";
        let slash = "https://git.example.com/bitbucket/";
        let http = "https://git.example.com/ctx/scm/PROJ/repo.git";
        let ssh = "ssh://git@git.example.com:7999/proj/repo.git";
        let cloud = "git@bitbucket.org:ws/repo.git";
        let api = "https://api.bitbucket.org/2.0";
        for (server_url, api_root, clone_url, given, url, path) in [
            (slash, "", http, "", server, "PROJ/repo"),
            (slash, "", ssh, "", server, "proj/repo"),
            (slash, "", cloud, "~jdoe/x", server, "~jdoe/x"),
            ("", CLOUD_API, http, "a/b", api, "a/b"),
            ("", "", cloud, "", api, "ws/repo"),
        ] {
            let found = server_for(server_url, api_root, clone_url, given);
            assert_eq!(found, Ok((url.to_owned(), path.to_owned())));
        }
        for (clone_url, url) in [(http, "https://git.example.com/ctx"), (ssh, "")] {
            for given in ["", "A/b"] {
                let expected = Error::NoServer {
                    host: "git.example.com".into(),
                    url: some(url),
                };
                assert_eq!(server_for("", "", clone_url, given), Err(expected));
            }
        }
        let both = server_for(slash, CLOUD_API, "", "a/b");
        assert!(matches!(both, Err(Error::Setting { .. })));
        for clone_url in [cloud, ""] {
            let elsewhere = server_for(slash, "", clone_url, "");
            assert!(matches!(elsewhere, Err(Error::NoRepository { .. })));
        }
    }
}
