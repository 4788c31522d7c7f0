//! The table in `docs/faults.md`.

use std::io::Write as _;

use crate::case::Row;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");
const START: &str = "<!-- faults -->\n";
const END: &str = "<!-- /faults -->\n";

const HEAD: &str = "| fault | exit code | time | connections | requests | stored | what it says |\n\
                    |---|---|---|---|---|---|---|\n";

/// Asserts that the table is right in the lines that could be tried on this machine, or writes it.
pub(crate) fn hold(sections: &[(&str, Option<Vec<Row>>)]) {
    let rows = sections.iter().filter_map(|(_, rows)| rows.as_ref());
    let failed = rows.flatten().any(Row::has_failed);
    if failed || std::env::var_os("FAULT").is_some() {
        let rows = sections.iter().filter_map(|(_, rows)| rows.as_deref());
        let lines: Vec<_> = rows.flatten().map(Row::text).collect();
        let lines = lines.join("\n");
        assert!(!failed, "{HEAD}{lines}");
        let _ = writeln!(std::io::stderr(), "{HEAD}{lines}");
        return;
    }
    let page = page();
    let (before, rest) = page.split_once(START).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let mut expected = String::new();
    for (title, rows) in sections {
        match rows {
            Some(rows) => expected += &section(title, rows),
            None => expected += written(table, title),
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, format!("{before}{START}{expected}{END}{after}")).unwrap();
        return;
    }
    for (found, expected) in table.lines().zip(expected.lines()) {
        assert_eq!(
            found, expected,
            "docs/faults.md is out of date, or this is a bug"
        );
    }
    assert_eq!(table.len(), expected.len(), "docs/faults.md is out of date");
}

/// Whether the page has this line.
pub(crate) fn has(row: &Row) -> bool {
    page().lines().any(|line| line == row.text())
}

fn page() -> String {
    std::fs::read_to_string(PAGE).unwrap()
}

fn section(title: &str, rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(Row::text).collect();
    format!("### {title}\n\n{HEAD}{}\n\n", lines.join("\n"))
}

/// What the page has of a section already.
fn written<'a>(table: &'a str, title: &str) -> &'a str {
    let start = table.find(&format!("### {title}\n")).unwrap();
    let end = table[start + 4..].find("### ");
    &table[start..end.map_or(table.len(), |end| start + 4 + end)]
}
