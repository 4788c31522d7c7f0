//! What a document is that is not one of our events, in words that say what to do.

use super::excerpt;
use crate::ci::event::json::Json;

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
    let document = match Json::parse(text) {
        Ok(document) => document,
        Err(error) => return format!("not JSON: {error}"),
    };
    let Some(fields) = document.fields() else {
        return match document.items().len() {
            0 => "JSON, but not an object".to_owned(),
            _ => "a list: send each event by itself".to_owned(),
        };
    };
    let record = document.get("Records").items().first().copied();
    let service = record.and_then(|it| it.text_of("eventSource").or(it.text_of("EventSource")));
    match service.as_deref() {
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
    match (document.text_of("detail-type"), document.text_of("source")) {
        (Some(kind), Some(source)) => format!("`{}` of `{}`", excerpt(&kind), excerpt(&source)),
        (Some(kind), None) => format!("`{}` without a `source`", excerpt(&kind)),
        (None, _) if fields.is_empty() => "an empty JSON object".to_owned(),
        (None, _) => {
            let names: Vec<_> = fields.keys().take(5).map(|name| excerpt(name)).collect();
            format!("a JSON object with the fields {}", names.join(", "))
        }
    }
}
