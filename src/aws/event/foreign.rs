//! What a document is that is not one of our events, in words that say what to do.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::excerpt;
use crate::aws::json::{List, Object, Text};

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
    of_records(&clues)
        .or_else(|| by_its_fields(&fields).map(str::to_owned))
        .or_else(|| of_event_bridge(&clues))
        .unwrap_or_else(|| with_unknown_fields(&fields))
}

/// A batch that Lambda has fetched from somewhere.
fn of_records(clues: &Clues) -> Option<String> {
    Some(match clues.records.iter().next()?.event_source.get()? {
        "aws:sns" => "an SNS notification: send the event itself".to_owned(),
        "aws:sqs" => {
            "a batch of SQS messages: send the event itself, from a rule of EventBridge".into()
        }
        source => format!(
            "a batch of records of `{}`: send the event itself",
            excerpt(source)
        ),
    })
}

fn by_its_fields(fields: &Fields) -> Option<&'static str> {
    let known: &[(&[&str], &str)] = &[
        (
            &["Type", "TopicArn"],
            "an SNS notification: send the event itself",
        ),
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
        (&["httpMethod"], "an HTTP request of API Gateway"),
        (&["build-status"], WITHOUT_ENVELOPE),
        (&["execution-id"], WITHOUT_ENVELOPE),
    ];
    let has_all = |names: &[&str]| names.iter().all(|name| fields.contains_key(*name));
    let found = known.iter().find(|(names, _)| has_all(names));
    found.map(|(_, description)| *description)
}

const WITHOUT_ENVELOPE: &str =
    "the `detail` of an event alone: send the whole event, without InputPath or input transformer";

fn of_event_bridge(clues: &Clues) -> Option<String> {
    Some(match (clues.detail_type.get(), clues.source.get()) {
        (Some(kind), Some(source)) => format!("`{}` of `{}`", excerpt(kind), excerpt(source)),
        (Some(kind), None) => format!("`{}` without a `source`", excerpt(kind)),
        (None, Some(source)) => {
            format!("an event of `{}` without a `detail-type`", excerpt(source))
        }
        (None, None) => return None,
    })
}

fn with_unknown_fields(fields: &Fields) -> String {
    let names: Vec<_> = fields.keys().take(5).map(|name| excerpt(name)).collect();
    match &names[..] {
        [] => "an empty JSON object".to_owned(),
        names => format!("a JSON object with the fields {}", names.join(", ")),
    }
}
