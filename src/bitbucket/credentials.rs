//! Credentials, and the header that they are sent in.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::aws::stored_token::StoredToken;
use crate::cli::Method;
use crate::env::Env;
use crate::error::Error;
use crate::http::request::{Request, Value};
use crate::secret::Secret;
use crate::status::product::Product;

/// Credentials for Bitbucket.
#[derive(Clone, Debug, PartialEq)]
pub enum Credentials {
    /// `Authorization: Basic`, with a user name.
    Basic {
        /// For API tokens, the email of the Atlassian account.
        username: String,
        /// An API token or a password.
        token: Secret,
    },
    /// `Authorization: Bearer`.
    Bearer {
        /// An access token.
        token: Secret,
    },
    /// An OAuth consumer's key and secret, to be exchanged for a token.
    Consumer {
        /// The consumer's key.
        id: Secret,
        /// The consumer's secret.
        secret: Secret,
        /// The URL of the exchange.
        url: String,
    },
    /// A token that AWS keeps, to be asked for first.
    Stored(Box<Stored>),
    /// A token that was issued to an OAuth consumer, valid for an hour or two.
    Issued {
        /// An access token.
        token: Secret,
    },
}

/// Where AWS keeps a token, and what is known of it before it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub(super) token: StoredToken,
    pub(super) username: Option<String>,
    pub(super) method: Option<Method>,
    /// Has the credentials for AWS.
    pub(super) env: Env,
}

/// The kind of a token, by its first characters.
///
/// Atlassian calls tokens opaque. So the kind only determines the hints and the choice between Basic
/// and Bearer; only app passwords, which no longer work, are refused.
/// <https://community.atlassian.com/forums/Bitbucket-questions/Can-we-confirm-BitBucket-s-token-prefixes/qaq-p/3093481>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ATATT…`: an API token of an account, sent with its email; valid for a year at most.
    ApiToken,
    /// `ATCTT…`: an access token of a repository, project or workspace.
    AccessToken,
    /// `BBDC-…`: an HTTP access token of Data Center.
    DataCenterToken,
    /// `ATBB…`: an app password; they stopped working on 2026-07-28.
    AppPassword,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// The kind of `token`.
    pub(crate) fn of(token: &Secret) -> Self {
        const PREFIXES: &[(&str, Kind)] = &[
            ("ATATT", Kind::ApiToken),
            ("ATCTT", Kind::AccessToken),
            ("BBDC-", Kind::DataCenterToken),
            ("ATBB", Kind::AppPassword),
        ];
        let starts = |(prefix, _): &&(&str, Self)| token.expose().starts_with(prefix);
        PREFIXES
            .iter()
            .find(starts)
            .map_or(Self::Unknown, |(_, kind)| *kind)
    }
}

/// Where Cloud issues tokens: <https://developer.atlassian.com/cloud/bitbucket/oauth-2/>
pub(super) const OAUTH_URL: &str = "https://bitbucket.org/site/oauth2/access_token";

impl Credentials {
    /// The scheme and the value in the `Authorization` header. A consumer's are those for the
    /// exchange.
    pub fn authorization(&self) -> (&'static str, Secret) {
        match self {
            Self::Basic { username, token } => ("Basic", pair(username, token)),
            Self::Consumer { id, secret, .. } => ("Basic", pair(id.expose(), secret)),
            Self::Bearer { token } | Self::Issued { token } => ("Bearer", token.clone()),
            Self::Stored(_) => ("Bearer", Secret::new("")),
        }
    }

    /// The token or password, if they have one.
    pub(crate) fn token(&self) -> Option<&Secret> {
        match self {
            Self::Basic { token, .. } | Self::Bearer { token } | Self::Issued { token } => {
                Some(token)
            }
            Self::Consumer { .. } | Self::Stored(_) => None,
        }
    }

    /// Refuses credentials that `product` does not support.
    pub(crate) fn check_product(&self, product: Product) -> Result<(), Error> {
        match self {
            Self::Consumer { url, .. } if product == Product::DataCenter && url == OAUTH_URL => {
                Err(Error::setting(
                    "BITBUCKET_CLIENT_ID",
                    "it is an OAuth consumer, which works on Bitbucket Cloud only",
                    "create an HTTP access token with the permission Repository read, and set \
                     BITBUCKET_ACCESS_TOKEN to it",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Adds the `Authorization` header to `request`.
    pub(crate) fn sign(&self, request: Request) -> Request {
        let (scheme, secret) = self.authorization();
        request.with("Authorization", Value::Authorization(scheme, secret))
    }

    /// The same for a request that is only printed: nobody is asked for a token.
    pub fn sign_dry_run(&self, request: Request) -> Request {
        match self {
            Self::Consumer { .. } => {
                let token = Secret::new("");
                Self::Issued { token }.sign(request)
            }
            other => other.sign(request),
        }
    }

    /// The secrets, which must not be printed.
    pub fn secrets(&self) -> Vec<Secret> {
        let own = match self {
            Self::Basic { token, .. } | Self::Bearer { token } | Self::Issued { token } => token,
            Self::Consumer { secret, .. } => secret,
            Self::Stored(_) => return Vec::new(),
        };
        vec![own.clone(), self.authorization().1]
    }

    /// Their kind and scheme, for people.
    pub fn describe(&self) -> &'static str {
        match (self, self.token().map_or(Kind::Unknown, Kind::of)) {
            (Self::Consumer { .. } | Self::Issued { .. }, _) => "an OAuth consumer",
            (Self::Stored(_), _) => "a token that AWS keeps",
            (Self::Basic { .. }, Kind::ApiToken) => "an API token, sent as Basic",
            (Self::Basic { .. }, Kind::AccessToken) => "an access token, sent as Basic",
            (Self::Basic { .. }, _) => "a user name and a token or password, sent as Basic",
            (Self::Bearer { .. }, Kind::ApiToken) => "an API token, sent as Bearer",
            (Self::Bearer { .. }, Kind::AccessToken) => "an access token, sent as Bearer",
            (Self::Bearer { .. }, Kind::DataCenterToken) => "an HTTP access token, sent as Bearer",
            (Self::Bearer { .. }, _) => "a token, sent as Bearer",
        }
    }
}

fn pair(username: &str, password: &Secret) -> Secret {
    Secret::new(&BASE64_STANDARD.encode(format!("{username}:{}", password.expose())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_print_of_a_signed_request_shows_the_credentials() {
        let credentials = Credentials::Basic {
            username: "me@example.com".into(),
            token: Secret::new("t0ken"),
        };
        let request = Request::post_json("https://x.example/".into(), "{}".into());
        let request = credentials.sign(request);
        let (_, secret) = credentials.authorization();
        let debug = format!("{request:?}");
        assert!(
            !debug.contains("t0ken") && !debug.contains(secret.expose()),
            "{debug}"
        );
        assert_eq!(request.headers.last().unwrap().1.masked(), "Basic ***");
    }
}
