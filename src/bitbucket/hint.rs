//! Hints for refusals: what an answer means for these credentials on this product.

use crate::bitbucket::credentials::{Credentials, Kind};
use crate::http::response::HTML_PAGE;
use crate::status::product::Product;

/// Which credentials sent a request to which product.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// `None` if the request was sent without credentials.
    pub credentials: Option<&'a Credentials>,
    /// The product that answers.
    pub product: Product,
}

/// The hint for a refusal with this HTTP status and message.
pub(crate) fn for_refusal(status: u16, message: &str, sender: Sender<'_>) -> Option<&'static str> {
    // Cloud answers a wrong API token with an empty body of the type text/html.
    if message.starts_with(HTML_PAGE) && status != 401 {
        return Some(
            "this is not Bitbucket's API: check scheme, host, port and context path in \
             BITBUCKET_SERVER_URL (Data Center) or BITBUCKET_API_ROOT (Cloud)",
        );
    }
    match sender.product {
        Product::Cloud => cloud(status, message, sender.credentials?),
        Product::DataCenter => data_center(status, message, sender.credentials?),
    }
}

/// The hint for a failure with this HTTP status that may pass.
pub(crate) fn for_failing(status: u16, product: Product) -> Option<&'static str> {
    Some(match (status, product) {
        (502..=504, _) => {
            "Bitbucket, or a proxy in front of it, is down or overloaded: try again later"
        }
        (429, Product::Cloud) => {
            "Bitbucket Cloud allows 1,000 requests an hour for each token or user: use a separate \
             token for reports, or report less often"
        }
        // The limit is for the user, so that a user's tokens share it.
        (429, Product::DataCenter) => {
            "this server limits requests for each user: raise --timeout, use the token of a separate \
             user for reports, or ask the server's administrators"
        }
        _ => return None,
    })
}

/// <https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/>
fn cloud(status: u16, message: &str, credentials: &Credentials) -> Option<&'static str> {
    let kind = credentials.token().map_or(Kind::Unknown, Kind::of);
    Some(match (status, credentials, kind) {
        (400 | 401, Credentials::Consumer { .. }, _) => {
            "the OAuth consumer's key or secret is wrong, or the consumer is not private, or it has \
             no callback URL (Workspace settings, OAuth consumers)"
        }
        (401, _, Kind::DataCenterToken) => {
            "this is a token of Bitbucket Data Center: set BITBUCKET_SERVER_URL to the server's URL"
        }
        (401, Credentials::Issued { .. }, _) => {
            "Bitbucket does not accept the token that it has just issued to the OAuth consumer: try \
             again, and check that the consumer still exists"
        }
        (401, Credentials::Basic { username, .. }, _) if !username.contains('@') => {
            "BITBUCKET_USERNAME is not an email address: for an API token, set it to the email of \
             the Atlassian account; for an access token, unset it; app passwords stopped working on \
             2026-07-28"
        }
        (401, Credentials::Basic { .. }, Kind::AccessToken) => {
            "an access token must be sent as Bearer: leave out --auth basic and unset BITBUCKET_USERNAME"
        }
        (401, Credentials::Basic { .. }, _) => {
            "the API token has expired (after a year at most), is revoked, has no scopes, or is an app \
             password, which stopped working on 2026-07-28; or BITBUCKET_USERNAME is not the email of \
             its account"
        }
        (401, Credentials::Bearer { .. }, Kind::ApiToken) => {
            "an API token must be sent with its account's email: set BITBUCKET_USERNAME, and leave out \
             --auth bearer and BITBUCKET_AUTH"
        }
        (401, Credentials::Bearer { .. }, Kind::AccessToken) => {
            "the access token has expired, is revoked, belongs to another repository, or was not \
             copied whole"
        }
        (401, Credentials::Bearer { .. }, _) => {
            "it is expired, revoked or not a token: access tokens begin with ATCTT, and API tokens, \
             which need BITBUCKET_USERNAME too, with ATATT; put only the token into the variable"
        }
        (403, Credentials::Issued { .. }, _) if message.contains("scope") => {
            "give the OAuth consumer the permission Repositories: Read"
        }
        (403, ..) if message.contains("scope") => {
            "create a token with the scope repository (API token: read:repository:bitbucket); scopes \
             cannot be added to an existing token"
        }
        (403, ..) => {
            "only the credential that created a status may overwrite it: use one credential for the \
             whole build; where that one is gone, its status stays: push a new commit, or let a report \
             that is not sync's pass another --key"
        }
        (404, ..) if message.contains("ommit") => COMMIT,
        (404, ..) if message.contains("Resource not found") => {
            "the API has no such path: BITBUCKET_API_ROOT must end in /2.0"
        }
        (404, ..) => {
            "check the workspace and the repository's name (to correct them, set BITBUCKET_REPOSITORY \
             to WORKSPACE/REPO, or with GitLab's template its input `repository`), and that the token \
             may read the repository: Bitbucket's answer is the same for both"
        }
        (410, ..) => {
            "Bitbucket no longer supports this login: create an access token or an API token"
        }
        _ => return None,
    })
}

const COMMIT: &str = "Bitbucket does not have this commit: push it, or pass --commit if this is a \
                      merge commit that exists in the CI only";

/// <https://confluence.atlassian.com/display/BITBUCKETSERVER091/HTTP+access+tokens>
fn data_center(status: u16, message: &str, credentials: &Credentials) -> Option<&'static str> {
    let kind = credentials.token().map_or(Kind::Unknown, Kind::of);
    Some(match (status, credentials) {
        // jenkinsci/stashnotifier-plugin#263: each further attempt keeps it locked.
        (401 | 403, _) if message.contains("CAPTCHA") => {
            "the account is locked after failed logins: log in once with a browser, then correct the \
             password; an HTTP access token is never locked"
        }
        (401, _) if matches!(kind, Kind::AccessToken | Kind::ApiToken) => {
            "this is a token of Bitbucket Cloud: unset BITBUCKET_SERVER_URL, or create an HTTP access \
             token on this server"
        }
        // The server answers the same to a wrong password and to a missing permission.
        (401, Credentials::Basic { .. }) if kind == Kind::DataCenterToken => {
            "a project's or repository's HTTP access token must be sent as Bearer: leave out --auth \
             basic"
        }
        (401, Credentials::Basic { .. }) => {
            "the password is wrong, the user may not read the repository, or Basic authentication is \
             disabled: in each case, use an HTTP access token with the permission Repository read, \
             and unset BITBUCKET_USERNAME"
        }
        (401, _) => {
            "the HTTP access token has expired, is revoked, or lacks the permission Repository read"
        }
        (403, _) => "the server's licence or a rule of its administrators forbids this",
        (404, _) if message.contains("ommit") => COMMIT,
        (404, _) => {
            "check the project's key (~user for a personal repository), the repository's name (to \
             correct them, set BITBUCKET_REPOSITORY to PROJECT/REPO), and the context path in \
             BITBUCKET_SERVER_URL"
        }
        _ => return None,
    })
}
