//! Which Bitbucket a request is for.

use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;
use crate::{cloud, data_center, oauth};

/// What Bitbucket says to a request.
pub(crate) fn answer(state: &mut State, request: &Received) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    if path == oauth::PATH {
        return oauth::answer(state, request);
    }
    match state.rules.data_center {
        Some(version) if !path.starts_with("/2.0/") => data_center::answer(state, request, version),
        _ => cloud::answer(state, request),
    }
}
