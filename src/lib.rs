//! Reports the status of a CI job to Bitbucket.
//!
//! ```text
//! argv ─► Args ─────────────────────────────┐
//!                                           ├─► Report ─► Request ─► Outcome ─► exit code
//! env ─► Env ─► provider ─► Context ────────┘
//!       (read once)        (what the CI says)  (what we claim) (pure data) (what Bitbucket said)
//! ```
//!
//! Each box is a type and each arrow a function. [`mod@env`] reads the process environment (and clap,
//! in [`cli`], the variables of options), [`http`] opens sockets, [`ci::git`] runs `git`, and `main.rs`
//! prints and exits. Everything between is plain data.
//!
//! A module uses only the modules listed below it.
//!
//! The library serves the binary, its tests and its examples. Only the command line is stable.

pub mod command;

pub mod bitbucket;

pub(crate) mod gitlab;

mod aws;

pub mod report;

pub mod http;

pub mod ci;

pub mod cli;

pub mod junit;
pub mod output;

pub mod status;

pub(crate) mod background;
pub(crate) mod deadline;
pub mod env;
pub mod error;
mod file;
pub mod secret;
