//! Finds a program as Windows' shell does. The system alone finds `npm.exe`, but no `npm.cmd`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The file that `program` names: in the working directory, else on PATH, with one of the extensions in
/// PATHEXT unless it has one.
/// <https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/path>
pub(super) fn path(program: &OsStr) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let extensions = variable("PATHEXT").unwrap_or(".COM;.EXE;.BAT;.CMD".into());
    let names = names(program, &extensions.to_string_lossy());
    let is_path = Path::new(program).components().count() > 1;
    let mut directories = Vec::new();
    // https://learn.microsoft.com/en-us/windows/win32/api/processenv/nf-processenv-needcurrentdirectoryforexepathw
    if is_path || variable("NoDefaultCurrentDirectoryInExePath").is_none() {
        directories.push(PathBuf::from("."));
    }
    if !is_path {
        let path = variable("PATH").unwrap_or_default();
        directories.extend(std::env::split_paths(&path).filter(|it| !it.as_os_str().is_empty()));
    }
    directories
        .iter()
        .flat_map(|directory| names.iter().map(|name| directory.join(name)))
        .find(|path| path.is_file())
        // The shell, which runs batch files, takes `/` for the beginning of a switch.
        .map(|path| path.components().collect())
}

/// The names that `program` may have, in the order in which they count.
fn names(program: &OsStr, extensions: &str) -> Vec<OsString> {
    // Beside npm.cmd there is npm, a script for Unix.
    let has_own = Path::new(program).extension().is_some();
    let own = has_own.then(|| program.to_owned());
    let extensions = extensions.split(';').filter(|it| !it.is_empty());
    let with = |extension: &str| {
        let mut name = program.to_owned();
        name.push(extension);
        name
    };
    own.into_iter().chain(extensions.map(with)).collect()
}
