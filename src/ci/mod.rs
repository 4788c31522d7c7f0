//! What the CI says.

pub mod context;
mod file;
pub(crate) mod git;
pub mod provider;
