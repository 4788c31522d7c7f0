//! What the pages repeat of the program. `UPDATE=1 cargo test` writes it there.

use std::fmt::Write as _;
use std::path::Path;

use build_status::ci::provider::{PROVIDERS, Sign};
use build_status::status::state::WORDS;
use serde_json::Value;
use stand_in::StandIn;

use crate::support::{GITLAB, build_status, gitlab};

fn help(command: &[&str]) -> String {
    let args = command.iter().chain(&["--help"]);
    build_status(args).run().exits(0).stdout
}

#[test]
fn the_pages_repeat_the_program() {
    let text = |command: &[&str]| format!("```text\n{}```\n", help(command));
    let reference = [
        ("help", text(&[])),
        ("help-run", text(&["run"])),
        ("help-check", text(&["check"])),
        ("help-show", text(&["show"])),
        ("help-context", text(&["context"])),
        ("help-sync", text(&["sync"])),
        ("help-event", text(&["event"])),
        ("exit-codes", exit_codes()),
        ("json", json()),
        ("json-context", json_context()),
        ("states", states()),
    ];
    for (page, blocks) in [
        ("docs/ci.md", &[("providers", providers())][..]),
        ("docs/reference.md", &reference),
        ("docs/troubleshooting.md", &[("check", check())]),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = with_blocks(&text, blocks);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, expected).unwrap();
        } else {
            assert!(
                text == expected,
                "{page} is out of date: run `UPDATE=1 cargo test`"
            );
        }
    }
}

/// `page` with these blocks between their comments.
pub(crate) fn with_blocks(page: &str, blocks: &[(&str, String)]) -> String {
    blocks.iter().fold(page.to_owned(), |text, (name, block)| {
        let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
        let (before, rest) = text
            .split_once(&start)
            .unwrap_or_else(|| panic!("no {start}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
        format!("{before}{start}{block}{end}{after}")
    })
}

/// A job for a commit that Bitbucket does not have.
fn check() -> String {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["check"])
        .env("CI_COMMIT_SHA", "1ecfd275763eff1d6b4844ea3168962458c9f27a")
        .run()
        .exits(4);
    let printed = ran
        .stdout
        .replace(&bitbucket.api_root(), "https://api.bitbucket.org/2.0");
    format!("```console\n$ build_status check\n{printed}```\n")
}

/// What a report prints as JSON, of a server that refuses: with every field.
fn json() -> String {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["--output", "json"])
        .env("CI_COMMIT_SHA", "1ecfd275763eff1d6b4844ea3168962458c9f27a")
        .run()
        .exits(4);
    let mut printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    printed["elapsed_ms"] = 212.into(); // another one each time
    format!(
        "```json\n{}\n```\n",
        serde_json::to_string_pretty(&printed).unwrap()
    )
}

fn json_context() -> String {
    let ran = build_status(["context", "--output", "json"]).envs(GITLAB);
    let printed: Value = serde_json::from_str(&ran.run().exits(0).stdout).unwrap();
    format!(
        "```json\n{}\n```\n",
        serde_json::to_string_pretty(&printed).unwrap()
    )
}

fn exit_codes() -> String {
    let help = help(&[]);
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let mut table = "| code | meaning |\n|---|---|\n".to_owned();
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        writeln!(table, "| {code} | {meaning} |").unwrap();
    }
    table
}

fn providers() -> String {
    let mut table = "| CI | id | detected by | commit from | state from | notes on the state |\n\
                     |---|---|---|---|---|---|\n"
        .to_owned();
    for entry in PROVIDERS {
        let info = &entry.info;
        let signs: Vec<_> = info.signs.iter().filter_map(sign).collect();
        let commit = match info.commit {
            [] => "`--commit`".to_owned(),
            names => format!("`{}`", names.join("`, else `")),
        };
        let state = info
            .state
            .map_or("-".to_owned(), |name| format!("`{name}`"));
        writeln!(
            table,
            "| [{}]({}) | `{}` | {} | {commit} | {state} | {} |",
            info.name,
            info.docs,
            info.id,
            signs.join(", "),
            info.state_caveat
        )
        .unwrap();
    }
    table
}

fn sign(sign: &Sign) -> Option<String> {
    match sign {
        Sign::Set(name) => Some(format!("`{name}`")),
        Sign::OneOf(names) => Some(format!("`{}`", names.join("` or `"))),
        Sign::Is(name, value) => Some(format!("`{name}={value}`")),
        Sign::Unset(_) => None,
    }
}

fn states() -> String {
    let mut table = "| on Bitbucket | words, in any case |\n|---|---|\n".to_owned();
    for (state, words) in WORDS {
        writeln!(table, "| {state} | `{}` |", words.join("` `")).unwrap();
    }
    table
}

#[test]
fn the_reference_names_every_field_of_the_json() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md"))
            .unwrap();
    let (_, section) = page.split_once("\n## Output\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let bitbucket = StandIn::start();
    let newer = [
        ("CI_JOB_ID", "4243"),
        (
            "CI_JOB_URL",
            "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4243",
        ),
    ];
    gitlab(&bitbucket, ["passed"]).envs(&newer).run().exits(0);
    let kept = gitlab(&bitbucket, ["stopped", "--output", "json"]);
    let refused = gitlab(&bitbucket, ["--output", "json", "--commit", "1ecfd27"]);
    let printed = gitlab(&bitbucket, ["--output", "json", "--dry-run"]);
    for (ran, only) in [
        (kept.run().exits(0), "kept"),
        (refused.run().exits(4), "error"),
        (printed.run().exits(0), "request"),
    ] {
        let report = ran.json();
        assert!(
            report[only].is_string() || report[only].is_object(),
            "{ran:?}"
        );
        let inner = report[only].as_object().cloned().unwrap_or_default();
        for field in report.as_object().unwrap().keys().chain(inner.keys()) {
            assert!(
                section.contains(&format!("`{field}`")),
                "docs/reference.md does not name {field}"
            );
        }
    }
}
