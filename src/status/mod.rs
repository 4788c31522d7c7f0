//! The words of the field: what a build status is made of.

pub mod commit;
pub mod key;
pub mod product;
pub mod refname;
pub mod repository;
pub mod state;
pub mod url;
