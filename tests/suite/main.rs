//! Tests that speak to the real binary and to a stand-in Bitbucket.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod architecture;
mod check;
mod conversation;
mod corpus;
mod data_center;
mod docs;
mod files;
mod hints;
mod hostile;
mod oauth;
mod output;
mod processes;
mod properties;
mod providers;
mod report;
mod run;
mod script;
mod secrets;
mod snippets;
mod support;
mod through_proxy;
mod tls;
mod untrusted;
