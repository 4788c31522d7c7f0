//! What the server knows when it starts.

use std::time::Duration;

use crate::certificate::{Certificate, Flaws};
use crate::credential::Credential;
use crate::known::Known;
use crate::rules::Rules;
use crate::stand_in::StandIn;
use crate::version::Version;

/// The workspace of the default repository.
pub const DEFAULT_WORKSPACE: &str = "my-workspace";
/// The slug of the default repository.
pub const DEFAULT_REPOSITORY: &str = "my-repo";
/// The project of the default repository on Data Center, whose slug is [`DEFAULT_REPOSITORY`].
pub const DEFAULT_PROJECT: &str = "PROJ";
/// The key of a user's own project on Data Center, where a repository `tools` is known by default.
pub const DEFAULT_PERSONAL_PROJECT: &str = "~jdoe";
/// A commit that is known by default.
pub const DEFAULT_COMMIT: &str = "9fceb02d0ae598e95dc970b74767f19372d61af8";
/// Another commit that is known by default.
pub const SECOND_COMMIT: &str = "1a410efbd13591db07496601ebc7a059dd55cfe9";
/// The default user of Basic credentials.
pub const DEFAULT_USER: &str = "me@example.com";
/// The token that is known by default, as Bearer and with [`DEFAULT_USER`] as Basic.
pub const DEFAULT_TOKEN: &str = "stand-in-token";
/// The id of the OAuth consumer that is known by default.
pub const DEFAULT_CLIENT_ID: &str = "stand-in-client";
/// Its secret.
pub const DEFAULT_CLIENT_SECRET: &str = "stand-in-secret";

/// Describes a server before it starts.
///
/// By default it is Bitbucket Cloud, speaks plain HTTP on a free port and knows the repositories,
/// commits and credentials that are constants of this crate. Commits are known in every repository.
#[derive(Clone, Debug)]
pub struct Setup {
    port: u16,
    tls: Option<Flaws>,
    known: Known,
    rules: Rules,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            port: 0,
            tls: None,
            known: Known::default(),
            rules: Rules::default(),
        }
        .repository(DEFAULT_WORKSPACE, DEFAULT_REPOSITORY)
        .project(DEFAULT_PROJECT, DEFAULT_REPOSITORY)
        .project(DEFAULT_PERSONAL_PROJECT, "tools")
        .commit(DEFAULT_COMMIT)
        .commit(SECOND_COMMIT)
        .credential(Credential::bearer(DEFAULT_TOKEN))
        .credential(Credential::basic(DEFAULT_USER, DEFAULT_TOKEN))
        .consumer(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
    }
}

impl Setup {
    /// Forgets what is known so far, the defaults included: call it first.
    #[must_use]
    pub fn no_defaults(mut self) -> Self {
        self.known = Known::default();
        self
    }

    /// Listens on this port; 0, the default, takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Speaks HTTPS, with a certificate for `localhost` and 127.0.0.1 from a CA made for this one
    /// server ([`StandIn::ca_pem`]).
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls.get_or_insert_default();
        self
    }

    /// Speaks HTTPS, with a certificate for this host and no other.
    #[must_use]
    pub fn tls_for_host(mut self, name: &str) -> Self {
        self.tls.get_or_insert_default().other_host = Some(name.to_owned());
        self
    }

    /// Speaks HTTPS, with a certificate that has expired.
    #[must_use]
    pub fn tls_expired(mut self) -> Self {
        self.tls.get_or_insert_default().expired = true;
        self
    }

    /// Speaks HTTPS with those only who have a certificate of the same CA, such as
    /// [`StandIn::client_cert_pem`].
    #[must_use]
    pub fn tls_client_ca(mut self) -> Self {
        self.tls.get_or_insert_default().asks_clients = true;
        self
    }

    /// Is Data Center too, of a version such as `9.4.0`: see [`StandIn::server_url`].
    #[must_use]
    pub fn data_center(mut self, version: &str) -> Self {
        let parsed = Version::parse(version);
        assert!(parsed.is_some(), "not a version: {version}");
        self.rules.data_center = parsed;
        self
    }

    /// Puts Data Center below a path such as `/bitbucket`.
    #[must_use]
    pub fn context_path(mut self, path: &str) -> Self {
        let good = path.is_empty() || path.starts_with('/') && !path.ends_with('/');
        assert!(good, "not a context path: {path}");
        path.clone_into(&mut self.rules.context_path);
        self
    }

    /// Adds a repository of Data Center. The project's key is found in any case.
    #[must_use]
    pub fn project(mut self, key: &str, slug: &str) -> Self {
        self.known.add_project(key, slug);
        self
    }

    /// Adds a repository of Cloud. It answers to these names only: add `{uuid}` names as they are, decoded.
    #[must_use]
    pub fn repository(mut self, workspace: &str, slug: &str) -> Self {
        self.known.add_repository(workspace, slug);
        self
    }

    /// Adds a commit, which answers to its hash and, on Cloud, to prefixes of at least 7 digits.
    #[must_use]
    pub fn commit(mut self, sha: &str) -> Self {
        self.known.add_commit(sha);
        self
    }

    /// Takes any 7 to 64 hexadecimal digits for a commit; on Data Center any 40.
    #[must_use]
    pub fn any_commit(mut self) -> Self {
        self.known.any_commit = true;
        self
    }

    /// Takes any names for a repository, on Data Center too.
    #[must_use]
    pub fn any_repository(mut self) -> Self {
        self.known.any_repository = true;
        self
    }

    /// Takes any Bearer or Basic credential (but still one) that may read repositories, and any
    /// OAuth consumer.
    #[must_use]
    pub fn any_credential(mut self) -> Self {
        self.known.any_credential = true;
        self
    }

    /// Adds a credential, or replaces the one that is sent in the same way.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.known.add_credential(credential);
        self
    }

    /// Adds an OAuth consumer that may read repositories.
    #[must_use]
    pub fn consumer(self, id: &str, secret: &str) -> Self {
        self.credential(Credential::consumer(id, secret))
    }

    /// Lets the tokens of OAuth consumers expire before they are used.
    #[must_use]
    pub fn tokens_expire_at_once(mut self) -> Self {
        self.rules.tokens_expire_at_once = true;
        self
    }

    /// Limits each credential on Data Center to a bucket of so many requests, refilled at this
    /// rate. Where the limit is on, Data Center's defaults are 60 and 5.
    #[must_use]
    pub fn token_bucket(mut self, size: u32, per_second: u32) -> Self {
        self.rules.token_bucket = Some((size, per_second));
        self
    }

    /// Limits each credential on Cloud to so many requests in any such time. Bitbucket's limit is
    /// 1,000 in an hour.
    #[must_use]
    pub fn hourly_limit(mut self, requests: u32, window: Duration) -> Self {
        self.rules.hourly_limit = Some((requests, window));
        self
    }

    /// Shows what is stored on a page at `/`, which no answer that a test asks for takes the place of.
    #[must_use]
    pub fn web_page(mut self) -> Self {
        self.rules.web_page = true;
        self
    }

    /// Starts the server.
    pub fn start(self) -> StandIn {
        let needs_data_center =
            !self.rules.context_path.is_empty() || self.rules.token_bucket.is_some();
        assert!(
            self.rules.data_center.is_some() || !needs_data_center,
            "context_path and token_bucket are for Data Center: call data_center too"
        );
        let certificate = self.tls.as_ref().map(Certificate::issue);
        StandIn::run(self.port, certificate, self.known, self.rules)
    }
}
