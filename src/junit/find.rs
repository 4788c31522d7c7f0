//! The files that patterns match.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use crate::deadline::Deadline;

/// More files than any job has reports of tests, so that a tree without end has one.
const MOST: usize = 10_000;

/// What a pattern matches.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    /// The files, each by one path.
    pub(super) paths: BTreeSet<PathBuf>,
    /// Whether all of them were looked for.
    pub(super) is_all: bool,
}

/// Finds the files that `pattern` matches. Links to directories are not followed, except those that
/// the pattern names before its first wildcard: packages of one workspace link to each other, and
/// round.
pub(super) fn files(pattern: &str, deadline: Deadline) -> Result<Found, PatternError> {
    // `./a` and `a` are the same file.
    let pattern: PathBuf = Path::new(pattern)
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    let base: PathBuf = pattern
        .components()
        .take_while(|part| !has_wildcard(&part.as_os_str().to_string_lossy()))
        .collect();
    let matcher = Pattern::new(&pattern.to_string_lossy())?;
    let mut found = Found::default();
    if base == pattern {
        found.is_all = true;
        found.paths.extend(base.exists().then_some(base));
        return Ok(found);
    }
    let recursive = pattern.components().any(|part| part.as_os_str() == "**");
    let depth = pattern.components().count() - base.components().count();
    let mut directories = vec![(base, 1)];
    while let Some((directory, level)) = directories.pop() {
        if deadline.is_over() || found.paths.len() >= MOST {
            return Ok(found);
        }
        for (path, is_directory) in entries(&directory) {
            if is_directory && (recursive || level < depth) {
                directories.push((path, level + 1));
            } else if !is_directory && matcher.matches_with(&path.to_string_lossy(), OPTIONS) {
                found.paths.insert(path);
            }
        }
    }
    found.is_all = true;
    Ok(found)
}

/// As shells match.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

fn has_wildcard(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// What is in a directory, if it can be read: files, links to files, and directories.
fn entries(directory: &Path) -> Vec<(PathBuf, bool)> {
    let here = Path::new(".");
    let readable = if directory.as_os_str().is_empty() {
        here
    } else {
        directory
    };
    let entries = fs::read_dir(readable).into_iter().flatten().flatten();
    let kind = |entry: fs::DirEntry| {
        let kind = entry.file_type().ok()?;
        let path = directory.join(entry.file_name());
        let is_wanted = kind.is_dir() || path.is_file();
        is_wanted.then_some((path, kind.is_dir()))
    };
    entries.take(MOST * 10).filter_map(kind).collect()
}
