//! A build status.

use serde::Serialize;

/// A build status, as stored. Of one commit in one repository, key and refname make its identity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The workspace, as in the path.
    pub workspace: String,
    /// The repository's slug, as in the path.
    pub repository: String,
    /// The whole hash, when the commit is a registered one.
    pub commit: String,
    /// At most 40 characters.
    pub key: String,
    /// `SUCCESSFUL`, `FAILED`, `INPROGRESS` or `STOPPED`.
    pub state: String,
    /// The link's text.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The link.
    pub url: String,
    /// A bare branch or tag name; once set, it stays.
    pub refname: Option<String>,
    /// When the first POST was accepted, by a clock that moves one millisecond for each.
    pub created_on: String,
    /// When the last POST was accepted, by the same clock.
    pub updated_on: String,
    /// Whether the last POST made it (201) or overwrote it (200).
    pub created: bool,
}
