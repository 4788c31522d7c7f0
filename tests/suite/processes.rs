//! What a machine, a CI and a terminal do to `run` and its command.

#![cfg(unix)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stand_in::{Answer, StandIn};

use crate::support::{Ran, Reporter, directory, gitlab, is_alive, only_status, run};

fn executable(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The exit code, and what Bitbucket shows: the state, and its description up to the time.
fn ends(bitbucket: &StandIn, reporter: Reporter) -> (i32, String, String) {
    let ran = reporter.run();
    let status = only_status(bitbucket);
    let description = status.description.unwrap();
    let (description, _) = description
        .split_once(" after ")
        .unwrap_or((&description, ""));
    (ran.code.unwrap(), status.state, description.to_owned())
}

fn ended(code: i32, state: &str, description: &str) -> (i32, String, String) {
    (code, state.to_owned(), description.to_owned())
}

#[test]
fn what_nobody_reads_holds_up_no_report() {
    let bitbucket = StandIn::start();
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'x'; 64 * 1024]).unwrap(); // as much as it takes
    let started = Instant::now();
    let mut reporter = run(&bitbucket, ["-v", "--", "sh", "-c", "exit 3"]);
    let ended = reporter.command().stderr(writer).status().unwrap();
    assert_eq!(ended.code(), Some(3));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(only_status(&bitbucket).state, "FAILED");
    drop(reader);

    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'x'; 64 * 1024]).unwrap();
    let mut reporter = gitlab(&bitbucket, ["passed"]);
    let ended = reporter.command().stdout(writer).status().unwrap();
    assert_eq!(ended.code(), Some(1));
    assert!(started.elapsed() < Duration::from_secs(8));
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
    drop(reader);
}

#[test]
fn a_script_without_a_first_line_is_the_one_on_path() {
    let here = directory("a script of that name");
    executable(&here.join("tool"), "exit 0\n");
    let tools = here.join("tools");
    fs::create_dir(&tools).unwrap();
    executable(&tools.join("tool"), "exit 7\n");
    for path in [tools.to_str().unwrap(), "tools"] {
        let bitbucket = StandIn::start();
        let reporter = run(&bitbucket, ["--", "tool"])
            .env("PATH", path)
            .within(&here);
        let expected = ended(7, "FAILED", "failed with exit code 7");
        assert_eq!(ends(&bitbucket, reporter), expected, "{path}");
    }
}

#[test]
fn what_is_no_program_is_not_read_by_a_shell() {
    let file = directory("no programs").join("tool");
    // Of a machine that is no longer built: AT&T's WE 32100.
    let mut foreign = b"\x7fELF\x02\x01\x01".to_vec();
    foreign.resize(16, 0);
    foreign.extend([2, 0, 1, 0, 1, 0, 0, 0]);
    foreign.resize(4096, 0);
    for content in [vec![0; 64], foreign] {
        executable(&file, content);
        let bitbucket = StandIn::start();
        let name = file.to_str().unwrap();
        let description =
            format!("command cannot be executed: {name}: not a program of this machine");
        let expected = ended(126, "FAILED", &description);
        assert_eq!(ends(&bitbucket, run(&bitbucket, ["--", name])), expected);
    }
}

/// Starts it, and waits until the command has written a line, which is returned.
fn start(mut reporter: Reporter) -> (Child, String) {
    let command = reporter
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut byte)
            .unwrap();
        line.push(byte[0]);
    }
    (child, String::from_utf8(line).unwrap().trim().to_owned())
}

fn shell(bitbucket: &StandIn, script: &str) -> Reporter {
    run(bitbucket, ["--", "sh", "-c", script])
}

/// For a shell that is not to wait for a signal for ever, should none come.
const SOME_SECONDS: &str = "n=0; while [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done";

fn number(child: &Child) -> Pid {
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .unwrap()
}

fn last_state(bitbucket: &StandIn) -> String {
    let last = bitbucket.history().pop();
    last.map_or(String::new(), |status| status.state)
}

/// Waits until `condition` holds.
#[track_caller]
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(5), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A job that is cancelled twice has nobody who waits for it.
#[test]
fn a_second_signal_ends_a_delivery_that_nobody_answers() {
    for signal in [Signal::TERM, Signal::INT] {
        for (script, code) in [
            ("echo ready; exec sleep 30", 128 + signal.as_raw()),
            ("echo ready; exit 3", 3),
        ] {
            let bitbucket = StandIn::start();
            bitbucket.always(Some(Answer::Silence));
            let (child, _) = start(shell(&bitbucket, script));
            let started = Instant::now();
            for _ in 0..2 {
                std::thread::sleep(Duration::from_millis(400));
                kill_process(number(&child), signal).unwrap();
            }
            let ran = Ran::from(child.wait_with_output().unwrap()).exits(code);
            assert!(started.elapsed() < Duration::from_secs(2), "{ran:#?}");
        }
    }
}

/// `timeout` sends its signal to the child and to the group of both.
#[test]
fn signals_at_the_same_moment_are_one() {
    for millis in [50, 200, 300] {
        let bitbucket = StandIn::start();
        bitbucket.always(Some(Answer::Late(Duration::from_millis(millis))));
        let (child, _) = start(shell(&bitbucket, "echo ready; exec sleep 30"));
        for _ in 0..3 {
            kill_process(number(&child), Signal::TERM).unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        Ran::from(child.wait_with_output().unwrap()).exits(128 + Signal::TERM.as_raw());
        assert_eq!(last_state(&bitbucket), "STOPPED", "{millis} ms");
    }
}

#[test]
fn what_a_second_signal_gives_up_is_said() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::Silence));
    let mut reporter = shell(&bitbucket, "trap '' TERM; echo ready; sleep 0.1");
    reporter = reporter.env("BUILD_STATUS_STRICT", "true");
    let (child, _) = start(reporter);
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(400));
        kill_process(number(&child), Signal::TERM).unwrap();
    }
    Ran::from(child.wait_with_output().unwrap())
        .exits(5)
        .says("reporting was given up: a second signal came");
}

#[test]
fn a_program_that_cannot_be_started_has_failed_whatever_the_reason() {
    let here = directory("no-programs-either");
    executable(
        &here.join("round"),
        format!("#!{}\n", here.join("round").display()),
    );
    std::os::unix::fs::symlink("link", here.join("link")).unwrap();
    let open = here.join("open");
    executable(&open, "#!/bin/sh\n");
    let _open = fs::OpenOptions::new().write(true).open(&open).unwrap();
    let long = "x".repeat(300);
    for name in ["round", "link", "open", &long] {
        let bitbucket = StandIn::start();
        let reporter = run(&bitbucket, ["--", &format!("./{name}")]).within(&here);
        let (code, state, text) = ends(&bitbucket, reporter);
        assert_eq!((code, state.as_str()), (126, "FAILED"), "{name}: {text}");
    }
}

/// CIs kill what is left some seconds after TERM.
#[test]
fn stopped_is_reported_at_the_signal_and_not_when_the_command_has_ended() {
    let bitbucket = StandIn::start();
    let script = format!("trap '' TERM; echo $$; {SOME_SECONDS}");
    let (mut child, command) = start(shell(&bitbucket, &script));
    kill_process(number(&child), Signal::TERM).unwrap();
    wait_for("STOPPED", || last_state(&bitbucket) == "STOPPED");
    assert!(is_alive(&command), "it ignores the signal");
    child.kill().unwrap();
    child.wait().unwrap();
    let kill = Command::new("kill").args(["-KILL", &command]).status();
    assert!(kill.unwrap().success());
    assert_eq!(only_status(&bitbucket).state, "STOPPED");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::Write as _;
    use std::path::PathBuf;

    use super::*;
    use crate::support::{CODEBUILD, build_status, gitlab};

    /// Whether a tool that needs rights does its work here, called like this.
    fn works(tool: &[&str]) -> bool {
        let tried = Command::new(tool[0]).args(&tool[1..]).arg("true").output();
        let works = tried.is_ok_and(|output| output.status.success());
        if !works {
            left_out(&tool.join(" "));
        }
        works
    }

    /// Not captured, as what a test prints is.
    fn left_out(what: &str) {
        let _ = writeln!(std::io::stderr(), "LEFT OUT: {what} does not work here");
    }

    const NAMESPACE: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

    /// The only child of a process.
    fn child_of(process: &str) -> String {
        let file = format!("/proc/{process}/task/{process}/children");
        fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// As `docker stop` does it, so that the signal has no sender: with the program as the first of
    /// its namespace, and as another's child.
    #[test]
    fn a_signal_from_outside_of_the_pid_namespace_is_passed_on() {
        if !works(&NAMESPACE) {
            return;
        }
        for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
            for is_first in [true, false] {
                let bitbucket = StandIn::start();
                let reporter = shell(&bitbucket, "echo ready; exec sleep 30");
                let reporter = if is_first {
                    reporter.through(&NAMESPACE)
                } else {
                    let by_another = ["sh", "-c", "\"$0\" \"$@\"; exit $?"];
                    reporter.through(&[&NAMESPACE[..], &by_another].concat())
                };
                let (child, _) = start(reporter);
                let mut target = child_of(&child.id().to_string());
                if !is_first {
                    target = child_of(&target);
                }
                let kill = Command::new("kill").args(["-s", signal, &target]).status();
                assert!(kill.unwrap().success());
                let ran = Ran::from(child.wait_with_output().unwrap()).exits(code);
                assert_eq!(
                    only_status(&bitbucket).state,
                    "STOPPED",
                    "{signal} {ran:#?}"
                );
            }
        }
    }

    #[test]
    fn as_the_first_process_it_reaps_what_the_command_leaves_behind() {
        if !works(&NAMESPACE) {
            return;
        }
        let script = "for n in 1 2 3; do (sleep 0.1 &); done; sleep 0.6; \
                      cat /proc/[0-9]*/stat | grep -c ') Z '; exit 4";
        let bitbucket = StandIn::start();
        let ran = shell(&bitbucket, script).through(&NAMESPACE).run().exits(4);
        assert_eq!(ran.stdout, "0\n");
        assert_eq!(only_status(&bitbucket).state, "FAILED");
    }

    /// `clone3` has this number on every machine.
    const CLONE3: &str = "435";

    /// What a refused system call says where nothing else is known of it: Docker before 20.10.10.
    const EPERM: &str = "1";

    fn without_clone3() -> Option<[&'static str; 4]> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/seccomp.py");
        let tool = ["python3", script, CLONE3, EPERM];
        let here = Command::new("python3")
            .args([script, "100000", EPERM, "true"])
            .output();
        here.is_ok_and(|output| output.status.success())
            .then_some(tool)
    }

    #[test]
    fn a_machine_without_clone3_runs_the_command_as_typed_and_reports() {
        let Some(tool) = without_clone3() else {
            left_out("seccomp, or python3");
            return;
        };
        let bitbucket = StandIn::start();
        let ran = shell(&bitbucket, "echo ran; exit 3")
            .through(&tool)
            .run()
            .exits(3);
        assert_eq!(ran.stdout, "ran\n");
        ran.says("warning: this run is not reported: cannot start a process");
        let script = directory("no clone3").join("script");
        executable(&script, "echo \"$1\"; exit 9\n");
        let words = ["--", script.to_str().unwrap(), "an argument"];
        let ran = run(&bitbucket, words).through(&tool).run().exits(9);
        assert_eq!(ran.stdout, "an argument\n");
        run(&bitbucket, ["--", "nosuch-command"])
            .through(&tool)
            .run()
            .exits(127);
        assert_eq!(bitbucket.history(), []);

        // A plain report needs neither.
        for host in ["127.0.0.1", "localhost"] {
            let root = bitbucket.api_root().replace("127.0.0.1", host);
            let path = std::env::var_os("PATH").unwrap();
            let reporter = gitlab(&bitbucket, ["passed"]).env("PATH", path);
            reporter
                .env("BITBUCKET_API_ROOT", root)
                .through(&tool)
                .run()
                .exits(0);
        }
        assert_eq!(bitbucket.history().len(), 2);
    }

    /// A copy of the program that another user may start.
    struct Copy(PathBuf);

    impl Copy {
        fn new() -> Self {
            let name = format!("build_status.{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::copy(env!("CARGO_BIN_EXE_build_status"), &path).unwrap();
            Self(path)
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            fs::remove_file(&self.0).unwrap();
        }
    }

    /// From none at all to enough. Root has no limit, and becomes somebody who has no other process.
    #[test]
    fn a_machine_that_refuses_threads_and_processes_runs_the_command_as_typed() {
        let copy = Copy::new();
        let call = format!("exec '{}' \"$@\"", copy.0.display());
        let is_root = rustix::process::geteuid().is_root();
        let user = ["setpriv", "--reuid=64999", "--clear-groups"];
        for number in 0..=5 {
            let limit = format!("--nproc={number}");
            let limited = ["prlimit", &limit, "sh", "-c", &call];
            let tool = if is_root {
                [&user[..], &limited].concat()
            } else {
                limited.to_vec()
            };
            let bitbucket = StandIn::start();
            let ran = shell(&bitbucket, "echo ran; exit 3")
                .through(&tool)
                .run()
                .exits(3);
            assert_eq!(ran.stdout, "ran\n", "{number}");
            let history = bitbucket.history();
            let is_reported = history
                .last()
                .is_some_and(|status| status.state == "FAILED");
            let says = ran
                .stderr
                .contains("warning: this run is not reported: cannot start a ");
            assert_eq!(is_reported, !says, "{number} {ran:#?}");

            let path = std::env::var_os("PATH").unwrap();
            let plain = gitlab(&bitbucket, ["passed"]).env("PATH", path);
            plain.through(&tool).run().exits(0);
            assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
        }
    }

    #[test]
    fn a_parent_that_ignores_sigchld_changes_nothing() {
        let ignoring = ["env", "--ignore-signal=CHLD"];
        if !works(&ignoring) {
            return;
        }
        for (script, code, state) in [("true", 0, "SUCCESSFUL"), ("exit 3", 3, "FAILED")] {
            let bitbucket = StandIn::start();
            shell(&bitbucket, script)
                .through(&ignoring)
                .run()
                .exits(code);
            assert_eq!(only_status(&bitbucket).state, state);
        }
        // git's end is not known then, but what it prints is.
        let copy = directory("under ignored SIGCHLD");
        for args in [
            &["init", "--quiet"][..],
            &["remote", "add", "origin", "git@bitbucket.org:ws/repo.git"],
        ] {
            let git = Command::new("git").arg("-C").arg(&copy).args(args).status();
            assert!(git.unwrap().success());
        }
        let reporter = build_status(["passed", "--dry-run", "--output=json"]).envs(CODEBUILD);
        let reporter = reporter.without("CODEBUILD_SOURCE_REPO_URL").within(&copy);
        let reporter = reporter.env("PATH", std::env::var_os("PATH").unwrap());
        let ran = reporter.through(&ignoring).run().exits(0);
        assert_eq!(ran.json()["repository"], "ws/repo");
    }

    /// SIGALRM, SIGXCPU, SIGIO, SIGPWR, and real-time signals.
    #[test]
    fn every_signal_that_would_end_it_is_passed_on() {
        for signal in [14, 24, 29, 30, 34, 35, 50, 64] {
            let bitbucket = StandIn::start();
            let script = format!("trap 'exit 6' {signal}; echo ready; {SOME_SECONDS}");
            let (child, _) = start(shell(&bitbucket, &script));
            let kill = format!("kill -{signal} {}", child.id());
            let sent = Command::new("sh").args(["-c", &kill]).status();
            assert!(sent.unwrap().success());
            Ran::from(child.wait_with_output().unwrap()).exits(6);
            assert_eq!(only_status(&bitbucket).state, "FAILED", "{signal}");
        }
    }

    /// The terminal tells only the first of its processes. `script`, of util-linux, is the terminal.
    #[test]
    fn a_terminal_that_closes_stops_the_command() {
        let bitbucket = StandIn::start();
        let file = directory("terminal").join("command");
        let inner = format!("echo $$ > '{}'; exec sleep 30", file.display());
        let line = format!(
            "exec {} run -- sh -c \"$INNER\"",
            env!("CARGO_BIN_EXE_build_status")
        );
        let mut reporter = shell(&bitbucket, "true").env("INNER", inner);
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--command", &line, "/dev/null"])
            .env_clear();
        let variables = reporter.command().get_envs();
        script.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        script.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut terminal = script.spawn().expect("script, of util-linux, is there");
        let command = || fs::read_to_string(&file).unwrap_or_default();
        wait_for("the command", || command().ends_with('\n'));
        terminal.kill().unwrap();
        terminal.wait().unwrap();
        wait_for("its end", || !is_alive(&command()));
        wait_for("STOPPED", || last_state(&bitbucket) == "STOPPED");
    }
}
