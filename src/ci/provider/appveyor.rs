//! AppVeyor. <https://www.appveyor.com/docs/environment-variables/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct AppVeyor {
    appveyor_account_name: Option<String>,
    appveyor_build_id: Option<String>,
    appveyor_build_number: Option<String>,
    appveyor_job_id: Option<String>,
    appveyor_job_name: Option<String>,
    appveyor_project_slug: Option<String>,
    appveyor_pull_request_head_commit: Option<String>,
    appveyor_pull_request_head_repo_branch: Option<String>,
    appveyor_pull_request_number: Option<String>,
    appveyor_repo_branch: Option<String>,
    appveyor_repo_commit: Option<String>,
    appveyor_repo_name: Option<String>,
    appveyor_repo_provider: Option<String>,
    appveyor_repo_tag_name: Option<String>,
    appveyor_url: Option<String>,
}

impl Provider for AppVeyor {
    const INFO: ProviderInfo = ProviderInfo {
        id: "appveyor",
        name: "AppVeyor",
        docs: "https://www.appveyor.com/docs/environment-variables/",
        key: "appveyor",
        // `True` on Windows, `true` on Linux
        signs: &[Sign::Set("APPVEYOR")],
        commit: &["APPVEYOR_PULL_REQUEST_HEAD_COMMIT", "APPVEYOR_REPO_COMMIT"],
        state: None,
        state_caveat: "pass `passed` in `on_success` and `failed` in `on_failure`",
        url_setting: "APPVEYOR_URL",
        secrets_caveat: "secure variables are missing in pull requests, unless the project's \
                         settings allow them for those from the same repository",
    };

    fn context(self) -> Context {
        let site = match self.appveyor_repo_provider.as_deref() {
            Some("bitBucket" | "bitbucket") => Site::Cloud,
            // The former name of Bitbucket Data Center.
            Some("stash") => Site::DataCenter { server: None },
            _ => Site::Elsewhere,
        };
        let host = (site == Site::Cloud).then_some("bitbucket.org");
        let part = |value: &Option<String>| value.as_deref().map(segment);
        let page = || {
            let server = self.appveyor_url.as_deref()?.trim_end_matches('/');
            let account = part(&self.appveyor_account_name)?;
            let project = part(&self.appveyor_project_slug)?;
            let build = part(&self.appveyor_build_id)?;
            let project = format!("{server}/project/{account}/{project}");
            Some(format!("{project}/builds/{build}"))
        };
        let build = page();
        let job = build.clone().zip(part(&self.appveyor_job_id));
        let names = [self.appveyor_project_slug, self.appveyor_job_name];
        let in_pull_request = self.appveyor_pull_request_number.is_some();
        Context {
            commit: match self.appveyor_pull_request_head_commit {
                head @ Some(_) => DetectedCommit::of("APPVEYOR_PULL_REQUEST_HEAD_COMMIT", head),
                None if in_pull_request => DetectedCommit::refused(
                    "APPVEYOR_REPO_COMMIT is a merge commit in a pull request, and \
                     APPVEYOR_PULL_REQUEST_HEAD_COMMIT is not set",
                ),
                None => DetectedCommit::of("APPVEYOR_REPO_COMMIT", self.appveyor_repo_commit),
            },
            // APPVEYOR_REPO_BRANCH is the target of a pull request.
            branch: if in_pull_request {
                self.appveyor_pull_request_head_repo_branch
            } else {
                let branch = self.appveyor_repo_branch;
                branch.filter(|_| self.appveyor_repo_tag_name.is_none())
            },
            tag: self.appveyor_repo_tag_name,
            repository: self
                .appveyor_repo_name
                .and_then(|path| Repository::at(site, host, &path)),
            // The job's name consists of its matrix values, and is empty without a matrix. Several
            // projects may build the same repository.
            job_name: job_name::joined(&names),
            url: job.map(|(build, job)| format!("{build}/job/{job}")),
            pipeline_url: build,
            build_number: self.appveyor_build_number,
            pull_request: self.appveyor_pull_request_number,
            ..Context::default()
        }
    }
}
