//! Things as Data Center shows them, as far as reports show it.

use serde_json::{Value, json};

use super::json;
use crate::percent::encode;
use crate::reply::Reply;
use crate::state::milliseconds;
use crate::status::Status;
use crate::version::Version;

pub(super) fn application_properties(version: Version) -> Reply {
    let properties = json!({
        "version": version.to_string(),
        "buildNumber": version.build_number(),
        "buildDate": "1767225600000",
        "displayName": "Bitbucket",
    });
    json(200, &properties)
}

pub(super) fn capabilities(root: &str, version: Version) -> Reply {
    let mut body = json!({
        "links": { "self": format!("{root}/rest/capabilities") },
        "application": "stash",
        "buildDate": "2026-01-01T00:00:00Z",
        "capabilities": { "navigation": format!("{root}/rest/capabilities/navigation") },
    });
    if version.since(7, 4) {
        body["capabilities"]["build"] = json!(format!("{root}/rest/api/latest/build/capabilities"));
    }
    json(200, &body)
}

/// Only asked from 7.4 on.
pub(super) fn build_capabilities(version: Version) -> Reply {
    let known: &[&str] = if version.since(8, 0) {
        &["richBuildStatus", "cancelledStatus"]
    } else {
        &["richBuildStatus"]
    };
    json(200, &json!({ "buildStatus": known }))
}

pub(super) fn repository(root: &str, project: &str, slug: &str) -> Reply {
    let (kind, place) = match project.strip_prefix('~') {
        Some(user) => ("PERSONAL", format!("users/{}", encode(user))),
        None => ("NORMAL", format!("projects/{}", encode(project))),
    };
    let href = format!("{root}/{place}/repos/{}/browse", encode(slug));
    let body = json!({
        "slug": slug,
        "name": slug,
        "state": "AVAILABLE",
        "project": { "key": project, "name": project, "type": kind },
        "public": false,
        "links": { "self": [{ "href": href }] },
    });
    json(200, &body)
}

pub(super) fn commit(sha: &str) -> Reply {
    let display = &sha[..11];
    json(
        200,
        &json!({ "id": sha, "displayId": display, "parents": [] }),
    )
}

/// What is not known is left out.
pub(super) fn status(status: &Status) -> Value {
    let details = status.data_center.clone().unwrap_or_default();
    let place = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let mut value = json!({
        "key": status.key,
        "state": status.state,
        "url": status.url,
        "name": status.name,
        "description": status.description,
        "ref": status.refname,
        "parent": details.parent,
        "buildNumber": details.build_number,
        "duration": details.duration,
        "testResults": details.test_results,
        "projectKey": place(&status.workspace),
        "repositorySlug": place(&status.repository),
        "createdDate": milliseconds(&status.created_on),
        "updatedDate": milliseconds(&status.updated_on),
    });
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    value
}
