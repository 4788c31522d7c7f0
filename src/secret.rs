//! Secrets, and their redaction.

mod encoding;

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A token or password. Its `Debug` form is `(redacted)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`, without the white space around it (a mounted file ends in a newline).
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The secret itself, for the one header that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// Replaces known secrets in text to print. Bitbucket's answers, proxies' error pages and `Location`
/// headers may repeat what was sent.
#[derive(Clone, Default, PartialEq)]
pub struct Redactor {
    /// The secrets, as they are and as base64.
    needles: Vec<String>,
}

impl Redactor {
    /// A shorter secret is redacted only in text from outside. In the program's own sentences, a gap
    /// would reveal it.
    const SHORTEST: usize = 8;
    /// Shorter text is not redacted at all.
    const SHORTEST_OUTSIDE: usize = 3;

    /// Adds a secret, as it is and as base64 of whatever it is a part of.
    pub fn add(&mut self, secret: &str) {
        let is_known = self.needles.iter().any(|needle| needle == secret);
        if is_known || secret.len() < Self::SHORTEST_OUTSIDE {
            return;
        }
        let mut forms = vec![secret.to_owned(), BASE64_STANDARD.encode(secret)];
        for before in 0..3 {
            let bytes = [&[0; 3][..before], secret.as_bytes()].concat();
            // The first and the last sign may belong to the neighbours as well.
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            let encoded = BASE64_STANDARD.encode(&bytes);
            // What is short may be a part of anything.
            if let Some(encoded) = encoded.get(own).filter(|it| it.len() >= Self::SHORTEST) {
                if encoded.contains(['+', '/']) {
                    forms.push(encoded.replace('+', "-").replace('/', "_"));
                }
                forms.push(encoded.to_owned());
            }
        }
        for form in forms {
            if !self.needles.contains(&form) {
                self.needles.push(form);
            }
        }
        // Longest first: a short secret inside a longer one would leave parts of the latter.
        self.needles
            .sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// `text` with every known secret replaced by `***`.
    pub fn redact(&self, text: &str) -> String {
        self.without(text, Self::SHORTEST)
    }

    /// The same for text from outside, where shorter secrets are replaced too.
    pub fn redact_outside(&self, text: &str) -> String {
        self.without(text, Self::SHORTEST_OUTSIDE)
    }

    fn without(&self, text: &str, shortest: usize) -> String {
        let needles = self.needles.iter().filter(|it| it.len() >= shortest);
        let needles: Vec<&str> = needles.map(String::as_str).collect();
        // Most bytes begin no secret, encoded or not.
        let mut may_begin = [false; 256];
        let firsts = needles.iter().filter_map(|it| it.bytes().next());
        for byte in firsts.chain(encoding::BEGINS.map(|c| c as u8)) {
            may_begin[usize::from(byte)] = true;
        }
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| may_begin[usize::from(byte)]) {
            let (before, from) = rest.split_at(at);
            redacted.push_str(before);
            let is_encoded = from.starts_with(encoding::BEGINS);
            let after = needles
                .iter()
                .filter(|it| is_encoded || it.as_bytes()[0] == from.as_bytes()[0])
                .find_map(|needle| encoding::strip(from, needle));
            rest = if let Some(after) = after {
                redacted.push_str("***");
                after.trim_start_matches('=')
            } else {
                let length = from.chars().next().map_or(0, char::len_utf8);
                redacted.push_str(&from[..length]);
                &from[length..]
            };
        }
        redacted.push_str(rest);
        redacted
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} forms)", self.needles.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_redacted_and_loses_the_newline_of_its_file() {
        let secret = Secret::new("s3cr3t\n");
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "(redacted) Some((redacted))"
        );
        assert_eq!(secret.expose(), "s3cr3t");
    }

    #[test]
    fn a_short_secret_does_not_eat_our_own_words() {
        let mut redactor = Redactor::default();
        redactor.add("read");
        let ours = "the user may not read it";
        assert_eq!(redactor.redact(ours), ours);
        assert_eq!(redactor.redact_outside("you sent read"), "you sent ***");
    }

    /// Found by fuzzing.
    #[test]
    fn a_secret_that_is_long_by_its_last_signs_is_long() {
        let mut redactor = Redactor::default();
        redactor.add("t0ken9==");
        assert_eq!(redactor.redact("a t0ken9== b"), "a *** b");
    }

    #[test]
    fn the_redactor_knows_every_encoding() {
        let mut redactor = Redactor::default();
        redactor.add("me@x.org:t0\"ken>>>???");
        for leak in [
            "me@x.org:t0\"ken>>>???",
            "me@x.org:t0\\\"ken>>>???",
            "bWVAeC5vcmc6dDAia2VuPj4+Pz8/",
            "bWVAeC5vcmc6dDAia2VuPj4-Pz8_",
            "me%40x.org%3At0%22ken%3E%3e%3e%3F%3f%3f",
            "me&#64;x.org&#x3a;t0&quot;ken&gt;&gt;&#062;???",
            "me\\u0040x.org:t0\\u0022ken>\\u003E\\u003e???",
            "me@x.org:t0\\x22ken>>>???",
        ] {
            assert_eq!(redactor.redact(&format!("a {leak} b")), "a *** b");
        }
    }
}
