//! Fields of AWS's documents. Each is read by itself: one that is missing, null or of another type
//! than documented does not lose the others.
//!
//! AWS writes one field as `6.0`, `6` and `"6"`, and leaves fields out at will.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// `T` of an object, or its default where the document has something else. (serde takes a list for a
/// struct, too.)
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Default + DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Raw first: a number that is too large for a float fails where it is parsed.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let object = Some(raw.get()).filter(|json| json.starts_with('{'));
        let object = object.and_then(|json| serde_json::from_str(json).ok());
        Ok(Self(object.unwrap_or_default()))
    }
}

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The items of a list that can be read. `None` where the document has something else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List<T>(pub(crate) Option<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> List<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let items: Option<Vec<Box<RawValue>>> = serde_json::from_str(raw.get()).ok();
        let read = |item: Box<RawValue>| serde_json::from_str(item.get()).ok();
        Ok(Self(
            items.map(|items| items.into_iter().filter_map(read).collect()),
        ))
    }
}

/// A string that is not empty, or a whole number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text(Option<String>);

impl Text {
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(crate) fn take(self) -> Option<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Option<String> = serde_json::from_str(raw.get()).ok();
        let text = text.or_else(|| whole_number(raw.get()));
        Ok(Self(text.filter(|text| !text.is_empty())))
    }
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
            let text: Text = serde_json::from_str(json).unwrap();
            assert_eq!(text.get(), expected, "{json}");
        }
    }

    #[test]
    fn one_bad_item_of_a_list_does_not_lose_the_others() {
        let read = |json| serde_json::from_str::<List<bool>>(json).unwrap().0;
        assert_eq!(read("[true, {}, 1e999, false]"), Some(vec![true, false]));
        assert_eq!(read("1e999"), None);
        assert_eq!(read("null"), None);
    }

    #[test]
    fn a_list_is_not_taken_for_an_object() {
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        struct Pair {
            a: Text,
            b: Text,
        }
        let read = |json| serde_json::from_str::<Object<Pair>>(json).unwrap().0;
        assert_eq!(read(r#"["1", "2"]"#), Pair::default());
        let b = Text(Some("2".into()));
        assert_eq!(
            read(r#"{"b": 2, "a": 1e999}"#),
            Pair {
                b,
                ..Pair::default()
            }
        );
    }
}
