//! What a refusal means for the credentials that met it.

use crate::bitbucket::credentials::{Credentials, Kind};
use crate::http::response::HTML_PAGE;
use crate::status::product::Product;

/// Who asked whom.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// With which credentials.
    pub credentials: Option<&'a Credentials>,
    /// Which product.
    pub product: Product,
}

/// What to do about an answer with this status and message.
pub(crate) fn for_refusal(status: u16, message: &str, sender: Sender<'_>) -> Option<&'static str> {
    if message.starts_with(HTML_PAGE) {
        return Some(
            "that is not Bitbucket's API: check the host, the port, whether it is https, and the \
             context path in BITBUCKET_SERVER_URL (Data Center) or BITBUCKET_API_ROOT (Cloud)",
        );
    }
    match sender.product {
        Product::Cloud => cloud(status, message, sender.credentials?),
        Product::DataCenter => data_center(status, message, sender.credentials?),
    }
}

/// What to do about an answer that may be another one later.
pub(crate) fn for_failing(status: u16, product: Product) -> Option<&'static str> {
    Some(match (status, product) {
        (503, _) => "Bitbucket, or a proxy before it, is down or busy: try again later",
        (429, Product::Cloud) => {
            "Bitbucket Cloud allows 1,000 requests an hour for each token or user: use a token of \
             its own for this, or report less often"
        }
        // A user's tokens share what the user has.
        (429, Product::DataCenter) => {
            "this server limits requests for each user: raise --timeout, use the token of a user of \
             its own for this, or ask its administrators"
        }
        _ => return None,
    })
}

/// <https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/>
fn cloud(status: u16, message: &str, credentials: &Credentials) -> Option<&'static str> {
    let kind = credentials.token().map_or(Kind::Unknown, Kind::of);
    Some(match (status, credentials, kind) {
        (400 | 401, Credentials::Consumer { .. }, _) => {
            "the key or the secret of the OAuth consumer is wrong, or the consumer is not private or \
             has no callback URL (Workspace settings, OAuth consumers)"
        }
        (401, _, Kind::DataCenterToken) => {
            "this is a token of Bitbucket Data Center: set BITBUCKET_SERVER_URL to its address"
        }
        (401, Credentials::Issued { .. }, _) => {
            "the token that was just issued to the OAuth consumer is not accepted: try again, and \
             look whether the consumer still exists"
        }
        (401, Credentials::Basic { username, .. }, _) if !username.contains('@') => {
            "BITBUCKET_USERNAME is not an email: an API token goes with the email of its Atlassian \
             account; for an access token, leave BITBUCKET_USERNAME out"
        }
        (401, Credentials::Basic { .. }, Kind::AccessToken) => {
            "an access token is sent as Bearer: leave out --auth basic and BITBUCKET_USERNAME"
        }
        (401, Credentials::Basic { .. }, _) => {
            "the API token is expired (one year at most), revoked or without scopes, or \
             BITBUCKET_USERNAME is not the email of its account"
        }
        (401, Credentials::Bearer { .. }, Kind::ApiToken) => {
            "an API token is sent with its account's email: set BITBUCKET_USERNAME"
        }
        (401, Credentials::Bearer { .. }, _) => {
            "the access token is expired, revoked, or of another repository; if it is an API token, \
             set BITBUCKET_USERNAME to its account's email"
        }
        (403, Credentials::Issued { .. }, _) if message.contains("scope") => {
            "give the OAuth consumer the permission Repositories: Read"
        }
        (403, ..) if message.contains("scope") => {
            "make a token with the scope repository (API token: read:repository:bitbucket); scopes \
             cannot be added to a token"
        }
        (403, ..) => {
            "only the credential that created a status may overwrite it: use the same one for the \
             whole build, or another key"
        }
        (404, ..) if message.contains("ommit") => COMMIT,
        (404, ..) if message.contains("Resource not found") => {
            "there is no such place in the API: BITBUCKET_API_ROOT ends in /2.0"
        }
        (404, ..) => {
            "check the workspace and the repository's name, and that the token may read it: \
             Bitbucket says the same for both"
        }
        (410, ..) => "this way to log in is gone: make an access token or an API token",
        _ => return None,
    })
}

const COMMIT: &str = "Bitbucket does not have this commit: it may not be pushed there yet, or be a \
                      merge commit that exists in the CI only (--commit)";

/// <https://confluence.atlassian.com/display/BITBUCKETSERVER091/HTTP+access+tokens>
fn data_center(status: u16, message: &str, credentials: &Credentials) -> Option<&'static str> {
    let kind = credentials.token().map_or(Kind::Unknown, Kind::of);
    Some(match (status, credentials) {
        // jenkinsci/stashnotifier-plugin#263: each further attempt keeps it locked.
        (401 | 403, _) if message.contains("CAPTCHA") => {
            "the account is locked after failed logins: log in once with a browser, then mend the \
             password; an HTTP access token is never locked"
        }
        (401, _) if matches!(kind, Kind::AccessToken | Kind::ApiToken) => {
            "this is a token of Bitbucket Cloud: leave BITBUCKET_SERVER_URL out, or make an HTTP \
             access token on this server"
        }
        // A wrong password and a missing permission are the same to it.
        (401, Credentials::Basic { .. }) if kind == Kind::DataCenterToken => {
            "a project's or repository's HTTP access token is sent as Bearer: leave out --auth basic"
        }
        (401, Credentials::Basic { .. }) => {
            "the password is wrong, the user may not read the repository, or Basic is switched off: \
             an HTTP access token with the permission Repository read, without BITBUCKET_USERNAME, \
             does in all cases"
        }
        (401, _) => {
            "the HTTP access token is expired, revoked, or lacks the permission Repository read"
        }
        (403, _) => "the server's licence or a rule of its administrators forbids it",
        (404, _) if message.contains("ommit") => COMMIT,
        (404, _) => {
            "check the project's key (~user for a personal repository), the repository's name, and \
             the context path in BITBUCKET_SERVER_URL"
        }
        _ => return None,
    })
}
