//! The other side: Bitbucket Cloud and Bitbucket Data Center.

pub mod auth;
pub mod cloud;
pub mod credentials;
pub mod data_center;
pub mod delivery;
pub mod destination;
pub mod guard;
pub mod hint;
pub mod locate;
pub mod statuses;
pub mod verdict;
