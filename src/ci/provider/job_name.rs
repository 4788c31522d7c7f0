//! Names of jobs, unique among the jobs of a pipeline.

/// The parts that are set, joined as `stage/step`.
pub(super) fn joined(parts: &[Option<impl AsRef<str>>]) -> Option<String> {
    let parts = parts.iter().flatten().map(AsRef::as_ref);
    let name = parts.collect::<Vec<_>>().join("/");
    (!name.is_empty()).then_some(name)
}

/// The suffix of a sharded job's name, such as ` 2/3`; empty for other jobs. `first` is the CI's
/// index of the first shard.
pub(super) fn shard<T: AsRef<str>>(first: u32, index: Option<T>, total: Option<T>) -> String {
    let number = |text: Option<T>| text?.as_ref().parse::<u32>().ok();
    let before = number(index).and_then(|index| index.checked_sub(first));
    match (before, number(total)) {
        (Some(before), Some(total)) if total > 1 && before < total => {
            format!(" {}/{total}", before + 1)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: &str = "4294967295";

    #[test]
    fn only_one_of_several_has_a_number() {
        for (index, total, first, expected) in [
            (Some("1"), Some("3"), 0, "test 2/3"),
            (Some("1"), Some("3"), 1, "test 1/3"),
            (Some("0"), Some("1"), 0, "test"),
            (Some("0"), Some("3"), 1, "test"),
            (Some("3"), Some("3"), 0, "test"),
            (Some("x"), Some("3"), 0, "test"),
            (Some("1"), None, 0, "test"),
            (Some("1"), Some(MOST), 1, "test 1/4294967295"),
            (Some(MOST), Some(MOST), 1, "test 4294967295/4294967295"),
            (None, None, 0, "test"),
        ] {
            assert_eq!(format!("test{}", shard(first, index, total)), expected);
        }
    }
}
