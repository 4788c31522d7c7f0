//! AWS CodeBuild.
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct CodeBuild {
    codebuild_batch_build_identifier: Option<String>,
    codebuild_build_arn: Option<String>,
    codebuild_build_id: Option<String>,
    codebuild_build_number: Option<String>,
    codebuild_build_succeeding: Option<String>,
    /// Undocumented, but set in every build.
    codebuild_build_url: Option<String>,
    codebuild_initiator: Option<String>,
    codebuild_public_build_url: Option<String>,
    codebuild_resolved_source_version: Option<String>,
    codebuild_source_repo_url: Option<String>,
    codebuild_source_version: Option<String>,
    codebuild_webhook_base_ref: Option<String>,
    codebuild_webhook_head_ref: Option<String>,
    codebuild_webhook_merge_commit: Option<String>,
    codebuild_webhook_trigger: Option<String>,
}

/// `1` until a command has failed, from the first phase on.
const STATES: &[(&str, State)] = &[("1", State::Successful), ("0", State::Failed)];

impl Provider for CodeBuild {
    const INFO: ProviderInfo = ProviderInfo {
        id: "codebuild",
        name: "AWS CodeBuild",
        docs: "https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html",
        key: "codebuild",
        signs: &[
            Sign::OneOf(&["CODEBUILD_BUILD_ID", "CODEBUILD_BUILD_ARN"]),
            // Jobs of these may run on CodeBuild's machines:
            // https://docs.aws.amazon.com/codebuild/latest/userguide/action-runner-overview.html
            // https://docs.aws.amazon.com/codebuild/latest/userguide/buildkite-runner-overview.html
            Sign::Unset("BUILDKITE"),
            Sign::Unset("GITLAB_CI"),
            Sign::Unset("GITHUB_ACTIONS"),
        ],
        commit: &[
            "CODEBUILD_WEBHOOK_MERGE_COMMIT",
            "CODEBUILD_RESOLVED_SOURCE_VERSION",
            "CODEBUILD_SOURCE_VERSION",
        ],
        state: Some("CODEBUILD_BUILD_SUCCEEDING"),
        state_caveat: "it becomes 0 when a command fails, so report in the last step (post_build's \
                       finally)",
        url_setting: "CODEBUILD_BUILD_URL",
        secrets_caveat: "CodeBuild passes a secret when the buildspec's env section names it under \
                         parameter-store or secrets-manager",
    };

    fn context(self) -> Context {
        let arn = self.codebuild_build_arn.as_deref().and_then(Arn::parse);
        let id = self
            .codebuild_build_id
            .as_deref()
            .or(arn.as_ref().map(|arn| arn.build));
        let project = id.map(|id| id.split_once(':').map_or(id, |(project, _)| project));
        // `pr/7`, `branch/a/b`, `tag/v1`
        let trigger = self.codebuild_webhook_trigger.as_deref();
        let trigger = trigger.and_then(|trigger| trigger.split_once('/'));
        // `refs/heads/main^{1ecfd27…}`, or a bare hash
        // https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html
        let version = self.codebuild_source_version.as_deref().map(|version| {
            match version
                .strip_suffix('}')
                .and_then(|version| version.split_once("^{"))
            {
                Some((refname, hash)) => (Some(refname), hash),
                None => (None, version),
            }
        });
        // The merge commit is on the target branch.
        let head = match self.codebuild_webhook_merge_commit {
            Some(_) => self.codebuild_webhook_base_ref.as_deref(),
            None => self.codebuild_webhook_head_ref.as_deref(),
        };
        let refname = head
            .and_then(Refname::from_full)
            .or_else(|| match trigger? {
                ("branch", name) => Some(Refname::Branch(name.to_owned())),
                ("tag", name) => Some(Refname::Tag(name.to_owned())),
                _ => None,
            })
            .or_else(|| Refname::from_full(version?.0?));
        Context {
            commit: DetectedCommit::first_hash([
                // Set for a merged pull request with a closed branch, whose own commit is gone.
                (
                    "CODEBUILD_WEBHOOK_MERGE_COMMIT",
                    self.codebuild_webhook_merge_commit,
                ),
                // Under CodePipeline with an S3 source, it is the version of an object.
                (
                    "CODEBUILD_RESOLVED_SOURCE_VERSION",
                    self.codebuild_resolved_source_version,
                ),
                (
                    "CODEBUILD_SOURCE_VERSION",
                    version.map(|(_, hash)| hash.to_owned()),
                ),
            ]),
            repository: Repository::cloned_from(self.codebuild_source_repo_url),
            job_name: project.map(|project| match &self.codebuild_batch_build_identifier {
                Some(child) => format!("{project}/{child}"),
                None => project.to_owned(),
            }),
            url: self
                .codebuild_public_build_url
                .or(self.codebuild_build_url)
                .or_else(|| arn.as_ref()?.url()),
            pipeline_url: self
                .codebuild_initiator
                .as_deref()
                .and_then(|initiator| initiator.strip_prefix("codepipeline/"))
                .zip(arn.as_ref())
                .map(|(pipeline, arn)| arn.pipeline_url(pipeline)),
            build_number: self.codebuild_build_number,
            pull_request: trigger
                .filter(|(kind, _)| *kind == "pr")
                .map(|(_, number)| number.to_owned()),
            state: State::named_in(STATES, self.codebuild_build_succeeding),
            ..Context::on(refname)
        }
    }
}

/// `arn:PARTITION:codebuild:REGION:ACCOUNT:build/PROJECT:UUID`
struct Arn<'a> {
    region: &'a str,
    account: &'a str,
    build: &'a str,
}

impl<'a> Arn<'a> {
    /// Partitions other than `aws` have other console hosts, which AWS does not document: there is no
    /// URL for them.
    fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.strip_prefix("arn:aws:codebuild:")?.splitn(3, ':');
        let (region, account) = (parts.next()?, parts.next()?);
        Some(Self {
            region,
            account,
            build: parts.next()?.strip_prefix("build/")?,
        })
    }

    fn console(&self, path: &str) -> String {
        let region = self.region;
        format!("https://{region}.console.aws.amazon.com/codesuite/{path}?region={region}")
    }

    fn url(&self) -> Option<String> {
        let (project, _) = self.build.split_once(':')?;
        let (account, build) = (self.account, segment(self.build));
        let page = format!("codebuild/{account}/projects/{project}/build/{build}/");
        Some(self.console(&page))
    }

    fn pipeline_url(&self, pipeline: &str) -> String {
        let pipeline = segment(pipeline);
        self.console(&format!("codepipeline/pipelines/{pipeline}/view"))
    }
}
