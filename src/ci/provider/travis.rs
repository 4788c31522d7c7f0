//! Travis CI. <https://docs.travis-ci.com/user/environment-variables/>

use super::prelude::*;

#[derive(Deserialize)]
pub(super) struct Travis {
    travis_branch: Option<String>,
    travis_build_dir: Option<String>,
    travis_build_number: Option<String>,
    travis_build_stage_name: Option<String>,
    travis_build_web_url: Option<String>,
    travis_commit: Option<String>,
    travis_job_name: Option<String>,
    travis_job_number: Option<String>,
    travis_job_web_url: Option<String>,
    travis_pull_request: Option<String>,
    travis_pull_request_branch: Option<String>,
    travis_pull_request_sha: Option<String>,
    travis_repo_slug: Option<String>,
    travis_tag: Option<String>,
    travis_test_result: Option<String>,
}

/// "0 if all commands in the script section (up to the point this environment variable is
/// referenced) have exited with zero; 1 otherwise"
const STATES: &[(&str, State)] = &[("0", State::Successful), ("1", State::Failed)];

impl Provider for Travis {
    const INFO: ProviderInfo = ProviderInfo {
        id: "travis",
        name: "Travis CI",
        docs: "https://docs.travis-ci.com/user/environment-variables/",
        key: "travis",
        signs: &[Sign::Is("TRAVIS", "true")],
        commit: &["TRAVIS_PULL_REQUEST_SHA", "TRAVIS_COMMIT"],
        state: Some("TRAVIS_TEST_RESULT"),
        state_caveat: "it is 0 until a command of script fails, so report in after_success, \
                       after_failure or after_script",
        url_setting: "TRAVIS_JOB_WEB_URL",
        secrets_caveat: "encrypted variables are missing in pull requests from forks \
                         (TRAVIS_SECURE_ENV_VARS is false)",
    };

    fn context(self) -> Context {
        let pull_request = self.travis_pull_request.filter(|it| it != "false");
        // `524.1` is the build and the job in it. Only the latter stays the same in the next build.
        let job = self.travis_job_number.as_deref();
        let job = job.and_then(|number| Some(format!("job {}", number.split_once('.')?.1)));
        let name = self.travis_job_name.or(job);
        Context {
            commit: match (&pull_request, self.travis_pull_request_sha) {
                (None, _) => DetectedCommit::of("TRAVIS_COMMIT", self.travis_commit),
                (_, Some(sha)) => DetectedCommit::of("TRAVIS_PULL_REQUEST_SHA", Some(sha)),
                (_, None) => DetectedCommit::refused(
                    "TRAVIS_COMMIT is a merge commit in a pull request, and \
                     TRAVIS_PULL_REQUEST_SHA, which has the head, is not set",
                ),
            },
            // TRAVIS_BRANCH is the target in a pull request, and the tag in a build of a tag.
            branch: match (&pull_request, &self.travis_tag) {
                (Some(_), _) => self.travis_pull_request_branch,
                (None, Some(_)) => None,
                (None, None) => self.travis_branch,
            },
            tag: self.travis_tag,
            // The slug is without host; the git remote has it.
            repository: Repository::with_path(self.travis_repo_slug),
            directory: self.travis_build_dir,
            job_name: name.map(|name| match self.travis_build_stage_name {
                Some(stage) => format!("{stage}/{name}"),
                None => name,
            }),
            url: self.travis_job_web_url,
            pipeline_url: self.travis_build_web_url,
            build_number: self.travis_build_number,
            pull_request,
            state: State::named_in(STATES, self.travis_test_result),
            ..Context::default()
        }
    }
}
