//! The API of Bitbucket Data Center, formerly Bitbucket Server.
//! <https://developer.atlassian.com/server/bitbucket/how-tos/updating-build-status-for-commits>

use serde::{Deserialize, Serialize};

use crate::http::request::Request;
use crate::junit::TestResults;
use crate::report::Report;
use crate::status::refname::Refname;
use crate::status::state::State;
use crate::status::url::segment;

/// A repository on a Bitbucket Data Center.
#[derive(Clone, Debug, PartialEq)]
pub struct DataCenter {
    /// The server's base URL with its context path, without trailing slash.
    pub(crate) server: String,
    /// The project's key, or `~user`.
    pub(crate) project: String,
    /// The repository's slug.
    pub(crate) repository: String,
}

/// Which endpoint for build statuses a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// The endpoint of the repository, since 7.4.
    Rich {
        /// Whether the server has the state CANCELLED, since 8.0.
        cancelled: bool,
    },
    /// The endpoint of the commit, before 7.4. "Required builds" ignore statuses there.
    Legacy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    key: &'a str,
    state: &'static str,
    url: &'a str,
    name: &'a str,
    description: &'a str,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    refname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_number: Option<&'a str>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_results: Option<TestResults>,
}

impl DataCenter {
    /// The request that stores the status, or overwrites the one with the same key.
    pub(crate) fn request(&self, report: &Report, generation: Generation) -> Request {
        let (server, commit) = (&self.server, &report.commit);
        let Generation::Rich { cancelled } = generation else {
            let body = Body {
                refname: None,
                parent: None,
                build_number: None,
                duration: None,
                test_results: None,
                ..body(report, false)
            };
            let url = format!("{server}/rest/build-status/1.0/commits/{commit}");
            return Request::post_json(url, json(&body));
        };
        let url = format!("{}/builds", self.commit_url(commit));
        Request::post_json(url, json(&body(report, cancelled)))
    }

    /// The request for [`knows_cancelled`].
    pub(crate) fn build_capabilities(&self) -> Request {
        Request::get(format!(
            "{}/rest/api/latest/build/capabilities",
            self.server
        ))
    }

    /// The request for [`version`].
    pub(crate) fn properties(&self) -> Request {
        let url = format!("{}/rest/api/latest/application-properties", self.server);
        Request::get(url)
    }

    /// The API's URL for a commit of the repository.
    pub(crate) fn commit_url(&self, commit: &str) -> String {
        format!("{}/commits/{commit}", self.repository_url())
    }

    /// The API's URL for the repository.
    pub(crate) fn repository_url(&self) -> String {
        let (project, repository) = (segment(&self.project), segment(&self.repository));
        let root = format!("{}/rest/api/latest", self.server);
        format!("{root}/projects/{project}/repos/{repository}")
    }
}

fn body(report: &Report, cancelled: bool) -> Body<'_> {
    Body {
        key: &report.key,
        state: match report.state {
            State::Stopped if cancelled => "CANCELLED",
            State::Stopped => State::Failed.as_str(),
            state => state.as_str(),
        },
        url: &report.url,
        name: &report.name,
        description: &report.description,
        refname: report.refname.as_ref().map(Refname::full),
        // "This field is used for required builds merge checks to function"
        parent: Some(report.parent.as_deref().unwrap_or(&report.key)),
        build_number: report.build_number.as_deref(),
        duration: report
            .duration
            .map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        test_results: report.test_results,
    }
}

fn json(body: &Body<'_>) -> String {
    serde_json::to_string(body).expect("strings always serialize")
}

/// Whether the server has the state CANCELLED, by its answer to [`DataCenter::build_capabilities`].
pub fn knows_cancelled(response: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Capabilities {
        build_status: Vec<String>,
    }
    let parsed: Option<Capabilities> = serde_json::from_slice(response).ok();
    parsed.is_some_and(|it| it.build_status.iter().any(|word| word == "cancelledStatus"))
}

/// The server's version, by its answer to [`DataCenter::properties`].
pub fn version(response: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Properties {
        version: String,
    }
    let parsed: Option<Properties> = serde_json::from_slice(response).ok();
    parsed.map(|properties| properties.version)
}

/// Whether a server of this version is too old for the repository's endpoint for builds. A version
/// that cannot be read is not.
pub fn is_legacy(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < (7, 4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: State) -> Report {
        Report {
            state,
            key: "ci/jenkins/tests".into(),
            name: "tests #7".into(),
            description: "The build was stopped.".into(),
            url: "https://ci/7".into(),
            commit: "1ecfd275763eff1d6b4844ea3168962458c9f27a".into(),
            refname: Some(Refname::Branch("feature/a".into())),
            parent: None,
            build_number: Some("7".into()),
            duration: None,
            test_results: None,
        }
    }

    fn repository() -> DataCenter {
        DataCenter {
            server: "https://git.example.com/bitbucket".into(),
            project: "~jdoe".into(),
            repository: "my.tools".into(),
        }
    }

    #[test]
    fn a_report_becomes_a_post_to_the_repositorys_builds() {
        let generation = Generation::Rich { cancelled: false };
        let request = repository().request(&report(State::Successful), generation);
        assert_eq!(
            (request.method, request.url.as_str(), request.body.as_str()),
            (
                "POST",
                "https://git.example.com/bitbucket/rest/api/latest/projects/~jdoe/repos/my.tools/commits/1ecfd275763eff1d6b4844ea3168962458c9f27a/builds",
                r#"{"key":"ci/jenkins/tests","state":"SUCCESSFUL","url":"https://ci/7","name":"tests #7","description":"The build was stopped.","ref":"refs/heads/feature/a","parent":"ci/jenkins/tests","buildNumber":"7"}"#,
            )
        );
    }

    #[test]
    fn an_old_server_gets_what_it_knows() {
        let request = repository().request(&report(State::Stopped), Generation::Legacy);
        assert_eq!(
            (request.url.as_str(), request.body.as_str()),
            (
                "https://git.example.com/bitbucket/rest/build-status/1.0/commits/1ecfd275763eff1d6b4844ea3168962458c9f27a",
                r#"{"key":"ci/jenkins/tests","state":"FAILED","url":"https://ci/7","name":"tests #7","description":"The build was stopped."}"#,
            )
        );
    }

    #[test]
    fn a_stopped_build_is_cancelled_where_the_server_knows_that() {
        for (generation, state) in [
            (Generation::Rich { cancelled: true }, "CANCELLED"),
            (Generation::Rich { cancelled: false }, "FAILED"),
            (Generation::Legacy, "FAILED"),
        ] {
            let request = repository().request(&report(State::Stopped), generation);
            let expected = format!(r#""state":"{state}""#);
            assert!(request.body.contains(&expected), "{generation:?}");
        }
        let answer = br#"{"buildStatus":["richBuildStatus","cancelledStatus"]}"#;
        assert!(knows_cancelled(answer));
        assert!(!knows_cancelled(br#"{"buildStatus":["richBuildStatus"]}"#));
        assert!(!knows_cancelled(b"<html>"));
    }

    #[test]
    fn the_endpoint_is_missing_before_version_7_4() {
        for (version, legacy) in [
            ("7.3.2", true),
            ("6.10.17", true),
            ("7.4.0", false),
            ("7.21.0-rc1", false),
            ("10.0.1", false),
            ("v9.1", false),
            ("5", false),
            ("", false),
        ] {
            assert_eq!(is_legacy(version), legacy, "{version}");
        }
    }
}
