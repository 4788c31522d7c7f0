//! What the server knows when it starts.

use crate::certificate::Certificate;
use crate::credential::Credential;
use crate::known::Known;
use crate::stand_in::StandIn;

/// The workspace of the default repository.
pub const DEFAULT_WORKSPACE: &str = "my-workspace";
/// The slug of the default repository.
pub const DEFAULT_REPOSITORY: &str = "my-repo";
/// A commit that is known by default.
pub const DEFAULT_COMMIT: &str = "9fceb02d0ae598e95dc970b74767f19372d61af8";
/// Another commit that is known by default.
pub const SECOND_COMMIT: &str = "1a410efbd13591db07496601ebc7a059dd55cfe9";
/// The default user of Basic credentials.
pub const DEFAULT_USER: &str = "me@example.com";
/// The token that is known by default, as Bearer and with [`DEFAULT_USER`] as Basic.
pub const DEFAULT_TOKEN: &str = "stand-in-token";

/// Describes a server before it starts.
///
/// By default it speaks plain HTTP on a free port and knows one repository, two commits and two
/// credentials: the constants of this crate. Commits are known in every repository.
#[derive(Clone, Debug)]
pub struct Setup {
    port: u16,
    tls: bool,
    known: Known,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            port: 0,
            tls: false,
            known: Known::default(),
        }
        .repository(DEFAULT_WORKSPACE, DEFAULT_REPOSITORY)
        .commit(DEFAULT_COMMIT)
        .commit(SECOND_COMMIT)
        .credential(Credential::bearer(DEFAULT_TOKEN))
        .credential(Credential::basic(DEFAULT_USER, DEFAULT_TOKEN))
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
        self.tls = true;
        self
    }

    /// Adds a repository. It answers to these names only: add `{uuid}` names as they are, decoded.
    #[must_use]
    pub fn repository(mut self, workspace: &str, slug: &str) -> Self {
        self.known.add_repository(workspace, slug);
        self
    }

    /// Adds a commit, which answers to its hash and to prefixes of at least 7 digits.
    #[must_use]
    pub fn commit(mut self, sha: &str) -> Self {
        self.known.add_commit(sha);
        self
    }

    /// Takes any 7 to 64 hexadecimal digits for a commit.
    #[must_use]
    pub fn any_commit(mut self) -> Self {
        self.known.any_commit = true;
        self
    }

    /// Takes any names for a repository.
    #[must_use]
    pub fn any_repository(mut self) -> Self {
        self.known.any_repository = true;
        self
    }

    /// Takes any Bearer or Basic credential (but still one), with the scope `repository`.
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

    /// Starts the server.
    pub fn start(self) -> StandIn {
        let certificate = self.tls.then(Certificate::issue);
        StandIn::run(self.port, certificate, self.known)
    }
}
