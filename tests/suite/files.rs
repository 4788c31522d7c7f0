//! Files that somebody else has written: they are counted once, in time, and fill no memory.

#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use stand_in::{Setup, StandIn};

use crate::support::{Ran, Reporter, build_status, directory, gitlab, only_status, run, shown};

const ONE_PASSED: &str = "<testsuite><testcase/></testsuite>";

fn described(bitbucket: &StandIn) -> String {
    only_status(bitbucket).description.unwrap()
}

/// Runs it, which may take so long.
#[track_caller]
fn within(limit: Duration, reporter: Reporter) -> Ran {
    let started = Instant::now();
    let ran = reporter.run();
    let elapsed = started.elapsed();
    assert!(elapsed < limit, "{elapsed:?} {ran:#?}");
    ran
}

const SECOND: Duration = Duration::from_secs(1);

/// As npm links the packages of a workspace to each other.
#[test]
fn packages_that_link_to_each_other_are_looked_through_once() {
    let root = directory("workspace");
    let names = ["a", "b", "c"];
    for name in names {
        let modules = root.join("packages").join(name).join("node_modules");
        fs::create_dir_all(&modules).unwrap();
        fs::write(modules.with_file_name("junit.xml"), ONE_PASSED).unwrap();
        for other in names {
            symlink(format!("../../{other}"), modules.join(other)).unwrap();
        }
    }
    for args in [
        &["passed", "--timeout=5", "--junit=packages/**/junit.xml"][..],
        &[
            "run",
            "--timeout=5",
            "--junit=packages/**/junit.xml",
            "--",
            "touch",
            "packages/a/junit.xml",
            "packages/b/junit.xml",
            "packages/c/junit.xml",
        ],
    ] {
        let bitbucket = StandIn::start();
        let reporter = gitlab(&bitbucket, args.iter().copied()).within(&root);
        let reporter = reporter.env("PATH", std::env::var_os("PATH").unwrap());
        let ran = within(2 * SECOND, reporter).exits(0);
        let description = described(&bitbucket);
        let (counts, _) = description.split_once(" in ").unwrap_or((&description, ""));
        assert_eq!(counts, "3 passed", "{ran:#?}");
    }
}

#[test]
fn a_name_that_is_not_utf_8_hides_no_report() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = directory("name that is not UTF-8");
    let name = std::ffi::OsStr::from_bytes(b"b\xff.xml");
    fs::write(root.join(name), ONE_PASSED).unwrap();
    let bitbucket = StandIn::start();
    let reporter = gitlab(&bitbucket, ["passed", "--junit=*.xml"]).within(&root);
    reporter.run().exits(0);
    assert_eq!(described(&bitbucket), "1 passed");
}

#[test]
fn a_file_of_several_names_is_counted_once() {
    let root = directory("several names");
    fs::create_dir(root.join("reports")).unwrap();
    fs::write(root.join("reports/a.xml"), ONE_PASSED).unwrap();
    symlink("reports/a.xml", root.join("b.xml")).unwrap();
    symlink("reports", root.join("linked")).unwrap();
    let bitbucket = StandIn::start();
    let patterns = [
        "reports/a.xml",
        "./reports/*.xml",
        "b.xml",
        "**/*.xml",
        "linked/*.xml",
    ];
    let args = patterns.map(|pattern| format!("--junit={pattern}"));
    let args = ["passed"]
        .into_iter()
        .chain(args.iter().map(String::as_str));
    let ran = gitlab(&bitbucket, args).within(&root).run().exits(0);
    assert_eq!(
        (described(&bitbucket).as_str(), ran.stderr.as_str()),
        ("1 passed", "")
    );
}

#[test]
fn files_that_break_off_are_waited_for_together() {
    let root = directory("broken off");
    for number in 0..20 {
        fs::write(root.join(format!("{number}.xml")), "<testsuite><testcase/>").unwrap();
    }
    fs::write(root.join("whole.xml"), ONE_PASSED).unwrap();
    let bitbucket = StandIn::start();
    let reporter = gitlab(&bitbucket, ["passed", "--timeout=3", "--junit=*.xml"]).within(&root);
    let ran = within(2 * SECOND, reporter).exits(0);
    assert_eq!(described(&bitbucket), "1 passed");
    let warnings = ran.stderr.matches("it ends in the middle").count();
    assert_eq!(warnings, 20, "{ran:#?}");
}

/// What takes longer than its third of the time is left out, and the report is sent.
#[test]
fn reports_that_take_long_leave_time_for_the_report() {
    let root = directory("many files");
    fs::write(root.join("a.xml"), ONE_PASSED).unwrap();
    let slow = "<testsuite>".to_owned() + &"<testcase></testcase>".repeat(200_000) + "</testsuite>";
    for number in 0..10 {
        fs::write(root.join(format!("slow{number}.xml")), &slow).unwrap();
    }
    let bitbucket = StandIn::start();
    let reporter = gitlab(&bitbucket, ["passed", "--timeout=2", "--junit=*.xml"]).within(&root);
    within(2 * SECOND, reporter)
        .exits(0)
        .says("out of time: nothing is counted");
    assert_eq!(described(&bitbucket), "The build passed!");
    fs::remove_dir_all(&root).unwrap();
}

/// A file of so many bytes that were printed by one test. Most of them are no blocks on the disk.
fn printed(path: &Path, bytes: u64) {
    let (start, end) = (
        "<testsuite><testcase><system-out>",
        "</system-out></testcase></testsuite>",
    );
    fs::write(path, start).unwrap();
    let file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.set_len(bytes).unwrap();
    fs::write(path.with_extension("end"), end).unwrap();
    let append = format!(
        "cat '{}' >> '{}'",
        path.with_extension("end").display(),
        path.display()
    );
    assert!(
        Command::new("sh")
            .args(["-c", &append])
            .status()
            .unwrap()
            .success()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_tests_have_printed_fills_no_memory() {
    let root = directory("printed");
    printed(&root.join("junit.xml"), 100 << 20);
    let bitbucket = StandIn::start();
    // Of which 64 MiB are a thread's share of the address space.
    let limit = format!("--as={}", 180 << 20);
    let args = [
        "--timeout=120",
        "--junit=junit.xml",
        "--",
        "touch",
        "junit.xml",
    ];
    run(&bitbucket, args)
        .within(&root)
        .through(&["prlimit", &limit])
        .run()
        .exits(0);
    let description = described(&bitbucket);
    assert!(description.starts_with("1 passed in "), "{description}");
    printed(&root.join("junit.xml"), 300 << 20);
    gitlab(&bitbucket, ["passed", "--junit=junit.xml"])
        .within(&root)
        .run()
        .exits(0)
        .says("bytes, which is no report of tests");
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn a_file_from_a_time_that_no_clock_shows_is_counted() {
    // It keeps times of 64 bits; other file systems change what is too large for them.
    let root = match Path::new("/dev/shm") {
        memory if memory.is_dir() => memory.join(format!("build_status.{}", std::process::id())),
        _ => directory("times"),
    };
    let _ = fs::create_dir(&root);
    let path = root.join("junit.xml");
    let mut seconds: u64 = i64::MAX.cast_unsigned();
    let bitbucket = StandIn::start();
    // Some refuse it: the largest that this one takes.
    loop {
        fs::write(&path, ONE_PASSED).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        if file.set_modified(time).is_ok() {
            break;
        }
        seconds /= 2;
    }
    let command = ["--junit=junit.xml", "--", "true"];
    run(&bitbucket, command).within(&root).run().exits(0);
    let description = described(&bitbucket);
    assert!(description.starts_with("1 passed in "), "{description}");
    fs::remove_dir_all(&root).unwrap();
}

/// Nobody writes to it.
fn pipe(name: &str) -> String {
    let path = directory(name).join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_pipe_or_a_device_is_no_secret_and_no_certificate() {
    let bitbucket = StandIn::start();
    let pipe = pipe("pipe of secrets");
    for file in [&pipe, "/dev/zero", "/dev/tty", "/"] {
        for (variable, of_two) in [
            ("BITBUCKET_ACCESS_TOKEN_FILE", "X"),
            ("BITBUCKET_CLIENT_ID_FILE", "BITBUCKET_CLIENT_SECRET"),
            ("BITBUCKET_CLIENT_SECRET_FILE", "BITBUCKET_CLIENT_ID"),
            ("BUILD_STATUS_CA_FILE", "BITBUCKET_ACCESS_TOKEN"),
            ("SSL_CERT_FILE", "BITBUCKET_ACCESS_TOKEN"),
            ("BUILD_STATUS_CLIENT_CERT", "BITBUCKET_ACCESS_TOKEN"),
        ] {
            let reporter = gitlab(&bitbucket, []).without("BITBUCKET_ACCESS_TOKEN");
            let reporter = reporter.env(of_two, "x").env(variable, file);
            // A secret may have been given in place of its path.
            let is_secret = variable.starts_with("BITBUCKET");
            let said = if is_secret { "that it names" } else { file };
            within(2 * SECOND, reporter)
                .exits(1)
                .says(variable)
                .says(said);
        }
    }
    assert_eq!(bitbucket.received(), []);
}

/// A file without end, a very large one, and a command that is wrapped meanwhile.
#[test]
fn what_cannot_be_a_token_is_not_read_to_its_end() {
    let large = directory("large secret").join("token");
    File::create(&large).unwrap().set_len(1 << 40).unwrap();
    let bitbucket = StandIn::start();
    let without = |reporter: Reporter| {
        let reporter = reporter.without("BITBUCKET_ACCESS_TOKEN");
        reporter.env("BITBUCKET_ACCESS_TOKEN_FILE", &large)
    };
    within(SECOND, without(gitlab(&bitbucket, [])))
        .exits(1)
        .says("larger than");
    let ran = within(SECOND, without(run(&bitbucket, ["--", "echo", "ran"]))).exits(0);
    assert_eq!(ran.stdout, "ran\n");
}

#[test]
fn a_bad_variable_for_a_certificate_keeps_no_command_from_running() {
    let bitbucket = StandIn::start();
    for (name, value) in [
        ("BUILD_STATUS_CLIENT_KEY", "/k"),
        ("BUILD_STATUS_CLIENT_CERT", "/nosuch"),
        ("BUILD_STATUS_CLIENT_CERT", "/dev/zero"),
        ("BUILD_STATUS_CA_FILE", "/dev/zero"),
    ] {
        let ran = run(&bitbucket, ["--", "echo", "hi"])
            .env(name, value)
            .run()
            .exits(0);
        assert_eq!(ran.stdout, "hi\n", "{name}");
        ran.says("warning: ").says(name);
    }
}

/// As editors on Windows and YAML leave them, and several in one file.
#[test]
fn a_certificate_is_read_as_editors_and_yaml_leave_it() {
    let bitbucket = Setup::default().tls().start();
    let other = Setup::default().tls().start();
    let (own, other) = (bitbucket.ca_pem().unwrap(), other.ca_pem().unwrap());
    let file = directory("certificates").join("ca.pem");
    let report = |content: String| {
        fs::write(&file, content).unwrap();
        gitlab(&bitbucket, ["passed"])
            .env("SSL_CERT_FILE", &file)
            .run()
    };
    let indented: Vec<_> = own.lines().map(|line| format!("    {line}\r\n")).collect();
    for content in [
        own.to_owned(),
        format!("\u{feff}{own}"),
        format!("{other}\u{feff}{own}"),
        indented.concat(),
        format!("subject=x\n\n{other}\n# Some words between.\n{own}"),
    ] {
        let ran = report(content.clone());
        assert_eq!(ran.code, Some(0), "{content} {ran:#?}");
    }
    assert_eq!(shown(&bitbucket).len(), 1);
    let trusted = own.replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
    report(trusted)
        .exits(2)
        .says("TRUSTED CERTIFICATE")
        .says("openssl x509");
    report(own.replace("MII", "!!!"))
        .exits(2)
        .says("SSL_CERT_FILE");
}

/// Debian's libfaketime. `.ci/run` installs it and runs this.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs faketime"]
fn a_clock_before_1970_is_an_error_of_tls_and_of_nothing_else() {
    let faketime = ["faketime", "-f", "1960-01-01 00:00:00"];
    let works = Command::new(faketime[0])
        .args(&faketime[1..])
        .arg("true")
        .status();
    assert!(
        works
            .expect("faketime is installed: apt-get install faketime")
            .success()
    );
    let root = directory("before 1970");
    fs::write(root.join("junit.xml"), ONE_PASSED).unwrap();
    let bitbucket = StandIn::start();
    let path = std::env::var_os("PATH").unwrap();
    let faked = |reporter: Reporter| {
        let reporter = reporter
            .env("PATH", &path)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        reporter.within(&root).through(&faketime).run()
    };
    faked(gitlab(&bitbucket, ["passed", "--junit=junit.xml"])).exits(0);
    assert_eq!(described(&bitbucket), "1 passed");
    faked(run(&bitbucket, ["--", "true"])).exits(0);
    faked(gitlab(&bitbucket, ["show"])).exits(0);
    faked(build_status(["context"])).exits(0);
    let tls = Setup::default().tls().start();
    let ca = root.join("ca.pem");
    fs::write(&ca, tls.ca_pem().unwrap()).unwrap();
    faked(gitlab(&tls, ["passed"]).env("SSL_CERT_FILE", &ca))
        .exits(5)
        .says("the clock of this machine is before 1970");
}
