//! Jenkins. <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Jenkins {
    branch_name: Option<String>,
    build_number: Option<String>,
    build_url: Option<String>,
    change_branch: Option<String>,
    change_id: Option<String>,
    ghprbactualcommit: Option<String>,
    ghprbpullid: Option<String>,
    ghprbsourcebranch: Option<String>,
    git_branch: Option<String>,
    git_commit: Option<String>,
    git_local_branch: Option<String>,
    git_url: Option<String>,
    git_url_1: Option<String>,
    job_name: Option<String>,
    stage_name: Option<String>,
    tag_name: Option<String>,
}

impl Provider for Jenkins {
    const INFO: ProviderInfo = ProviderInfo {
        id: "jenkins",
        name: "Jenkins",
        docs: "https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables",
        key: "jenkins",
        signs: &[
            // JENKINS_URL alone is not enough: a job of another CI that calls Jenkins may set it. And
            // Jenkins sets it only if its URL is configured.
            Sign::OneOf(&["JENKINS_URL", "JENKINS_SERVER_COOKIE", "JENKINS_HOME"]),
            Sign::Set("BUILD_TAG"),
            Sign::Set("JOB_NAME"),
        ],
        commit: &["ghprbActualCommit", "GIT_COMMIT"],
        state: None,
        state_caveat: "`run` knows it; else pass it in the stage's own `post`: `success { … passed }`, \
                       `failure { … failed }`, `aborted { … stopped }`",
        url_setting: "Jenkins URL under Manage Jenkins, System",
        secrets_caveat: "a credential is passed where `withCredentials` or `environment` with \
                         `credentials(…)` binds it",
    };

    const MIXED_CASE: &'static [&'static str] =
        &["ghprbActualCommit", "ghprbPullId", "ghprbSourceBranch"];

    fn context(self) -> Context {
        // If both are built, there are `PR-7-merge` and `PR-7-head`.
        let is_multibranch = self.branch_name.is_some();
        let branch = self.branch_name.as_deref();
        let merged = branch.is_some_and(|name| name.starts_with("PR-") && name.ends_with("-merge"));
        let source = self.change_branch.or(self.ghprbsourcebranch);
        let pull_request = self.change_id.or(self.ghprbpullid);
        let refname = if pull_request.is_some() {
            // The other variables hold `PR-7` or `pr/7/merge`.
            source.map(Refname::Branch)
        } else {
            let branch = self.branch_name.or(self.git_local_branch);
            // In a build of a tag, BRANCH_NAME is the tag's name.
            let tag = self.tag_name.map(Refname::Tag);
            tag.or(branch.map(Refname::Branch))
                .or_else(|| git_branch(&self.git_branch?))
        };
        // Multibranch jobs are called FOLDER/JOB/BRANCH.
        let job = self.job_name.as_deref().filter(|_| is_multibranch);
        let name_on_any_branch = job
            .and_then(|job| job.rsplit_once('/'))
            .map(|(job, _)| job.to_owned());
        // A matrix sets no variables for its values: such jobs need --key.
        let in_stage = |job: String| match &self.stage_name {
            // Jenkins has stages of its own, such as `Declarative: Post Actions`.
            Some(stage) if !stage.starts_with("Declarative: ") => format!("{job}/{stage}"),
            _ => job,
        };
        Context {
            commit: match self.ghprbactualcommit {
                None if merged && pull_request.is_some() => DetectedCommit::refused(
                    "GIT_COMMIT is a merge commit made by Jenkins (BRANCH_NAME ends in -merge); in \
                     the branch source, choose `The current pull request revision`",
                ),
                head => DetectedCommit::first_set([
                    ("ghprbActualCommit", head),
                    ("GIT_COMMIT", self.git_commit),
                ]),
            },
            repository: Repository::cloned_from(self.git_url.or(self.git_url_1)),
            job_name_on_any_branch: name_on_any_branch.map(in_stage),
            job_name: self.job_name.map(in_stage),
            url: self.build_url,
            build_number: self.build_number,
            pull_request,
            ..Context::on(refname)
        }
    }
}

/// `origin/main`, `main`, `refs/tags/v1`, or `detached`.
fn git_branch(text: &str) -> Option<Refname> {
    let name = text.strip_prefix("refs/remotes/").unwrap_or(text);
    let name = name.strip_prefix("origin/").unwrap_or(name);
    let bare = !name.starts_with("refs/") && name != "detached";
    Refname::from_full(name).or_else(|| bare.then(|| Refname::Branch(name.to_owned())))
}
