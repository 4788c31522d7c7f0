//! What the stand-in claims of Bitbucket Cloud.

use serde_json::{Value, json};

use crate::bitbucket::{Answer, Bitbucket, Stored, Who, status};
use crate::claims::Asks::{BeingRefused, Reading, Writing};
use crate::claims::{Claim, Found, all, holds, instead, says};

pub(crate) fn repository(bitbucket: &Bitbucket) -> String {
    let (workspace, repository) = (&bitbucket.workspace, &bitbucket.repository);
    format!("/repositories/{}/{}", encode(workspace), encode(repository))
}

/// The path of the commit that is tested with.
pub(crate) fn commit(bitbucket: &Bitbucket) -> String {
    format!("{}/commit/{}", repository(bitbucket), bitbucket.commit)
}

/// Where reports go.
pub(crate) fn builds(bitbucket: &Bitbucket) -> String {
    commit(bitbucket) + "/statuses/build"
}

/// A segment of a path. Names and keys need no more.
pub(crate) fn encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// A commit that no repository has.
const NO_COMMIT: &str = "0000000000000000000000000000000000000001";

fn report(bitbucket: &Bitbucket, name: &str, changes: &Value) -> Result<Answer, String> {
    let body = status(&bitbucket.key(name), changes);
    bitbucket.post(Who::We, &builds(bitbucket), &body)
}

/// The claim that a report with these changes is refused with 400 and these words.
fn is_refused(bitbucket: &Bitbucket, changes: &Value, words: &[&str]) -> Result<Found, String> {
    Ok(says(&report(bitbucket, "refused", changes)?, 400, words))
}

/// The claim that a report with these changes is stored.
fn is_stored(bitbucket: &Bitbucket, name: &str, changes: &Value) -> Result<Found, String> {
    Ok(says(&report(bitbucket, name, changes)?, 201, &[]))
}

/// Our statuses on the commit, as the list has them.
fn listed(bitbucket: &Bitbucket, who: Who, query: &str) -> Result<(Answer, Vec<Value>), String> {
    let path = format!("{}/statuses?pagelen=100{query}", commit(bitbucket));
    let answer = bitbucket.get(who, &path)?;
    let values = answer.json()["values"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    Ok((answer, values))
}

/// The statuses of the list that have this key.
fn of_key(values: &[Value], key: &str) -> Vec<Value> {
    let is_of = |value: &&Value| value["key"] == key;
    values.iter().filter(is_of).cloned().collect()
}

pub(crate) const CLAIMS: &[Claim] = &[
    Claim {
        text: "an answer says which scopes the token has (X-OAuth-Scopes)",
        asks: Reading,
        ask: |it| {
            let answer = it.get(Who::We, &repository(it))?;
            Ok(holds(answer.header("x-oauth-scopes").is_some(), &answer))
        },
    },
    Claim {
        text: "an unknown repository is 404, as one that the token may not see",
        asks: Reading,
        ask: |it| {
            let workspace = encode(&it.workspace);
            let path = format!("/repositories/{workspace}/conformance-no-such-repository");
            Ok(says(
                &it.get(Who::We, &path)?,
                404,
                &["may not have access"],
            ))
        },
    },
    Claim {
        text: "an unknown commit is 404 `Commit not found`",
        asks: Reading,
        ask: |it| {
            let path = format!("{}/commit/{NO_COMMIT}", repository(it));
            Ok(says(&it.get(Who::We, &path)?, 404, &["Commit not found"]))
        },
    },
    Claim {
        text: "a wrong token is 401 with a message in JSON",
        asks: Reading,
        ask: |it| {
            let answer = it.get(Who::Stranger, &repository(it))?;
            let is_so = answer.status == 401 && answer.json()["error"]["message"].is_string();
            Ok(holds(is_so, &answer))
        },
    },
    Claim {
        text: "a private repository is 404 without credentials",
        asks: Reading,
        ask: |it| {
            let answer = it.get(Who::Nobody, &repository(it))?;
            Ok(match answer.status {
                200 => Found::Unknown("the repository is public".to_owned()),
                _ => says(&answer, 404, &["may not have access"]),
            })
        },
    },
    Claim {
        text: "a commit answers to its first 12 digits",
        asks: Reading,
        ask: |it| {
            let path = format!("{}/commit/{}", repository(it), &it.commit[..12]);
            let answer = it.get(Who::We, &path)?;
            Ok(holds(answer.json()["hash"] == it.commit, &answer))
        },
    },
    Claim {
        text: "a key without a status is 404",
        asks: Reading,
        ask: |it| {
            let path = format!("{}/{}", builds(it), encode(&it.key("nothing")));
            Ok(says(&it.get(Who::We, &path)?, 404, &[]))
        },
    },
    Claim {
        text: "a list has at most 100 statuses on a page: more is 400",
        asks: Reading,
        ask: |it| {
            let path = commit(it) + "/statuses?pagelen=101";
            Ok(says(&it.get(Who::We, &path)?, 400, &[]))
        },
    },
    Claim {
        text: "no status can be deleted: DELETE is 405",
        asks: BeingRefused,
        ask: |it| {
            let path = format!("{}/{}", builds(it), encode(&it.key("nothing")));
            Ok(says(&it.ask(Who::We, "DELETE", &path, "", "")?, 405, &[]))
        },
    },
    Claim {
        text: "a key of 41 characters is 400, and the message has the limit",
        asks: BeingRefused,
        ask: |it| {
            let key = format!("{:x<41}", it.key(""));
            is_refused(
                it,
                &json!({ "key": key }),
                &["key", "at most 40 characters"],
            )
        },
    },
    Claim {
        text: "a report without a key is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "key": null }), &["key"]),
    },
    Claim {
        text: "a report without a URL is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "url": null }), &["url"]),
    },
    Claim {
        text: "the state PENDING is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "state": "PENDING" }), &["state"]),
    },
    Claim {
        text: "a state in lower case is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "state": "successful" }), &["state"]),
    },
    Claim {
        text: "a URL whose host has no dot is 400 `Enter a valid URL.`",
        asks: BeingRefused,
        ask: |it| {
            is_refused(
                it,
                &json!({ "url": "http://jenkins:8080/1" }),
                &["Enter a valid URL."],
            )
        },
    },
    Claim {
        text: "so is one of localhost",
        asks: BeingRefused,
        ask: |it| {
            is_refused(
                it,
                &json!({ "url": "http://localhost/1" }),
                &["Enter a valid URL."],
            )
        },
    },
    Claim {
        text: "a name of 256 characters is 400",
        asks: BeingRefused,
        ask: |it| is_refused(it, &json!({ "name": "n".repeat(256) }), &["name"]),
    },
    Claim {
        text: "a body that is not called JSON is 400",
        asks: BeingRefused,
        ask: |it| {
            let body = status(&it.key("refused"), &json!({})).to_string();
            Ok(says(
                &it.ask(Who::We, "POST", &builds(it), "text/plain", &body)?,
                400,
                &[],
            ))
        },
    },
    Claim {
        text: "a report for an unknown commit is 404",
        asks: BeingRefused,
        ask: |it| {
            let path = format!("{}/commit/{NO_COMMIT}/statuses/build", repository(it));
            let body = status(&it.key("refused"), &json!({}));
            Ok(says(
                &it.post(Who::We, &path, &body)?,
                404,
                &["Commit not found"],
            ))
        },
    },
    Claim {
        text: "the first report of a key is 201, the next 200, and there is one status, as the last said",
        asks: Writing,
        ask: |it| {
            let first = report(it, "upsert", &json!({ "state": "INPROGRESS" }))?;
            let second = report(it, "upsert", &json!({ "name": "the second" }))?;
            let (list, values) = listed(it, Who::We, "")?;
            let values = of_key(&values, &it.key("upsert"));
            let is_one = values.len() == 1
                && values[0]["state"] == "SUCCESSFUL"
                && values[0]["name"] == "the second";
            Ok(all([
                says(&first, 201, &[]),
                says(&second, 200, &[]),
                holds(is_one, &list),
            ]))
        },
    },
    Claim {
        text: "a key of 40 characters with slashes and a space is stored and found",
        asks: Writing,
        ask: |it| {
            let key = format!("{:x<40}", it.key("a/b c"));
            let stored = report(it, "", &json!({ "key": key }))?;
            let found = it.get(Who::We, &format!("{}/{}", builds(it), encode(&key)))?;
            Ok(all([
                says(&stored, 201, &[]),
                holds(found.json()["key"] == key, &found),
            ]))
        },
    },
    Claim {
        text: "a name of 255 characters is stored whole",
        asks: Writing,
        ask: |it| {
            let name = "n".repeat(255);
            let answer = report(it, "name", &json!({ "name": name }))?;
            Ok(holds(
                answer.status == 201 && answer.json()["name"] == name,
                &answer,
            ))
        },
    },
    Claim {
        text: "a description of 300 characters is stored",
        asks: Writing,
        ask: |it| {
            is_stored(
                it,
                "description",
                &json!({ "description": "d".repeat(300) }),
            )
        },
    },
    Claim {
        text: "a URL of 451 characters is stored: the limit of 450 is that of clients",
        asks: Writing,
        ask: |it| {
            let url = format!("{:u<451}", "https://ci.example.com/");
            is_stored(it, "url", &json!({ "url": url }))
        },
    },
    Claim {
        text: "a URL comes back as it was sent, %7B and %7D included",
        asks: Writing,
        ask: |it| {
            let url = "https://ci.example.com/%7Ba%7D?b=c&d#e";
            let answer = report(it, "url-as-sent", &json!({ "url": url }))?;
            Ok(holds(
                answer.status == 201 && answer.json()["url"] == url,
                &answer,
            ))
        },
    },
    Claim {
        text: "STOPPED is a state",
        asks: Writing,
        ask: |it| is_stored(it, "stopped", &json!({ "state": "STOPPED" })),
    },
    Claim {
        text: "a report for the first 12 digits is one for the commit",
        asks: Writing,
        ask: |it| {
            let path = format!(
                "{}/commit/{}/statuses/build",
                repository(it),
                &it.commit[..12]
            );
            let answer = it.post(Who::We, &path, &status(&it.key("short"), &json!({})))?;
            let is_so = answer.status == 201 && answer.json()["commit"]["hash"] == it.commit;
            Ok(holds(is_so, &answer))
        },
    },
    Claim {
        text: "one key with two refnames is two statuses",
        asks: Writing,
        ask: |it| {
            let first = report(it, "two", &json!({ "refname": "conformance-a" }))?;
            let second = report(it, "two", &json!({ "refname": "conformance-b" }))?;
            let (list, values) = listed(it, Who::We, "")?;
            let are_two = of_key(&values, &it.key("two")).len() == 2;
            Ok(all([
                says(&first, 201, &[]),
                says(&second, 201, &[]),
                holds(are_two, &list),
            ]))
        },
    },
    Claim {
        text: "a refname stays: a report without one overwrites the only status, which keeps its own",
        asks: Writing,
        ask: |it| {
            let first = report(it, "stays", &json!({ "refname": "conformance-a" }))?;
            let second = report(it, "stays", &json!({}))?;
            let kept = second.status == 200 && second.json()["refname"] == "conformance-a";
            Ok(all([says(&first, 201, &[]), holds(kept, &second)]))
        },
    },
    Claim {
        text: "a list for a refname has the statuses with that one and those with none",
        asks: Writing,
        ask: |it| {
            let refnames = [json!("conformance-a"), json!("conformance-b"), Value::Null];
            for (name, refname) in ["list-a", "list-b", "list-none"].into_iter().zip(refnames) {
                let stored = report(it, name, &json!({ "refname": refname }))?;
                if stored.status != 201 {
                    return Ok(instead(&stored));
                }
            }
            let (list, values) = listed(it, Who::We, "&refname=conformance-a")?;
            let has = |name: &str| !of_key(&values, &it.key(name)).is_empty();
            let is_so = has("list-a") && !has("list-b") && has("list-none");
            Ok(holds(is_so, &list))
        },
    },
    Claim {
        text: "another credential sees a status and may not overwrite it: 403",
        asks: Writing,
        ask: |it| {
            if it.another.is_none() {
                return Ok(Found::Unknown(crate::NO_SECOND.to_owned()));
            }
            let stored = report(it, "owner", &json!({}))?;
            let (list, values) = listed(it, Who::Another, "")?;
            let is_seen = !of_key(&values, &it.key("owner")).is_empty();
            let body = status(&it.key("owner"), &json!({ "name": "of another" }));
            let overwritten = it.post(Who::Another, &builds(it), &body)?;
            Ok(all([
                says(&stored, 201, &[]),
                holds(is_seen, &list),
                says(&overwritten, 403, &[]),
            ]))
        },
    },
];

/// Makes each of our statuses one that blocks no merge: nothing can be deleted.
pub(crate) fn clean_up(bitbucket: &Bitbucket) -> String {
    let stored = bitbucket.stored.take();
    let mut left = Vec::new();
    for Stored { path, key, refname } in &stored {
        let body = status(key, &json!({ "refname": refname }));
        let answer = bitbucket.post(Who::We, path, &body);
        if !answer.is_ok_and(|answer| answer.status == 200) {
            left.push(key.as_str());
        }
    }
    match left[..] {
        [] => format!(
            "left on the commit: {} statuses, all SUCCESSFUL",
            stored.len()
        ),
        _ => format!(
            "left on the commit, maybe not SUCCESSFUL: {}",
            left.join(", ")
        ),
    }
}
