//! Repositories, as clone URLs and CIs name them.

use percent_encoding::percent_decode_str;

/// A repository that a CI or a git remote names.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// The workspace, project or group. A nested GitLab group contains `/`.
    pub owner: String,
    /// The repository's slug.
    pub name: String,
    /// The host, if known.
    pub host: Option<String>,
    /// How the host relates to Bitbucket.
    pub site: Site,
}

/// How a repository's host relates to Bitbucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Bitbucket Cloud.
    Cloud,
    /// A Bitbucket Data Center.
    DataCenter {
        /// The server's base URL with its context path, if known. An ssh URL does not contain it.
        server: Option<String>,
    },
    /// Another host, usually with mirrors of repositories that have the same path on Bitbucket.
    Mirror,
    /// Another host.
    Elsewhere,
}

impl Repository {
    /// Reads a clone URL or the URL of a repository's page. `None` if it names no repository.
    ///
    /// Accepts the forms that CIs export, including the malformed `ssh://git@host:workspace/repo.git`
    /// and CodePipeline's connection proxy. User names and passwords are dropped.
    pub fn from_url(url: &str) -> Option<Self> {
        let parts = CloneUrl::parse(url)?;
        let segments = parts.segments()?;
        let (before, owner, name, site) = parts.owner_and_name(&segments)?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        if owner.is_empty() || name.is_empty() {
            return None;
        }
        let site = match site {
            Kind::Cloud => Site::Cloud,
            Kind::DataCenter => Site::DataCenter {
                server: parts.server(before),
            },
            Kind::Other => Site::Elsewhere,
        };
        Some(Self {
            owner,
            name: name.to_owned(),
            host: Some(parts.host),
            site,
        })
    }

    /// The repository with this clone URL, if it names one.
    pub(crate) fn cloned_from(url: Option<String>) -> Option<Self> {
        Self::from_url(&url?)
    }

    /// The repository with the path `owner/name` on an unknown host.
    pub(crate) fn with_path(path: Option<String>) -> Option<Self> {
        Self::at(Site::Elsewhere, None, &path?)
    }

    /// The repository with the path `owner/name` on this host.
    pub(crate) fn at(site: Site, host: Option<&str>, path: &str) -> Option<Self> {
        let (owner, name) = path.rsplit_once('/')?;
        (!owner.is_empty() && !name.is_empty()).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            host: host.map(str::to_owned),
            site,
        })
    }

    /// `owner/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

enum Kind {
    Cloud,
    DataCenter,
    Other,
}

/// The parts of a clone URL.
struct CloneUrl {
    scheme: Option<String>,
    host: String,
    port: Option<String>,
    path: String,
}

impl CloneUrl {
    /// Splits a URL, or git's `user@host:path`.
    fn parse(url: &str) -> Option<Self> {
        let (scheme, authority, path) = match url.split_once("://") {
            Some((scheme, rest)) => {
                let scheme = scheme.to_ascii_lowercase();
                if !["https", "http", "ssh", "git+ssh", "git"].contains(&scheme.as_str()) {
                    return None;
                }
                let (authority, path) = rest.split_once('/')?;
                (Some(scheme), authority, path)
            }
            // As for scp: with a colon before any slash
            None => {
                let (authority, path) = url.split_once(':')?;
                if authority.contains('/') {
                    return None;
                }
                (None, authority, path)
            }
        };
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        // The part before `@` may be an unencoded password.
        if path.contains('@') {
            return None;
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // `ssh://git@bitbucket.org:workspace/repo.git`: the workspace in the place of a port
        let (host, port, path) = match host.split_once(':') {
            Some((host, port)) if !port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, None, format!("{port}/{path}"))
            }
            Some((host, port)) => (host, Some(port.to_owned()), path.to_owned()),
            None => (host, None, path.to_owned()),
        };
        (!host.is_empty()).then(|| Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
            path,
        })
    }

    fn segments(&self) -> Option<Vec<String>> {
        let segments = self.path.split('/').filter(|segment| !segment.is_empty());
        segments
            .map(|segment| Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned()))
            .collect()
    }

    /// The segments before owner and name, the owner, the name, and the kind of site.
    fn owner_and_name<'a>(
        &self,
        segments: &'a [String],
    ) -> Option<(&'a [String], String, &'a str, Kind)> {
        // https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-github-gitclone.html
        // …/git-http/ACCOUNT/REGION/CONNECTION/workspace/repo.git
        if self.host.ends_with(".amazonaws.com")
            && let [first, _, _, _, owner, name] = segments
            && first == "git-http"
        {
            return Some((&[], owner.clone(), name, Kind::Cloud));
        }
        if self.host.ends_with(".amazonaws.com") {
            return None;
        }
        // https://support.atlassian.com/bitbucket-cloud/docs/troubleshoot-ssh-issues/ (port 443)
        let cloud = ["bitbucket.org", "www.bitbucket.org", "altssh.bitbucket.org"];
        if !cloud.contains(&self.host.as_str()) {
            for at in 0..segments.len() {
                let (before, rest) = segments.split_at(at);
                let rest: Vec<_> = rest.iter().map(String::as_str).collect();
                let (owner, name) = match rest[..] {
                    ["scm", owner, _] => (owner.to_owned(), at + 2),
                    ["projects", owner, "repos", _, ..] => (owner.to_owned(), at + 3),
                    ["users", owner, "repos", _, ..] => (format!("~{owner}"), at + 3),
                    _ => continue,
                };
                return Some((before, owner, &segments[name], Kind::DataCenter));
            }
            // The default port of Data Center's ssh server, used by no other.
            if self.port.as_deref() == Some("7999")
                && let [owner, name] = segments
            {
                return Some((&[], owner.clone(), name, Kind::DataCenter));
            }
        }
        let (name, owner) = segments.split_last()?;
        let kind = if cloud.contains(&self.host.as_str()) {
            Kind::Cloud
        } else {
            Kind::Other
        };
        Some((&[], owner.join("/"), name, kind))
    }

    /// The server's base URL: the part before `/scm/` of an http URL. An ssh URL may have another host
    /// and port (jenkinsci/stashnotifier-plugin#232).
    fn server(&self, before: &[String]) -> Option<String> {
        let scheme = self.scheme.as_deref().filter(|it| it.starts_with("http"))?;
        let port = self.port.as_ref().map(|port| format!(":{port}"));
        let root = format!("{scheme}://{}{}", self.host, port.unwrap_or_default());
        Some([&[root], before].concat().join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_clone_url_on_bitbucket_cloud_is_read() {
        for url in [
            "https://bitbucket.org/ws/repo.git",
            "https://user:p%40ss@bitbucket.org/ws/repo.git",
            "https://x-token-auth:ATCTT=@bitbucket.org/ws/repo.git",
            "http://bitbucket.org/ws/repo",
            "https://BITBUCKET.org/ws/repo/",
            "git@bitbucket.org:ws/repo.git",
            "ssh://git@bitbucket.org/ws/repo.git",
            "ssh://git@bitbucket.org:22/ws/repo.git",
            "ssh://git@bitbucket.org:ws/repo.git",
            "http://git@bitbucket.org:ws/repo.git",
        ] {
            let expected = Repository {
                owner: "ws".into(),
                name: "repo".into(),
                host: Some("bitbucket.org".into()),
                site: Site::Cloud,
            };
            assert_eq!(Repository::from_url(url), Some(expected), "{url}");
        }
    }

    #[test]
    fn a_connection_of_codepipeline_leads_to_the_repository_behind_it() {
        for host in ["codestar-connections", "codeconnections"] {
            let path = "git-http/123456789012/eu-west-1/1a2b-3c/ws/repo.git";
            let url = format!("https://{host}.eu-west-1.amazonaws.com/{path}");
            let repository = Repository::from_url(&url).unwrap();
            assert_eq!(repository.path(), "ws/repo");
            assert_eq!(repository.site, Site::Cloud);
        }
    }

    #[test]
    fn every_shape_of_url_on_a_data_center_is_read() {
        for case in [
            "https://git.example.com/scm/proj/repo.git -> proj/repo on https://git.example.com",
            "https://jdoe:s3cr3t@git.example.com:8443/bitbucket/scm/~jdoe/my.tools.git \
             -> ~jdoe/my.tools on https://git.example.com:8443/bitbucket",
            "http://git.example.com/a/b/scm/%7Ejdoe/repo.git \
             -> ~jdoe/repo on http://git.example.com/a/b",
            "https://git.example.com/bitbucket/projects/PROJ/repos/repo/browse?at=x \
             -> PROJ/repo on https://git.example.com/bitbucket",
            "https://git.example.com/users/jdoe/repos/repo/browse \
             -> ~jdoe/repo on https://git.example.com",
            "ssh://git@git.example.com:7999/proj/repo.git -> proj/repo on unknown",
            "ssh://git@git.example.com:7999/~jdoe/repo.git -> ~jdoe/repo on unknown",
        ] {
            let (url, expected) = case.split_once(" -> ").unwrap();
            let (path, server) = expected.split_once(" on ").unwrap();
            let server = (server != "unknown").then(|| server.to_owned());
            let repository = Repository::from_url(url).unwrap();
            assert_eq!(repository.path(), path);
            assert_eq!(repository.site, Site::DataCenter { server });
            assert_eq!(repository.host.as_deref(), Some("git.example.com"));
        }
    }

    #[test]
    fn other_hosts_are_elsewhere() {
        for url in [
            "https://github.com/ws/repo.git",
            "git@gitlab.example.com:group/sub/repo.git",
            "https://bitbucket.org.evil.example/ws/repo",
        ] {
            let site = Repository::from_url(url).unwrap().site;
            assert_eq!(site, Site::Elsewhere, "{url}");
        }
        let nested = Repository::from_url("git@gitlab.example.com:group/sub/repo.git").unwrap();
        assert_eq!(nested.owner, "group/sub");
        assert_eq!(nested.name, "repo");
    }

    /// Found by fuzzing: each was read as a repository of which the password was a name.
    #[test]
    fn no_part_of_a_password_is_read_as_a_name() {
        for url in [
            "https://me:hid/den@bitbucket.org/ws/repo.git",
            "https://me:12/hid/den@bitbucket.org/ws/repo.git",
            "me:hidden@bitbucket.org/ws/repo.git",
            "me:hidden@bitbucket.org:ws/repo.git",
            "me:hid/den?hid@bitbucket.org:ws/repo.git",
        ] {
            assert_eq!(Repository::from_url(url), None, "{url}");
        }
    }

    #[test]
    fn what_names_no_repository_is_refused() {
        for url in [
            "",
            "repo",
            "/srv/git/repo.git",
            "../repo.git",
            "s3://bucket/key.zip",
            "https://bitbucket.org",
            "https://bitbucket.org/repo.git",
            "https://bitbucket.org/ws/.git",
            "https://x.amazonaws.com/git-http/1/2/3",
            "https://x.amazonaws.com/git-http/1/2/3/4",
            "https:///ws/repo",
            "://",
            ":",
        ] {
            assert_eq!(Repository::from_url(url), None, "{url}");
        }
    }
}
