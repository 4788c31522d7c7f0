//! What the CI says.

pub mod context;
mod file;
pub mod git;
pub mod provider;
