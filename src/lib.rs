//! Tells Bitbucket how a CI job went.
//!
//! ```text
//! argv ─► Args ─────────────────────────────┐
//!                                           ├─► Report ─► Request ─► Outcome ─► exit code
//! env ─► Env ─► provider ─► Context ────────┘
//!       (read once)        (what the CI says)  (what we claim) (pure data) (what Bitbucket said)
//! ```
//!
//! Each box is a type and each arrow a function. [`mod@env`] reads the process environment (and clap,
//! in [`cli`], the variables of our options), [`http`] opens sockets, [`ci::git`] runs `git`, and
//! `main.rs` prints and exits. Everything between is plain data.
//!
//! The modules below stand in the order in which they use each other: a module uses only those below
//! it.
//!
//! The library serves the binary, its tests and its examples. Only the command line is stable.

pub mod command;

pub mod bitbucket;

pub mod gitlab;

mod aws;

pub mod report;

pub mod http;

pub mod ci;

pub mod cli;

pub mod junit;
pub mod output;

pub mod status;

pub mod deadline;
pub mod env;
pub mod error;
pub mod secret;
