//! What must hold of each parser, whatever it is given.
//!
//! A function for each target of cargo-fuzz, which panics when something does not hold. The tests of
//! the main crate include this file and run the committed corpus through it, on stable: it uses
//! nothing that they have not.

mod answers;
mod files;
mod jobs;
mod junit;
mod places;
mod words;

pub use answers::answers;
pub use files::files;
pub use jobs::jobs;
pub use junit::junit;
pub use places::places;
pub use words::words;

/// Asserts that `text` holds nothing that a terminal or a CI would take for a command.
pub fn assert_printable(text: &str) {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(
                c,
                '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
            )
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!text.contains(steers), "{text:?}");
    assert!(!text.contains("##"), "{text:?}");
    let commands = |line: &str| line.trim_start().starts_with("::");
    assert!(!text.lines().any(commands), "{text:?}");
}

/// The same, for what is a single line.
fn assert_one_line(text: &str) {
    assert!(!text.contains('\n'), "{text:?}");
    assert_printable(text);
}
