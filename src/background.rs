//! Work that may never end, in a thread that nobody waits for.

use std::io;
use std::thread;

/// Starts `work`.
///
/// # Errors
///
/// The machine's, where it starts no thread.
pub(crate) fn start(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // One type of work, so that the standard library's part is there once: 5 KB.
    let work: Box<dyn FnOnce() + Send> = Box::new(work);
    thread::Builder::new().spawn(work).map(drop)
}
