//! The API of Bitbucket Cloud.
//! <https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/>

use serde::Serialize;

use crate::http::request::Request;
use crate::report::Report;
use crate::status::refname::Refname;
use crate::status::url::segment;

/// A repository on bitbucket.org.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// The API's base URL, without trailing slash.
    pub(crate) api_root: String,
    /// The workspace's slug, or `{uuid}`.
    pub(crate) workspace: String,
    /// The repository's slug, or `{uuid}`.
    pub(crate) repository: String,
}

#[derive(Serialize)]
struct Body<'a> {
    state: &'static str,
    key: &'a str,
    name: &'a str,
    description: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refname: Option<&'a str>,
}

impl Cloud {
    /// The request that creates the status, or overwrites the one with the same key. PUT only
    /// overwrites, and may answer 500 (jenkinsci/bitbucket-branch-source-plugin#930).
    pub(super) fn request(&self, report: &Report) -> Request {
        let url = format!("{}/statuses/build", self.commit_url(&report.commit));
        let body = Body {
            state: report.state.as_str(),
            key: &report.key,
            name: &report.name,
            description: &report.description,
            url: &report.url,
            refname: report.refname.as_ref().map(Refname::name),
        };
        let body = serde_json::to_string(&body).expect("strings always serialize");
        Request::post_json(url, body)
    }

    /// The API's URL for the repository.
    pub(crate) fn repository_url(&self) -> String {
        let (workspace, repository) = (segment(&self.workspace), segment(&self.repository));
        format!("{}/repositories/{workspace}/{repository}", self.api_root)
    }

    /// The API's URL for a commit of the repository.
    pub(crate) fn commit_url(&self, commit: &str) -> String {
        format!("{}/commit/{commit}", self.repository_url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::state::State;

    #[test]
    fn a_report_becomes_a_post_to_its_commit() {
        let cloud = Cloud {
            api_root: "https://api.bitbucket.org/2.0".into(),
            workspace: "{b7d1}".into(),
            repository: "my repo".into(),
        };
        let report = Report {
            state: State::Stopped,
            key: "ci/gitlab-ci/\"a\"\n".into(),
            name: "n".into(),
            description: "d".into(),
            url: "https://ci.example.com/1".into(),
            commit: "1ecfd275763e".into(),
            refname: Some(Refname::Tag("v1".into())),
            parent: None,
            build_number: Some("7".into()),
            duration: None,
            test_results: None,
        };
        let request = cloud.request(&report);
        assert_eq!(
            (request.method, request.url.as_str(), request.body.as_str()),
            (
                "POST",
                "https://api.bitbucket.org/2.0/repositories/%7Bb7d1%7D/my%20repo/commit/1ecfd275763e/statuses/build",
                r#"{"state":"STOPPED","key":"ci/gitlab-ci/\"a\"\n","name":"n","description":"d","url":"https://ci.example.com/1","refname":"v1"}"#,
            )
        );
    }
}
