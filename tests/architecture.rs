// SPDX-License-Identifier: GPL-3.0-or-later
//! The house keeps its shape: who may use whom, and who may touch what.
//!
//! The sources are read as tokens, so that comments and strings do not count, nor what stands under
//! `#[cfg(test)]`. A room that does not exist yet is no error; one that is not in [`ARROWS`] is.

mod circles;

use crate::rust_paths::{self, Named, Source};
use std::path::Path;

/// Each room and the rooms that it may use. A change here is a change of the design.
const ARROWS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("files", &[]),
    ("hive_name", &[]),
    ("regf", &["text"]),
    ("settings", &["text"]),
    ("profile", &["files", "hive_name", "settings", "text"]),
    ("policy", &["text"]),
    ("import", &["policy", "profile", "text"]),
    ("explain", &["text"]),
    ("log", &["regf", "text"]),
    ("edit", &["regf", "text"]),
    ("mend", &["regf", "text"]),
    ("verify", &["regf", "text"]),
    ("disk", &["regf", "hive_name", "text"]),
    ("store", &["disk", "text"]),
    ("machine", &["profile", "regf", "text"]),
    ("plan", &["machine", "profile", "regf", "text"]),
    (
        "effect",
        &[
            "plan", "machine", "settings", "policy", "profile", "regf", "text",
        ],
    ),
    (
        "diagnose",
        &[
            "effect", "plan", "machine", "settings", "policy", "profile", "regf", "text",
        ],
    ),
    (
        "report",
        &[
            "diagnose", "effect", "plan", "machine", "settings", "profile", "policy", "import",
            "explain", "regf", "disk", "store", "verify", "edit", "log", "mend", "text",
        ],
    ),
    (
        "cli",
        &[
            "text", "files", "regf", "profile", "policy", "import", "explain", "log", "edit",
            "mend", "verify", "disk", "store", "settings", "machine", "plan", "effect", "diagnose",
            "report",
        ],
    ),
    ("main", &["cli"]),
];

/// Crates that only one room may name.
const CRATE_OF_ROOM: &[(&str, &str)] = &[
    ("nt_hive", "verify"),
    ("serde_yaml", "profile"),
    ("clap", "cli"),
    ("anyhow", "cli"),
    ("tempfile", "store"),
];

/// Crates that the format room does without.
const NOT_IN_REGF: &[&str] = &["serde", "serde_json"];

/// Functions of a module or crate `fs`, `File`, `xattr` or `filetime` that change a disk.
const WRITERS: &[(&str, &[&str])] = &[
    (
        "fs",
        &[
            "write",
            "rename",
            "copy",
            "remove_file",
            "remove_dir",
            "remove_dir_all",
            "hard_link",
            "soft_link",
            "symlink",
            "symlink_file",
            "symlink_dir",
            "create_dir",
            "create_dir_all",
            "DirBuilder",
            "set_permissions",
            "chown",
            "fchown",
            "lchown",
        ],
    ),
    ("File", &["create", "create_new", "create_buffered"]),
    ("xattr", &["set", "set_deref", "remove", "remove_deref"]),
    (
        "filetime",
        &[
            "set_file_times",
            "set_file_mtime",
            "set_file_atime",
            "set_file_handle_times",
            "set_symlink_file_times",
        ],
    ),
];

/// Methods that change a disk whatever they are given.
const WRITING_METHODS: &[&str] = &["set_len", "set_permissions", "set_times", "set_modified"];

/// Options of `OpenOptions` that change a disk when given `true`.
const WRITING_OPTIONS: &[&str] = &["write", "append", "create", "create_new", "truncate"];

/// Methods of std that make text for people of what others wrote, each by rules of its own.
const SHOWING_METHODS: &[&str] = &["escape_debug", "escape_default", "display"];

/// Files outside the store that may write to disk, and why.
const MAY_WRITE: &[(&str, &str)] = &[(
    "src/cli/plan_file.rs",
    "`plan -o FILE` writes a file of the user's own; it refuses to write into the target",
)];

/// Everything that is wrong with the files given as path from the repository and text.
fn violations(files: &[(String, String)]) -> Vec<String> {
    let sources = rust_paths::read(files);
    let mut found = Vec::new();
    for source in &sources {
        check_room(source, &mut found);
        for named in &source.named {
            check_arrow(source, named, &mut found);
            check_crates(source, named, &mut found);
            check_format_room(source, named, &mut found);
        }
        check_writing(source, &mut found);
        check_text(source, &mut found);
    }
    check_one_yaml_file(&sources, &mut found);
    found
}

fn check_room(source: &Source, found: &mut Vec<String>) {
    let room = source.room();
    if room != "lib" && arrows_of(room).is_none() {
        found.push(format!(
            "{}: {room} is not a room of the design",
            source.file
        ));
    }
}

fn arrows_of(room: &str) -> Option<&'static [&'static str]> {
    let mut rooms = ARROWS.iter();
    rooms.find(|(name, _)| *name == room).map(|(_, uses)| *uses)
}

fn check_arrow(source: &Source, named: &Named, found: &mut Vec<String>) {
    let room = source.room();
    let Some(target) = named.in_crate().filter(|_| room != "lib") else {
        return;
    };
    let (file, path) = (&source.file, &named.path);
    let Some(first) = target.first() else {
        // `pub(crate)` and `pub(super)` name the crate too, without using it.
        if named.imported {
            found.push(format!("{file}: {} takes the whole crate", path.join("::")));
        }
        return;
    };
    if first == room {
        return;
    }
    if arrows_of(first).is_none() {
        let path = path.join("::");
        found.push(format!("{file}: {path} names no room of the design"));
    } else if !arrows_of(room).is_some_and(|uses| uses.contains(&first.as_str())) {
        let path = path.join("::");
        found.push(format!("{file}: {path}: {room} may not use {first}"));
    }
}

fn check_crates(source: &Source, named: &Named, found: &mut Vec<String>) {
    for (krate, room) in CRATE_OF_ROOM {
        if named.is_of_crate(krate) && source.room() != *room {
            found.push(format!("{}: only {room} may use {krate}", source.file));
        }
    }
}

fn check_format_room(source: &Source, named: &Named, found: &mut Vec<String>) {
    if source.room() != "regf" {
        return;
    }
    let path: Vec<&str> = named.path.iter().map(String::as_str).collect();
    let input_output = match path.as_slice() {
        ["std", "io", "ErrorKind", ..] => false,
        ["std", "fs" | "io" | "net" | "process" | "env", ..] | ["std", "*"] => true,
        ["std", "self"] | ["std"] => named.imported,
        _ => false,
    };
    if input_output || NOT_IN_REGF.iter().any(|krate| named.is_of_crate(krate)) {
        let path = path.join("::");
        found.push(format!("{}: the format room uses {path}", source.file));
    }
}

fn check_writing(source: &Source, found: &mut Vec<String>) {
    let excused = MAY_WRITE.iter().any(|(file, _)| *file == source.file);
    if source.room() == "store" || excused {
        return;
    }
    let writes = |module: &str, function: &str| {
        let mut writers = WRITERS.iter().filter(|(name, _)| *name == module);
        writers.any(|(_, functions)| functions.contains(&function) || function == "*")
    };
    for named in &source.named {
        if named.path.windows(2).any(|two| writes(&two[0], &two[1])) {
            let path = named.path.join("::");
            found.push(format!("{}: {path} writes to disk", source.file));
        }
    }
    for (method, argument) in &source.calls {
        let method = method.as_str();
        let option = WRITING_OPTIONS.contains(&method) && argument == "true";
        if option || WRITING_METHODS.contains(&method) {
            found.push(format!("{}: .{method}() writes to disk", source.file));
        }
    }
}

fn check_text(source: &Source, found: &mut Vec<String>) {
    for (method, _) in &source.calls {
        if SHOWING_METHODS.contains(&method.as_str()) {
            found.push(format!(
                "{}: .{method}() shows what others wrote past src/text.rs",
                source.file
            ));
        }
    }
}

fn check_one_yaml_file(sources: &[Source], found: &mut Vec<String>) {
    let uses_yaml = |source: &&Source| {
        let mut named = source.named.iter();
        named.any(|named| named.is_of_crate("serde_yaml"))
    };
    let files: Vec<&str> = sources.iter().filter(uses_yaml).map(|s| &*s.file).collect();
    if files.len() > 1 {
        found.push(format!("serde_yaml is used in {}", files.join(" and ")));
    }
}

/// Every Rust file below `folder` of the repository, with its text.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.push((name.replace('\\', "/"), text));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_rooms_keep_to_their_arrows() {
    let files = rust_files("src");
    assert!(files.iter().any(|(name, _)| name == "src/lib.rs"));
    let found = violations(&files);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_source_file_begins_with_its_licence() {
    let folders = ["src", "tests", "benches"];
    let files: Vec<_> = folders.into_iter().flat_map(rust_files).collect();
    assert!(
        files
            .iter()
            .any(|(name, _)| name == "tests/architecture.rs")
    );
    let line = "// SPDX-License-Identifier: GPL-3.0-or-later";
    let without = files
        .iter()
        .filter(|(_, text)| text.lines().next() != Some(line));
    let without: Vec<&str> = without.map(|(name, _)| name.as_str()).collect();
    assert!(without.is_empty(), "no licence line: {without:?}");
}

/// What is wrong with one made-up file.
fn judged(file: &str, text: &str) -> Vec<String> {
    violations(&[(file.to_owned(), text.to_owned())])
}

#[test]
fn forbidden_arrows_are_found() {
    let wrong = [
        ("src/regf/cell.rs", "use crate::edit::Image;"),
        ("src/plan/mod.rs", "fn f() { let x = crate::edit::seal(); }"),
        (
            "src/plan/mod.rs",
            "fn f() { println!(\"{}\", crate::store::x()); }",
        ),
        ("src/plan/mod.rs", "use crate::{regf::Cell, edit::Image};"),
        ("src/plan/mod.rs", "use crate::{regf, store};"),
        ("src/plan/sets.rs", "use super::super::edit::Image;"),
        (
            "src/plan/sets.rs",
            "mod inner { use super::super::super::edit::Image; }",
        ),
        ("src/plan/mod.rs", "use super::disk;"),
        ("src/plan/mod.rs", "use hivemend::report::Diff;"),
        ("src/plan/mod.rs", "use ::hivemend::report::Diff;"),
        ("src/plan/mod.rs", "use crate as house;"),
        ("src/plan/mod.rs", "use crate::*;"),
        ("src/plan/mod.rs", "use crate::Reexported;"),
        ("src/plan/mod.rs", "impl<T: crate::disk::Look> X for T {}"),
        ("src/store/mod.rs", "use crate::regf::BaseBlock;"),
        ("src/disk/mod.rs", "pub(in crate::store) fn f() {}"),
        ("src/report/mod.rs", "use crate::cli::Args;"),
        ("src/verify.rs", "use crate::edit::Image;"),
        ("src/main.rs", "fn main() { hivemend::plan::run(); }"),
        ("src/helpers.rs", "fn f() {}"),
    ];
    for (file, text) in wrong {
        assert!(!judged(file, text).is_empty(), "{file}: {text}");
    }
}

#[test]
fn forbidden_crates_are_found() {
    let wrong = [
        ("src/edit/mod.rs", "use nt_hive::Hive;"),
        (
            "src/edit/mod.rs",
            "fn f() { let h = nt_hive::Hive::new(b); }",
        ),
        ("src/plan/mod.rs", "use serde_yaml;"),
        ("src/plan/mod.rs", "use ::serde_yaml as yaml;"),
        ("src/plan/mod.rs", "fn f() -> anyhow::Result<()> { g() }"),
        ("src/report/mod.rs", "#[derive(clap::Args)] struct A;"),
        ("src/regf/mod.rs", "use serde::Serialize;"),
        ("src/regf/mod.rs", "#[derive(serde::Serialize)] struct A;"),
        ("src/regf/mod.rs", "use std::io;"),
        ("src/regf/mod.rs", "use std::{fmt, io::{self, ErrorKind}};"),
        ("src/regf/mod.rs", "use std::io::{ErrorKind, Read};"),
        ("src/regf/mod.rs", "fn f() { std::fs::read(p); }"),
    ];
    for (file, text) in wrong {
        assert!(!judged(file, text).is_empty(), "{file}: {text}");
    }
    let yaml = "use serde_yaml::Value;".to_owned();
    let two = ["src/profile/a.rs", "src/profile/b.rs"].map(|f| (f.to_owned(), yaml.clone()));
    assert_eq!(violations(&two[..1]), Vec::<String>::new());
    assert_eq!(violations(&two).len(), 1);
}

#[test]
fn forbidden_writing_is_found() {
    let wrong = [
        "fn f() { std::fs::write(p, b); }",
        "use std::fs; fn f() { fs::rename(a, b); }",
        "use std::fs::{read, remove_file as gone};",
        "use std::fs::*;",
        "use std::{fs::{File, hard_link}, io};",
        "fn f() { std::fs::File::create(p); }",
        "fn f() { OpenOptions::new().read(true).write(true).open(p); }",
        "fn f() { options.create_new(true); }",
        "fn f() { file.set_len(0); }",
        "fn f() { std::os::unix::fs::symlink(a, b); }",
        "fn f() { xattr::set(p, n, v); }",
        "use tempfile::NamedTempFile;",
    ];
    for text in wrong {
        assert!(!judged("src/disk/mod.rs", text).is_empty(), "{text}");
        assert!(judged("src/store/mod.rs", text).is_empty(), "{text}");
    }
}

#[test]
fn text_that_others_wrote_is_shown_in_one_way() {
    let wrong = [
        "fn f() { name.escape_debug(); }",
        "fn f() { format!(\"{}\", name.escape_default()); }",
        "fn f() { format!(\"{}\", path.display()); }",
    ];
    for text in wrong {
        assert!(!judged("src/store/names.rs", text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let right = [
        ("src/lib.rs", "pub mod regf; pub mod plan;"),
        (
            "src/main.rs",
            "fn main() -> ExitCode { hivemend::cli::run() }",
        ),
        (
            "src/plan/mod.rs",
            "use crate::{machine, profile::Rule, regf::Cell};",
        ),
        (
            "src/plan/mod.rs",
            "pub(crate) fn f() {} use crate::plan::x; use self::x::y;",
        ),
        (
            "src/plan/sets.rs",
            "use super::Plan; use super::super::regf::Cell;",
        ),
        (
            "src/plan/mod.rs",
            "// use crate::edit;\n/* crate::edit::x */ const T: &str = \"crate::edit\";",
        ),
        ("src/plan/mod.rs", "/// See [`crate::edit::x`].\nfn f() {}"),
        (
            "src/plan/mod.rs",
            "#[cfg(test)] mod tests { use crate::edit::Image; } use crate::regf;",
        ),
        (
            "src/cli/mod.rs",
            "use crate::{plan, store}; use clap::Parser; use anyhow::Context;",
        ),
        ("src/verify.rs", "use nt_hive::Hive; use crate::regf::Key;"),
        (
            "src/verify/walk.rs",
            "use nt_hive::Hive; use super::Witness;",
        ),
        (
            "src/regf/error.rs",
            "use std::fmt; use std::io::ErrorKind; fn f(k: std::io::ErrorKind) {}",
        ),
        (
            "src/disk/mod.rs",
            "use std::fs::{self, File}; fn f() { File::open(p); options.write(false); }",
        ),
        (
            "src/disk/mod.rs",
            "fn f() { list.truncate(4); out.write(bytes); let clap = 1; clap.x(); }",
        ),
        (
            "src/store/mod.rs",
            "use crate::disk::Target; fn f() { std::fs::rename(a, b); }",
        ),
    ];
    for (file, text) in right {
        assert_eq!(judged(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}

#[test]
fn a_file_of_tests_only_is_left_alone() {
    let files = |declared: &str| {
        let own = ("src/plan/mod.rs".to_owned(), declared.to_owned());
        let tests = (
            "src/plan/tests.rs".to_owned(),
            "use crate::edit::Image;".to_owned(),
        );
        violations(&[own, tests])
    };
    assert_eq!(files("#[cfg(test)]\nmod tests;"), Vec::<String>::new());
    assert_eq!(files("mod tests;").len(), 1);
}
