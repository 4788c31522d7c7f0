//! Who a client says it is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A credential that the server knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// What is sent.
    pub kind: CredentialKind,
    /// What it may do; `["repository"]` unless said otherwise.
    pub scopes: Vec<String>,
    /// Whether it may overwrite the statuses of others.
    pub admin: bool,
}

/// How a credential is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialKind {
    /// A repository, project or workspace access token.
    Bearer(String),
    /// An API token.
    Basic {
        /// The Atlassian account's email.
        user: String,
        /// The token.
        token: String,
    },
}

impl Credential {
    /// An access token with the scope `repository`.
    pub fn bearer(token: &str) -> Self {
        Self::new(CredentialKind::Bearer(token.to_owned()))
    }

    /// An API token with the scope `repository`.
    pub fn basic(user: &str, token: &str) -> Self {
        Self::new(CredentialKind::Basic {
            user: user.to_owned(),
            token: token.to_owned(),
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

    /// The `Authorization` header that carries it.
    pub fn header(&self) -> String {
        match &self.kind {
            CredentialKind::Bearer(token) => format!("Bearer {token}"),
            CredentialKind::Basic { user, token } => {
                format!(
                    "Basic {}",
                    BASE64_STANDARD.encode(format!("{user}:{token}"))
                )
            }
        }
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
            scopes: vec!["repository".to_owned()],
            admin: false,
        }
    }
}
