//! What a GitLab is when it starts.

use std::collections::HashMap;
use std::sync::Mutex;

use super::instance::{Instance, MergeRequest, Pipeline, Project};
use super::{GitLab, Shared, State, Token};
use crate::certificate::{Certificate, Flaws};
use crate::running::Running;
use crate::traffic::Traffic;
use crate::version::Version;

/// The path of the project that is there by default.
pub const DEFAULT_PROJECT: &str = "group/my-project";
/// Its id.
pub const DEFAULT_PROJECT_ID: u64 = 42;
/// The commit of pipelines that name no other.
pub const DEFAULT_SHA: &str = crate::DEFAULT_COMMIT;
/// An access token with scope `read_api` in the default project.
pub const PRIVATE_TOKEN: &str = "glpat-stand-in-gitlab";
/// The token of a running job in the default project.
pub const JOB_TOKEN: &str = "glcbt-stand-in-gitlab";

/// Describes a GitLab before it starts. By default it is GitLab 19.5 on plain HTTP, with one private
/// project and two tokens, which are constants beside this.
#[derive(Debug)]
#[must_use]
pub struct Setup {
    port: u16,
    tls: bool,
    state: State,
}

impl Default for Setup {
    fn default() -> Self {
        let state = State {
            url: String::new(),
            root: String::new(),
            external_url: String::new(),
            version: Version::parse("19.5").expect("it is one"),
            nulls: false,
            tokens: Vec::new(),
            instance: Instance::default(),
        };
        let (port, tls) = (0, false);
        Self { port, tls, state }
            .project(DEFAULT_PROJECT_ID, DEFAULT_PROJECT)
            .token(Token::private(PRIVATE_TOKEN, &[DEFAULT_PROJECT_ID]))
            .token(Token::job(JOB_TOKEN, DEFAULT_PROJECT_ID))
    }
}

impl Setup {
    /// Is this version, such as `18.2.1`: it decides what a job's token may read.
    pub fn version(mut self, version: &str) -> Self {
        let parsed = Version::parse(version);
        self.state.version = parsed.unwrap_or_else(|| panic!("not a version: {version}"));
        self
    }

    /// Lives below a path such as `/gitlab`.
    pub fn relative_url_root(mut self, root: &str) -> Self {
        let good = root.starts_with('/') && !root.ends_with('/');
        assert!(good, "not a relative URL root: {root}");
        root.clone_into(&mut self.state.root);
        self
    }

    /// Believes that it is at this address (scheme, host and port): so `Link` and `web_url` say.
    pub fn external_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.state.external_url);
        self
    }

    /// Listens on this port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Speaks HTTPS, with a certificate as [`crate::Setup::tls`] describes it.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Shows null wherever GitLab's schema allows it.
    pub fn nulls(mut self) -> Self {
        self.state.nulls = true;
        self
    }

    /// Adds a private project.
    pub fn project(mut self, id: u64, path: &str) -> Self {
        let (path, public) = (path.to_owned(), false);
        self.state
            .instance
            .projects
            .push(Project { id, path, public });
        self
    }

    /// Lets everybody see the projects so far, and their pipelines.
    pub fn public(mut self) -> Self {
        self.state
            .instance
            .projects
            .iter_mut()
            .for_each(|it| it.public = true);
        self
    }

    /// Adds a token, or replaces the one with the same value.
    pub fn token(mut self, token: Token) -> Self {
        self.state.tokens.retain(|it| it.value != token.value);
        self.state.tokens.push(token);
        self
    }

    /// Adds a pipeline.
    pub fn pipeline(mut self, pipeline: Pipeline) -> Self {
        self.state.instance.add_pipeline(pipeline);
        self
    }

    /// Adds a merge request to the default project, its source branch at this commit.
    pub fn merge_request(mut self, iid: u64, source_branch: &str, sha: &str) -> Self {
        self.state.instance.merge_requests.push(MergeRequest {
            iid,
            source_branch: source_branch.to_owned(),
            sha: sha.to_owned(),
        });
        self
    }

    /// Starts the server.
    pub fn start(self) -> GitLab {
        let Self {
            port,
            tls,
            mut state,
        } = self;
        let root = state.root.clone();
        let certificate = tls.then(|| Certificate::issue(&Flaws::default()));
        let (running, shared) = Running::start(port, certificate, |url| {
            url.clone_into(&mut state.url);
            if state.external_url.is_empty() {
                url.clone_into(&mut state.external_url);
            }
            Shared {
                traffic: Traffic::default(),
                state: Mutex::new(state),
                on_request: Mutex::new(Box::new(|_, _| ())),
                own: Mutex::new(HashMap::new()),
            }
        });
        GitLab {
            shared,
            running,
            root,
        }
    }
}
