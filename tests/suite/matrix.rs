//! Jobs of a matrix on GitHub, of which no variable of GitHub's tells.

use stand_in::{DEFAULT_COMMIT, StandIn};

use crate::support::{Reporter, build_status};

const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_JOB", "test"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REPOSITORY", "octocat/hello"),
    ("GITHUB_RUN_ID", "1658821493"),
    ("GITHUB_RUN_NUMBER", "3"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_SHA", DEFAULT_COMMIT),
    ("GITHUB_WORKFLOW", "CI"),
    ("BITBUCKET_REPOSITORY", "my-workspace/my-repo"),
];

fn github(bitbucket: &StandIn, args: &[&str]) -> Reporter {
    build_status(args).envs(GITHUB).to(bitbucket)
}

const SHARED: &str = "build_status: warning: ci/github/CI/test: the jobs of the matrix share this \
                      status: set BUILD_STATUS_MATRIX to ${{ toJSON(matrix) }} in the step's env\n";

#[test]
fn jobs_of_a_matrix_that_share_a_key_are_warned_once() {
    let bitbucket = StandIn::start();
    let total = ("BUILD_STATUS_JOB_TOTAL", "4");
    for matrix in ["", "null", "{}"] {
        let variables = [total, ("BUILD_STATUS_MATRIX", matrix)];
        let ran = github(&bitbucket, &["passed"])
            .envs(&variables)
            .run()
            .exits(0);
        assert_eq!(ran.stderr, SHARED, "{matrix}");
    }
}

#[cfg(unix)]
#[test]
fn run_warns_of_them_once_too() {
    let bitbucket = StandIn::start();
    let ran = github(&bitbucket, &["run", "--", "sleep", "0.2"])
        .env("BUILD_STATUS_JOB_TOTAL", "4")
        .env("PATH", std::env::var_os("PATH").unwrap())
        .run()
        .exits(0);
    assert_eq!(ran.stderr.matches(SHARED).count(), 1, "{ran:#?}");
}

#[test]
fn one_value_in_place_of_the_whole_matrix_is_warned_of() {
    let bitbucket = StandIn::start();
    for matrix in ["ubuntu-latest", "[object Object]", "22"] {
        let reporter = github(&bitbucket, &["passed"]).env("BUILD_STATUS_MATRIX", matrix);
        assert_eq!(reporter.run().exits(0).stderr, SHARED, "{matrix}");
    }
}

#[test]
fn a_job_without_a_matrix_or_with_a_key_of_its_own_is_not_warned() {
    let bitbucket = StandIn::start();
    let values = r#"{"node": 20, "os": "ubuntu-24.04"}"#;
    for variables in [
        &[][..],
        &[("BUILD_STATUS_JOB_TOTAL", "1")],
        &[
            ("BUILD_STATUS_JOB_TOTAL", "1"),
            ("BUILD_STATUS_MATRIX", "null"),
        ],
        &[("BUILD_STATUS_JOB_TOTAL", "four")],
        &[
            ("BUILD_STATUS_JOB_TOTAL", "4"),
            ("BUILD_STATUS_MATRIX", values),
        ],
        &[
            ("BUILD_STATUS_JOB_TOTAL", "4"),
            ("BUILD_STATUS_KEY", "mine"),
        ],
    ] {
        let ran = github(&bitbucket, &["passed"])
            .envs(variables)
            .run()
            .exits(0);
        assert_eq!(ran.stderr, "", "{variables:?}");
    }
}

#[test]
fn check_says_that_nothing_tells_of_a_matrix() {
    let bitbucket = StandIn::start();
    let key = |variables: &[(&str, &str)]| {
        let ran = github(&bitbucket, &["check"])
            .envs(variables)
            .run()
            .exits(0);
        let lines = ran.stdout.lines().filter(|line| line.contains("key"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        key(&[]),
        [
            "warn  key          ci/github/CI/test (from GitHub Actions)",
            "key: if the job has a matrix, its jobs share this status: set BUILD_STATUS_MATRIX to ${{ \
             toJSON(matrix) }} in the step's env"
        ]
    );
    // What that is without a matrix.
    assert_eq!(
        key(&[("BUILD_STATUS_MATRIX", "null")]),
        ["ok    key          ci/github/CI/test (from GitHub Actions)"]
    );
    assert_eq!(
        key(&[("BUILD_STATUS_JOB_TOTAL", "1")]),
        ["ok    key          ci/github/CI/test (from GitHub Actions)"]
    );
}
