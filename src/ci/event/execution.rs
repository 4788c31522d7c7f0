//! What AWS says about an execution of CodePipeline, and about the revision of a source.
//! <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html>

use percent_encoding::percent_decode_str;

use crate::ci::event::json::Json;
use crate::status::commit::is_full_hash;

/// The revision that the status is for: Bitbucket's, else the first that is a commit. There is none while
/// no source action has ended.
pub(super) fn revision(execution: Json<'_>) -> Option<Revision> {
    let revisions = execution.get("artifactRevisions").items();
    let revisions = revisions.into_iter().map(|it| {
        let text = |name| it.text_of(name);
        let (url, summary) = (text("revisionUrl"), text("revisionSummary"));
        Revision::read(text("revisionId"), url.as_deref(), summary.as_deref())
    });
    let rank = |it: &Revision| (it.is_on_bitbucket(), it.commit.is_some());
    // Of equals, the last would win.
    revisions.rev().max_by_key(rank)
}

/// What a source action has fetched.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Revision {
    /// `Bitbucket`, `GitHub`, `GitLab`…, in whatever case, of a connection.
    pub(super) provider: Option<String>,
    /// `owner/name`.
    pub(super) repository: Option<String>,
    pub(super) commit: Option<String>,
}

impl Revision {
    /// Reads the three fields that an action's result and an execution's revision have in common.
    ///
    /// The provider of a connection stands only in the summary, which is JSON in a string then; the
    /// repository only in the URL of a redirect.
    pub(super) fn read(id: Option<String>, url: Option<&str>, summary: Option<&str>) -> Self {
        let hash = id.filter(|id| is_full_hash(id));
        Self {
            provider: summary.and_then(|text| Json::read(text).text_of("ProviderType")),
            repository: url.and_then(repository),
            commit: hash.map(|hash| hash.to_ascii_lowercase()),
        }
    }

    pub(super) fn is_on_bitbucket(&self) -> bool {
        let provider = self.provider.as_deref();
        provider.is_some_and(|it| it.eq_ignore_ascii_case("bitbucket"))
    }
}

/// `…/connections/redirect?connectionArn=…&FullRepositoryId=ws/repo&Commit=…`
fn repository(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, path) = pairs.find(|(name, _)| *name == "FullRepositoryId")?;
    Some(percent_decode_str(path).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    fn url(repository: &str) -> String {
        format!(
            "https://us-west-2.console.aws.amazon.com/codesuite/settings/connections/redirect?\
             connectionArn=arn:aws:x&referenceType=COMMIT&FullRepositoryId={repository}&Commit={SHA}"
        )
    }

    #[test]
    fn bitbuckets_revision_wins_over_the_first() {
        let connection = |provider: &str, repository: &str| {
            json!({"revisionId": SHA, "revisionUrl": url(repository),
                "revisionSummary": format!(r#"{{"ProviderType":"{provider}","CommitMessage":"a\n"}}"#)})
        };
        let s3 = json!({"revisionId": "v1.x", "revisionSummary": "Amazon S3 version id: v1.x"});
        let revision = |provider: &str, repository: &str| Revision {
            provider: Some(provider.to_owned()),
            repository: Some(repository.to_owned()),
            commit: Some(SHA.to_owned()),
        };
        for (revisions, expected) in [
            (
                json!([
                    s3,
                    connection("GitHub", "o/r"),
                    connection("BitBucket", "ws%2Frepo")
                ]),
                Some(revision("BitBucket", "ws/repo")),
            ),
            (
                json!([s3, null, connection("GitLab", "a/b%2Fc")]),
                Some(revision("GitLab", "a/b/c")),
            ),
            (json!([s3]), Some(Revision::default())),
            (json!([]), None),
            (json!(7), None),
        ] {
            let text = json!({"status": "Succeeded", "artifactRevisions": revisions}).to_string();
            assert_eq!(super::revision(Json::read(&text)), expected, "{text}");
        }
    }
}
