//! Files that somebody else names: read whole, and never for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens the file at `path` if it is a regular one. Opening a pipe takes as long as nobody writes to
/// it, and a device may never end.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Looking before opening is not enough: it may be another file then.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

/// The content of the regular file at `path`, which may have `longest` bytes.
pub(crate) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.take(longest + 1).read_to_end(&mut content)?;
    if content.len() as u64 > longest {
        return Err(io::Error::other(format!("larger than {longest} bytes")));
    }
    // Windows' editors begin a file with a byte order mark.
    if content.starts_with(b"\xef\xbb\xbf") {
        content.drain(..3);
    }
    Ok(content)
}

/// The text of a file that a CI's variable names, if it is there and readable.
pub(crate) fn text(path: &str) -> Option<String> {
    const LONGEST: u64 = 8 * 1024 * 1024;
    String::from_utf8(read(Path::new(path), LONGEST).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_file_or_too_large_is_refused() {
        let directory =
            std::env::temp_dir().join(format!("build_status.file.{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a");
        std::fs::write(&path, "\u{feff}12345").unwrap();
        assert_eq!(read(&path, 8).unwrap(), b"12345");
        assert!(read(&path, 7).is_err());
        assert!(read(&directory, 8).is_err());
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(read(&path, 8).is_err());
        #[cfg(unix)]
        assert!(read(Path::new("/dev/zero"), 8).is_err());
    }
}
