//! The tags of an XML document, as a stream, without everything between them: reports hold what tests
//! have printed, hundreds of megabytes of it, which nobody reads here.

use std::io::{self, BufRead, Read};

use crate::deadline::Deadline;

/// No tag of a report has more bytes.
const LONGEST_TAG: usize = 1024 * 1024;

/// Reads a document, and passes on its tags.
pub(super) struct Markup<R> {
    input: R,
    deadline: Option<Deadline>,
    at: At,
    passed: Vec<u8>,
    /// How much of `passed` has been taken.
    taken: usize,
    /// The length of the tag that is not complete yet.
    length: usize,
}

/// Where in the document it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// Between two tags.
    Text,
    /// Behind `<`.
    Open,
    /// In a tag, and in quotes of this kind.
    Tag(Option<u8>),
    /// Behind `<!`.
    Declaration,
    /// In what ends with this, of which so much has been seen.
    Until(&'static [u8], usize),
    /// In `<!DOCTYPE …>`, and in so many brackets.
    Doctype(u32),
}

impl At {
    /// Where it is behind `byte`. What belongs to a tag goes to `passed`.
    fn step(self, byte: u8, passed: &mut Vec<u8>) -> Self {
        match (self, byte) {
            (Self::Text, b'<') => Self::Open,
            (Self::Open, b'!') => Self::Declaration,
            (Self::Open, b'?') => Self::Until(b"?>", 0),
            (Self::Open, _) => {
                passed.push(b'<');
                Self::Tag(None).step(byte, passed)
            }
            (Self::Tag(quote), _) => {
                passed.push(byte);
                match (quote, byte) {
                    (None, b'>') => Self::Text,
                    (None, b'"' | b'\'') => Self::Tag(Some(byte)),
                    (Some(quote), _) if quote == byte => Self::Tag(None),
                    (quote, _) => Self::Tag(quote),
                }
            }
            (Self::Declaration, b'-') => Self::Until(b"-->", 0),
            (Self::Declaration, b'[') => Self::Until(b"]]>", 0),
            (Self::Text, _) | (Self::Declaration | Self::Doctype(0), b'>') => Self::Text,
            (Self::Declaration, _) => Self::Doctype(0),
            (Self::Until(end, seen), _) => Self::until(end, seen, byte),
            (Self::Doctype(depth), b'[' | b'<') => Self::Doctype(depth.saturating_add(1)),
            (Self::Doctype(depth), b']' | b'>') => Self::Doctype(depth.saturating_sub(1)),
            (Self::Doctype(depth), _) => Self::Doctype(depth),
        }
    }

    fn until(end: &'static [u8], seen: usize, byte: u8) -> Self {
        let seen = if end[seen] == byte {
            seen + 1
        } else if seen > 0 && end[0] == byte && end[seen - 1] == byte {
            // `--->` ends with `-->`.
            seen
        } else {
            usize::from(end[0] == byte)
        };
        if seen == end.len() {
            Self::Text
        } else {
            Self::Until(end, seen)
        }
    }
}

impl<R: BufRead> Markup<R> {
    pub(super) const fn new(input: R, deadline: Option<Deadline>) -> Self {
        Self {
            input,
            deadline,
            at: At::Text,
            passed: Vec::new(),
            taken: 0,
            length: 0,
        }
    }

    /// Whether the document ends in the middle of a tag or the like.
    pub(super) fn is_cut(&self) -> bool {
        self.at != At::Text
    }

    /// Reads on until there is something to pass on. `false` at the end.
    fn read_on(&mut self) -> io::Result<bool> {
        if self.deadline.is_some_and(Deadline::is_over) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let buffer = self.input.fill_buf()?;
        for byte in buffer {
            self.at = self.at.step(*byte, &mut self.passed);
            let in_tag = matches!(self.at, At::Tag(_));
            self.length = if in_tag { self.length + 1 } else { 0 };
        }
        let length = buffer.len();
        self.input.consume(length);
        if self.length > LONGEST_TAG {
            return Err(io::Error::other("a tag does not end"));
        }
        Ok(length > 0)
    }
}

impl<R: BufRead> BufRead for Markup<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.passed.len() {
            self.passed.clear();
            self.taken = 0;
            while self.passed.is_empty() && self.read_on()? {}
        }
        Ok(&self.passed[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.passed.len());
    }
}

impl<R: BufRead> Read for Markup<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn tags(text: &str) -> String {
        let mut tags = String::new();
        let input = BufReader::with_capacity(3, text.as_bytes());
        Markup::new(input, None).read_to_string(&mut tags).unwrap();
        tags
    }

    #[test]
    fn tags_are_passed_on_and_nothing_else_is() {
        for (text, expected) in [
            ("<a b='>'>x &amp; y</a>\n", "<a b='>'></a>"),
            ("<?xml version='1.0'?><a/>", "<a/>"),
            ("<!-- <b> --- > --><a>", "<a>"),
            ("<a><![CDATA[<b>]]]]><c/></a>", "<a><c/></a>"),
            ("<!DOCTYPE x [<!ENTITY a \"b\">]><a>", "<a>"),
            ("a < b", "< b"),
            ("", ""),
        ] {
            assert_eq!(tags(text), expected, "{text}");
        }
    }

    #[test]
    fn a_tag_may_lie_across_every_border_of_what_is_read() {
        let text = "<a b='c'/>".repeat(LONGEST_TAG / 4);
        let input = BufReader::with_capacity(7, text.as_bytes());
        let mut tags = String::new();
        Markup::new(input, None).read_to_string(&mut tags).unwrap();
        assert_eq!(tags.len(), text.len());
    }

    #[test]
    fn a_tag_without_end_is_an_error() {
        let text = format!("<a b=\"{}", "x".repeat(2 * LONGEST_TAG));
        let mut markup = Markup::new(text.as_bytes(), None);
        assert!(markup.read_to_end(&mut Vec::new()).is_err());
    }
}
