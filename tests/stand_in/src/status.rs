//! A build status.

use serde::Serialize;

/// A build status, as stored. Of one commit in one repository, key and refname make its identity;
/// on Data Center the key alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// The workspace, as in the path; on Data Center the project's key, as registered. Empty, like
    /// the repository, for a status of Data Center's old endpoint, which knows commits only.
    pub workspace: String,
    /// The repository's slug, as in the path.
    pub repository: String,
    /// The whole hash, when the commit is a registered one.
    pub commit: String,
    /// At most 40 characters, on Data Center 255.
    pub key: String,
    /// `SUCCESSFUL`, `FAILED`, `INPROGRESS` or `STOPPED`; on Data Center `CANCELLED` or `UNKNOWN`
    /// instead of the last.
    pub state: String,
    /// The link's text.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The link.
    pub url: String,
    /// A bare branch or tag name; once set, it stays. On Data Center the `ref`, whole.
    pub refname: Option<String>,
    /// When the first POST was accepted, by a clock that moves one millisecond for each.
    pub created_on: String,
    /// When the last POST was accepted, by the same clock.
    pub updated_on: String,
    /// Whether the last POST made it (201) or overwrote it (200; Data Center says 204 to both).
    pub created: bool,
    /// What only Data Center keeps; `None` for Cloud's.
    pub data_center: Option<DataCenterDetails>,
}

/// What Data Center keeps of a build and Cloud does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataCenterDetails {
    /// The key that the "Required builds" check looks for.
    pub parent: Option<String>,
    /// Text, though mostly digits.
    pub build_number: Option<String>,
    /// Milliseconds.
    pub duration: Option<i64>,
    /// Counts of tests.
    pub test_results: Option<TestResults>,
}

/// How many tests went how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TestResults {
    /// Failures and errors.
    pub failed: i64,
    /// Tests that were not run.
    pub skipped: i64,
    /// Tests that passed.
    pub successful: i64,
}
