//! A commit's statuses, listed and counted.

use serde_json::{Map, Value, json};

use super::{json, refusal, show};
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;
use crate::status::Status;

/// How many of a commit's statuses are ever listed: the newest.
const LISTED: usize = 100;

/// One page.
pub(super) fn statuses(state: &State, request: &Received, sha: &str) -> Result<Reply, Reply> {
    let start = number(request, "start", 0)?;
    let limit = number(request, "limit", 25)?.clamp(1, LISTED);
    let mut statuses: Vec<&Status> = state.on_data_center(sha).collect();
    statuses.sort_by(|a, b| b.updated_on.cmp(&a.updated_on));
    statuses.truncate(LISTED);
    let order = request.parameter("orderBy").unwrap_or_default();
    match order.to_ascii_uppercase().as_str() {
        "" | "NEWEST" => {}
        "OLDEST" => statuses.reverse(),
        "STATUS" => statuses.sort_by_key(|status| rank(&status.state)),
        _ => return Err(refusal::bad_parameter("orderBy")),
    }
    let rest = statuses.get(start..).unwrap_or_default();
    let (page, later) = rest.split_at(limit.min(rest.len()));
    let body = json!({
        "size": page.len(),
        "limit": limit,
        "isLastPage": later.is_empty(),
        "values": page.iter().map(|status| show::status(status)).collect::<Vec<_>>(),
        "start": start,
        "nextPageStart": (!later.is_empty()).then_some(start + limit),
    });
    Ok(json(200, &body))
}

/// How many there are in each state.
pub(super) fn stats(state: &State, sha: &str) -> Reply {
    let count = |word| {
        let statuses = state.on_data_center(sha);
        statuses.filter(|status| status.state == word).count()
    };
    let counts: Map<String, Value> = ORDER
        .into_iter()
        .map(|(word, name)| (name.to_owned(), json!(count(word))))
        .collect();
    json(200, &Value::Object(counts))
}

/// The states, what needs attention first, and their names when they are counted.
const ORDER: [(&str, &str); 5] = [
    ("FAILED", "failed"),
    ("CANCELLED", "cancelled"),
    ("UNKNOWN", "unknown"),
    ("INPROGRESS", "inProgress"),
    ("SUCCESSFUL", "successful"),
];

fn rank(state: &str) -> Option<usize> {
    ORDER.iter().position(|(word, _)| *word == state)
}

fn number(request: &Received, name: &str, default: usize) -> Result<usize, Reply> {
    match request.parameter(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| refusal::bad_parameter(name)),
    }
}
