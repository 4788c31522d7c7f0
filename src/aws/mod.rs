//! AWS: its events, its APIs, its signatures and its credentials.
//!
//! ```text
//! event ─► Event ─► Call ─► Request ─► (HTTP) ─► Answer or Refusal ─► Event
//! ```
//!
//! All of it is plain data. Nothing here opens a socket, reads a file or knows the time.

#![cfg_attr(
    not(test),
    expect(dead_code, reason = "the command that uses it comes later")
)]

pub(crate) mod api;
pub(crate) mod arn;
pub(crate) mod build;
pub(crate) mod credentials;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod execution;
mod json;
pub(crate) mod refusal;
pub(crate) mod region;
pub(crate) mod signature;
pub(crate) mod stored_token;

#[cfg(test)]
mod fake;
