//! The rules of Bitbucket Data Center's REST API, as far as build statuses go.
//!
//! Like those of Cloud, they are Atlassian's description, and where it is silent what reports show.

mod access;
mod build;
mod page;
mod refusal;
mod route;
mod show;

use std::sync::Arc;

use self::route::{Part, Repository, Route};
use crate::credential::Credential;
use crate::known::Missing;
use crate::limits::Budget;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;
use crate::status::Status;
use crate::version::Version;

/// What Data Center says to a request.
pub(crate) fn answer(state: &mut State, request: &Received, version: Version) -> Reply {
    state.requests += 1;
    // Its parts are a node, the minute of the day, a count and how many are served at once.
    let request_id = format!("@STANDINx1x{}x0", state.requests);
    let reply = match access::log_in(state, request) {
        Err(refusal) => refusal,
        Ok(None) => resource(state, request, version, None),
        Ok(Some(caller)) => {
            let budget = access::spend(state, &caller);
            let reply = match budget {
                Some(Budget {
                    retry_after: Some(seconds),
                    ..
                }) => refusal::rate_limited(seconds),
                _ => resource(state, request, version, Some(&caller)),
            };
            access::describe(reply, &caller, budget)
        }
    };
    reply.with_header("x-arequestid", request_id)
}

fn resource(
    state: &mut State,
    request: &Received,
    version: Version,
    caller: Option<&Arc<Credential>>,
) -> Reply {
    let context_path = &state.rules.context_path;
    let Some(route) = Route::of(&request.path, context_path, version) else {
        return refusal::no_such_resource(&state.url, context_path, &request.path);
    };
    let root = format!("{}{context_path}", state.url);
    let methods = route.methods(version);
    if !methods.contains(&request.method.as_str()) {
        return refusal::method_not_allowed(methods);
    }
    let reply = match route {
        Route::ApplicationProperties => Ok(show::application_properties(version)),
        Route::Capabilities => Ok(show::capabilities(&root, version)),
        Route::BuildCapabilities => Ok(show::build_capabilities(version)),
        Route::In(repository) => access::check(caller)
            .and_then(|caller| in_repository(state, request, version, &root, repository, caller)),
        Route::Statuses(sha) => access::check(caller)
            .and_then(|caller| of_a_commit(state, request, &whole_hash(&sha)?, caller)),
        Route::Stats(sha) => {
            access::check(caller).and_then(|_| Ok(page::stats(state, &whole_hash(&sha)?)))
        }
    };
    reply.unwrap_or_else(|refusal| refusal)
}

fn in_repository(
    state: &mut State,
    request: &Received,
    version: Version,
    root: &str,
    Repository {
        project,
        slug,
        part,
    }: Repository,
    caller: &Arc<Credential>,
) -> Result<Reply, Reply> {
    let found = state.known.project(&project, &slug);
    let project = found.map_err(|missing| match missing {
        Missing::Project => refusal::no_project(&project),
        Missing::Repository => refusal::no_repository(&project, &slug),
    })?;
    let (Part::Commit(sha) | Part::Builds(sha)) = &part else {
        return Ok(show::repository(root, &project, &slug));
    };
    let sha = whole_hash(sha)?;
    if state.known.commit(&sha).as_deref() != Some(&sha) {
        return Err(refusal::no_commit(&sha, &slug));
    }
    match part {
        Part::Builds(_) if request.method == "GET" => {
            let key = request.parameter("key");
            let key = key.ok_or_else(|| refusal::bad_parameter("key"))?;
            let found = state.on_data_center(&sha).find(|status| {
                status.workspace == project && status.repository == slug && status.key == key
            });
            let status = found.ok_or_else(|| refusal::no_status(&key, &sha))?;
            Ok(json(200, &show::status(status)))
        }
        Part::Builds(_) if request.method == "DELETE" => {
            access::check_admin(caller)?;
            let key = request.parameter("key");
            let key = key.ok_or_else(|| refusal::bad_parameter("key"))?;
            // That a key has no status is not among the documented errors.
            let deleted = state.delete(&project, &slug, &sha, &key);
            (deleted.then(|| Reply::empty(204))).ok_or_else(|| refusal::no_status(&key, &sha))
        }
        Part::Builds(_) => {
            let status = Status {
                workspace: project,
                repository: slug,
                commit: sha,
                ..build::rich(request, version)?
            };
            store(state, status, caller)
        }
        _ => Ok(show::commit(&sha)),
    }
}

/// The old endpoint, which knows commits and no repositories, and any commit at all.
fn of_a_commit(
    state: &mut State,
    request: &Received,
    sha: &str,
    caller: &Arc<Credential>,
) -> Result<Reply, Reply> {
    if request.method == "GET" {
        return page::statuses(state, request, sha);
    }
    let status = Status {
        commit: sha.to_owned(),
        ..build::legacy(request)?
    };
    store(state, status, caller)
}

fn store(state: &mut State, status: Status, caller: &Arc<Credential>) -> Result<Reply, Reply> {
    let stored = state.put(status, caller);
    stored.map_err(|_| refusal::not_permitted())?;
    Ok(Reply::empty(204))
}

/// Data Center wants all 40 digits, where Cloud takes prefixes.
fn whole_hash(sha: &str) -> Result<String, Reply> {
    if sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(sha.to_ascii_lowercase())
    } else {
        Err(refusal::not_a_hash(sha))
    }
}

fn json(status: u16, body: &serde_json::Value) -> Reply {
    Reply::json_as("application/json;charset=UTF-8", status, body)
}
