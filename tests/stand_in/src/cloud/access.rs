//! Who may do what.

use std::sync::Arc;

use serde_json::json;

use super::refusal;
use super::route::Route;
use crate::credential::{Credential, CredentialKind};
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;

/// The scopes that give access to statuses, for reading and writing alike. OAuth scopes imply each
/// other; API-token scopes do not, so `write:repository:bitbucket` is not among them.
const ENOUGH: [&str; 6] = [
    "repository",
    "repository:write",
    "repository:admin",
    "pullrequest",
    "pullrequest:write",
    "read:repository:bitbucket",
];

/// Whose request this is.
pub(super) fn identify(
    state: &State,
    request: &Received,
    route: &Route,
) -> Result<Arc<Credential>, Reply> {
    let Some(header) = request.header("authorization") else {
        // Bitbucket does not tell a stranger which repositories there are.
        return Err(match route {
            Route::User => refusal::bad_token(),
            Route::In(_) => refusal::no_repository(),
        });
    };
    match state.tokens.consumer(header) {
        Some(_) if state.rules.tokens_expire_at_once => return Err(refusal::expired_token()),
        Some(consumer) => return Ok(consumer),
        None => {}
    }
    match state.known.credential(header) {
        // An API token without scopes is taken for no token at all.
        Some(caller) if is_api_token(&caller) && caller.cloud_scopes().is_empty() => {
            Err(refusal::bad_token())
        }
        Some(caller) => Ok(caller),
        None if header
            .get(..6)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic ")) =>
        {
            Err(refusal::bad_basic())
        }
        None => Err(refusal::bad_token()),
    }
}

/// Whether the caller may make a request now.
pub(super) fn check_limit(state: &mut State, caller: &Credential) -> Result<(), Reply> {
    let Some(window) = &mut state.window else {
        return Ok(());
    };
    let allowed = window.allows(caller.header(), state.now);
    allowed.then_some(()).ok_or_else(refusal::rate_limited)
}

/// Whether the caller may see repositories, commits and statuses, and post statuses.
pub(super) fn check_scopes(caller: &Credential) -> Result<(), Reply> {
    if caller
        .scopes
        .iter()
        .any(|scope| ENOUGH.contains(&scope.as_str()))
    {
        return Ok(());
    }
    let required = if is_api_token(caller) {
        "read:repository:bitbucket"
    } else {
        "repository"
    };
    Err(refusal::lacks_scopes(required, &caller.cloud_scopes()))
}

/// The account behind the credential; an access token has none.
pub(super) fn user(caller: &Credential) -> Reply {
    match &caller.kind {
        CredentialKind::Bearer(_) => refusal::forbidden(),
        CredentialKind::Consumer { .. } => refusal::lacks_scopes("account", &caller.cloud_scopes()),
        CredentialKind::Basic { user, .. } => {
            let name = user.split('@').next();
            let account = json!({
                "type": "user",
                "display_name": name,
                "nickname": name,
                "account_status": "active",
                "uuid": "{00000000-0000-4000-8000-000000000000}",
            });
            Reply::json(200, &account)
        }
    }
}

/// Adds the headers that describe the credential, which Bitbucket sends with refusals too.
pub(super) fn describe(reply: Reply, caller: &Credential, route: &Route) -> Reply {
    let kind = match caller.kind {
        CredentialKind::Basic { .. } => "api_token",
        CredentialKind::Bearer(_) => "repo_access_token",
        CredentialKind::Consumer { .. } => "oauth2",
    };
    let accepted = match (is_api_token(caller), route) {
        (true, Route::User) => "read:user:bitbucket",
        (true, _) => "read:repository:bitbucket",
        (false, Route::User) => "account",
        (false, _) => "repository",
    };
    reply
        .with_header("x-oauth-scopes", caller.cloud_scopes().join(", "))
        .with_header("x-accepted-oauth-scopes", accepted)
        .with_header("x-credential-type", kind)
}

fn is_api_token(caller: &Credential) -> bool {
    matches!(caller.kind, CredentialKind::Basic { .. })
}
