//! What a document is that is not one of our events, in words that say what to do.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::excerpt;
use crate::ci::event::json::{List, Object, Text};

/// The fields by which the documents are told apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Clues {
    #[serde(rename = "detail-type")]
    detail_type: Text,
    source: Text,
    #[serde(rename = "Records")]
    records: List<Object<Record>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    #[serde(alias = "EventSource", rename = "eventSource")]
    event_source: Text,
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// What documents are that have these fields. `source` is that of a batch's records.
const KNOWN: &[(&[&str], &str)] = &[
    (&["Type", "TopicArn"], SNS),
    (
        &["notificationRuleArn"],
        "a notification rule's message: send the event itself, from a rule of EventBridge",
    ),
    (
        &["requestPayload"],
        "a record of a failed invocation: send its `requestPayload`",
    ),
    (&["awslogs"], "a payload of CloudWatch Logs"),
    (
        &["requestContext"],
        "an HTTP request of API Gateway or a function URL",
    ),
    (&["build-status"], DETAIL),
    (&["execution-id"], DETAIL),
];

const SNS: &str = "an SNS notification: send the event itself";

const DETAIL: &str =
    "the `detail` of an event alone: send the whole event, without InputPath or input transformer";

pub(super) fn describe(text: &str) -> String {
    if text.trim().is_empty() {
        return "an empty document".to_owned();
    }
    let fields: Fields = match serde_json::from_str(text) {
        Ok(fields) => fields,
        // The words for other errors may quote what was read.
        Err(error) if error.classify() != Category::Data => return format!("not JSON: {error}"),
        Err(_) if text.trim_start().starts_with('[') => {
            return "a list: send each event by itself".to_owned();
        }
        Err(_) => return "JSON, but not an object".to_owned(),
    };
    let clues: Clues = serde_json::from_str(text).unwrap_or_default();
    let record = clues.records.iter().next();
    match record.and_then(|record| record.event_source.get()) {
        Some("aws:sns") => return SNS.to_owned(),
        Some(source) => {
            let source = excerpt(source);
            return format!(
                "a batch of records of `{source}`: send the event itself, from a rule of EventBridge"
            );
        }
        None => {}
    }
    let has_all = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    if let Some((_, description)) = KNOWN.iter().find(|(names, _)| has_all(names)) {
        return (*description).to_owned();
    }
    match (clues.detail_type.get(), clues.source.get()) {
        (Some(kind), Some(source)) => format!("`{}` of `{}`", excerpt(kind), excerpt(source)),
        (Some(kind), None) => format!("`{}` without a `source`", excerpt(kind)),
        (None, _) if fields.is_empty() => "an empty JSON object".to_owned(),
        (None, _) => {
            let names: Vec<_> = fields.keys().take(5).map(|name| excerpt(name)).collect();
            format!("a JSON object with the fields {}", names.join(", "))
        }
    }
}
