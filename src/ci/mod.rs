//! What the CI says.

pub mod context;
pub(crate) mod event;
mod file;
pub mod git;
pub mod provider;
