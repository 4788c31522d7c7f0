//! The rooms of `src/`, and which way they lean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the top floor down. A file uses its own room and those below it; rooms on one line
/// stand on the same ground, and use each other.
const ROOMS: [&[&str]; 14] = [
    &["main"],
    &["lib"],
    &["command"],
    &["bitbucket"],
    &["gitlab"],
    &["aws"],
    &["report"],
    &["http"],
    &["ci"],
    &["cli"],
    &["junit"],
    &["output"],
    &["status"],
    &["background", "deadline", "env", "error", "file", "secret"],
];

fn floor(room: &str) -> usize {
    let position = ROOMS.iter().position(|rooms| rooms.contains(&room));
    position.unwrap_or_else(|| panic!("src/{room} has no floor in {}", file!()))
}

/// An import: who imports, and the path without `crate::`.
#[derive(Debug)]
struct Import {
    file: String,
    path: Vec<String>,
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// What `text` names by `crate::…`, lists in braces taken apart, without its tests.
fn imports(file: &str, text: &str) -> Vec<Import> {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let (before, list) = match rest.split_once("::{") {
            Some((before, list)) if before.chars().all(is_path) => (before, list),
            _ if rest.starts_with('{') => ("", &rest[1..]),
            _ => ("", ""),
        };
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let names: Vec<String> = if list.is_empty() {
            vec![rest[..end].to_owned()]
        } else {
            let (list, _) = list.split_once('}').unwrap_or((list, ""));
            let names = list
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            names.map(|name| format!("{before}::{name}")).collect()
        };
        found.extend(names.into_iter().map(|path| {
            Import {
                file: file.to_owned(),
                path: path
                    .split("::")
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned)
                    .collect(),
            }
        }));
    }
    found
}

/// `text` with `crate::` in place of `self::`, `super::` and, in the binary, the library's name.
fn absolute(file: &str, text: &str) -> String {
    let module = file
        .strip_suffix("/mod.rs")
        .or(file.strip_suffix(".rs"))
        .unwrap_or(file);
    let path = |module: &str| format!("crate::{}::", module.replace('/', "::"));
    let parent = module
        .rsplit_once('/')
        .map_or("crate::".to_owned(), |(parent, _)| path(parent));
    let text = text
        .replace("super::", &parent)
        .replace(" self::", &format!(" {}", path(module)));
    if file == "main.rs" {
        text.replace("build_status::", "crate::")
    } else {
        text
    }
}

fn is_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

fn all_imports() -> Vec<Import> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for path in sources(&src) {
        let file = path
            .strip_prefix(&src)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        all.extend(imports(&file, &absolute(&file, &text)));
    }
    assert!(all.len() > 100, "the imports are found: {}", all.len());
    all
}

fn room(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

#[test]
fn only_the_calls_of_windows_are_unsafe() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_unsafe = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("unsafe_code");
    let found: Vec<_> = sources(&src).into_iter().filter(is_unsafe).collect();
    assert_eq!(found, [src.join("command/run/console.rs")]);
}

#[test]
fn no_room_leans_upwards() {
    let upwards: Vec<_> = all_imports()
        .iter()
        .filter(|import| floor(&import.path[0]) < floor(room(&import.file)))
        .map(|import| format!("src/{} uses crate::{}", import.file, import.path.join("::")))
        .collect();
    assert!(upwards.is_empty(), "imports that go up: {upwards:#?}");
}

/// The file that `path` leads to, if it is a module's.
fn target(path: &[String], files: &[String]) -> Option<String> {
    (1..=path.len()).rev().find_map(|length| {
        let module = path[..length].join("/");
        [format!("{module}.rs"), format!("{module}/mod.rs")]
            .into_iter()
            .find(|file| files.contains(file))
    })
}

#[test]
fn no_file_uses_itself_through_others() {
    let imports = all_imports();
    let files: Vec<_> = {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let relative = |path: PathBuf| {
            path.strip_prefix(&src)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        sources(&src)
            .into_iter()
            .map(relative)
            .map(|file| file.replace('\\', "/"))
            .collect()
    };
    let mut uses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for import in &imports {
        let target = target(&import.path, &files).filter(|used| *used != import.file);
        uses.entry(&import.file).or_default().extend(target);
    }
    // A file that uses only files without further uses cannot be in a ring: these go first.
    while let Some(done) = uses
        .iter()
        .find(|(_, used)| used.iter().all(|used| !uses.contains_key(used.as_str())))
        .map(|(file, _)| *file)
    {
        uses.remove(done);
    }
    let rings: Vec<_> = uses
        .iter()
        .map(|(file, used)| {
            let within: Vec<_> = used
                .iter()
                .filter(|it| uses.contains_key(it.as_str()))
                .collect();
            format!("src/{file} uses {within:?}")
        })
        .collect();
    assert!(rings.is_empty(), "files that go round: {rings:#?}");
}
