//! What is wrong around the program: the working copy, files, and the machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::case::{Case, Time};
use crate::support::{Reporter, directory};

const REPORT: &str = "<testsuite><testcase/></testsuite>";

/// Every fault of this kind. Bitbucket is ready in all of them.
pub(crate) fn cases() -> Vec<Case> {
    let plain = |fault| Case::http(fault).ready(Time::AtOnce);
    let junit = |fault| plain(fault).args(&["passed", "--junit", "**/*.xml"]);
    // Long enough for INPROGRESS to be on its way.
    let wrapped = |fault| plain(fault).args(&["run", "--", "sleep", "0.5"]);
    vec![
        plain("a git that never ends, where nothing is missing").around(with_dead_git),
        plain("a `.git/config` that includes a pipe, where nothing is missing").around(with_pipe),
        junit("`--junit`: packages that link to each other").around(with_workspace),
        junit("`--junit`: a pipe").around(with_report_in_pipe),
        junit("`--junit`: twenty files that break off").around(with_broken_reports),
        junit("`--junit`: 256 MB without end, printed by a test")
            .around(with_large_report)
            .ready(Time::Soon),
        wrapped("`run -- sleep 0.5`: SIGCHLD is ignored").around(ignoring_sigchld),
        wrapped("`run -- sleep 0.5`: 12 open files at most").around(with_few_files),
        plain("standard input, output and error are closed").around(with_closed_streams),
    ]
}

fn path() -> String {
    std::env::var("PATH").unwrap()
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn with_dead_git(reporter: Reporter) -> Reporter {
    let tools = directory("fault git");
    let git = tools.join("git");
    fs::write(&git, "#!/bin/sh\nexec sleep 60\n").unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    reporter.env("PATH", format!("{}:{}", tools.display(), path()))
}

fn with_pipe(reporter: Reporter) -> Reporter {
    let copy = directory("fault working copy");
    let git = Command::new("git")
        .arg("-C")
        .arg(&copy)
        .arg("init")
        .output();
    assert!(git.unwrap().status.success());
    mkfifo(&copy.join("pipe"));
    fs::write(copy.join(".git/config"), "[include]\npath = ../pipe\n").unwrap();
    reporter.env("PATH", path()).within(&copy)
}

fn with_workspace(reporter: Reporter) -> Reporter {
    let root = directory("fault workspace");
    for name in ["a", "b", "c"] {
        fs::create_dir(root.join(name)).unwrap();
        fs::write(root.join(name).join("junit.xml"), REPORT).unwrap();
        for other in ["a", "b", "c"] {
            symlink(format!("../{other}"), root.join(name).join(other)).unwrap();
        }
    }
    reporter.within(&root)
}

fn with_report_in_pipe(reporter: Reporter) -> Reporter {
    let root = directory("fault pipe");
    mkfifo(&root.join("junit.xml"));
    reporter.within(&root)
}

fn with_broken_reports(reporter: Reporter) -> Reporter {
    let root = directory("fault reports");
    for number in 0..20 {
        fs::write(root.join(format!("{number}.xml")), "<testsuite>").unwrap();
    }
    reporter.within(&root)
}

/// Most of them are no blocks on the disk.
fn with_large_report(reporter: Reporter) -> Reporter {
    let root = directory("fault large report");
    let path = root.join("junit.xml");
    fs::write(&path, "<testsuite><testcase><system-out>").unwrap();
    let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.set_len(256 << 20).unwrap();
    reporter.within(&root)
}

fn ignoring_sigchld(reporter: Reporter) -> Reporter {
    let reporter = reporter.env("PATH", path());
    reporter.through(&["env", "--ignore-signal=CHLD"])
}

fn with_few_files(reporter: Reporter) -> Reporter {
    reporter
        .env("PATH", path())
        .through(&["prlimit", "--nofile=12"])
}

fn with_closed_streams(reporter: Reporter) -> Reporter {
    let closing = "exec \"$0\" \"$@\" <&- >&- 2>&-";
    reporter.env("PATH", path()).through(&["sh", "-c", closing])
}
