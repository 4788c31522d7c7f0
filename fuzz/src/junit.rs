use std::io::BufReader;

use build_status::junit;
use build_status::output::escape;

/// A file that `--junit` has found.
pub fn junit(data: &[u8]) {
    let counted = junit::parse(data);
    // In whatever pieces it arrives. Of several faults, another one may be seen first.
    let in_pieces = junit::parse(BufReader::with_capacity(3, data));
    assert_eq!(counted.as_ref().ok(), in_pieces.as_ref().ok());
    match counted {
        Err(problem) => super::assert_printable(&escape::text(&problem)),
        Ok(results) => {
            let text = results.to_string();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == ',';
            assert!(text.chars().all(is_plain), "{text}");
            let failing = b"<testsuite><testcase><failure/></testcase></testsuite>";
            let with_failing = junit::parse([data, failing].concat().as_slice());
            if let Ok(results) = with_failing {
                assert!(results.failed > 0, "a failure is not counted");
            }
        }
    }
}
