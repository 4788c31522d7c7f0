//! Tests that speak to the real binary and to a stand-in Bitbucket.

mod conversation;
mod docs;
mod hostile;
mod output;
mod providers;
mod report;
mod script;
mod secrets;
mod support;
