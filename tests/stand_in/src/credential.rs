//! Who a client says it is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A credential that the server knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// What is sent.
    pub kind: CredentialKind,
    /// What it may do: scopes on Cloud, permissions such as `REPO_READ` on Data Center. Unless said
    /// otherwise, `["repository", "REPO_READ"]`.
    pub scopes: Vec<String>,
    /// Whether it may overwrite the statuses of others.
    pub admin: bool,
}

/// How a credential is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialKind {
    /// A repository, project or workspace access token; on Data Center an HTTP access token.
    Bearer(String),
    /// An API token; on Data Center a password, or a user's HTTP access token.
    Basic {
        /// The Atlassian account's email; on Data Center the user's name.
        user: String,
        /// The token or password.
        token: String,
    },
    /// An OAuth consumer, which gets itself Bearer tokens and owns what is done with them.
    Consumer {
        /// Also called its key.
        id: String,
        /// The secret.
        secret: String,
    },
}

impl Credential {
    /// An access token that may read repositories.
    pub fn bearer(token: &str) -> Self {
        Self::new(CredentialKind::Bearer(token.to_owned()))
    }

    /// An API token, or a user of Data Center, that may read repositories.
    pub fn basic(user: &str, token: &str) -> Self {
        Self::new(CredentialKind::Basic {
            user: user.to_owned(),
            token: token.to_owned(),
        })
    }

    /// An OAuth consumer that may read repositories.
    pub fn consumer(id: &str, secret: &str) -> Self {
        Self::new(CredentialKind::Consumer {
            id: id.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// The same with other scopes.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The same with an administrator's rights.
    #[must_use]
    pub fn as_admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// The `Authorization` header that carries it; a consumer's, when it asks for a token.
    pub fn header(&self) -> String {
        match &self.kind {
            CredentialKind::Bearer(token) => format!("Bearer {token}"),
            CredentialKind::Basic { user, token } => basic(user, token),
            CredentialKind::Consumer { id, secret } => basic(id, secret),
        }
    }

    /// The scopes that mean something to Cloud.
    pub(crate) fn cloud_scopes(&self) -> Vec<&str> {
        let scopes = self.scopes.iter().map(String::as_str);
        scopes.filter(|scope| !is_permission(scope)).collect()
    }

    /// Whether Data Center lets it read repositories: any permission on one implies that.
    pub(crate) fn may_read_on_data_center(&self) -> bool {
        self.scopes.iter().any(|scope| is_permission(scope))
    }

    /// The credential in an `Authorization` header, known or not.
    pub(crate) fn from_header(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::bearer(rest));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
        let (user, token) = decoded.split_once(':')?;
        Some(Self::basic(user, token))
    }

    fn new(kind: CredentialKind) -> Self {
        Self {
            kind,
            scopes: vec!["repository".to_owned(), "REPO_READ".to_owned()],
            admin: false,
        }
    }
}

fn basic(user: &str, secret: &str) -> String {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{secret}"));
    format!("Basic {encoded}")
}

/// Whether a scope is a permission of Data Center.
fn is_permission(scope: &str) -> bool {
    scope.starts_with("REPO_") || scope.starts_with("PROJECT_")
}
