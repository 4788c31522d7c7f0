//! What the stand-in claims of Bitbucket Data Center.

use serde_json::{Value, json};

use crate::bitbucket::{Answer, Bitbucket, Stored, Who, status};
use crate::claims::Asks::{BeingRefused, Reading, Writing};
use crate::claims::{Claim, Found, all, holds, says};
use crate::cloud::encode;

pub(crate) fn repository(bitbucket: &Bitbucket) -> String {
    let (project, repository) = (&bitbucket.workspace, &bitbucket.repository);
    format!(
        "/rest/api/latest/projects/{}/repos/{}",
        encode(project),
        encode(repository)
    )
}

/// The path of the commit that is tested with.
pub(crate) fn commit(bitbucket: &Bitbucket) -> String {
    format!("{}/commits/{}", repository(bitbucket), bitbucket.commit)
}

/// Where reports go.
pub(crate) fn builds(bitbucket: &Bitbucket) -> String {
    commit(bitbucket) + "/builds"
}

/// A commit that no repository has.
const NO_COMMIT: &str = "0000000000000000000000000000000000000001";

fn report(bitbucket: &Bitbucket, name: &str, changes: &Value) -> Result<Answer, String> {
    let body = status(&bitbucket.key(name), changes);
    bitbucket.post(Who::We, &builds(bitbucket), &body)
}

/// The claim that a report with these changes is refused with 400, for this field.
fn is_refused(bitbucket: &Bitbucket, changes: &Value, field: &str) -> Result<Found, String> {
    let answer = report(bitbucket, "refused", changes)?;
    let context = &answer.json()["errors"][0]["context"];
    Ok(holds(answer.status == 400 && context == field, &answer))
}

/// The claim that a report with these changes is stored, and comes back with them.
fn comes_back(bitbucket: &Bitbucket, name: &str, changes: &Value) -> Result<Found, String> {
    let answer = report(bitbucket, name, changes)?;
    let (found, value) = found(bitbucket, &bitbucket.key(name))?;
    let fields = changes.as_object().into_iter().flatten();
    let is_so = fields
        .into_iter()
        .all(|(field, sent)| value[field] == *sent);
    Ok(all([says(&answer, 204, &[]), holds(is_so, &found)]))
}

/// The status of this key.
fn found(bitbucket: &Bitbucket, key: &str) -> Result<(Answer, Value), String> {
    let path = format!("{}?key={}", builds(bitbucket), encode(key));
    let answer = bitbucket.get(Who::We, &path)?;
    let value = answer.json();
    Ok((answer, value))
}

/// The statuses of the commit, as the old endpoint lists them.
fn listed(bitbucket: &Bitbucket) -> Result<(Answer, Vec<Value>), String> {
    let commit = &bitbucket.commit;
    let path = format!("/rest/build-status/1.0/commits/{commit}?limit=100");
    let answer = bitbucket.get(Who::We, &path)?;
    let values = answer.json()["values"].as_array().cloned();
    Ok((answer, values.unwrap_or_default()))
}

/// Whether the server says that it knows CANCELLED.
fn knows_cancelled(bitbucket: &Bitbucket) -> Result<bool, String> {
    let answer = bitbucket.get(Who::We, "/rest/api/latest/build/capabilities")?;
    let known = answer.json()["buildStatus"].as_array().cloned();
    Ok(known
        .unwrap_or_default()
        .contains(&json!("cancelledStatus")))
}

pub(crate) const CLAIMS: &[Claim] = &[
    Claim {
        text: "the version is said without credentials",
        asks: Reading,
        ask: |it| {
            let answer = it.get(Who::Nobody, "/rest/api/latest/application-properties")?;
            Ok(holds(
                answer.status == 200 && answer.json()["version"].is_string(),
                &answer,
            ))
        },
    },
    Claim {
        text: "an answer says who we are (X-AUSERNAME)",
        asks: Reading,
        ask: |it| {
            let answer = it.get(Who::We, &repository(it))?;
            Ok(holds(answer.header("x-ausername").is_some(), &answer))
        },
    },
    Claim {
        text: "an unknown repository is 404 NoSuchRepositoryException",
        asks: Reading,
        ask: |it| {
            let project = encode(&it.workspace);
            let path = format!("/rest/api/latest/projects/{project}/repos/conformance-no-such");
            Ok(says(
                &it.get(Who::We, &path)?,
                404,
                &["NoSuchRepositoryException"],
            ))
        },
    },
    Claim {
        text: "an unknown commit is 404 NoSuchCommitException",
        asks: Reading,
        ask: |it| {
            let path = format!("{}/commits/{NO_COMMIT}", repository(it));
            Ok(says(
                &it.get(Who::We, &path)?,
                404,
                &["NoSuchCommitException"],
            ))
        },
    },
    Claim {
        text: "a wrong token is 401, wherever it is sent",
        asks: Reading,
        ask: |it| {
            let path = "/rest/api/latest/application-properties";
            Ok(says(&it.get(Who::Stranger, path)?, 401, &["errors"]))
        },
    },
    Claim {
        text: "a private repository is 401 without credentials",
        asks: Reading,
        ask: |it| {
            let answer = it.get(Who::Nobody, &repository(it))?;
            Ok(match answer.status {
                200 => Found::Unknown("the repository is public".to_owned()),
                _ => says(&answer, 401, &["AuthorisationException"]),
            })
        },
    },
    Claim {
        text: "a key without a build is 404",
        asks: Reading,
        ask: |it| Ok(says(&found(it, &it.key("nothing"))?.0, 404, &["errors"])),
    },
    Claim {
        text: "builds cannot be listed: without a key it is 400",
        asks: Reading,
        ask: |it| Ok(says(&it.get(Who::We, &builds(it))?, 400, &["errors"])),
    },
    Claim {
        text: "the old endpoint lists the commit's statuses",
        asks: Reading,
        ask: |it| {
            let (answer, _) = listed(it)?;
            Ok(holds(
                answer.status == 200 && answer.json()["values"].is_array(),
                &answer,
            ))
        },
    },
    Claim {
        text: "a key of 256 characters is 400",
        asks: BeingRefused,
        ask: |it| {
            is_refused(
                it,
                &json!({ "key": format!("{:x<256}", it.key("")) }),
                "key",
            )
        },
    },
    Claim {
        text: "a blank key is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "key": " " }), "key"),
    },
    Claim {
        text: "the state STOPPED, which is Cloud's, is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "state": "STOPPED" }), "state"),
    },
    Claim {
        text: "a URL of 451 characters is 400",
        asks: BeingRefused,
        ask: |it| {
            is_refused(
                it,
                &json!({ "url": format!("{:u<451}", "https://ci.example.com/") }),
                "url",
            )
        },
    },
    Claim {
        text: "a URL that is not absolute is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "url": "/job/1" }), "url"),
    },
    Claim {
        text: "a name of 256 characters is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "name": "n".repeat(256) }), "name"),
    },
    Claim {
        text: "a ref without refs/ is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "ref": "conformance" }), "ref"),
    },
    Claim {
        text: "a body that is not called JSON is 415",
        asks: BeingRefused,
        ask: |it| {
            let body = status(&it.key("refused"), &json!({})).to_string();
            Ok(says(
                &it.ask(Who::We, "POST", &builds(it), "text/plain", &body)?,
                415,
                &[],
            ))
        },
    },
    Claim {
        text: "a report for the first 12 digits of a commit is 400",
        asks: BeingRefused,
        ask: |it| {
            let path = format!("{}/commits/{}/builds", repository(it), &it.commit[..12]);
            let body = status(&it.key("refused"), &json!({}));
            Ok(says(&it.post(Who::We, &path, &body)?, 400, &["errors"]))
        },
    },
    Claim {
        text: "a report for an unknown commit is 404",
        asks: BeingRefused,
        ask: |it| {
            let path = format!("{}/commits/{NO_COMMIT}/builds", repository(it));
            let body = status(&it.key("refused"), &json!({}));
            Ok(says(&it.post(Who::We, &path, &body)?, 404, &["errors"]))
        },
    },
    Claim {
        text: "a report is 204 without a body, the first and the next, and the last counts",
        asks: Writing,
        ask: |it| {
            let first = report(it, "upsert", &json!({ "state": "INPROGRESS" }))?;
            let second = report(it, "upsert", &json!({ "name": "the second" }))?;
            let (answer, value) = found(it, &it.key("upsert"))?;
            let is_so = value["state"] == "SUCCESSFUL" && value["name"] == "the second";
            let is_empty = first.text.is_empty() && second.text.is_empty();
            Ok(all([
                says(&first, 204, &[]),
                says(&second, 204, &[]),
                holds(is_empty, &second),
                holds(is_so, &answer),
            ]))
        },
    },
    Claim {
        text: "one key is one build, whatever its ref",
        asks: Writing,
        ask: |it| {
            report(it, "one", &json!({ "ref": "refs/heads/conformance-a" }))?;
            report(it, "one", &json!({ "ref": "refs/heads/conformance-b" }))?;
            let (list, values) = listed(it)?;
            let key = it.key("one");
            let of_key: Vec<_> = values.iter().filter(|value| value["key"] == key).collect();
            let (answer, value) = found(it, &key)?;
            Ok(all([
                holds(of_key.len() == 1, &list),
                holds(value["ref"] == "refs/heads/conformance-b", &answer),
            ]))
        },
    },
    Claim {
        text: "a key of 255 characters is stored",
        asks: Writing,
        ask: |it| {
            let key = format!("{:x<255}", it.key("a/b c"));
            let stored = report(it, "", &json!({ "key": key }))?;
            let (answer, value) = found(it, &key)?;
            Ok(all([
                says(&stored, 204, &[]),
                holds(value["key"] == key, &answer),
            ]))
        },
    },
    Claim {
        text: "a URL of 450 and a name of 255 characters are stored whole",
        asks: Writing,
        ask: |it| {
            let url = format!("{:u<450}", "https://ci.example.com/");
            comes_back(it, "long", &json!({ "url": url, "name": "n".repeat(255) }))
        },
    },
    Claim {
        text: "a URL may have a host without a dot",
        asks: Writing,
        ask: |it| comes_back(it, "host", &json!({ "url": "http://jenkins:8080/1" })),
    },
    Claim {
        text: "parent, buildNumber, duration and testResults come back",
        asks: Writing,
        ask: |it| {
            let results = json!({ "failed": 0, "skipped": 1, "successful": 2 });
            let changes = json!({
                "parent": it.key("parent"), "buildNumber": "7", "duration": 125_000, "testResults": results,
            });
            comes_back(it, "details", &changes)
        },
    },
    Claim {
        text: "CANCELLED is a state where the capabilities have it, and 400 elsewhere",
        asks: Writing,
        ask: |it| {
            let expected = if knows_cancelled(it)? { 204 } else { 400 };
            let answer = report(it, "cancelled", &json!({ "state": "CANCELLED" }))?;
            Ok(says(&answer, expected, &[]))
        },
    },
    Claim {
        text: "another credential may overwrite a build",
        asks: Writing,
        ask: |it| {
            if it.another.is_none() {
                return Ok(Found::Unknown(crate::NO_SECOND.to_owned()));
            }
            let stored = report(it, "owner", &json!({}))?;
            let body = status(&it.key("owner"), &json!({ "name": "of another" }));
            let overwritten = it.post(Who::Another, &builds(it), &body)?;
            Ok(all([says(&stored, 204, &[]), says(&overwritten, 204, &[])]))
        },
    },
];

/// Deletes our builds, which needs an administrator's token; else makes them ones that block no merge.
pub(crate) fn clean_up(bitbucket: &Bitbucket) -> String {
    let stored = bitbucket.stored.take();
    let (mut deleted, mut overwritten, mut left) = (0, 0, Vec::new());
    for Stored { path, key, .. } in &stored {
        let query = format!("{path}?key={}", encode(key));
        let answered = |answer: Result<Answer, String>| answer.is_ok_and(|it| it.status == 204);
        if answered(bitbucket.ask(Who::We, "DELETE", &query, "", "")) {
            deleted += 1;
        } else if answered(bitbucket.post(Who::We, path, &status(key, &json!({})))) {
            overwritten += 1;
        } else {
            left.push(key.as_str());
        }
    }
    let mut parts = vec![format!("deleted: {deleted} statuses")];
    if overwritten > 0 {
        parts.push(format!(
            "left on the commit: {overwritten}, all SUCCESSFUL, because the token may not delete"
        ));
    }
    if !left.is_empty() {
        parts.push(format!("left, maybe not SUCCESSFUL: {}", left.join(", ")));
    }
    parts.join("; ")
}
