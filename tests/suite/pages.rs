//! README and the pages in docs/: who they are for, where their links lead, and that each block of code on
//! them is run by something, or has a reason why nothing can.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stand_in::StandIn;

use crate::support::{GITLAB, build_status, directory, shell};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The pages in a folder, by their path from the root.
fn pages_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<_> = names
        .filter(|name| Path::new(name).extension().is_some_and(|it| it == "md"))
        .map(|name| {
            format!("{folder}/{name}")
                .trim_start_matches("./")
                .to_owned()
        })
        .collect();
    pages.sort();
    pages
}

/// Those whose blocks of code are run.
fn pages() -> Vec<String> {
    let top = ["README.md", "CONTRIBUTING.md"].map(str::to_owned);
    top.into_iter().chain(pages_in("docs")).collect()
}

#[test]
fn readme_has_at_most_200_lines() {
    assert!(read("README.md").lines().count() <= 200);
}

#[test]
fn each_page_says_first_who_it_is_for() {
    for page in pages_in("docs")
        .iter()
        .chain(&["CONTRIBUTING.md".to_owned()])
    {
        let text = read(page);
        let mut lines = text.lines().filter(|line| !line.is_empty());
        assert!(lines.next().unwrap().starts_with("# "), "{page}: no title");
        let first = lines.next().unwrap();
        assert!(first.starts_with("For "), "{page} begins with: {first}");
    }
}

// --- links ------------------------------------------------------------------------------------------

/// `[text](target)` and `![text](target)`, of the lines that are no code. Text may be broken over lines.
fn links(text: &str) -> Vec<String> {
    let prose = outside_code(text);
    let targets = prose.split("](").skip(1);
    targets
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .collect()
}

/// The text without its blocks of code, and without code inside lines.
fn outside_code(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose += line;
            prose.push('\n');
        }
    }
    // A link's text may be code, so that only the code itself is taken out.
    prose.split('`').step_by(2).collect::<Vec<_>>().join("")
}

/// The anchors that GitHub gives to headings: lower case, without punctuation, spaces as dashes, and with a
/// number where one comes again.
/// https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
fn anchors(text: &str) -> Vec<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut fenced = false;
    let mut anchors = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || !line.starts_with('#') {
            continue;
        }
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = |it: &char| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_');
        let slug = heading
            .chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-");
        let count = seen.entry(slug.clone()).or_default();
        anchors.push(match *count {
            0 => slug,
            number => format!("{slug}-{number}"),
        });
        *count += 1;
    }
    anchors
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let elsewhere = ["examples/aws", "bench", "bench/storm", "fuzz"]
        .map(pages_in)
        .concat();
    let mut wrong = Vec::new();
    for page in pages_in(".")
        .iter()
        .chain(&pages_in("docs"))
        .chain(&elsewhere)
    {
        let text = read(page);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => root().join(page),
                file => root().join(page).parent().unwrap().join(file),
            };
            let is_page = target.extension().is_some_and(|it| it == "md");
            let leads = target.exists()
                && (anchor.is_empty()
                    || is_page
                        && anchors(&fs::read_to_string(&target).unwrap())
                            .iter()
                            .any(|it| it == anchor));
            if !leads {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere: {wrong:#?}");
}

#[test]
fn every_page_can_be_reached_from_readme() {
    let mut reached: Vec<PathBuf> = vec!["README.md".into()];
    let mut next = 0;
    while let Some(page) = reached.get(next).cloned() {
        next += 1;
        for link in links(&read(page.to_str().unwrap())) {
            let file = link.split('#').next().unwrap();
            let Ok(target) = root()
                .join(&page)
                .parent()
                .unwrap()
                .join(file)
                .canonicalize()
            else {
                continue;
            };
            let target = target
                .strip_prefix(root().canonicalize().unwrap())
                .unwrap()
                .to_owned();
            if target.extension().is_some_and(|it| it == "md") && !reached.contains(&target) {
                reached.push(target);
            }
        }
    }
    for page in pages() {
        assert!(
            reached.contains(&page.clone().into()),
            "no page links to {page}"
        );
    }
}

// --- blocks of code ---------------------------------------------------------------------------------

/// A block of code on a page.
struct Block {
    page: String,
    language: String,
    /// What is known by: its first line, or `<!-- name -->` around a block that is generated.
    name: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for page in pages() {
        let text = read(&page);
        let mut marker = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let indent = line.len() - line.trim_start().len();
            if let Some(name) = line.strip_prefix("<!-- ") {
                marker = (!name.starts_with('/')).then(|| line.to_owned());
            } else if let Some(language) = line.trim_start().strip_prefix("```") {
                let body: Vec<_> = lines
                    .by_ref()
                    .take_while(|line| !line.trim_start().starts_with("```"))
                    .map(|line| line.get(indent..).unwrap_or_default())
                    .collect();
                blocks.push(Block {
                    page: page.clone(),
                    language: language.to_owned(),
                    name: marker.clone().unwrap_or_else(|| body[0].to_owned()),
                    text: body.join("\n"),
                });
            }
        }
    }
    blocks
}

/// A line of tests/documentation.txt.
struct Entry {
    /// `by FILE`, or `not: REASON`.
    how: String,
    page: String,
    name: String,
}

impl Entry {
    fn is_for(&self, block: &Block) -> bool {
        let page = self.page == "*" || self.page == block.page;
        page && match self.name.strip_suffix('*') {
            Some(start) => block.name.starts_with(start),
            None => self.name == block.name,
        }
    }
}

fn entries() -> Vec<Entry> {
    let text = read("tests/documentation.txt");
    let mut how = "";
    let mut entries = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
    {
        if let Some(heading) = line.strip_prefix("== ") {
            how = heading;
            continue;
        }
        let (page, name) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("no page: {line}"));
        entries.push(Entry {
            how: how.to_owned(),
            page: page.to_owned(),
            name: name.to_owned(),
        });
    }
    entries
}

#[test]
fn every_block_of_code_is_run_or_has_a_reason() {
    let (blocks, entries) = (blocks(), entries());
    let mut wrong = Vec::new();
    for block in &blocks {
        let same = blocks
            .iter()
            .filter(|it| (&it.page, &it.name) == (&block.page, &block.name));
        let found: Vec<_> = entries.iter().filter(|entry| entry.is_for(block)).collect();
        // Two blocks that begin alike need a line each, unless one line is for all.
        if found.is_empty()
            || (found.iter().all(|it| !it.name.ends_with('*')) && found.len() < same.count())
        {
            wrong.push(format!("{}: {}", block.page, block.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "tests/documentation.txt has to say what runs these blocks, or why nothing can: {wrong:#?}"
    );
    for entry in &entries {
        let Entry { how, page, name } = entry;
        assert!(
            page == "*" || blocks.iter().any(|block| entry.is_for(block)),
            "tests/documentation.txt: no page has this block: {page}: {name}"
        );
        if let Some(file) = how.strip_prefix("by ") {
            let runner = read(file);
            assert!(
                [page, name.trim_end_matches('*')]
                    .iter()
                    .any(|it| runner.contains(*it)),
                "{file} knows nothing of {page}: {name}"
            );
        } else {
            assert!(
                how.starts_with("not: ") && how.len() > 20,
                "no reason: {how}"
            );
        }
    }
}

/// The block on a page that begins with this line.
fn block(page: &str, first: &str) -> String {
    let mut all = blocks().into_iter();
    let found = all.find(|block| block.page == page && block.text.starts_with(first));
    found
        .unwrap_or_else(|| panic!("{page} has no block that begins with {first}"))
        .text
}

#[test]
fn the_gate_runs_the_commands_of_the_first_screen() {
    let gate = read(".ci/run");
    let first_screen: Vec<_> = read("README.md")
        .lines()
        .take(25)
        .map(str::to_owned)
        .collect();
    let block = block("README.md", "cargo run");
    for line in block.lines() {
        assert!(
            first_screen.iter().any(|it| it == line),
            "not on the first screen: {line}"
        );
        let command = line.split('#').next().unwrap().trim();
        let plain = |line: &str| line.replace(" --locked", "").replace(" --quiet", "");
        assert!(
            gate.lines().any(|line| plain(line) == command),
            ".ci/run does not run: {command}"
        );
    }
}

#[test]
fn every_shell_block_can_be_read_by_a_shell() {
    for block in blocks().iter().filter(|it| it.language == "sh") {
        let parsed = std::process::Command::new("bash")
            .args(["-n", "-c", &block.text])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&parsed.stderr);
        assert!(
            parsed.status.success(),
            "{}: {}: {said}",
            block.page,
            block.name
        );
    }
}

#[test]
#[cfg(unix)]
fn the_calls_in_the_shell_blocks_report() {
    use std::os::unix::fs::PermissionsExt as _;
    let tools = directory("calls-of-the-pages");
    let cargo = tools.join("cargo");
    fs::write(&cargo, "#!/bin/sh\nsleep 0.1\n").unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();

    for page in ["README.md", "docs/reference.md"] {
        let bitbucket = StandIn::start();
        let script = block(page, "build_status run");
        shell(&script, &tools)
            .envs(GITLAB)
            .to(&bitbucket)
            .run()
            .exits(0);
        assert_eq!(bitbucket.history().last().unwrap().state, "SUCCESSFUL");
    }

    let bitbucket = StandIn::start();
    shell(&block("docs/ci.md", "build_status passed"), &tools)
        .env("COMMIT", stand_in::DEFAULT_COMMIT)
        .env("BUILD_URL", "https://ci.example.com/1")
        .to(&bitbucket)
        .run()
        .exits(0);
    let status = bitbucket.history().remove(0);
    let expected = ("nightly", "SUCCESSFUL", Some("main"));
    assert_eq!(
        (
            status.key.as_str(),
            status.state.as_str(),
            status.refname.as_deref()
        ),
        expected
    );

    let bitbucket = StandIn::start();
    let git = tools.join("git");
    fs::write(
        &git,
        format!("#!/bin/sh\necho {}\n", stand_in::DEFAULT_COMMIT),
    )
    .unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let script = block("docs/sync.md", "export BITBUCKET_ACCESS_TOKEN")
        .replace("ATCTT...", stand_in::DEFAULT_TOKEN);
    let ran = shell(&script, &tools)
        .env("BITBUCKET_API_ROOT", bitbucket.api_root())
        .run()
        .exits(0);
    assert!(ran.stdout.starts_with("warn  ci "), "{ran:?}");

    // As `docker run --env-file` takes it.
    let bitbucket = stand_in::Setup::default()
        .any_commit()
        .any_credential()
        .start();
    let file = block("docs/install.md", "# job.env");
    let variables: Vec<_> = file
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let call = block("docs/install.md", "docker run");
    let (_, args) = call.split_once(" build_status ").unwrap();
    build_status(args.split(' '))
        .envs(&variables)
        .env("BITBUCKET_API_ROOT", bitbucket.api_root())
        .run()
        .exits(0);
    assert_eq!(bitbucket.history()[0].key, "nightly");
}

#[cfg(target_os = "linux")]
/// What the block does where the release is here: `script`, and where the program goes.
fn installs(page: &str, first: &str) -> (String, PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let (release, bin) = (
        directory("released-for-pages"),
        directory("installed-by-pages"),
    );
    let name = "build_status-x86_64-unknown-linux-gnu";
    fs::create_dir(release.join(name)).unwrap();
    let program = release.join(name).join("build_status");
    fs::write(&program, "#!/bin/sh\necho build_status 0.1.0\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    shell(
        &format!("tar -czf {name}.tgz {name} && sha256sum {name}.tgz > SHA256SUMS"),
        &release,
    )
    .within(&release)
    .run()
    .exits(0);
    let script = block(page, first)
        .replace(
            "https://github.com/_OWNER/build_status/releases/download/v0.1.0",
            &format!("file://{}", release.display()),
        )
        .replace("/usr/local/bin", bin.to_str().unwrap());
    assert!(script.contains("file://"), "{script}");
    (script, bin)
}

#[test]
#[cfg(target_os = "linux")]
fn the_download_installs_the_release_and_nothing_else() {
    let (script, bin) = installs("docs/install.md", "# the file for this machine");
    shell(&script, &bin).run().exits(0);
    let version = shell("./build_status --version", &bin).within(&bin);
    assert!(version.run().exits(0).stdout.starts_with("build_status "));

    let (script, bin) = installs("docs/install.md", "# the file for this machine");
    let tampered = format!("{script}\n").replace("curl ", "false && curl ");
    let ran = shell(&tampered, &bin).run();
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout
            .ends_with("build_status cannot be installed: nothing is reported\n")
    );

    // A machine that no release has such a file for, like Git's shell on Windows.
    for machine in ["MINGW64_NT-10.0-26100 x86_64", "Linux i686"] {
        let script = format!("uname() {{ echo '{machine}'; }}\n{script}");
        let ran = shell(&script, &bin).run();
        assert_eq!(
            (ran.code, ran.stdout),
            (
                Some(0),
                format!(
                    "this is for Linux and macOS, and not for {machine}\n\
                     build_status cannot be installed: nothing is reported\n"
                )
            )
        );
    }

    // A file that is not the one in the list.
    let release = Path::new(env!("CARGO_TARGET_TMPDIR")).join("released-for-pages");
    let sums = fs::read_to_string(release.join("SHA256SUMS")).unwrap();
    fs::write(
        release.join("SHA256SUMS"),
        sums.replace(|it: char| it.is_ascii_digit(), "0"),
    )
    .unwrap();
    let ran = shell(&script, &bin).run();
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.stdout
            .ends_with("build_status cannot be installed: nothing is reported\n"),
        "{ran:?}"
    );
    assert!(!bin.join("build_status").exists());
}

#[test]
fn the_options_on_the_pages_and_in_the_examples_exist() {
    let help: String = ["", "run", "check", "show", "context", "sync", "event"]
        .into_iter()
        .map(|command| {
            let args = Some(command)
                .filter(|it| !it.is_empty())
                .into_iter()
                .chain(["--help"]);
            build_status(args).run().exits(0).stdout
        })
        .collect();
    let examples = [".gitlab-ci.example.yml", "buildspec.example.yml"].map(str::to_owned);
    for file in pages().iter().chain(&examples) {
        for line in read(file).lines() {
            let Some((before, call)) = line.split_once("build_status ") else {
                continue;
            };
            // `aws … --name build_status --secret-string …`
            if before
                .split_whitespace()
                .next_back()
                .is_some_and(|word| word.starts_with("--"))
            {
                continue;
            }
            let call = call.split(" -- ").next().unwrap(); // what is behind it is the command's own
            for option in call.split([' ', '`', ')', '|', '<', '=', '"', '\'', ',']) {
                let is_option = option
                    .strip_prefix("--")
                    .is_some_and(|it| it.starts_with(char::is_alphabetic));
                let known = || {
                    help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n"))
                };
                assert!(!is_option || known(), "{file}: {option} in: {line}");
            }
        }
    }
}

#[test]
fn the_map_of_the_tests_has_every_file() {
    let map = read("CONTRIBUTING.md");
    for entry in fs::read_dir(root().join("tests/suite")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_test = Path::new(&name).extension().is_some_and(|it| it == "rs");
        assert!(
            !is_test
                || ["main.rs", "support.rs"].contains(&name.as_str())
                || map.contains(&format!("{name}`")),
            "CONTRIBUTING.md does not name {name}"
        );
    }
}
