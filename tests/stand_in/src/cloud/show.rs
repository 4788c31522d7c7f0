//! Things as Bitbucket Cloud shows them, as far as reports show it.

use serde_json::{Value, json};

use crate::percent::encode;
use crate::status::Status;

pub(super) fn repository(url: &str, workspace: &str, slug: &str) -> Value {
    json!({
        "type": "repository",
        "full_name": format!("{workspace}/{slug}"),
        "name": slug,
        "uuid": "{00000000-0000-4000-8000-000000000001}",
        "links": { "self": { "href": repository_href(url, workspace, slug) } },
    })
}

pub(super) fn commit(url: &str, workspace: &str, slug: &str, sha: &str) -> Value {
    json!({
        "type": "commit",
        "hash": sha,
        "links": { "self": { "href": commit_href(url, workspace, slug, sha) } },
    })
}

/// Absent text is shown as empty, an absent refname as null.
pub(super) fn status(url: &str, status: &Status) -> Value {
    let Status {
        workspace,
        repository: slug,
        commit: sha,
        key,
        ..
    } = status;
    let commit_href = commit_href(url, workspace, slug, sha);
    json!({
        "key": key,
        "type": "build",
        "state": status.state,
        "name": status.name.as_deref().unwrap_or_default(),
        "refname": status.refname,
        "commit": commit(url, workspace, slug, sha),
        "url": status.url,
        "repository": repository(url, workspace, slug),
        "description": status.description.as_deref().unwrap_or_default(),
        "created_on": status.created_on,
        "updated_on": status.updated_on,
        "links": {
            "self": { "href": format!("{commit_href}/statuses/build/{}", encode(key)) },
            "commit": { "href": commit_href },
        },
    })
}

pub(super) fn commit_href(url: &str, workspace: &str, slug: &str, sha: &str) -> String {
    format!("{}/commit/{sha}", repository_href(url, workspace, slug))
}

fn repository_href(url: &str, workspace: &str, slug: &str) -> String {
    format!(
        "{url}/2.0/repositories/{}/{}",
        encode(workspace),
        encode(slug)
    )
}
