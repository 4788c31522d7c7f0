//! The list of a commit's statuses, page by page.

use serde_json::json;

use super::{refusal, show};
use crate::percent::encode;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;

/// One page. Of the query, `pagelen`, `page` and `refname` count; `q` and `sort` do not.
pub(super) fn statuses(
    state: &State,
    request: &Received,
    workspace: &str,
    slug: &str,
    sha: &str,
) -> Result<Reply, Reply> {
    let pagelen = number(request, "pagelen", 10)
        .filter(|pagelen| *pagelen <= 100)
        .ok_or_else(|| refusal::bad_request("Invalid pagelen"))?;
    let page = number(request, "page", 1).ok_or_else(|| refusal::bad_request("Invalid page"))?;
    let refname = request.parameter("refname");
    let matching: Vec<_> = state
        .of_commit(workspace, slug, sha)
        .filter(|status| refname.is_none() || status.refname.is_none() || status.refname == refname)
        .collect();
    let values: Vec<_> = matching
        .iter()
        .skip((page - 1).saturating_mul(pagelen))
        .take(pagelen)
        .map(|status| show::status(&state.url, status))
        .collect();
    let mut body = json!({
        "values": values,
        "page": page,
        "pagelen": pagelen,
        "size": matching.len(),
    });
    if page.saturating_mul(pagelen) < matching.len() {
        let list = show::commit_href(&state.url, workspace, slug, sha) + "/statuses";
        let refname = refname.map(|name| format!("&refname={}", encode(&name)));
        let next = format!(
            "{list}?pagelen={pagelen}&page={}{}",
            page + 1,
            refname.unwrap_or_default()
        );
        body["next"] = json!(next);
    }
    Ok(Reply::json(200, &body))
}

/// A parameter that counts from 1; `None` when it is there and does not.
fn number(request: &Received, name: &str, default: usize) -> Option<usize> {
    match request.parameter(name) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0),
    }
}
