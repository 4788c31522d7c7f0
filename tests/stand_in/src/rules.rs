//! Which Bitbucket the server is, and how it treats everybody.

use std::time::Duration;

use crate::version::Version;

/// What no request changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// Whether it is Data Center too.
    pub(crate) data_center: Option<Version>,
    /// Where Data Center is: empty, or `/bitbucket`.
    pub(crate) context_path: String,
    /// Data Center's limit: the size of the bucket, and tokens per second.
    pub(crate) token_bucket: Option<(u32, u32)>,
    /// Cloud's limit.
    pub(crate) hourly_limit: Option<(u32, Duration)>,
    pub(crate) tokens_expire_at_once: bool,
    /// Whether there is a page for people at `/`.
    pub(crate) web_page: bool,
}
