//! What is otherwise on Windows: how programs are found and end, and how they are cancelled.

#![cfg(windows)]
#![expect(unsafe_code, reason = "windows-sys has declarations only")]

use std::fs;
use std::io::Read as _;
use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use stand_in::{Setup, StandIn};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::Threading::CREATE_NEW_CONSOLE;

use crate::support::{Reporter, build_status, directory, gitlab, only_status, run};

/// Windows' own codes for a program that is interrupted, and one that reads where it may not.
const INTERRUPTED: i32 = 0xC000_013A_u32.cast_signed();
const ACCESS_VIOLATION: i32 = 0xC000_0005_u32.cast_signed();

/// How long [`command`] lives if nobody ends it.
const LIFE: Duration = Duration::from_secs(60);

/// The variable with the path of the file that [`command`] writes.
const MARK: &str = "MARK";

/// Not a test: this program as the command of the tests, which does as this variable says.
#[test]
#[ignore = "a command for the tests"]
fn command() {
    let interrupt = |event| {
        sleep(Duration::from_millis(500));
        // SAFETY: it has no memory of ours.
        assert_ne!(unsafe { GenerateConsoleCtrlEvent(event, 0) }, 0);
    };
    match std::env::var("DO").as_deref() {
        Ok("ctrl-c") => interrupt(CTRL_C_EVENT),
        Ok("ctrl-break") => interrupt(CTRL_BREAK_EVENT),
        Ok("leave") => {
            let me = std::env::current_exe().unwrap();
            let mut left = Command::new(me);
            left.args(WORDS).env("DO", "write").stdout(Stdio::null());
            left.stdin(Stdio::null()).stderr(Stdio::null());
            left.spawn().unwrap();
            return;
        }
        Ok("write") => {
            sleep(Duration::from_secs(3));
            fs::write(std::env::var_os(MARK).unwrap(), "written").unwrap();
            return;
        }
        Ok("sleep") => {}
        _ => return,
    }
    sleep(LIFE);
}

const WORDS: [&str; 4] = ["--exact", "on_windows::command", "--ignored", "--quiet"];

/// A run of [`command`], which does so.
fn run_that(bitbucket: &StandIn, does: &str) -> Reporter {
    let me = std::env::current_exe().unwrap();
    let args = ["--", me.to_str().unwrap()].into_iter().chain(WORDS);
    run(bitbucket, args).env("DO", does)
}

fn described(bitbucket: &StandIn) -> String {
    only_status(bitbucket).description.unwrap()
}

/// The exit code of a run whose output goes nowhere. Pipes would be open for as long as any of its
/// children has them.
fn silent(mut reporter: Reporter) -> i32 {
    let command = reporter.command().stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.unwrap().code().unwrap()
}

#[test]
fn every_end_has_its_own_code_of_32_bits() {
    for (code, description) in [
        (3, "failed with exit code 3 after 0."),
        (70_000, "failed with exit code 70000 after 0."),
        (
            ACCESS_VIOLATION,
            "failed with exit code 0xC0000005 after 0.",
        ),
    ] {
        let bitbucket = StandIn::start();
        let exit = format!("exit {code}");
        run(&bitbucket, ["--", "cmd", "/c", &exit])
            .run()
            .exits(code);
        let described = described(&bitbucket);
        assert!(described.starts_with(description), "{described}");
        assert_eq!(only_status(&bitbucket).state, "FAILED");
    }
}

/// A directory with a batch file as Node's are: beside it stands a script for Unix.
fn tools(name: &str) -> std::path::PathBuf {
    let directory = directory(name);
    fs::write(directory.join("tool"), "#!/bin/sh\nexit 1\n").unwrap();
    let batch = "@echo [%1] [%2] [%3]\r\n@exit /b 7\r\n";
    fs::write(directory.join("tool.cmd"), batch).unwrap();
    directory
}

fn path_with(directory: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let all = std::iter::once(directory.into()).chain(std::env::split_paths(&path));
    std::env::join_paths(all).unwrap()
}

#[test]
fn a_batch_file_is_found_and_its_arguments_are_not_run() {
    let directory = tools("batch");
    let in_directory = |words: &[&str]| {
        let bitbucket = StandIn::start();
        let args = ["--"].into_iter().chain(words.iter().copied());
        let ran = run(&bitbucket, args)
            .env("PATH", path_with(&directory))
            .run()
            .exits(7);
        ran.stdout
    };
    let arguments = ["two words", "a&echo b", "plain"];
    for name in ["tool", "tool.cmd", "TOOL"] {
        let words = [&[name][..], &arguments].concat();
        let printed = in_directory(&words);
        assert_eq!(printed, "[\"two words\"] [\"a&echo b\"] [plain]\r\n");
    }
}

#[test]
fn the_working_directory_comes_first_unless_a_variable_forbids_it() {
    let directory = tools("working-directory");
    let bitbucket = StandIn::start();
    let within = |program: &str| run(&bitbucket, ["--", program]).within(&directory);
    for program in ["tool", ".\\tool", "./tool"] {
        within(program).run().exits(7);
    }
    within("tool")
        .env("NoDefaultCurrentDirectoryInExePath", "1")
        .run()
        .exits(127)
        .says("command not found: tool");
}

#[test]
fn what_cannot_be_started_is_said_in_the_systems_words() {
    let directory = tools("not-started");
    fs::write(directory.join("notes.txt"), "no program").unwrap();
    for (words, code, description) in [
        (
            &["nosuch-command"][..],
            127,
            "command not found: nosuch-command",
        ),
        (
            &["tool", "line\nbreak"],
            126,
            "command cannot be executed: tool: it is a batch file, and no argument of those can have \
             a line break",
        ),
    ] {
        let bitbucket = StandIn::start();
        let args = ["--"].into_iter().chain(words.iter().copied());
        let path = path_with(&directory);
        let ran = run(&bitbucket, args).env("PATH", path).run().exits(code);
        ran.says(description);
        assert_eq!(described(&bitbucket), description);
    }
    let bitbucket = StandIn::start();
    let ran = run(&bitbucket, ["--", ".\\notes.txt"]).within(&directory);
    ran.run().exits(126);
    let described = described(&bitbucket);
    let begins = described.starts_with("command cannot be executed: .\\notes.txt: ");
    assert!(
        begins && described.ends_with("(os error 193)") && !described.contains('%'),
        "{described}"
    );
}

/// The command presses a key: whoever shares its console gets that, as from a runner that cancels.
/// <https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs>
fn is_stopped_by(key: &str) {
    // SAFETY: it has no memory of ours. Whoever started us may have made us deaf to Ctrl-C, which
    // children inherit.
    unsafe { SetConsoleCtrlHandler(None, 0) };
    let bitbucket = StandIn::start();
    let mut reporter = run_that(&bitbucket, key);
    // In a console of its own, or the tests would get it too.
    reporter.command().creation_flags(CREATE_NEW_CONSOLE);
    let started = Instant::now();
    assert_eq!(silent(reporter), INTERRUPTED);
    assert!(started.elapsed() < LIFE / 2);
    assert_eq!(only_status(&bitbucket).state, "STOPPED");
    assert!(described(&bitbucket).starts_with("cancelled after 0."));
}

#[test]
fn ctrl_c_is_stopped_and_the_command_gets_it_too() {
    is_stopped_by("ctrl-c");
}

/// Under Wine, programs hang that get it, without us too.
#[test]
fn ctrl_break_is_stopped_and_the_command_gets_it_too() {
    is_stopped_by("ctrl-break");
}

#[test]
fn when_we_are_ended_all_that_the_command_started_is_too() {
    let bitbucket = StandIn::start();
    let mut reporter = run_that(&bitbucket, "sleep");
    let mut child = reporter.command().stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // The test's own words: now it runs.
    stdout.read_exact(&mut [0]).unwrap();
    let started = Instant::now();
    child.kill().unwrap();
    // It ends when nobody has the other end any more.
    stdout.read_to_end(&mut Vec::new()).unwrap();
    assert!(started.elapsed() < LIFE / 2);
    child.wait().unwrap();
}

#[test]
fn what_the_command_leaves_behind_stays() {
    let mark = directory("left-behind").join("mark");
    let bitbucket = StandIn::start();
    assert_eq!(silent(run_that(&bitbucket, "leave").env(MARK, &mark)), 0);
    assert!(!mark.exists());
    let until = Instant::now() + LIFE / 2;
    while !mark.exists() && Instant::now() < until {
        sleep(Duration::from_millis(100));
    }
    assert!(mark.exists());
}

#[test]
fn names_of_variables_are_read_in_any_case() {
    let tls = Setup::default().tls().start();
    let file = directory("any-case").join("ca.pem");
    fs::write(&file, tls.ca_pem().unwrap()).unwrap();
    gitlab(&tls, ["passed"])
        .env("ssl_cert_file", &file)
        .env("Build_Key", "my-key")
        .run()
        .exits(0);
    assert_eq!(only_status(&tls).key, "my-key");
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, ["passed", "--timeout", "2", "--allow-http"])
        .env("BITBUCKET_API_ROOT", "http://bitbucket.example.com/2.0")
        .env("Http_Proxy", "http://127.0.0.1:9")
        .run()
        .exits(5)
        .says("through the proxy 127.0.0.1:9");
    let ran = build_status(["context", "--output", "json"])
        .env("BAMBOO_BUILDKEY", "PROJ-PLAN-JOB1")
        .env("Bamboo_PlanRepository_BranchName", "main")
        .run()
        .exits(0);
    let json = ran.json();
    assert_eq!(
        (&json["provider"], &json["branch"]),
        (&"bamboo".into(), &"main".into())
    );
}

#[test]
fn an_unknown_host_is_asked_for_twice() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, ["passed", "--verbose"])
        .env("BITBUCKET_API_ROOT", "https://nosuch.invalid/2.0")
        .run()
        .exits(5)
        .says("after 2 attempts");
}
