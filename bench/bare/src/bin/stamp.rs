//! Prints what time it is, in nanoseconds since 1970: when a wrapped command has started.

use std::time::{SystemTime, UNIX_EPOCH};

#[expect(clippy::print_stdout, reason = "it is there to print")]
fn main() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    println!("{}", now.expect("it is after 1970").as_nanos());
}
