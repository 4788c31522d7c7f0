//! Where a repository is, as clone URLs and CIs say it.

use percent_encoding::percent_decode_str;

/// A repository that a CI or a git remote names.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// Workspace, project or group. A GitLab group may have `/` in it.
    pub owner: String,
    /// The repository's slug.
    pub name: String,
    /// The host, when known.
    pub host: Option<String>,
    /// What kind of place the host is.
    pub site: Site,
}

/// What a repository's host has to do with Bitbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// It is Bitbucket Cloud.
    Cloud,
    /// It is another host, whose repository is usually a mirror with the same path as on Bitbucket.
    Mirror,
    /// It is another host.
    Elsewhere,
}

impl Repository {
    /// Reads a clone URL, or the URL of a repository's page. `None` when it names no repository.
    ///
    /// Takes the shapes that CIs export, the malformed `ssh://git@host:workspace/repo.git` and
    /// CodePipeline's connection proxy included. User names and passwords are dropped.
    pub fn from_url(url: &str) -> Option<Self> {
        let (host, path) = host_and_path(url)?;
        let mut segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8().ok())
            .collect::<Option<Vec<_>>>()?;
        // https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-github-gitclone.html
        // …/git-http/ACCOUNT/REGION/CONNECTION/workspace/repo.git
        let connection = segments.first().is_some_and(|first| first == "git-http")
            && host.ends_with(".amazonaws.com");
        if connection {
            segments.drain(..segments.len().min(4));
        }
        let (name, owner) = segments.split_last()?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        if owner.is_empty() || name.is_empty() {
            return None;
        }
        let cloud = connection || is_bitbucket_cloud(&host);
        Some(Self {
            owner: owner.join("/"),
            name: name.to_owned(),
            host: Some(host),
            site: if cloud { Site::Cloud } else { Site::Elsewhere },
        })
    }

    /// `owner/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

fn is_bitbucket_cloud(host: &str) -> bool {
    // https://support.atlassian.com/bitbucket-cloud/docs/troubleshoot-ssh-issues/ (port 443)
    matches!(
        host,
        "bitbucket.org" | "www.bitbucket.org" | "altssh.bitbucket.org"
    )
}

/// Splits a URL, or git's `user@host:path`, into its lower-case host and its path.
fn host_and_path(url: &str) -> Option<(String, String)> {
    let (authority, path) = match url.split_once("://") {
        Some((scheme, rest)) => {
            let known = ["https", "http", "ssh", "git+ssh", "git"];
            if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return None;
            }
            rest.split_once('/')?
        }
        // scp's way, which needs a colon before any slash
        None => {
            let (authority, path) = url.split_once(':')?;
            if authority.contains('/') {
                return None;
            }
            (authority, path)
        }
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // `ssh://git@bitbucket.org:workspace/repo.git`: what stands for a port is none
    let (host, path) = match host.split_once(':') {
        Some((host, port)) if !port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, format!("{port}/{path}"))
        }
        Some((host, _)) => (host, path.to_owned()),
        None => (host, path.to_owned()),
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), path))
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
            let repository = Repository::from_url(&format!(
                "https://{host}.eu-west-1.amazonaws.com/git-http/123456789012/eu-west-1/1a2b-3c/ws/repo.git"
            ))
            .unwrap();
            assert_eq!(
                (repository.path().as_str(), repository.site),
                ("ws/repo", Site::Cloud)
            );
        }
    }

    #[test]
    fn other_hosts_are_elsewhere() {
        for url in [
            "https://github.com/ws/repo.git",
            "git@gitlab.example.com:group/sub/repo.git",
            "https://bitbucket.org.evil.example/ws/repo",
        ] {
            assert_eq!(
                Repository::from_url(url).unwrap().site,
                Site::Elsewhere,
                "{url}"
            );
        }
        let nested = Repository::from_url("git@gitlab.example.com:group/sub/repo.git").unwrap();
        assert_eq!(
            (nested.owner.as_str(), nested.name.as_str()),
            ("group/sub", "repo")
        );
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
            "https:///ws/repo",
            "://",
            ":",
        ] {
            assert_eq!(Repository::from_url(url), None, "{url}");
        }
    }
}
