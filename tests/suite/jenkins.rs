//! docs/jenkins.md: the Jenkinsfiles on it are read as Jenkins would, each of their steps runs in the
//! environment of its stage, and the statuses that arrive are those that the page promises.

#![cfg(target_os = "linux")] // the script on the page is for it

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use stand_in::{DEFAULT_TOKEN, Setup, StandIn, Status};

use crate::providers::{Case, fixtures};
use crate::snippets::{How, home};
use crate::support::{Ran, directory, shell};

pub(crate) const RELEASE: &str = "https://github.com/_OWNER/build_status/releases/download/v0.1.0";

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/jenkins.md");
    std::fs::read_to_string(path).unwrap()
}

/// The block that begins with this line, without the indentation that it has in a list.
fn block(first: &str) -> Vec<String> {
    let page = page();
    let mut lines = page.lines().skip_while(|line| line.trim() != first);
    let indent = lines
        .clone()
        .next()
        .unwrap_or_else(|| panic!("no block {first}"));
    let indent = indent.len() - indent.trim_start().len();
    let inside = lines.by_ref().take_while(|line| line.trim() != "```");
    inside
        .map(|line| line.get(indent..).unwrap_or_default().to_owned())
        .collect()
}

/// A call of `sh` or `bat`, or of the function `report` of the page.
struct Step {
    stage: Option<String>,
    /// `success`, `failure`…: when it is in a `post` section.
    condition: Option<String>,
    script: String,
    /// What `withCredentials` binds around it.
    bound: Vec<(String, String)>,
}

const PROXY: &str = "http://user:password@proxy.example.com:3128";

/// The secret text that Jenkins has under this id.
fn secret(id: &str) -> String {
    let text = match id {
        "bitbucket-access-token" => DEFAULT_TOKEN,
        "proxy-url" => PROXY,
        _ => panic!("no secret text is called {id}"),
    };
    text.to_owned()
}

/// What `withCredentials([string(credentialsId: 'ID', variable: 'NAME')]) {` binds.
fn bound(line: &&str) -> Option<(String, String)> {
    let inside = between(line, "withCredentials([string(credentialsId: '", "')]) {")?;
    let (id, name) = inside.split_once("', variable: '")?;
    Some((name.to_owned(), secret(id)))
}

struct Jenkinsfile {
    environment: Vec<(String, String)>,
    steps: Vec<Step>,
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

fn read(lines: &[String]) -> Jenkinsfile {
    let mut file = Jenkinsfile {
        environment: Vec::new(),
        steps: Vec::new(),
    };
    let mut open: Vec<&str> = Vec::new();
    let mut report = String::new();
    for line in lines {
        let line = line.trim().split(" // ").next().unwrap();
        // `success { report 'passed' }`
        let (condition, step) = match line.split_once(" { ") {
            Some((condition, rest)) => (Some(condition), rest.trim_end_matches(" }")),
            None => (None, line),
        };
        if open.contains(&"def report(state) {") && step.starts_with("sh ") {
            let script = step.trim_start_matches("sh ").trim_matches(['\'', '"']);
            report = script.replace("' + state + '", "${state}");
            continue;
        }
        let script = between(step, "sh '", "'")
            .map(str::to_owned)
            .or_else(|| Some(between(step, "bat '.\\\\", "'")?.replace("build", "./build")))
            .or_else(|| {
                let get = "powershell './ci/get-build-status.ps1'"; // its like is on Linux
                (step == get).then(|| "sh ci/get-build-status.sh".to_owned())
            })
            .or_else(|| Some(report.replace("${state}", between(step, "report '", "'")?)));
        if let Some(script) = script {
            let named = |it: &&str| between(it, "stage('", "') {").map(str::to_owned);
            let stage = open.iter().rev().find_map(named);
            file.steps.push(Step {
                stage,
                condition: condition.map(str::to_owned),
                script,
                bound: open.iter().filter_map(bound).collect(),
            });
        } else if open.last() == Some(&"environment {")
            && let Some((name, value)) = line.split_once(" = ")
        {
            let value = match between(value, "'", "'") {
                Some(value) => value,
                None => &secret(between(value, "credentials('", "')").expect(line)),
            };
            file.environment.push((name.to_owned(), value.to_owned()));
        }
        if line.ends_with('{') {
            open.push(line);
        } else if line == "}" {
            open.pop().unwrap();
        }
    }
    assert!(open.is_empty() && !file.steps.is_empty(), "{open:?}");
    file
}

/// A release of this machine's, by the address that is in place of the page's.
pub(crate) fn release(name: &str) -> String {
    let release = directory(name);
    // In place of the binary, which takes seconds to be packed.
    let program = release.join("dist/amd64/build_status");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    let binary = env!("CARGO_BIN_EXE_build_status");
    std::fs::write(&program, format!("#!/bin/sh\nexec '{binary}' \"$@\"\n")).unwrap();
    std::fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
    let pack = block("# a release of your own: the archive and SHA256SUMS").join("\n");
    let packed = Command::new("sh")
        .args(["-ec", &pack])
        .current_dir(&release)
        .status();
    assert!(packed.unwrap().success());
    format!("file://{}", release.display())
}

/// A workspace with a `make`, and with the script that gets the program.
fn workspace(name: &str, how: How) -> PathBuf {
    let word = name.replace([' ', ','], "-");
    let release = release(&format!("release-{word}-{how:?}"));
    let workspace = home(name, how, i32::from(how == How::Failed));
    let script =
        block("# ci/get-build-status.sh: puts ./build_status into the workspace").join("\n");
    assert!(script.contains(RELEASE), "{script}");
    std::fs::create_dir(workspace.join("ci")).unwrap();
    let here = script.replace(RELEASE, &release);
    std::fs::write(workspace.join("ci/get-build-status.sh"), here).unwrap();
    workspace
}

fn build_of_a_branch() -> Case {
    let mut cases = fixtures().remove("jenkins").unwrap().into_iter();
    let of_a_branch = |it: &Case| it.case.starts_with("multibranch Pipeline, a branch");
    cases.find(of_a_branch).unwrap()
}

/// Runs the steps as Jenkins does, and returns what each has printed.
fn build(first: &str, how: How, bitbucket: &StandIn, machine: &[(&str, &str)]) -> Vec<Ran> {
    let file = read(&block(first));
    let workspace = workspace(first.trim_start_matches("// Jenkinsfile: "), how);
    let told = workspace.join("told");
    bitbucket.on_status(move |_| std::fs::write(&told, "").unwrap());
    let case = build_of_a_branch();
    let mut ran = Vec::new();
    let mut failed: Option<Option<String>> = None;
    for Step {
        stage,
        condition,
        script,
        bound,
    } in file.steps
    {
        let is_meant = match &condition {
            None => failed.as_ref().is_none_or(|it| *it != stage),
            Some(condition) => {
                *condition
                    == if failed.is_some() {
                        "failure"
                    } else {
                        "success"
                    }
            }
        };
        if !is_meant {
            continue;
        }
        if script.contains("build_status run ") {
            let _ = std::fs::remove_file(workspace.join("told")); // by the stage before
        }
        let mut step = shell(&script, &workspace).within(&workspace);
        let names = case.env.iter().chain(
            file.environment
                .iter()
                .chain(&bound)
                .map(|(name, value)| (name, value)),
        );
        for (name, value) in names {
            step = step.env(name, value);
        }
        step = step.env(
            "STAGE_NAME",
            stage.as_deref().unwrap_or("Declarative: Post Actions"),
        );
        let step = step.envs(machine).env("HOME", &workspace).run();
        if step.code != Some(0) {
            failed = Some(stage);
        }
        ran.push(step);
    }
    assert_eq!(failed.is_some(), how == How::Failed, "{ran:#?}");
    ran
}

fn told(bitbucket: &StandIn) -> Vec<(String, String)> {
    let pair = |status: Status| (status.key, status.state);
    bitbucket.history().into_iter().map(pair).collect()
}

fn cloud() -> StandIn {
    Setup::default().any_commit().any_repository().start()
}

#[test]
fn the_jenkinsfiles_of_the_page_report_each_stage() {
    let jenkins = "ci/jenkins/team/app/feature%2Flogin";
    for (first, stages) in [
        (
            "// Jenkinsfile: two commands side by side, a status for each",
            &["Unit", "Lint"][..],
        ),
        ("// Jenkinsfile: start and end of a stage", &["Test"]),
        ("// Jenkinsfile: scripted", &["Test"]),
        ("// Jenkinsfile: a stage on Windows", &["Unit"]),
    ] {
        for (how, end) in [(How::Passed, "SUCCESSFUL"), (How::Failed, "FAILED")] {
            let bitbucket = cloud();
            build(
                first,
                how,
                &bitbucket,
                &[
                    ("BITBUCKET_API_ROOT", &bitbucket.api_root()),
                    ("BUILD_STATUS_CA_FILE", ""), // it is C:\ci\company-ca.pem
                ],
            );
            let mut expected = Vec::new();
            for stage in stages {
                // Cloud's keys have at most 40 characters.
                let key = format!("{jenkins}/{stage}");
                assert!(key.len() <= 40, "{key}");
                expected.extend(["INPROGRESS", end].map(|state| (key.clone(), state.to_owned())));
            }
            assert_eq!(told(&bitbucket), expected, "{first}, {how:?}");
        }
    }
}

#[test]
fn a_row_for_the_pipeline_lasts_from_its_first_stage_to_its_end() {
    let (pipeline, test) = (
        "ci/pipeline/feature/login",
        "ci/jenkins/team/app/feature%2Flogin/Test",
    );
    for (how, end) in [(How::Passed, "SUCCESSFUL"), (How::Failed, "FAILED")] {
        let bitbucket = cloud();
        let first = "// Jenkinsfile: a status for the whole pipeline";
        let api_root = bitbucket.api_root();
        build(first, how, &bitbucket, &[("BITBUCKET_API_ROOT", &api_root)]);
        let expected = [
            (pipeline, "INPROGRESS"),
            (test, "INPROGRESS"),
            (test, end),
            (pipeline, end),
        ];
        let expected = expected.map(|(key, state)| (key.to_owned(), state.to_owned()));
        assert_eq!(told(&bitbucket), expected, "{how:?}");
        let names: Vec<_> = bitbucket.history().into_iter().map(|it| it.name).collect();
        assert_eq!(names[0].as_deref(), Some("Pipeline"));
    }
}

/// `post` says STOPPED in the row of its stage, whatever `run` has come to.
#[test]
fn a_stage_that_is_aborted_is_stopped_whatever_run_has_said() {
    let windows = read(&block("// Jenkinsfile: a stage on Windows")).steps;
    let linux = read(&block(
        "// in the stage, on Linux; on Windows it is bat '.\\\\build_status stopped'",
    ));
    let aborted = |steps: Vec<Step>| {
        let step = steps
            .into_iter()
            .find(|it| it.condition.as_deref() == Some("aborted"));
        step.unwrap().script
    };
    let script = aborted(windows);
    assert_eq!(script, aborted(linux.steps));
    let program = format!("'{}'", env!("CARGO_BIN_EXE_build_status"));
    let case = build_of_a_branch();
    for before in ["running", "failed", "passed"] {
        let bitbucket = cloud();
        for script in [format!("./build_status {before}"), script.clone()] {
            let script = script.replace("./build_status", &program);
            let mut step = shell(&script, Path::new("/bin")).to(&bitbucket);
            for (name, value) in &case.env {
                step = step.env(name, value);
            }
            step.env("STAGE_NAME", "Unit").run().exits(0);
        }
        let told = told(&bitbucket);
        assert_eq!((told.len(), &*told[1].1), (2, "STOPPED"), "{before}");
        assert_eq!(told[0].0, told[1].0, "{before}: it is the same row");
    }
}

/// In a repository where the branch source has made a merge, or had none to make.
#[test]
fn the_head_is_the_commit_that_jenkins_has_merged_the_target_into() {
    let head = block("# ci/head.sh: prints the commit that Bitbucket has, without a line break");
    let head = head.join("\n");
    let first = "// in the steps of the first stage, which runs on Linux: the commit to report to, for all stages";
    let call = "env.BUILD_STATUS_COMMIT = sh(returnStdout: true, script: 'sh ci/head.sh')";
    assert_eq!(block(first)[2].trim(), call);
    let case = build_of_a_branch();
    let as_jenkins = "-c user.name=Jenkins -c user.email=nobody@nowhere";
    let repository = "git init -q -b main && git config user.name Me && git config user.email me@example.com &&
        git commit -q --allow-empty -m first && git checkout -q -b feature && git commit -q --allow-empty -m mine &&
        git checkout -q main && git commit -q --allow-empty -m theirs && git checkout -q --detach feature";
    for (name, then) in [
        (
            "a merge by Jenkins",
            format!("git tag head && git {as_jenkins} merge -q main"),
        ),
        (
            "a merge by hand, that has the target",
            format!("git merge -q main && git tag head && git {as_jenkins} merge -q main"),
        ),
        (
            "a merge by hand, and one by Jenkins",
            format!(
                "git merge -q main && git tag head && git checkout -q main &&
                 git commit -q --allow-empty -m more && git checkout -q --detach head &&
                 git {as_jenkins} merge -q main"
            ),
        ),
        ("no merge", "git tag head".to_owned()),
    ] {
        let place = directory(name);
        let git = |script: &str| {
            let ran = Command::new("sh")
                .args(["-ec", script])
                .current_dir(&place)
                .output();
            let ran = ran.unwrap();
            assert!(ran.status.success(), "{name}: {ran:?}");
            String::from_utf8(ran.stdout).unwrap()
        };
        git(&format!("{repository} && {then}"));
        let printed = git(&head);
        assert_eq!(format!("{printed}\n"), git("git rev-parse head"), "{name}");

        // It is reported to, also where the merge is refused without it.
        let mut report = shell("build_status passed --dry-run", Path::new("/bin"));
        for (name, value) in &case.env {
            report = report.env(name, value);
        }
        let merge = [
            ("BRANCH_NAME", "PR-7-merge"),
            ("CHANGE_BRANCH", "feature"),
            ("CHANGE_ID", "7"),
        ];
        let report = report.envs(&merge);
        let sent = report
            .env("BUILD_STATUS_COMMIT", &printed)
            .run()
            .exits(0)
            .stdout;
        assert!(sent.contains(&format!("/commit/{printed}/")), "{sent}");
    }
}

/// The proxy of the page is not there: NO_PROXY names the host, as the page says.
#[test]
fn the_jenkinsfile_for_a_data_center_reports_the_parent_that_required_builds_ask_for() {
    let first = "// Jenkinsfile: Data Center";
    let server = Setup::default()
        .data_center("9.4.0")
        .context_path("/bitbucket")
        .tls();
    let bitbucket = server.any_commit().any_repository().start();
    let ca = directory("jenkins and a CA").join("ca.pem");
    std::fs::write(&ca, bitbucket.ca_pem().unwrap()).unwrap();
    let page = read(&block(first)).environment;
    let given = |name: &str| page.iter().find(|it| it.0 == name).unwrap().1.as_str();
    assert_eq!(
        given("BITBUCKET_SERVER_URL"),
        "https://git.example.com/bitbucket"
    );
    assert!(given("BUILD_STATUS_CA_FILE").starts_with("/etc/ssl/"));
    let machine = [
        ("BITBUCKET_SERVER_URL", bitbucket.server_url()),
        ("BUILD_STATUS_CA_FILE", ca.to_str().unwrap().to_owned()),
        (
            "GIT_URL",
            "https://git.example.com/bitbucket/scm/proj/my-repo.git".to_owned(),
        ),
        ("NO_PROXY", "localhost,127.0.0.1".to_owned()),
    ];
    let machine: Vec<_> = machine
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let ran = build(first, How::Passed, &bitbucket, &machine);
    assert!(
        ran[1]
            .stdout
            .contains("\nwarn  state        unknown here\n")
    );
    assert_eq!(ran[2].stdout, "HTTPS_PROXY=\n", "it is not the command's");
    assert!(
        ran[1]
            .stdout
            .contains("ok    access       proj/my-repo is visible"),
        "{ran:#?}"
    );
    let sent: Vec<_> = bitbucket
        .received()
        .iter()
        .filter(|it| it.method == "POST")
        .map(stand_in::Received::json)
        .collect();
    assert_eq!(sent.len(), 2, "{sent:#?}");
    for (body, state) in sent.iter().zip(["INPROGRESS", "SUCCESSFUL"]) {
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let fields = ["state", "key", "parent", "name", "ref"].map(field);
        assert_eq!(
            fields,
            [
                state,
                "ci/test",
                "ci/test",
                "Test",
                "refs/heads/feature/login"
            ]
        );
    }
}

/// What the page says below the script, for a server that is not there.
#[test]
fn a_download_that_fails_can_leave_the_build_as_it_is() {
    let page = page().replace("\n  ", " ");
    let line = |first: &str| {
        let code = page.split('`').find(|code| code.starts_with(first));
        code.unwrap_or_else(|| panic!("no {first} on the page"))
            .to_owned()
    };
    for how in [How::Passed, How::Failed] {
        let workspace = workspace("no download", how);
        std::fs::write(workspace.join("told"), "").unwrap();
        let script = workspace.join("ci/get-build-status.sh");
        let nowhere = std::fs::read_to_string(&script).unwrap();
        let nowhere = nowhere.replace("release=", "release=file:///nowhere #");
        std::fs::write(&script, nowhere).unwrap();
        let run = |code: &str| {
            let step = shell(code, &workspace).within(&workspace);
            step.env("HOME", &workspace).run()
        };
        let ran = run(&line("sh ci/get-build-status.sh ||"));
        let said = "build_status cannot be installed: nothing is reported\n";
        assert_eq!((ran.code, &*ran.stdout), (Some(0), said), "{ran:#?}");
        let code = i32::from(how == How::Failed);
        run(&line("if [ -x build_status ]")).exits(code);
        assert_ne!(run("sh ci/get-build-status.sh").code, Some(0));
    }
}

/// The table of keys on the page, and its lines that stand alone.
#[test]
fn keys_parents_and_single_steps_are_as_the_page_says() {
    let page = page();
    let server = "https://git.example.com";
    for (branch, change, key) in [
        (
            "feature/login",
            None,
            "ci/jenkins/team/app/feature%2Flogin/Unit",
        ),
        (
            "PR-7",
            Some("feature/login"),
            "ci/jenkins/team/app/PR-7/Unit",
        ),
    ] {
        let name = branch.replace('/', "%2F");
        let mut step = shell("build_status passed --dry-run", Path::new("/bin"));
        for (name, value) in [
            ("JENKINS_URL", "https://ci.example.com/"),
            ("BUILD_TAG", "jenkins-12"),
            ("BUILD_URL", "https://ci.example.com/12/"),
            ("BUILD_NUMBER", "12"),
            ("GIT_COMMIT", stand_in::DEFAULT_COMMIT),
            ("GIT_URL", "https://git.example.com/scm/proj/my-repo.git"),
            ("BITBUCKET_SERVER_URL", server),
            ("BRANCH_NAME", branch),
            ("JOB_NAME", &format!("team/app/{name}")),
            ("STAGE_NAME", "Unit"),
        ] {
            step = step.env(name, value);
        }
        if let Some(source) = change {
            step = step.env("CHANGE_BRANCH", source).env("CHANGE_ID", "7");
        }
        let sent = step.run().exits(0).stdout;
        for (field, value) in [
            ("key", key),
            (
                "name",
                &format!("{} #12", key.trim_start_matches("ci/jenkins/")),
            ),
            ("parent", "ci/jenkins/team/app/Unit"),
            ("ref", "refs/heads/feature/login"),
        ] {
            assert!(sent.contains(&format!(r#""{field}":"{value}""#)), "{sent}");
            let shown = value.trim_start_matches("refs/heads/");
            assert!(
                page.contains(&format!("| `{shown}` ")),
                "the page does not have {shown}"
            );
        }
    }

    for (first, key) in [
        (
            "withCredentials([usernamePassword(credentialsId: 'bitbucket',",
            "ci/jenkins/team/app/feature%2Flogin",
        ),
        (
            r#"sh './build_status run --key "ci/unit/$JDK" --name "Unit tests, JDK $JDK" -- make unit'"#,
            "ci/unit/21",
        ),
    ] {
        let bitbucket = cloud();
        let call = read(&block(first)).steps.remove(0).script;
        let workspace = home("a step of the page", How::Passed, 0);
        let case = build_of_a_branch();
        let ready = workspace.join("told");
        bitbucket.on_status(move |_| std::fs::write(&ready, "").unwrap());
        let mut step = shell(&call.replace("./", ""), &workspace).within(&workspace);
        for (name, value) in case.env.iter().filter(|it| it.0 != "STAGE_NAME") {
            step = step.env(name, value);
        }
        let ends = step
            .env("JDK", "21")
            .env("HOME", &workspace)
            .to(&bitbucket)
            .run()
            .exits(0);
        let states = ["INPROGRESS", "SUCCESSFUL"].map(|state| (key.to_owned(), state.to_owned()));
        assert_eq!(told(&bitbucket), states, "{first}: {ends:#?}");
    }
}
