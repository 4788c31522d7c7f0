//! Tests that speak to the real binary and to a stand-in Bitbucket.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod architecture;
mod botocore;
mod check;
mod conversation;
mod corpus;
mod data_center;
mod docs;
mod event;
mod files;
mod github;
mod guard;
mod hints;
mod hostile;
mod jenkins;
mod lambda;
mod matrix;
mod oauth;
mod on_windows;
mod origins;
mod output;
mod pages;
mod picture;
mod processes;
mod properties;
mod providers;
mod report;
mod run;
mod script;
mod secrets;
mod snippets;
mod support;
mod sync;
mod through_proxy;
mod tls;
mod untrusted;
