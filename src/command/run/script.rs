//! Scripts without `#!`, which shells run with sh.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::file;

/// The path of the script that `program` names: what the system would have run, if it is text.
pub(super) fn path(program: &OsStr) -> Option<PathBuf> {
    let path = if program.as_bytes().contains(&b'/') {
        PathBuf::from(program)
    } else {
        let path = std::env::var_os("PATH")?;
        let mut candidates = std::env::split_paths(&path).map(|directory| directory.join(program));
        candidates.find(|path| is_executable(path))?
    };
    let mut beginning = Vec::new();
    let file = file::open(&path).ok()?;
    file.take(4096).read_to_end(&mut beginning).ok()?;
    // sh would take the name of a file in the working directory for one on PATH.
    let is_bare = path.components().count() == 1 && !path.as_os_str().as_bytes().contains(&b'/');
    let path = if is_bare {
        Path::new(".").join(path)
    } else {
        path
    };
    (!beginning.contains(&0)).then_some(path)
}

fn is_executable(path: &Path) -> bool {
    let metadata = path.metadata();
    metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}
