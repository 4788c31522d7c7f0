//! Percent-encoding, as Bitbucket does it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What Bitbucket encodes in its links: a key `ci test/1` becomes `ci%20test/1`
/// (woodpecker-ci/woodpecker#5338, zarplata/concourse-git-bitbucket-pr-resource#13).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Text as a part of a link.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What a part of a request target says.
pub(crate) fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}
