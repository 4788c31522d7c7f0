//! The APIs of Bitbucket Cloud and Bitbucket Data Center.

pub mod auth;
pub(crate) mod cloud;
pub mod credentials;
pub mod data_center;
pub(crate) mod delivery;
pub mod destination;
pub(crate) mod guard;
pub mod hint;
pub mod locate;
pub mod statuses;
pub mod verdict;
