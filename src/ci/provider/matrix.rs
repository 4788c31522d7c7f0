//! The matrix values of a job of GitHub Actions, Gitea or Forgejo.

use std::fmt::{Display, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The suffix of a matrix job's name as GitHub displays it, such as ` (ubuntu-24.04, 20)`, from
/// `toJSON(matrix)`. Empty for other jobs.
///
/// GitHub displays values without their keys, including nested ones, in the order of the workflow
/// file, without null and empty ones: `CreateConfiguration` in
/// <https://github.com/actions/runner/blob/main/src/Sdk/WorkflowParser/Conversion/MatrixBuilder.cs>.
/// GitHub's name lacks the values that `include` adds; they are in the JSON and cannot be told from the
/// others there. Gitea and Forgejo sort by key, both in the JSON and in names.
pub(super) fn suffix(json: Option<&str>) -> String {
    // Without a matrix, GitHub's JSON is null and act's is {}.
    let json = json.unwrap_or_default().trim();
    if !json.starts_with('{') {
        return String::new();
    }
    let mut values = Vec::new();
    let mut json = serde_json::Deserializer::from_str(json);
    let read = Values(&mut values).deserialize(&mut json);
    if read.and_then(|()| json.end()).is_err() || values.is_empty() {
        return String::new();
    }
    format!(" ({})", values.join(", "))
}

/// Collects scalar values in the order of the text. `serde_json::Map` would sort the keys.
struct Values<'a>(&'a mut Vec<String>);

impl Values<'_> {
    /// Adds a value, unless it is empty.
    #[expect(clippy::unnecessary_wraps, reason = "what a visitor returns")]
    fn push<E: Error>(self, value: impl Display) -> Result<(), E> {
        let value = value.to_string();
        if !value.is_empty() {
            self.0.push(value);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.push(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Values(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<serde::de::IgnoredAny>()?.is_some() {
            map.next_value_seed(Values(self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_matrix_job_ends_in_its_values_in_the_order_of_the_file() {
        let object =
            r#"{"os": {"name": "linux", "tags": ["a", "b"], "of": null}, "x": "", "y": "z"}"#;
        let lines = "{\n  \"v\": 3.10,\n  \"n\": -1,\n  \"fast\": false\n}";
        for (json, expected) in [
            (r#"{"os": "ubuntu-24.04", "node": 20}"#, "ubuntu-24.04, 20"),
            (r#"{"node": 20, "os": "ubuntu-24.04"}"#, "20, ubuntu-24.04"),
            (lines, "3.1, -1, false"),
            (object, "linux, a, b, z"),
            (r#"{"s": "a, b (c)"}"#, "a, b (c)"),
        ] {
            assert_eq!(suffix(Some(json)), format!(" ({expected})"), "{json}");
        }
    }

    #[test]
    fn what_is_no_matrix_adds_nothing() {
        let deep = format!("{}{}", "{\"a\":".repeat(200), "1");
        let short = [
            "", " ", "null", "{}", "[]", "5", "-1", "true", "\"x\"", "[1]", "Object",
        ];
        let long = [
            "{'a': 1}",
            "{\"a\": null}",
            "{\"a\": {}, \"b\": [\"\"]}",
            "${{ toJSON(matrix) }}",
            "\u{1b}[0m\n",
            "{\"a\": 1e999}",
            &deep,
        ];
        let cut = ["{", "{\"a\"", "{\"a\":", "{\"a\": 1", "{\"a\": 1} x"];
        for json in short.into_iter().chain(cut).chain(long) {
            assert_eq!(suffix(Some(json)), "", "{json}");
        }
        assert_eq!(suffix(None), "");
    }
}
