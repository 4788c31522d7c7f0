//! The rules of Bitbucket Cloud's REST API 2.0, as far as build statuses go.
//!
//! Nothing here waits or sends: a request and what is known make a reply. Where Atlassian's
//! description is silent, the rules are those seen in bug reports; see the project's fact sheet.

mod access;
mod build;
mod page;
mod refusal;
mod route;
mod show;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::build::Build;
use self::route::{Part, Repository, Route};
use crate::credential::Credential;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;

/// What Bitbucket Cloud says to a request.
pub(crate) fn answer(state: &mut State, request: &Received) -> Reply {
    let Some(route) = Route::of(&request.path) else {
        return refusal::no_such_resource();
    };
    if request.method != route.method() {
        return refusal::method_not_allowed(route.method());
    }
    let caller = match access::identify(state, request, &route) {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let reply = access::check_limit(state, &caller).and_then(|()| match &route {
        Route::User => Ok(access::user(&caller)),
        Route::In(repository) => in_repository(state, request, repository, &caller),
    });
    access::describe(reply.unwrap_or_else(|refusal| refusal), &caller, &route)
}

fn in_repository(
    state: &mut State,
    request: &Received,
    repository: &Repository,
    caller: &Arc<Credential>,
) -> Result<Reply, Reply> {
    access::check_scopes(caller)?;
    let Repository {
        workspace,
        slug,
        commit,
    } = repository;
    if !state.known.has_repository(workspace, slug) {
        return Err(refusal::no_repository());
    }
    let Some(commit) = commit else {
        let repository = show::repository(&state.url, workspace, slug);
        return Ok(Reply::json(200, &repository));
    };
    let Some(sha) = state.known.commit(&commit.sha) else {
        return Err(refusal::no_commit(&commit.sha));
    };
    match &commit.part {
        Part::Itself => {
            let commit = show::commit(&state.url, workspace, slug, &sha);
            Ok(Reply::json(200, &commit))
        }
        Part::Statuses => page::statuses(state, request, workspace, slug, &sha),
        Part::Build(key) => {
            // Of several, one for each refname, the newest.
            let status = state
                .of_commit(workspace, slug, &sha)
                .rfind(|s| s.key == *key);
            let status = status.ok_or_else(refusal::no_status)?;
            Ok(Reply::json(200, &show::status(&state.url, status)))
        }
        Part::Builds => {
            let status = Build::read(request)?.of(workspace, slug, sha);
            let url = state.url.clone();
            let status = state
                .put(status, caller)
                .map_err(|_| refusal::forbidden())?;
            let code = if status.created { 201 } else { 200 };
            Ok(Reply::json(code, &show::status(&url, status)))
        }
    }
}
