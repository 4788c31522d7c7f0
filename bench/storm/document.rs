//! Tables, and the places in a document where they go.

use std::fmt::{self, Display, Write as _};

/// A table in Markdown.
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new<const N: usize>(heads: [&str; N]) -> Self {
        let mut table = Self(String::new());
        table.row(heads);
        table.row(["---"; N]);
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Display>) {
        self.0.push('|');
        for cell in cells {
            let _ = write!(self.0, " {cell} |");
        }
        self.0.push('\n');
    }

    /// The document with this table in the place of that name.
    pub(crate) fn into_place(self, name: &str, document: &str) -> String {
        let (begin, end) = (format!("<!-- {name} -->\n"), "<!-- end -->");
        let place = document.split_once(&begin);
        let place = place.and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let (before, after) = place.unwrap_or_else(|| panic!("no place for {name}"));
        format!("{before}{begin}{}{end}{after}", self.0)
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_its_forerunner() {
        let mut table = Table::new(["a", "b"]);
        table.row([1, 2]);
        let document = "x\n<!-- t -->\nold\n<!-- end -->\ny\n<!-- u -->\n<!-- end -->\n";
        let expected = "x\n<!-- t -->\n| a | b |\n| --- | --- |\n| 1 | 2 |\n<!-- end -->\ny\n\
                        <!-- u -->\n<!-- end -->\n";
        assert_eq!(table.into_place("t", document), expected);
    }
}
