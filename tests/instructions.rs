// SPDX-License-Identifier: GPL-3.0-or-later
//! A slowdown is seen without a clock: instructions of whole commands, counted by callgrind, are
//! those of `benches/instructions.json`, within a tolerance.
//!
//! Counted are the instructions of hivemend itself, in the program that `cargo test` builds. Not
//! counted are the C library and sha2, which choose their code by the processor. After a change
//! that is meant, `HIVEMEND_COUNT=write cargo test instructions::` writes the file anew.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::large_hive;
use serde_json::{Value as Json, json};

/// Keys of the hive that is counted on: some megabytes, so that no command's start is most of it.
const KEYS: u32 = 4_000;
/// Per cent by which a count may differ. Two runs differ by less than one, because the standard
/// library's hash maps are seeded at random and paths differ in length; the rest is for small
/// changes that need no explanation.
const TOLERANCE: u64 = 10;
/// Per cent by which counts of another compiler may differ.
const OTHER_COMPILER: u64 = 30;

#[test]
fn commands_take_as_many_instructions_as_before() {
    if skip_without_counts() {
        return;
    }
    let disk = tempfile::tempdir().unwrap();
    let clean = large_hive::build(KEYS).unwrap();
    let changed = large_hive::changed(&clean, KEYS).unwrap();
    let hive = write(disk.path(), "clean", &[("SYSTEM", &clean)]);
    let logs: [(&str, &[u8]); 3] = [
        ("SYSTEM", &changed.primary),
        ("SYSTEM.LOG1", &changed.first),
        ("SYSTEM.LOG2", &changed.second),
    ];
    write(disk.path(), "dirty", &logs);
    let root = |name: &str| disk.path().join(name).display().to_string();
    let hive = hive.display().to_string();
    let cases: [(&str, Vec<String>); 3] = [
        (
            "plan",
            words(&["plan", &root("clean"), "-p", "rdp-disconnects"]),
        ),
        ("check", words(&["check", &hive])),
        (
            "replay",
            words(&["show", &root("dirty"), "SYSTEM\\Select", "Current"]),
        ),
    ];
    let counts: BTreeMap<&str, u64> = cases
        .iter()
        .map(|(name, arguments)| (*name, count(arguments, disk.path())))
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.json");
    if std::env::var("HIVEMEND_COUNT").is_ok_and(|wish| wish == "write") {
        let document = json!({ "compiler": compiler(), "instructions": counts });
        let text = serde_json::to_string_pretty(&document).unwrap();
        return fs::write(&file, text + "\n").unwrap();
    }
    let known: Json = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let same_compiler = known["compiler"] == compiler().as_str();
    let tolerance = if same_compiler {
        TOLERANCE
    } else {
        OTHER_COMPILER
    };
    for (name, found) in counts {
        let expected = known["instructions"][name].as_u64().unwrap();
        println!("{name}: {found} instructions, {expected} expected");
        assert!(
            found.abs_diff(expected) * 100 <= expected * tolerance,
            "{name}: {found} instructions instead of {expected}, more than {tolerance} % off; \
             where that is meant: HIVEMEND_COUNT=write cargo test instructions::"
        );
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Whether a test is skipped because instructions cannot be counted here, which is said aloud.
pub(crate) fn skip_without_counts() -> bool {
    let Some(why) = cannot_count() else {
        return false;
    };
    let said = format!("SKIPPED: {why}, no instructions were counted\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    assert!(
        std::env::var_os("HIVEMEND_REQUIRE_JUDGES").is_none(),
        "{said}"
    );
    true
}

/// Why instructions cannot be counted here.
fn cannot_count() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the counts are of Linux on x86-64");
    }
    if !cfg!(debug_assertions) {
        return Some("the counts are of the profile dev");
    }
    let found = Command::new("valgrind").arg("--version").output();
    found.is_err().then_some("valgrind is not installed")
}

/// Writes a disk's config folder and gives the path of its first file.
fn write(folder: &Path, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let config = folder.join(name).join("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    for (name, bytes) in files {
        fs::write(config.join(name), bytes).unwrap();
    }
    config.join(files[0].0)
}

fn compiler() -> String {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(compiler).arg("--version").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// The instructions of one run of hivemend.
pub(crate) fn count(arguments: &[String], folder: &Path) -> u64 {
    let profile = folder.join("callgrind.out");
    let program = env!("CARGO_BIN_EXE_hivemend");
    let run = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--compress-strings=no",
            "--compress-pos=no",
        ])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{arguments:?}: {said}");
    own_instructions(&fs::read_to_string(profile).unwrap(), program)
}

/// The instructions of `program` itself in what callgrind wrote.
fn own_instructions(profile: &str, program: &str) -> u64 {
    let (mut is_own, mut is_counted, mut is_call) = (false, false, false);
    let mut sum = 0;
    for line in profile.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_own = object == program;
        } else if let Some(function) = line.strip_prefix("fn=") {
            is_counted = !["sha2::", "memchr::"]
                .iter()
                .any(|part| function.contains(part));
        } else if line.starts_with("calls=") {
            is_call = true; // the next line has what the called function took
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok());
            sum += cost
                .filter(|_| is_own && is_counted && !is_call)
                .unwrap_or(0);
            is_call = false;
        }
    }
    sum
}

#[test]
fn only_the_program_itself_is_counted() {
    let profile = "events: Ir\nob=/bin/hivemend\nfl=a.rs\nfn=hivemend::main\n12 100\n\
        cob=/lib/libc.so\ncfn=memcpy\ncalls=3 7\n12 4000\n13 20\nfn=sha2::compress\n1 900\n\
        ob=/lib/libc.so\nfn=memcpy\n7 4000\nob=/bin/hivemend\nfn=hivemend::check\n5 3\n";
    assert_eq!(own_instructions(profile, "/bin/hivemend"), 123);
}
