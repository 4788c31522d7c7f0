//! A stand-in for Bitbucket: a server on 127.0.0.1 that keeps the rules of Bitbucket Cloud, and when
//! asked those of Data Center, for build statuses, can be told to misbehave, and remembers what it
//! received. [`gitlab`] has the same for GitLab, [`aws`] for AWS.
//!
//! ```
//! use stand_in::{Answer, DEFAULT_COMMIT, DEFAULT_TOKEN, StandIn};
//!
//! let bitbucket = StandIn::start();
//! bitbucket.will([Answer::rate_limited()]); // the first request; the second is treated properly
//! let url = format!(
//!     "{}/repositories/my-workspace/my-repo/commit/{DEFAULT_COMMIT}/statuses/build",
//!     bitbucket.api_root(),
//! );
//! let post = || {
//!     ureq::post(&url)
//!         .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
//!         .header("content-type", "application/json")
//!         .send(r#"{"key": "ci", "state": "FAILED", "url": "https://ci.example.com/1"}"#)
//! };
//! assert!(post().is_err());
//! assert!(post().is_ok());
//! assert_eq!(bitbucket.received().len(), 2);
//! assert_eq!(bitbucket.statuses(DEFAULT_COMMIT)[0].state, "FAILED");
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "a test's server panics when it is misused, and says how"
)]
#![allow(clippy::must_use_candidate, reason = "noise on pure functions")]

mod answer;
pub mod aws;
mod bitbucket;
mod body;
mod build_url;
mod certificate;
mod cloud;
mod credential;
mod data_center;
pub mod gitlab;
mod known;
mod limits;
mod oauth;
mod percent;
mod received;
mod reply;
mod rules;
mod running;
mod server;
mod setup;
mod shared;
mod stand_in;
mod state;
mod status;
mod traffic;
mod version;
mod web_page;

pub use answer::Answer;
pub use aws::Aws;
pub use credential::{Credential, CredentialKind};
pub use gitlab::GitLab;
pub use limits::{Buckets, Budget, Window};
pub use received::Received;
pub use setup::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_COMMIT, DEFAULT_PERSONAL_PROJECT,
    DEFAULT_PROJECT, DEFAULT_REPOSITORY, DEFAULT_TOKEN, DEFAULT_USER, DEFAULT_WORKSPACE,
    SECOND_COMMIT, Setup,
};
pub use stand_in::StandIn;
pub use status::{DataCenterDetails, Status, TestResults};
