//! What the fuzz targets start with, on stable: a few seeds, what once went wrong, and fixtures.

use std::path::Path;

use serde_json::Value;

#[expect(unreachable_pub, reason = "it is a library of its own, for cargo-fuzz")]
#[path = "../../fuzz/src/lib.rs"]
pub(crate) mod targets;

/// Gives every file of a directory to the target.
fn replay(directory: &str, target: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!files.is_empty());
    for path in files {
        let input = std::fs::read(&path).unwrap();
        holds(&path.to_string_lossy(), &input, target);
    }
}

/// The panic of a target says what does not hold, and not of which input.
fn holds(name: &str, input: &[u8], target: fn(&[u8])) {
    let result = std::panic::catch_unwind(|| target(input));
    assert!(result.is_ok(), "{name}");
}

/// The environments of `tests/providers`, as `/proc/PID/environ` has them.
fn environments() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers");
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            serde_json::from_str::<Vec<Value>>(&text).unwrap()
        })
        .map(|case| {
            let variables = case["env"].as_object().unwrap().iter();
            let pairs =
                variables.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
            pairs.collect::<Vec<_>>().join("\0")
        })
        .collect()
}

#[test]
fn answers() {
    replay("fuzz/corpus/answers", targets::answers);
}

#[test]
fn files() {
    replay("fuzz/corpus/files", targets::files);
}

#[test]
fn jobs() {
    replay("fuzz/corpus/jobs", targets::jobs);
    for environment in environments() {
        holds(&environment, environment.as_bytes(), targets::jobs);
    }
}

#[test]
fn junit() {
    replay("fuzz/corpus/junit", targets::junit);
    replay("tests/junit", targets::junit);
}

#[test]
fn places() {
    replay("fuzz/corpus/places", targets::places);
}

#[test]
fn words() {
    replay("fuzz/corpus/words", targets::words);
}
