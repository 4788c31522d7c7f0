//! Values that no CI should set, and some do.

use std::ffi::OsString;

use stand_in::StandIn;

use crate::support::{CODEBUILD, GITLAB, build_status, codebuild, gitlab, only_status};

fn hostile_values() -> Vec<OsString> {
    let mut values: Vec<OsString> = [
        "",
        " ",
        "x",
        "\"",
        "\\",
        "'; rm -rf /",
        "a\nb\r\nc",
        "\u{1b}[31m\u{1b}]8;;http://x\u{7}",
        "\u{0001}\u{007f}\u{009b}",
        "::set-output name=x::y",
        "##vso[task.complete result=Failed]",
        "section_start:1:x\r\u{1b}[0K",
        "{}[]{{}}%s%n$(id)`id`",
        "\u{202e}\u{feff}🦀",
        "://@:/",
        "refs/heads/^{}",
        "^{}",
        "arn:aws:codebuild:::build/:",
        "pr/",
        "/",
        ":",
    ]
    .map(OsString::from)
    .into();
    values.push("x".repeat(10_000).into());
    values.push("é:/^{".repeat(2_000).into());
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        values.push(OsString::from_vec(b"caf\xe9\xff\xfe".to_vec()));
    }
    values
}

#[test]
fn no_value_of_gitlabs_variables_panics_or_prints_a_control_character() {
    survives_everything(GITLAB);
}

#[test]
fn no_value_of_codebuilds_variables_panics_or_prints_a_control_character() {
    survives_everything(CODEBUILD);
}

/// Whatever the value, there is an answer in words and in the table of exit codes, and no line that
/// a terminal or a CI would take for something else.
fn survives_everything(job: &[(&str, &str)]) {
    let ours = [
        "BITBUCKET_ACCESS_TOKEN",
        "BITBUCKET_API_ROOT",
        "BITBUCKET_NAMESPACE",
        "BITBUCKET_REPOSITORY",
        "BITBUCKET_USERNAME",
        "BUILD_KEY",
        "BUILD_STATUS",
        "BUILD_STATUS_COMMIT",
        "BUILD_STATUS_NAME",
        "BUILD_STATUS_REFNAME",
        "BUILD_STATUS_TIMEOUT",
        "BUILD_STATUS_URL",
        "HTTPS_PROXY",
        "NO_PROXY",
    ];
    for name in job.iter().map(|(name, _)| *name).chain(ours) {
        for value in hostile_values() {
            let case = format!("{name}={}", value.to_string_lossy().escape_debug());
            for args in [
                &["--dry-run"][..],
                &["--dry-run", "--output=json"],
                &["context"],
            ] {
                let reporter = build_status(args)
                    .envs(job)
                    .env("BITBUCKET_ACCESS_TOKEN", "t0ken");
                let ran = reporter.env(name, &value).run();
                let code = ran.code.unwrap_or(-1);
                assert!(matches!(code, 0 | 2 | 3), "{case} {ran:#?}");
                let ran = ran.exits(code);
                let printed = ran.stdout.clone() + &ran.stderr;
                let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
                assert!(!printed.contains(odd), "{case} {ran:#?}");
                assert!(!printed.contains("##vso["), "{case} {ran:#?}");
                let starts = |sign| printed.lines().any(|line| line.starts_with(sign));
                assert!(!starts("::") && !starts("section_"), "{case} {ran:#?}");
            }
        }
    }
}

#[test]
fn a_jobs_name_arrives_as_it_is_whatever_is_in_it() {
    let bitbucket = StandIn::start();
    for name in [
        r#"q: ["a", \b, {c}]"#,
        "tab\tand\nnewline",
        "'$(id)' `id` %0A",
        "🦀 größe",
        "a/b: [x, y] 1/3",
    ] {
        gitlab(&bitbucket, [])
            .env("CI_JOB_NAME", name)
            .run()
            .exits(0);
        let status = bitbucket.history().pop().unwrap();
        assert_eq!(status.key, format!("ci/gitlab-ci/{name}"));
        assert_eq!(status.name, Some(format!("{name} #17")));
    }
}

#[cfg(unix)]
#[test]
fn a_job_name_in_latin_1_is_still_reported_and_an_option_in_it_is_refused_by_name() {
    use std::os::unix::ffi::OsStringExt as _;
    let bitbucket = StandIn::start();
    let latin = OsString::from_vec(b"caf\xe9".to_vec());
    gitlab(&bitbucket, [])
        .env("CI_JOB_NAME", &latin)
        .run()
        .exits(0);
    assert_eq!(only_status(&bitbucket).key, "ci/gitlab-ci/caf\u{fffd}");
    gitlab(&bitbucket, [])
        .env("BITBUCKET_REPOSITORY", &latin)
        .run()
        .exits(2)
        .says("BITBUCKET_REPOSITORY: ");
}

#[test]
fn variables_that_differ_in_case_only_are_no_error() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, [])
        .env("ci_job_name", "lower")
        .run()
        .exits(0);
    assert_eq!(only_status(&bitbucket).key, "ci/gitlab-ci/unit-tests");
    codebuild(&bitbucket, [])
        .env("codebuild_build_id", "lower:1")
        .run()
        .exits(0);
}

#[test]
fn an_environment_of_ten_thousand_variables_is_read() {
    let bitbucket = StandIn::start();
    let mut reporter = gitlab(&bitbucket, []);
    for number in 0..10_000 {
        reporter = reporter.env(&format!("VARIABLE_{number}"), "value");
    }
    reporter.run().exits(0);
}
