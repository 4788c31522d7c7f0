//! How a delivery ended.

use std::time::Duration;

use crate::error::Error;

/// What Bitbucket said in the end, and what it took to hear it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How many requests were sent.
    pub attempts: u32,
    /// How long it took, pauses included.
    pub elapsed: Duration,
    /// The last HTTP status, if there was one.
    pub http_status: Option<u16>,
    /// What kept the status from being stored; nothing, if it is.
    pub error: Option<Error>,
}
