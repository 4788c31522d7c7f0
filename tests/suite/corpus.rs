//! The corpus of the fuzz targets, on stable: what once was new to them, and what once went wrong.

use std::path::Path;

#[expect(unreachable_pub, reason = "it is a library of its own, for cargo-fuzz")]
#[path = "../../fuzz/src/lib.rs"]
pub(crate) mod targets;

/// Gives every file of the target's corpus to the target.
fn replay(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let files: Vec<_> = std::fs::read_dir(corpus.join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() > 10, "{name}: {}", files.len());
    for path in files {
        let input = std::fs::read(&path).unwrap();
        // The panic of a target says what does not hold, and not of which file.
        let result = std::panic::catch_unwind(|| target(&input));
        assert!(result.is_ok(), "{}", path.display());
    }
}

#[test]
fn answers() {
    replay("answers", targets::answers);
}

#[test]
fn files() {
    replay("files", targets::files);
}

#[test]
fn jobs() {
    replay("jobs", targets::jobs);
}

#[test]
fn junit() {
    replay("junit", targets::junit);
}

#[test]
fn places() {
    replay("places", targets::places);
}

#[test]
fn words() {
    replay("words", targets::words);
}
