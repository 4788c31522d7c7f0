//! The picture of a terminal in README: real calls of the real binary. `scripts/picture.sh` remakes it.

#![cfg(unix)]

use std::fmt::Write as _;
use std::path::Path;

use stand_in::StandIn;

use crate::support::{GITLAB, directory, shell};

/// The width of the terminal, in characters.
const COLUMNS: usize = 108;
/// A character's width, a line's height and the space around, in pixels.
const CHARACTER: usize = 8;
const LINE: usize = 19;
const MARGIN: usize = 16;

const STYLE: &str = "\
  rect { fill: #0d1117; stroke: #30363d }
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #e6edf3; white-space: pre }
  .typed { font-weight: 700 } .good { fill: #3fb950 } .bad { fill: #f85149 } .open { fill: #58a6ff }";

/// What is typed. The commit of the second one was not pushed.
const TYPED: [(&str, &[(&str, &str)]); 2] = [
    ("build_status run -- make test", &[]),
    (
        "build_status check",
        &[("CI_COMMIT_SHA", "1ecfd275763eff1d6b4844ea3168962458c9f27a")],
    ),
];

/// Tests of which three fail. They wait until INPROGRESS is there: of a command that ends at once, the end
/// is all that is reported.
const MAKE: &str = "#!/bin/sh\nwhile [ ! -e \"$TOLD\" ]; do sleep 0.02; done\necho '212 tests, 3 failed'\nexit 2\n";

/// What stands on the terminal.
fn transcript() -> Vec<String> {
    let bitbucket = StandIn::start();
    let tools = directory("picture");
    let (make, told) = (tools.join("make"), tools.join("told"));
    let notice = told.clone();
    bitbucket.on_status(move |_| std::fs::write(&notice, "").unwrap());
    std::fs::write(&make, MAKE).unwrap();
    let mut lines = Vec::new();
    for (command, variables) in TYPED {
        // Both streams in their order, as on a terminal.
        let ran = shell(
            &format!("chmod +x '{}'; exec 2>&1; {command}", make.display()),
            &tools,
        )
        .envs(GITLAB)
        .envs(variables)
        .env("TOLD", &told)
        .to(&bitbucket)
        .run();
        lines.push(format!("$ {command}"));
        let printed = ran
            .stdout
            .replace(&bitbucket.api_root(), "https://api.bitbucket.org/2.0");
        lines.extend(printed.lines().flat_map(wrapped));
    }
    lines
}

/// A line as a terminal of this width shows it, with times that are the same on each machine.
fn wrapped(line: &str) -> Vec<String> {
    let words: Vec<_> = line.split(' ').collect();
    let is_time = |word: &str| word.parse::<f32>().is_ok() && word.contains('.');
    let masked = words.iter().map(|word| match word.strip_suffix('s') {
        _ if is_time(word) => "0.21",
        Some(seconds) if is_time(seconds) => "38.4s",
        _ => word,
    });
    let mut lines = vec![String::new()];
    for word in masked {
        let line = lines.last_mut().unwrap();
        if line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(format!("{word} "));
        } else {
            line.push_str(word);
            line.push(' ');
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The word that a line's colour is in, with its class.
fn coloured(line: &str) -> String {
    let words = [
        ("ok ", "good"),
        ("FAIL ", "bad"),
        ("FAILED ", "bad"),
        ("INPROGRESS ", "open"),
        ("SUCCESSFUL ", "good"),
    ];
    let (prefix, rest) = line
        .strip_prefix("build_status: ")
        .map_or(("", line), |rest| ("build_status: ", rest));
    if line.starts_with("$ ") {
        return format!("<tspan class=\"typed\">{}</tspan>", escaped(line));
    }
    match words.iter().find(|(word, _)| rest.starts_with(word)) {
        Some((word, class)) => {
            let word = word.trim_end();
            let rest = escaped(&rest[word.len()..]);
            format!("{prefix}<tspan class=\"{class}\">{word}</tspan>{rest}")
        }
        None => escaped(line),
    }
}

fn svg(lines: &[String]) -> String {
    let (width, height) = (
        COLUMNS * CHARACTER + 2 * MARGIN,
        lines.len() * LINE + 2 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<style>\n{STYLE}\n</style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        width - 1,
        height - 1
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + number * LINE + 14;
        writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>",
            coloured(line)
        )
        .unwrap();
    }
    svg + "</svg>\n"
}

#[test]
fn the_picture_in_readme_is_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/terminal.svg");
    let drawn = svg(&transcript());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, drawn).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == drawn,
        "docs/terminal.svg is out of date: run scripts/picture.sh"
    );
}
