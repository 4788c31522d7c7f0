//! `build_status run`.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use stand_in::{Answer, Setup, StandIn, Status};

use crate::support::{Ran, Reporter, build_status, codebuild, gitlab, only_status, run};

fn shell(bitbucket: &StandIn, script: &str) -> Reporter {
    run(bitbucket, ["--", "sh", "-c", script])
}

/// The states that were stored, in order.
fn states(bitbucket: &StandIn) -> Vec<String> {
    bitbucket
        .history()
        .into_iter()
        .map(|status| status.state)
        .collect()
}

fn described(status: &Status) -> &str {
    status.description.as_deref().unwrap()
}

#[test]
fn every_end_has_its_code_state_and_description() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-executable");
    std::fs::write(&file, "true").unwrap();
    for (command, code, state, description) in [
        (&["true"][..], 0, "SUCCESSFUL", "passed in 0."),
        (
            &["sh", "-c", "exit 3"],
            3,
            "FAILED",
            "failed with exit code 3 after 0.",
        ),
        (
            &["sh", "-c", "exit 255"],
            255,
            "FAILED",
            "failed with exit code 255 after 0.",
        ),
        (
            &["sh", "-c", "kill -9 $$"],
            137,
            "FAILED",
            "killed by signal 9 after 0.",
        ),
        (
            &["sh", "-c", "kill -15 $$"],
            143,
            "FAILED",
            "killed by signal 15 after 0.",
        ),
        (
            &["nosuch-command"],
            127,
            "FAILED",
            "command not found: nosuch-command",
        ),
        (
            &[file.to_str().unwrap()],
            126,
            "FAILED",
            "command cannot be executed: ",
        ),
    ] {
        let bitbucket = StandIn::start();
        let args = ["--"].into_iter().chain(command.iter().copied());
        let ran = run(&bitbucket, args).run().exits(code);
        assert_eq!(ran.stdout, "");
        let status = only_status(&bitbucket);
        assert_eq!(status.state, state, "{command:?}");
        assert!(described(&status).starts_with(description), "{status:?}");
        ran.says(&format!("{state} ci/gitlab-ci/unit-tests -> "));
    }
}

#[test]
fn a_command_of_some_length_is_in_progress_first() {
    let bitbucket = StandIn::start();
    shell(&bitbucket, "sleep 0.3").run().exits(0);
    assert_eq!(states(&bitbucket), ["INPROGRESS", "SUCCESSFUL"]);
    let bodies: Vec<_> = bitbucket
        .received()
        .iter()
        .map(stand_in::Received::json)
        .collect();
    for field in ["key", "name", "url", "refname"] {
        assert_eq!(bodies[0][field], bodies[1][field], "{field}");
    }
}

#[test]
fn streams_environment_and_directory_are_the_commands() {
    let bitbucket = StandIn::start();
    let script = "cat; echo err >&2; echo \"$SOME_VARIABLE\"; pwd";
    let mut reporter = shell(&bitbucket, script).env("SOME_VARIABLE", "its value");
    let command = reporter.command();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"from stdin\n")
        .unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    let directory = std::fs::canonicalize(env!("CARGO_TARGET_TMPDIR")).unwrap();
    assert_eq!(
        ran.stdout,
        format!("from stdin\nits value\n{}\n", directory.display())
    );
    assert!(ran.stderr.starts_with("err\n"), "{ran:#?}");
}

#[test]
fn json_goes_to_stderr() {
    let bitbucket = StandIn::start();
    let ran = run(&bitbucket, ["--output", "json", "--", "echo", "hi"]).run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "hi\n"));
    let json: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        (&json["state"], &json["attempts"]),
        (&json!("SUCCESSFUL"), &json!(1))
    );
}

#[test]
fn without_a_ci_or_credentials_there_is_one_warning_and_the_command_runs_as_typed() {
    let path = std::env::var_os("PATH").unwrap();
    let command = ["run", "--", "sh", "-c", "echo out; exit 4"];
    let bitbucket = StandIn::start();
    for reporter in [
        build_status(command),
        gitlab(&bitbucket, command).without("BITBUCKET_ACCESS_TOKEN"),
        gitlab(&bitbucket, command).env("CI_COMMIT_SHA", "HEAD"),
        gitlab(&bitbucket, command).env("CI_PROJECT_NAMESPACE", "a/b"),
    ] {
        let ran = reporter.env("PATH", &path).run().exits(4);
        assert_eq!(ran.stdout, "out\n");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
        ran.says("warning: this run is not reported: ");
    }
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn a_report_that_cannot_be_delivered_is_a_warning_unless_strict() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::status(400)));
    for (args, script, code) in [
        (&[][..], "true", 0),
        (&["--strict"], "true", 4),
        (&["--strict"], "exit 3", 3),
    ] {
        let args = args.iter().copied().chain(["--", "sh", "-c", script]);
        run(&bitbucket, args)
            .run()
            .exits(code)
            .says("warning: refused: HTTP 400");
    }
    let nobody = "http://127.0.0.1:1/2.0";
    let strict = ["--strict", "--timeout", "0.5", "--", "true"];
    run(&bitbucket, strict)
        .env("BITBUCKET_API_ROOT", nobody)
        .run()
        .exits(5);
    run(&bitbucket, ["--timeout", "0.5", "--", "true"])
        .env("BITBUCKET_API_ROOT", nobody)
        .run()
        .exits(0);
}

#[test]
fn a_dead_bitbucket_costs_nothing_before_the_end_and_the_timeout_after_it() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::Silence));
    let started = Instant::now();
    let marker = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ran-at");
    let script = format!("sleep 0.2; date +%s%N > {}", marker.display());
    run(&bitbucket, ["--timeout", "1.5", "--", "sh", "-c", &script])
        .run()
        .exits(0);
    let elapsed = started.elapsed();
    assert!(
        elapsed < Duration::from_millis(200 + 1500 + 700),
        "{elapsed:?}"
    );
    assert!(marker.exists());
}

#[test]
fn the_end_is_never_overtaken_by_its_own_beginning() {
    let second = Duration::from_secs(1);
    // the first request is answered late, or its answer is lost, or every second one is slow
    let late = || Answer::Late(second);
    for answers in [
        vec![late()],
        vec![Answer::LostReply, Answer::LostReply],
        vec![
            Answer::Late(Duration::ZERO),
            late(),
            Answer::Late(Duration::ZERO),
            late(),
        ],
        vec![Answer::LateReply(second, Box::new(Answer::status(503)))],
    ] {
        for script in ["true", "sleep 0.2"] {
            let bitbucket = StandIn::start();
            bitbucket.will(answers.clone());
            run(&bitbucket, ["--timeout", "4", "--", "sh", "-c", script])
                .run()
                .exits(0);
            assert_eq!(
                states(&bitbucket).last().unwrap(),
                "SUCCESSFUL",
                "{answers:?}"
            );
            assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
        }
    }
}

#[test]
fn a_beginning_that_is_stored_after_the_command_is_over_does_not_stay() {
    let bitbucket = StandIn::start();
    // It is given up after four seconds, and stored all the same.
    bitbucket.will([Answer::Late(Duration::from_secs(5))]);
    run(&bitbucket, ["--timeout", "6", "--", "sleep", "0.2"])
        .run()
        .exits(0);
    assert_eq!(
        states(&bitbucket),
        ["SUCCESSFUL", "INPROGRESS", "SUCCESSFUL"]
    );
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
}

#[test]
fn a_beginning_whose_connection_broke_does_not_stay_either() {
    for answer in [
        Answer::LostAndLate(Duration::from_millis(800)),
        Answer::LateReply(
            Duration::ZERO,
            Box::new(Answer::LostAndLate(Duration::from_secs(2))),
        ),
    ] {
        let bitbucket = StandIn::start();
        bitbucket.will([answer.clone(), answer]);
        run(
            &bitbucket,
            ["--timeout", "4", "--", "sh", "-c", "sleep 0.2; exit 3"],
        )
        .run()
        .exits(3)
        .says("if Bitbucket stores it later, it replaces FAILED");
        assert_eq!(only_status(&bitbucket).state, "FAILED");
    }
}

#[test]
fn the_end_is_not_repeated_over_what_another_run_has_said() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::LostAndLate(Duration::from_secs(3))]);
    let mut reporter = run(&bitbucket, ["--timeout", "6", "--", "sleep", "0.2"]);
    let mut older = reporter.command().spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let newer = ["failed", "--url", "https://ci.example.com/2"];
    gitlab(&bitbucket, newer).run().exits(0);
    assert!(older.wait().unwrap().success());
    std::thread::sleep(Duration::from_millis(2500));
    let states = states(&bitbucket);
    assert!(!states.ends_with(&["SUCCESSFUL".to_owned()]), "{states:?}");
}

#[test]
fn a_beginning_that_is_late_is_told_from_the_same_key_of_another_branch() {
    let bitbucket = StandIn::start();
    shell(&bitbucket, "exit 3")
        .env("BUILD_STATUS_REFNAME", "other")
        .run()
        .exits(3);
    bitbucket.will([Answer::LostAndLate(Duration::from_millis(800))]);
    run(
        &bitbucket,
        ["--timeout", "4", "--", "sh", "-c", "sleep 0.2; exit 3"],
    )
    .run()
    .exits(3);
    let states: Vec<_> = bitbucket.statuses(stand_in::DEFAULT_COMMIT);
    let states: Vec<_> = states.into_iter().map(|it| it.state).collect();
    assert_eq!(states, ["FAILED", "FAILED"]);
}

#[test]
fn a_beginning_that_was_never_sent_or_refused_for_now_is_not_waited_for() {
    let begun = Instant::now();
    let bitbucket = StandIn::start();
    let busy = || Answer::status(429).with_header("Retry-After", "0");
    bitbucket.will([busy(), busy()]);
    shell(&bitbucket, "sleep 0.8").run().exits(0);
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
}

fn start(bitbucket: &StandIn, script: &str) -> Child {
    start_by(shell(bitbucket, script))
}

fn start_by(mut reporter: Reporter) -> Child {
    let child = reporter
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    // It says when it is ready.
    let mut ready = [0; 6];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut ready)
        .unwrap();
    child
}

fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_signal_is_passed_on_and_the_end_reported_as_stopped_within_two_seconds() {
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2), (Signal::HUP, 1)] {
        let bitbucket = StandIn::start();
        let child = start(&bitbucket, "echo ready; exec sleep 30");
        let sent = Instant::now();
        send(&child, signal);
        let ran = Ran::from(child.wait_with_output().unwrap()).exits(128 + number);
        assert!(sent.elapsed() < Duration::from_secs(2), "{ran:#?}");
        let status = only_status(&bitbucket);
        assert_eq!(status.state, "STOPPED");
        let expected = "cancelled after ";
        assert!(described(&status).starts_with(expected), "{status:?}");
    }
}

#[test]
fn a_command_may_end_well_after_a_signal_and_is_stopped_all_the_same() {
    let bitbucket = StandIn::start();
    let child = start(
        &bitbucket,
        "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done",
    );
    send(&child, Signal::TERM);
    Ran::from(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(only_status(&bitbucket).state, "STOPPED");
}

#[test]
fn a_second_signal_is_passed_on_too() {
    let bitbucket = StandIn::start();
    let script = "n=0; trap 'n=$((n+1)); [ $n = 2 ] && exit 7' TERM; echo ready; \
                  while :; do sleep 0.05; done";
    let child = start(&bitbucket, script);
    send(&child, Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    send(&child, Signal::TERM);
    Ran::from(child.wait_with_output().unwrap()).exits(7);
    assert_eq!(only_status(&bitbucket).state, "STOPPED");
}

/// In a terminal of its own, as `script` gives one: the terminal sends SIGINT to both, and the
/// command gets it once.
#[cfg(target_os = "linux")]
#[test]
fn control_c_in_a_terminal_reaches_the_command_once() {
    let bitbucket = StandIn::start();
    let log = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("interrupts");
    let _ = std::fs::remove_file(&log);
    let inner = format!(
        "trap 'echo interrupt >> {0}' INT; echo ready; n=0; while [ $n -lt 20 ]; do sleep 0.05; n=$((n+1)); done",
        log.display()
    );
    let program = env!("CARGO_BIN_EXE_build_status");
    let mut reporter = shell(&bitbucket, "true");
    let variables: Vec<_> = reporter
        .command()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let line = format!("{program} run -- sh -c \"$INNER\"");
    let mut child = std::process::Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_clear()
        .envs(variables)
        .env("INNER", inner)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of util-linux, is there");
    let mut ready = [0; 6];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut ready)
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    child.wait_with_output().unwrap();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "interrupt\n");
    assert_eq!(only_status(&bitbucket).state, "STOPPED");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_ignored_stays_ignored() {
    let bitbucket = StandIn::start();
    let mut reporter = shell(&bitbucket, "true");
    let variables: Vec<_> = reporter
        .command()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let program = env!("CARGO_BIN_EXE_build_status");
    let script = format!("trap '' HUP; exec {program} run -- sh -c 'kill -HUP $PPID $$; exit 5'");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .envs(variables)
        .output()
        .unwrap();
    Ran::from(output).exits(5);
    assert_eq!(only_status(&bitbucket).state, "FAILED");
}

const JUNIT: &str = r"<testsuite><testcase/><testcase/><testcase><failure/></testcase><testcase><skipped/></testcase></testsuite>";

#[test]
fn counts_of_junit_files_go_into_description_and_test_results() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("junit");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(directory.join("sub")).unwrap();
    std::fs::write(directory.join("old.xml"), JUNIT).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let bitbucket = Setup::default().data_center("9.4.0").start();
    let script = format!(
        "printf '%s' '{JUNIT}' > sub/new.xml; printf '%s' '{JUNIT}' > new.xml; echo '<x></y>' > bad.xml; exit 1"
    );
    let args = [
        "--junit",
        "*.xml",
        "--junit",
        "sub/*.xml",
        "--",
        "sh",
        "-c",
        &script,
    ];
    run(&bitbucket, args)
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("BITBUCKET_NAMESPACE", "PROJ")
        .within(&directory)
        .run()
        .exits(1)
        .says("warning: --junit: bad.xml: it is not well-formed XML");
    let body = bitbucket.received().last().unwrap().json();
    assert_eq!(
        body["testResults"],
        json!({"failed": 2, "skipped": 2, "successful": 4})
    );
    assert!(
        body["duration"].as_u64().is_some_and(|ms| ms < 5000),
        "{body}"
    );
    let description = body["description"].as_str().unwrap();
    assert!(
        description.starts_with("4 passed, 2 failed, 2 skipped in 0."),
        "{description}"
    );

    // On a plain report nothing is too old.
    let cloud = StandIn::start();
    gitlab(&cloud, ["failed"])
        .env("BUILD_STATUS_JUNIT", "old.xml,new.xml,none-*.xml")
        .within(&directory)
        .run()
        .exits(0)
        .says("no file matches `none-*.xml`");
    assert_eq!(
        described(&only_status(&cloud)),
        "4 passed, 2 failed, 2 skipped"
    );
    let own = ["failed", "--junit", "old.xml", "--description", "mine"];
    gitlab(&cloud, own).within(&directory).run().exits(0);
    assert_eq!(described(&only_status(&cloud)), "mine");
}

#[test]
fn a_thousand_broken_reports_are_twenty_warnings() {
    let bitbucket = StandIn::start();
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken-reports");
    std::fs::create_dir_all(&directory).unwrap();
    for number in 0..1000 {
        std::fs::write(directory.join(format!("{number}.xml")), "<no").unwrap();
    }
    let report = gitlab(&bitbucket, ["failed", "--junit", "*.xml"]);
    let ran = report.within(&directory).run().exits(0);
    assert_eq!(ran.stderr.matches("warning: --junit: ").count(), 21);
    ran.says("--junit: and 980 more warnings of this kind");
}

#[test]
fn the_usage_is_checked_before_anything_runs() {
    let bitbucket = StandIn::start();
    for args in [&[][..], &["--"], &["true"], &["--nosuch", "--", "true"]] {
        run(&bitbucket, args.iter().copied()).run().exits(2);
    }
    assert_eq!(bitbucket.connections(), 0);
}

/// As `timeout`, Ctrl-C and runners do it: to the command as well, which may end before we know.
#[test]
fn a_signal_to_the_whole_group_is_a_stop_too() {
    use std::os::unix::process::CommandExt as _;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        for _ in 0..10 {
            let bitbucket = StandIn::start();
            let mut reporter = shell(&bitbucket, "echo ready; exec sleep 30");
            reporter.command().process_group(0);
            let child = start_by(reporter);
            let group = i32::try_from(child.id())
                .ok()
                .and_then(Pid::from_raw)
                .unwrap();
            rustix::process::kill_process_group(group, signal).unwrap();
            child.wait_with_output().unwrap();
            assert_eq!(only_status(&bitbucket).state, "STOPPED", "{signal:?}");
        }
    }
}

/// What COMMAND has said is known then: a runner that asks to stop kills soon.
#[test]
fn a_signal_ends_the_counting_of_tests() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("long-reports");
    std::fs::create_dir_all(&directory).unwrap();
    let slow = "<testsuite>".to_owned() + &"<testcase></testcase>".repeat(400_000) + "</testsuite>";
    for number in 0..8 {
        std::fs::write(directory.join(format!("{number}.xml")), &slow).unwrap();
    }
    let bitbucket = StandIn::start();
    let script = "touch *.xml; echo ready";
    let args = ["--junit=*.xml", "--timeout=60", "--", "sh", "-c", script];
    let child = start_by(run(&bitbucket, args).within(&directory));
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    send(&child, Signal::TERM);
    let ran = Ran::from(child.wait_with_output().unwrap()).exits(0);
    ran.says("--junit: out of time: nothing is counted");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
    std::fs::remove_dir_all(&directory).unwrap();
}

/// The child, and what reads its next line.
fn start_lines(mut reporter: Reporter) -> (Child, impl FnMut() -> String) {
    let command = reporter.command().stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, move || lines.next().unwrap().unwrap())
}

/// So Jenkins does it: the children first, and such a child may end as if nothing were.
#[test]
fn a_command_that_ends_well_when_it_is_asked_to_stop_is_stopped() {
    for gap in [0, 5, 20] {
        let bitbucket = StandIn::start();
        let script = "trap 'echo end; exit 0' TERM; echo $$; while :; do sleep 0.02; done";
        let (child, mut line) = start_lines(shell(&bitbucket, script));
        let command = line().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(command, Signal::TERM).unwrap();
        assert_eq!(line(), "end");
        std::thread::sleep(Duration::from_millis(gap));
        send(&child, Signal::TERM);
        child.wait_with_output().unwrap();
        assert_eq!(only_status(&bitbucket).state, "STOPPED", "{gap} ms");
    }
}

/// So GitLab's runner does it in a container: the newest process first, and the next one a second later.
#[test]
fn a_command_that_is_ended_a_second_before_us_is_stopped() {
    for (script, signal) in [
        ("echo $$; exec sleep 9", Signal::TERM),
        ("echo $$; exec sleep 9", Signal::KILL),
        ("sh -c 'echo $$; exec sleep 9'; exit 143", Signal::TERM),
        // As make, cargo and go do.
        ("sh -c 'echo $$; exec sleep 9' || exit 2", Signal::TERM),
    ] {
        let bitbucket = StandIn::start();
        let (child, mut line) = start_lines(shell(&bitbucket, script));
        let newest = line().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(newest, signal).unwrap();
        std::thread::sleep(Duration::from_millis(1200));
        send(&child, Signal::TERM);
        child.wait_with_output().unwrap();
        assert_eq!(only_status(&bitbucket).state, "STOPPED", "{script}");
    }
}

/// Other CIs are faster: there, a failure does not wait so long.
#[test]
fn a_failure_outside_gitlab_is_reported_within_a_second() {
    let bitbucket = StandIn::start();
    let begun = Instant::now();
    let args = ["run", "--", "sh", "-c", "exit 3"];
    codebuild(&bitbucket, args).run().exits(3);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(only_status(&bitbucket).state, "FAILED");
}

/// A CI kills what is left some seconds after it has asked to stop.
#[test]
fn a_cancelled_command_asks_what_bitbucket_has_for_some_seconds_only() {
    let limited = Answer::status(429).with_header("Retry-After", "9");
    for answers in [vec![Answer::Silence, Answer::Silence], vec![limited]] {
        let bitbucket = StandIn::start();
        let child = start(&bitbucket, "echo ready; exec sleep 9");
        while bitbucket.history().is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        bitbucket.will(answers.clone());
        send(&child, Signal::TERM);
        let asked = Instant::now();
        let ran = Ran::from(child.wait_with_output().unwrap()).exits(143);
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{answers:?} {ran:?}"
        );
        assert_eq!(only_status(&bitbucket).state, "STOPPED", "{answers:?}");
        ran.says("what Bitbucket has is not known");
    }
}

/// Azure Pipelines ends the shell of a step, and what is left of it at the end of the job.
#[test]
fn a_run_whose_shell_is_ended_is_stopped() {
    for (script, signal) in [
        ("echo ready; sleep 1", Signal::TERM),
        ("echo ready; sleep 1; exit 3", Signal::KILL),
        // It ends before anybody has looked.
        ("echo ready; sleep 0.2", Signal::KILL),
    ] {
        let bitbucket = StandIn::start();
        // With something to do after it, the shell stays.
        let step = ["/bin/sh", "-c", "\"$@\"; true", "sh"];
        let child = start_by(shell(&bitbucket, script).through(&step));
        // Until it is known whose child it is.
        std::thread::sleep(Duration::from_millis(100));
        send(&child, signal);
        let ran = Ran::from(child.wait_with_output().unwrap());
        let status = only_status(&bitbucket);
        assert_eq!(status.state, "STOPPED", "{ran:?}");
        assert!(
            described(&status).starts_with("cancelled after "),
            "{status:?}"
        );
    }
    // Some are meant to outlive it.
    let bitbucket = StandIn::start();
    let step = ["/bin/sh", "-c", "trap '' HUP; \"$@\"; true", "sh"];
    let child = start_by(shell(&bitbucket, "echo ready; sleep 0.5").through(&step));
    send(&child, Signal::KILL);
    child.wait_with_output().unwrap();
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
}

#[test]
fn other_signals_are_passed_on_and_stop_nothing() {
    let bitbucket = StandIn::start();
    let script = "trap 'exit 6' USR1; echo ready; while :; do sleep 0.05; done";
    let child = start(&bitbucket, script);
    send(&child, Signal::USR1);
    Ran::from(child.wait_with_output().unwrap()).exits(6);
    assert_eq!(only_status(&bitbucket).state, "FAILED");
}

#[test]
fn a_dry_run_runs_the_command_and_sends_nothing() {
    let bitbucket = StandIn::start();
    let command = ["--", "sh", "-c", "echo out; exit 4"];
    let ran = run(&bitbucket, command)
        .env("BUILD_STATUS_DRY_RUN", "1")
        .run()
        .exits(4);
    assert_eq!(ran.stdout, "out\n");
    ran.says("dry run");
    run(&bitbucket, ["--dry-run", "--strict", "--", "true"])
        .run()
        .exits(0);
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn a_bad_variable_keeps_no_command_from_running_and_a_bad_option_does() {
    let bitbucket = StandIn::start();
    for (name, value) in [
        ("BUILD_STATUS_TIMEOUT", "abc"),
        ("BUILD_STATUS_OUTPUT", "xml"),
        ("BITBUCKET_AUTH", "foo"),
        ("BUILD_STATUS_STRICT", "maybe"),
        ("BUILD_STATUS_PROVIDER", "nosuch"),
        ("BUILD_STATUS_CA_FILE", "/nosuch"),
    ] {
        let ran = run(&bitbucket, ["--", "echo", "ran"])
            .env(name, value)
            .run()
            .exits(0);
        assert_eq!(ran.stdout, "ran\n", "{name}");
        assert!(ran.stderr.contains("warning: "), "{name} {ran:#?}");
    }
    run(&bitbucket, ["--timeout", "abc", "--", "echo", "ran"])
        .run()
        .exits(2);
}

#[test]
fn a_missing_command_is_named_and_a_script_without_a_first_line_runs() {
    use std::os::unix::fs::PermissionsExt as _;
    let bitbucket = StandIn::start();
    run(&bitbucket, ["-q", "--", "nosuch-command"])
        .run()
        .exits(127)
        .says("command not found: nosuch-command");
    for (word, shown) in [
        ("NPM_TOKEN=hunter2", "NPM_TOKEN…"),
        ("curl -u admin:hunter2 https://x", "curl…"),
        ("https://u:hunter2@x.example/", "https…"),
    ] {
        let ran = run(&bitbucket, ["-q", "--", word, "publish"]).run();
        let problem = format!("command not found: {shown}");
        assert_eq!(described(&only_status(&bitbucket)), problem);
        assert!(!ran.exits(127).says(&problem).stderr.contains("hunter2"));
    }
    run(&bitbucket, ["--", "/etc/passwd"])
        .run()
        .exits(126)
        .says("/etc/passwd: permission denied");
    let script = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-shebang");
    std::fs::write(&script, "echo \"$1\"; exit 9\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = run(&bitbucket, ["--", script.to_str().unwrap(), "an argument"])
        .run()
        .exits(9);
    assert_eq!(ran.stdout, "an argument\n");
}
