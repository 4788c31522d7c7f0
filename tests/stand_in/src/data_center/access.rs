//! Who may do what.

use std::sync::Arc;

use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::refusal;
use crate::credential::{Credential, CredentialKind};
use crate::limits::Budget;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;

/// How many wrong passwords lock an account. Administrators choose; the default is 5.
const LOCKED_AFTER: usize = 3;

/// Whose request this is; nobody's without an `Authorization` header.
///
/// A wrong credential is refused wherever it is sent, and wrong passwords lock the account.
pub(super) fn log_in(
    state: &mut State,
    request: &Received,
) -> Result<Option<Arc<Credential>>, Reply> {
    let Some(header) = request.header("authorization") else {
        return Ok(None);
    };
    let known = state.known.credential(header);
    let claimed = Credential::from_header(header).map(|credential| credential.kind);
    let Some(CredentialKind::Basic { user, .. }) = claimed else {
        return known.map(Some).ok_or_else(refusal::wrong_token);
    };
    let wrong = state.wrong_passwords.entry(user).or_default();
    let locked = *wrong >= LOCKED_AFTER;
    if let (Some(caller), false) = (known, locked) {
        *wrong = 0;
        return Ok(Some(caller));
    }
    state.failed_logins += 1;
    if locked {
        return Err(refusal::locked(&state.url));
    }
    *wrong += 1;
    Err(refusal::wrong_password())
}

/// Takes a token from the caller's bucket.
pub(super) fn spend(state: &mut State, caller: &Credential) -> Option<Budget> {
    let buckets = state.buckets.as_mut()?;
    Some(buckets.take(caller.header(), state.now))
}

/// Whether there is a caller, and one that may read repositories: enough to post builds too.
pub(super) fn check(caller: Option<&Arc<Credential>>) -> Result<&Arc<Credential>, Reply> {
    caller
        .filter(|caller| caller.may_read_on_data_center())
        .ok_or_else(refusal::not_permitted)
}

/// Whether the caller administers repositories, and so may delete builds.
pub(super) fn check_admin(caller: &Credential) -> Result<(), Reply> {
    let is_one = caller.admin || caller.scopes.iter().any(|scope| scope == "REPO_ADMIN");
    is_one.then_some(()).ok_or_else(refusal::not_permitted)
}

/// Adds the headers that say who the caller is and what is left to it.
pub(super) fn describe(reply: Reply, caller: &Credential, budget: Option<Budget>) -> Reply {
    let user = match &caller.kind {
        CredentialKind::Basic { user, .. } => user,
        _ => "access-token-user",
    };
    let user = utf8_percent_encode(user, CONTROLS).to_string();
    let reply = reply.with_header("x-ausername", user);
    let Some(budget) = budget else {
        return reply;
    };
    reply
        .with_header("x-ratelimit-limit", budget.size.to_string())
        .with_header("x-ratelimit-remaining", budget.remaining.to_string())
        .with_header("x-ratelimit-interval-seconds", "1")
        .with_header("x-ratelimit-fillrate", budget.per_second.to_string())
}
