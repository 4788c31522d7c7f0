//! What the README repeats of the program. `UPDATE=1 cargo test` writes it there.

use std::fmt::Write as _;
use std::path::Path;

use build_status::ci::provider::{PROVIDERS, Sign};
use build_status::status::state::WORDS;
use stand_in::StandIn;

use crate::support::{build_status, gitlab};

fn help() -> String {
    build_status(["--help"]).run().exits(0).stdout
}

#[test]
fn the_readme_repeats_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let blocks = [
        ("check", check()),
        ("help", format!("```text\n{}```\n", help())),
        ("exit-codes", exit_codes()),
        ("providers", providers()),
        ("states", states()),
    ];
    let expected = with_blocks(&readme, &blocks);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    assert!(
        readme == expected,
        "README.md is out of date: run `UPDATE=1 cargo test`"
    );
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

fn exit_codes() -> String {
    let help = help();
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
fn the_options_in_the_readme_and_the_examples_exist() {
    let help = help() + &build_status(["sync", "--help"]).run().exits(0).stdout;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [
        "README.md",
        "docs/ci.md",
        "docs/sync.md",
        ".gitlab-ci.example.yml",
        "buildspec.example.yml",
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for line in text.lines().filter(|line| line.contains("build_status ")) {
            let (_, call) = line.split_once("build_status ").unwrap();
            let words = call.split([' ', '`', ')', '|', '<']);
            for option in words.filter(|word| {
                word.trim_start_matches("--")
                    .starts_with(char::is_alphabetic)
                    && word.starts_with("--")
            }) {
                let known =
                    help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n"));
                assert!(known, "{file}: {option} in: {line}");
            }
        }
    }
}
