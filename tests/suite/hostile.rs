//! Values that no CI should set, and some do.

use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use stand_in::{Answer, DEFAULT_COMMIT, DEFAULT_TOKEN, Setup, StandIn};

use crate::corpus::targets::assert_printable;
use crate::support::{
    CODEBUILD, GITLAB, Ran, Reporter, build_status, codebuild, directory, gitlab,
};

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
    let status = crate::support::only_status(&bitbucket);
    assert_eq!(status.key, "ci/gitlab-ci/caf\u{fffd}");
    gitlab(&bitbucket, [])
        .env("BITBUCKET_REPOSITORY", &latin)
        .run()
        .exits(2)
        .says("BITBUCKET_REPOSITORY: ");
}

#[cfg(unix)]
#[test]
fn variables_that_differ_in_case_only_are_no_error() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, [])
        .env("ci_job_name", "lower")
        .run()
        .exits(0);
    let status = crate::support::only_status(&bitbucket);
    assert_eq!(status.key, "ci/gitlab-ci/unit-tests");
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

/// What terminals and CIs take for commands: GitHub `::` where a line begins and `##[` anywhere,
/// Azure Pipelines `##vso[` anywhere, TeamCity `##teamcity[`, GitLab `section_` around `\r\x1b[0K`.
const COMMANDS: &[&str] = &[
    "\u{1b}[31m\u{1b}[2A\u{1b}[2K",
    "\u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{7}",
    "\u{1b}]52;c;ZXZpbA==\u{7}",
    "::set-output name=x::y",
    "::error::evil",
    "::stop-commands::evil",
    "##vso[task.complete result=Succeeded]",
    "##[section]evil",
    "##teamcity[buildStatus status='SUCCESS']",
    "section_start:1:x\r\u{1b}[0K",
    "section_end:1:x\r\u{1b}[0K",
    "\r\u{85}\u{9b}31m\u{9d}52;c;eA==\u{9c}",
    "\u{202e}\u{2066}\u{200f}\u{200b}\u{2060}\u{feff}\u{2028}::error::evil\u{2029}",
];

/// All of them: at the beginning, within a line, and each on a line of its own. It says where it
/// comes from, so that a test sees whether it was printed at all.
fn attack(from: &str) -> String {
    let lines = COMMANDS.join("\n");
    format!(
        "::error::{from} {} {from}\n{lines}\n {lines}",
        COMMANDS.concat()
    )
}

/// The same, as far as a file's name or a header's value can have it.
fn attack_in_a_line(from: &str) -> String {
    let text = attack(from).replace(['\n', '/'], " ");
    text.chars().filter(|c| !c.is_ascii_control()).collect()
}

/// Whether `ran` tells of `from`, and gives no terminal and no CI a command.
#[track_caller]
fn tells_harmlessly(ran: Ran, from: &str) {
    let code = ran.code.unwrap_or(-1);
    let ran = ran.exits(code);
    let all = ran.stdout.clone() + &ran.stderr;
    assert!(all.contains(from), "no {from} in {ran:#?}");
    assert_printable(&ran.stdout);
    assert_printable(&ran.stderr);
}

/// Every way to print what a job's variables say.
const PRINTS: &[&[&str]] = &[
    &["--dry-run"],
    &["--dry-run", "--output=json"],
    &["-v"],
    &["--output=json"],
    &["context"],
    &["context", "--output=json"],
    &["check", "-v"],
    &["check", "--output=json"],
];

#[test]
fn what_a_job_is_called_gives_no_commands() {
    let bitbucket = Setup::default().any_repository().start();
    for name in [
        "CI_JOB_NAME",
        "CI_COMMIT_BRANCH",
        "CI_PROJECT_NAME",
        "CI_PROJECT_NAMESPACE",
        "CI_JOB_URL",
        "CI_COMMIT_SHA",
    ] {
        for args in PRINTS {
            let ran = gitlab(&bitbucket, args.iter().copied())
                .env(name, attack(name))
                .run();
            let code = ran.code.unwrap_or(-1);
            let ran = ran.exits(code);
            assert_printable(&ran.stdout);
            assert_printable(&ran.stderr);
            // Each value is shown somewhere.
            if args[0] == "context" && name != "CI_COMMIT_SHA" {
                tells_harmlessly(ran, name);
            }
        }
    }
}

#[test]
fn what_a_server_says_gives_no_commands() {
    let from = "the-server";
    let (text, line) = (attack(from), attack_in_a_line(from));
    let answers = [
        Answer::json(400, &json!({"error": {"message": text}}).to_string()),
        Answer::json(
            400,
            &json!({"error": {"message": "x", "detail": {&text: text}, "fields": {&text: [text]}}})
                .to_string(),
        ),
        Answer::json(
            409,
            &json!({"errors": [{"message": text}, {"message": text}]}).to_string(),
        ),
        Answer::text(400, &text),
        Answer::text(503, &text),
        Answer::html(404, &format!("<html><title>{text}</title>")),
        Answer::redirect(302, &line),
        Answer::status(400).with_header("x-request-id", &line),
        Answer::Reply {
            status: 200,
            headers: vec![("content-type".into(), line.clone())],
            body: "no JSON".into(),
        },
        Answer::status(503).with_header("x-request-id", &line),
    ];
    for answer in answers {
        let bitbucket = StandIn::start();
        bitbucket.always(Some(answer.clone()));
        for args in [
            &["passed"][..],
            &["passed", "-v"],
            &["passed", "--output=json"],
            &["passed", "--no-fail"],
            &["check", "-v"],
            &["check", "--output=json"],
            &["show", "-v"],
            &["show", "--output=json", "-v"],
        ] {
            let ran = gitlab(&bitbucket, args.iter().copied())
                .env("BUILD_STATUS_TIMEOUT", "0.3")
                .run();
            tells_harmlessly(ran, from);
        }
    }
}

#[test]
fn what_a_server_says_of_a_token_and_of_itself_gives_no_commands() {
    let from = "the-server";
    let (text, line) = (attack(from), attack_in_a_line(from));
    let user = json!({"display_name": text}).to_string();
    let version = json!({"version": text}).to_string();
    for answer in [
        Answer::json(200, &user).with_header("x-oauth-scopes", &line),
        Answer::status(403)
            .with_header("x-credential-type", &line)
            .with_header("x-oauth-scopes", "repository"),
        Answer::json(200, &version).with_header("x-ausername", &line),
    ] {
        let bitbucket = Setup::default().data_center("9.4.0").start();
        bitbucket.always(Some(answer));
        for args in [&["check"][..], &["check", "--output=json"]] {
            let cloud = gitlab(&bitbucket, args.iter().copied());
            let data_center = gitlab(&bitbucket, args.iter().copied())
                .without("BITBUCKET_API_ROOT")
                .env("BITBUCKET_SERVER_URL", bitbucket.server_url());
            let [cloud, data_center] = [cloud, data_center].map(Reporter::run);
            let all = format!("{cloud:?}{data_center:?}");
            assert!(all.contains(from), "{all}");
            for ran in [cloud, data_center] {
                assert_printable(&ran.stdout);
                assert_printable(&ran.stderr);
            }
        }
    }
}

/// The state is where the line begins.
#[test]
fn statuses_of_others_give_no_commands() {
    for command in COMMANDS.iter().copied().chain([attack("theirs").as_str()]) {
        let value = format!("{command}theirs");
        let status = json!({
            "state": value, "key": value, "name": value, "description": value, "url": value,
            "refname": value, "updated_on": value,
        });
        let bitbucket = StandIn::start();
        let page = json!({"values": [status, status]}).to_string();
        bitbucket.always(Some(Answer::json(200, &page)));
        for (args, lines) in [(&["show"][..], 2), (&["show", "--output=json"], 1)] {
            let ran = gitlab(&bitbucket, args.iter().copied()).run().exits(0);
            assert_eq!(ran.stdout.lines().count(), lines, "{ran:#?}");
            tells_harmlessly(ran, "theirs");
        }
    }
}

#[test]
fn a_remote_gives_no_commands_and_no_password() {
    let from = "the-remote";
    let working_copy = directory("hostile remote");
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        let status = git.arg("-C").arg(&working_copy).args(args).status();
        assert!(status.unwrap().success(), "{args:?}");
    };
    git(&["init", "--quiet"]);
    let encoded = |text: &str| {
        text.replace('%', "%25")
            .replace('\n', "%0a")
            .replace('@', "%40")
    };
    let text = encoded(&attack(from));
    for url in [
        format!("https://me:hidden@bitbucket.org/{text}/repo.git"),
        format!("https://me:hid/den@bitbucket.org/{text}/repo.git"),
        format!("me:hidden@github.com:ws/{text}.git"),
        format!("https://me:hidden@git.example.com/scm/proj/{text}.git"),
        format!("https://me:hidden@{text}/scm/proj/repo.git"),
    ] {
        git(&["config", "remote.origin.url", &url]);
        for args in [
            &["--dry-run"][..],
            &["--dry-run", "--output=json"],
            &["check"],
        ] {
            let ran = build_status(args)
                .envs(CODEBUILD)
                .without("CODEBUILD_SOURCE_REPO_URL")
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
                .env("BUILD_STATUS_TIMEOUT", "0.3")
                .env("HTTPS_PROXY", "http://127.0.0.1:1")
                .within(&working_copy)
                .run();
            let all = format!("{ran:?}");
            assert!(
                !["hidden", "hid/", "den@"].iter().any(|it| all.contains(it)),
                "{all}"
            );
            let code = ran.code.unwrap_or(-1);
            assert!(matches!(code, 0 | 2 | 5), "{ran:#?}");
            let ran = ran.exits(code);
            assert_printable(&ran.stdout);
            assert_printable(&ran.stderr);
        }
    }
}

#[cfg(unix)]
#[test]
fn names_of_files_give_no_commands() {
    let from = "the-file";
    let folder = directory("hostile files");
    // Not in a header: a file's name may have everything but `/` and NUL, in 255 bytes.
    let names: Vec<_> = COMMANDS
        .chunks(4)
        .map(|commands| format!("{from}\n{}", commands.join("\n").replace('/', "")))
        .collect();
    let bitbucket = StandIn::start();
    for name in &names {
        let path = folder.join(name);
        let missing = folder.join(format!("missing {name}"));
        std::fs::write(&path, "<testsuite></testcase>").unwrap();
        let (path, missing) = (path.to_str().unwrap(), missing.to_str().unwrap());
        for output in ["--output=text", "--output=json"] {
            let run = |args: &[&str], variable: &str, value: &str| {
                let args = args.iter().copied().chain([output, "passed"]);
                gitlab(&bitbucket, args).env(variable, value).run()
            };
            for option in ["--ca-file", "--client-cert"] {
                tells_harmlessly(run(&[option, path], "X", "").exits(2), from);
                tells_harmlessly(run(&[option, missing], "X", "").exits(1), from);
            }
            tells_harmlessly(run(&["--junit", missing], "X", "").exits(0), from);
            tells_harmlessly(
                run(&["--junit", &format!("{from}\n{name}***")], "X", "").exits(0),
                from,
            );
        }
    }
    let pattern = folder.join("the-file*");
    let args = ["passed", "--junit", pattern.to_str().unwrap()];
    let ran = gitlab(&bitbucket, args).run().exits(0);
    assert_eq!(ran.stderr.matches("not well-formed").count(), names.len());
    tells_harmlessly(ran, from);
}

#[test]
fn what_is_in_a_junit_file_gives_no_commands() {
    let from = "the-report";
    let file = directory("hostile reports").join("report.xml");
    let bitbucket = StandIn::start();
    let text = attack(from);
    let name = attack_in_a_line(from);
    for content in [
        format!("<testsuite><{name}></testsuite>"),
        format!("<testsuite><testcase></{name}></testsuite>"),
        format!("<testsuite><testcase name=\"{name}\"><failure message=\"{name}\">{name}"),
        format!("<testsuite>&{text};</testcase>"),
        text.clone(),
    ] {
        std::fs::write(&file, content).unwrap();
        for output in ["--output=text", "--output=json"] {
            let args = ["passed", "-v", output, "--junit", file.to_str().unwrap()];
            let ran = gitlab(&bitbucket, args).run().exits(0);
            tells_harmlessly(ran, "report.xml: ");
        }
    }
}

/// clap repeats what it does not understand.
#[test]
fn words_of_the_command_line_and_variables_of_options_give_no_commands() {
    let from = "the-word";
    let bitbucket = StandIn::start();
    let text = attack(from);
    let option = format!("--{text}");
    let unknown = format!("--timeout={text}");
    for args in [
        &[text.as_str()][..],
        &["passed", &text],
        &[&option],
        &[&unknown],
        &["--output", &text],
        &["--provider", &text],
        &["--auth", &text],
        &["--commit", &text],
        &["--url", &text],
        &["--repository", &text],
        &["context", &text],
        &["context", "--provider", &text],
        &["check", &option],
        &["show", "--commit", &text],
        &["run", &option, "--", "true"],
    ] {
        for output in [None, Some("json")] {
            let ran = build_status(args)
                .envs(CODEBUILD)
                .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
                .env("BUILD_STATUS_DRY_RUN", "true")
                .env("BUILD_STATUS_OUTPUT", output.unwrap_or_default())
                .run();
            assert!(matches!(ran.code, Some(2 | 3)), "{args:?} {ran:#?}");
            tells_harmlessly(ran, from);
        }
    }
    for variable in [
        "BUILD_STATUS",
        "BUILD_STATUS_AUTH",
        "BUILD_STATUS_COMMIT",
        "BUILD_STATUS_NO_FAIL",
        "BUILD_STATUS_OUTPUT",
        "BUILD_STATUS_PROVIDER",
        "BUILD_STATUS_TIMEOUT",
        "BUILD_STATUS_URL",
        "BITBUCKET_AUTH",
        "BITBUCKET_NAMESPACE",
        "BITBUCKET_REPOSITORY",
        "HTTPS_PROXY",
    ] {
        for args in [&["--dry-run"][..], &["check"], &["run", "--", "true"]] {
            let ran = codebuild(&bitbucket, args.iter().copied())
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env(variable, &text)
                .run();
            let code = ran.code.unwrap_or(-1);
            let ran = ran.exits(code);
            assert_printable(&ran.stdout);
            assert_printable(&ran.stderr);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_command_that_cannot_be_run_gives_no_commands() {
    let from = "the-command";
    let bitbucket = StandIn::start();
    let folder = directory("hostile commands");
    for commands in COMMANDS.chunks(4) {
        let name = format!("{from}\n{}", commands.join("\n").replace('/', ""));
        let file = folder.join(&name);
        std::fs::write(&file, "").unwrap();
        for (command, code) in [(name.as_str(), 127), (file.to_str().unwrap(), 126)] {
            for args in [
                &["run", "--"][..],
                &["run", "-v", "--"],
                &["run", "--output=json", "--"],
            ] {
                let args = args.iter().copied().chain([command]);
                let ran = gitlab(&bitbucket, args).run();
                assert_eq!(ran.code, Some(code), "{ran:#?}");
                assert!(ran.stderr.contains(from), "{ran:#?}");
                assert_printable(&ran.stdout);
                assert_printable(&ran.stderr);
            }
        }
    }
}

#[test]
fn pages_that_go_round_end_at_once() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    let next = format!(
        "{}/repositories/my-workspace/my-repo/commit/{DEFAULT_COMMIT}/statuses?page=2",
        bitbucket.api_root()
    );
    let page = json!({"values": [], "next": next, "isLastPage": false, "nextPageStart": 1});
    bitbucket.always(Some(Answer::json(200, &page.to_string())));
    let started = Instant::now();
    gitlab(&bitbucket, ["show", "--timeout", "5"])
        .run()
        .exits(4)
        .says("the list of the commit's statuses does not end");
    assert_eq!(bitbucket.received().len(), 2);
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_millis(1500), "{elapsed:?}");
    // Data Center's must lead on.
    gitlab(&bitbucket, ["show", "--timeout", "5"])
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .run()
        .exits(0);
}

#[test]
fn a_list_that_fills_the_memory_ends() {
    let bitbucket = StandIn::start();
    let root = bitbucket.api_root();
    let statuses =
        format!("{root}/repositories/my-workspace/my-repo/commit/{DEFAULT_COMMIT}/statuses");
    let page = |number: u32| {
        let next = format!("{statuses}?page={number}");
        let long = "x".repeat(3_900_000);
        json!({"values": [{"state": "FAILED", "key": "k", "description": long}], "next": next})
    };
    bitbucket.will((2..8).map(|number| Answer::json(200, &page(number).to_string())));
    gitlab(&bitbucket, ["show"])
        .run()
        .exits(4)
        .says("the list of the commit's statuses does not end");
    assert_eq!(bitbucket.received().len(), 5);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_holds_nothing_up() {
    let bitbucket = StandIn::start();
    let pipe = directory("pipe").join("TEST-pipe.xml");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let started = Instant::now();
    gitlab(&bitbucket, ["passed", "--junit", pipe.to_str().unwrap()])
        .run()
        .exits(0)
        .says("not a regular file");
    gitlab(&bitbucket, ["context", "--provider", "github"])
        .env("GITHUB_EVENT_PATH", &pipe)
        .run()
        .exits(0);
    assert!(started.elapsed() < Duration::from_secs(5));
}
