//! The parts of a build status: state, key, commit, branch or tag, repository and URL.

pub mod commit;
pub mod key;
pub mod product;
pub mod refname;
pub mod repository;
pub mod state;
pub mod url;
