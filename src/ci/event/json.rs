//! Documents of AWS, read field by field: what is missing, null or of another type than documented
//! loses nothing else.
//!
//! AWS writes one number as `6.0`, `6` and `"6"`, and leaves fields out at will.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A part of a document, or `null` where there is no such part. It prints nothing: it may hold secrets.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The whole document. (Raw: a number that is too large for a float is an error in serde's values.)
    pub(crate) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(|raw: &RawValue| Self(raw.get()))
    }

    /// The same, or `null` if it is not JSON.
    pub(crate) fn read(text: &'a str) -> Self {
        Self::parse(text).unwrap_or(Self("null"))
    }

    /// The fields of an object.
    pub(crate) fn fields(self) -> Option<BTreeMap<String, Self>> {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(self.0).ok()?;
        let part = |(name, raw): (String, &'a RawValue)| (name, Self(raw.get()));
        Some(fields.into_iter().map(part).collect())
    }

    /// A field of an object. What is `build-number` in an event is `buildNumber` in an answer.
    pub(crate) fn get(self, name: &str) -> Self {
        let fields = self.fields().unwrap_or_default();
        let found = fields.get(name).or_else(|| fields.get(&camel_case(name)));
        found.copied().unwrap_or(Self("null"))
    }

    /// The items of a list.
    pub(crate) fn items(self) -> Vec<Self> {
        let items: Vec<&RawValue> = serde_json::from_str(self.0).unwrap_or_default();
        items.into_iter().map(|raw| Self(raw.get())).collect()
    }

    /// A string that is not empty, or a whole number.
    pub(crate) fn text(self) -> Option<String> {
        let text: Option<String> = serde_json::from_str(self.0).ok();
        let text = text.or_else(|| whole_number(self.0));
        text.filter(|text| !text.is_empty())
    }

    /// The text of a field.
    pub(crate) fn text_of(self, name: &str) -> Option<String> {
        self.get(name).text()
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        camel + &initial.to_ascii_uppercase() + rest
    })
}

fn whole_number(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok()?;
    // Beyond this, floats skip whole numbers.
    let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
    is_whole.then(|| format!("{number:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_string_or_a_whole_number_and_never_an_error() {
        for (json, expected) in [
            (r#""a""#, Some("a")),
            ("55.0", Some("55")),
            ("55", Some("55")),
            ("123456789012", Some("123456789012")),
            (r#""""#, None),
            (r#""\ud800""#, None),
            ("5.5", None),
            ("1e999", None),
            ("1e300", None),
            ("null", None),
            ("true", None),
            (r#"{"a": ["b"]}"#, None),
        ] {
            assert_eq!(Json::read(json).text().as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn one_bad_field_or_item_does_not_lose_the_others() {
        let document = Json::read(r#"{"a": 1e999, "ab-c": [1e999, {}, "x"], "dE": 7}"#);
        let texts: Vec<_> = document
            .get("ab-c")
            .items()
            .into_iter()
            .map(Json::text)
            .collect();
        assert_eq!(texts, [None, None, Some("x".to_owned())]);
        assert_eq!(document.text_of("d-e").as_deref(), Some("7"));
        for nothing in [document.get("a"), document.get("x"), Json::read("{")] {
            assert_eq!(nothing.get("a").text(), None);
            assert!(nothing.items().is_empty());
        }
    }
}
