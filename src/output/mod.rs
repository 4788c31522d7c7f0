//! Makes the text to print. Nothing here prints.

pub mod escape;
pub(crate) mod log;

use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::error::Error;
use crate::secret::Redactor;

/// What to print and the exit code, at the end of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exit {
    /// The text for stdout, with its final newline.
    pub stdout: String,
    /// The text for stderr: the JSON of `run`, which leaves stdout to its command.
    pub stderr: String,
    /// The exit code. On Windows, that of a command has 32 bits.
    pub code: i32,
}

impl Exit {
    /// Exit code 0, with this text for stdout.
    pub fn printed(stdout: String) -> Self {
        Self {
            stdout,
            ..Self::default()
        }
    }

    /// The exit code of `error`, which has been logged.
    pub fn failed(error: &Error) -> Self {
        Self {
            code: error.exit_code(),
            ..Self::default()
        }
    }
}

/// `fields` as one line of JSON, redacted and escaped.
pub fn printable_json(fields: &impl Serialize, redactor: &Redactor) -> String {
    let text = serde_json::to_string(fields).expect("text, numbers and lists always serialize");
    redacted_json(&text, redactor) + "\n"
}

/// JSON, redacted and escaped. It stays valid JSON.
pub(crate) fn redacted_json(text: &str, redactor: &Redactor) -> String {
    let mut redacted = redactor.redact(text);
    // A secret that consists of digits, quotes or commas may match the syntax of JSON.
    if serde_json::from_str::<IgnoredAny>(&redacted).is_err() {
        let mut value: Value = serde_json::from_str(text).unwrap_or_default();
        redact_text(&mut value, redactor);
        redacted = value.to_string();
    }
    escape::json(&redacted)
}

fn redact_text(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redact(text),
        Value::Array(items) => items.iter_mut().for_each(|it| redact_text(it, redactor)),
        Value::Object(fields) => fields.values_mut().for_each(|it| redact_text(it, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` as one line, redacted and escaped.
pub fn line(text: &str, redactor: &Redactor) -> String {
    escape::text(&redactor.redact(text))
}

/// Formats a time since 1970, in milliseconds or (from old versions of Bitbucket) in seconds.
pub(crate) fn rfc3339(time: u64) -> String {
    // As seconds, this is the year 5138.
    let is_in_seconds = time < 100_000_000_000;
    let time = if is_in_seconds { time * 1000 } else { time };
    // RFC 3339 ends with the year 9999.
    let time = Duration::from_millis(time.min(253_402_300_799_000));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + time).to_string()
}

/// The lines for stderr about an error, with its hint, redacted and escaped.
pub fn error_lines(error: &Error, redactor: &Redactor) -> Vec<String> {
    let text = error.to_string();
    let mut lines: Vec<_> = match error {
        // clap's message has several lines.
        Error::Usage { .. } => text.lines().map(|text| line(text, redactor)).collect(),
        _ => vec![line(&text, redactor)],
    };
    if let Some(hint) = error.hint() {
        lines.push(format!("hint: {}", line(&hint, redactor)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Found by fuzzing.
    #[test]
    fn a_secret_that_looks_like_json_leaves_json_whole() {
        for secret in [r#"","name":"#, "12345678", "nabcdefg", r#"\"x\"x\"x"#] {
            let mut redactor = Redactor::default();
            redactor.add(secret);
            let fields = json!({"key": format!("a {secret}\nabcdefg"), "name": 12_345_678});
            let text = printable_json(&fields, &redactor);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(
                value["key"].as_str().unwrap().starts_with("a ***"),
                "{text}"
            );
            assert_eq!(value["name"], 12_345_678, "{text}");
        }
    }
}
