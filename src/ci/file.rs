//! Reads files that a CI's variables name.

use std::fs::{self, File};
use std::io::Read as _;

/// The most bytes that are read. Such files are smaller.
const LONGEST: u64 = 8 * 1024 * 1024;

/// The text of the file at `path`. `None` if it cannot be read.
pub(crate) fn read(path: &str) -> Option<String> {
    let mut text = String::new();
    // Opening a named pipe would wait for a writer.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}
