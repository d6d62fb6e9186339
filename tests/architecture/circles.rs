// SPDX-License-Identifier: GPL-3.0-or-later
//! No circles of files, and the floors of rooms.
//!
//! A file uses another where it names something that the other defines; `tests/common/file_graph.rs`
//! says what counts.

use super::rust_files;
use crate::file_graph::FileGraph;
use crate::rust_paths::{self, Source};

/// Rooms in which files still use each other in circles. Nothing is to be added.
const UNFINISHED: &[&str] = &[];

/// The floors of a room, from the ground up: files or folders of it. Each uses those below it.
const FLOORS: &[(&str, &[&str])] = &[
    ("profile", &["model", "reading", "checking", "library"]),
    ("disk", &["system", "volume", "guard", "candidates"]),
    (
        "store",
        &[
            "terms",
            "error",
            "medium",
            "trust",
            "files",
            "record",
            "transaction",
            "door",
            "operations",
        ],
    ),
];

/// Every circle outside the rooms `unfinished`, with what ties it.
fn circles(graph: &FileGraph<'_>, unfinished: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for circle in graph.circles() {
        if circle.iter().any(|file| unfinished.contains(&file.room())) {
            continue;
        }
        let is_in = |file: &Source| circle.iter().any(|one| one.file == file.file);
        let ties = graph
            .uses()
            .filter(|(from, to, _)| is_in(from) && is_in(to));
        found.push(format!("{} files use each other:", circle.len()));
        found.extend(ties.map(|(from, to, names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("  {} -> {} ({})", from.file, to.file, names.join(", "))
        }));
    }
    found
}

/// What the rooms of `floors` use of a floor above, and files that stand on no floor.
fn against_floors(graph: &FileGraph<'_>, floors: &[(&str, &[&str])]) -> Vec<String> {
    let mut found = Vec::new();
    for (room, floors) in floors {
        let of_room = |file: &&Source| file.room() == *room;
        for file in graph.sources().iter().filter(of_room) {
            if floor(file, floors).is_none() {
                found.push(format!("{}: stands on no floor of {room}", file.file));
            }
        }
        let uses = graph.uses();
        for (from, to, names) in uses.filter(|(from, to, _)| of_room(from) && of_room(to)) {
            if floor(from, floors) < floor(to, floors) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let (from, to, names) = (&from.file, &to.file, names.join(", "));
                found.push(format!("{from} -> {to} ({names}): is on a floor above"));
            }
        }
    }
    found
}

/// The floor that a file of a room stands on; the room's own file is the roof.
fn floor(file: &Source, floors: &[&str]) -> Option<usize> {
    match file.module.get(1) {
        None => Some(floors.len()),
        Some(name) => floors.iter().position(|floor| floor == name),
    }
}

#[test]
fn no_files_use_each_other_in_circles() {
    let sources = rust_paths::read(&rust_files("src"));
    let found = circles(&FileGraph::new(&sources), UNFINISHED);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_room_that_is_finished_is_not_listed_as_unfinished() {
    let sources = rust_paths::read(&rust_files("src"));
    let graph = FileGraph::new(&sources);
    let circles = graph.circles();
    let has_circles = |room: &&&str| circles.iter().flatten().any(|file| file.room() == **room);
    let finished: Vec<_> = UNFINISHED
        .iter()
        .filter(|room| !has_circles(room))
        .collect();
    assert!(finished.is_empty(), "take out of UNFINISHED: {finished:?}");
}

#[test]
fn each_floor_uses_only_those_below() {
    let sources = rust_paths::read(&rust_files("src"));
    let found = against_floors(&FileGraph::new(&sources), FLOORS);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn made_up(files: &[(&str, &str)]) -> Vec<Source> {
    let files: Vec<_> = files
        .iter()
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect();
    rust_paths::read(&files)
}

/// The uses among made-up files, as `a -> b (name)` with the modules' last names.
fn uses(files: &[(&str, &str)]) -> Vec<String> {
    let sources = made_up(files);
    let graph = FileGraph::new(&sources);
    let name = |file: &Source| file.module.last().cloned().unwrap_or_default();
    let uses = graph.uses().map(|(from, to, names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{} -> {} ({})", name(from), name(to), names.join(", "))
    });
    uses.collect()
}

#[test]
fn a_circle_is_found_and_named() {
    let files = [
        ("src/plan/mod.rs", "mod a; mod b; mod c; pub use a::A;"),
        ("src/plan/a.rs", "use super::b::B; pub struct A(B);"),
        (
            "src/plan/b.rs",
            "pub struct B; fn f() -> super::c::C { g() }",
        ),
        ("src/plan/c.rs", "use crate::plan::A; pub struct C(A);"),
    ];
    let sources = made_up(&files);
    let graph = FileGraph::new(&sources);
    let expected = [
        "3 files use each other:",
        "  src/plan/a.rs -> src/plan/b.rs (B)",
        "  src/plan/b.rs -> src/plan/c.rs (C)",
        "  src/plan/c.rs -> src/plan/a.rs (A)",
    ];
    assert_eq!(circles(&graph, &[]), expected);
    assert_eq!(circles(&graph, &["plan"]), Vec::<String>::new());
}

#[test]
fn a_room_that_takes_from_its_child_what_that_takes_from_it_is_a_circle() {
    let child = ("src/plan/a.rs", "use super::T; pub fn f(t: T) {}");
    let of_own = (
        "src/plan/mod.rs",
        "mod a; pub struct T; fn g() { a::f(T); }",
    );
    let handed_on = ("src/plan/mod.rs", "mod a; pub use a::f; pub struct T;");
    let taken = (
        "src/plan/mod.rs",
        "mod a; pub use a::f; pub struct T; fn g() { f(T); }",
    );
    for (room, count) in [(of_own, 1), (handed_on, 0), (taken, 1)] {
        let sources = made_up(&[room, child]);
        let graph = FileGraph::new(&sources);
        assert_eq!(graph.circles().len(), count, "{room:?}");
    }
}

#[test]
fn names_are_followed_to_the_file_that_defines_them() {
    let room = |text| ("src/plan/mod.rs", text);
    let (a, user) = ("src/plan/a.rs", "src/plan/user.rs");
    let cases = [
        // Through a re-export of the room, also under another name, and by way of a module.
        (room("pub use a::A;"), "use super::A;"),
        (room("pub(crate) use a::A;"), "use crate::plan::{A, user};"),
        (room("pub use a::A as B;"), "fn f(b: super::B) {}"),
        (room(""), "use super::a; fn f() -> a::A { a::A }"),
        (room(""), "use super::a::{self}; fn f(x: a::A) {}"),
        (room(""), "use crate::plan; fn f(x: plan::a::A) {}"),
        (room("use self::a::A;"), "use super::A;"),
        // What is behind the name stands in the same file.
        (room("pub use a::A;"), "fn f() { super::A::new(); }"),
    ];
    for (room, text) in cases {
        let found = uses(&[room, (a, "pub struct A;"), (user, text)]);
        let has = |name: &str| found.contains(&format!("user -> a ({name})"));
        assert!(has("A"), "{room:?}: {text}: {found:?}");
        assert!(!found.iter().any(|one| one.contains("user -> plan")));
    }
}

#[test]
fn each_systems_half_is_followed() {
    let found = uses(&[
        (
            "src/disk/mod.rs",
            "#[cfg(unix)] pub use unix::read; #[cfg(windows)] pub use windows::read;",
        ),
        ("src/disk/unix.rs", "pub fn read() {}"),
        ("src/disk/windows.rs", "pub fn read() {}"),
        ("src/disk/user.rs", "fn f() { super::read(); }"),
    ]);
    assert_eq!(found, ["user -> unix (read)", "user -> windows (read)"]);
}

#[test]
fn what_is_no_use_is_left_out() {
    let none: [&[(&str, &str)]; 5] = [
        &[
            ("src/plan/mod.rs", "mod a; pub use a::a;"),
            ("src/plan/a.rs", "pub fn a() {}"),
        ],
        // A module alone says nothing of what is taken from it.
        &[
            ("src/plan/mod.rs", "mod a; mod b; pub struct T;"),
            ("src/plan/a.rs", "use super::b;"),
            ("src/plan/b.rs", ""),
        ],
        &[
            (
                "src/plan/a.rs",
                "#[cfg(test)] mod tests { use super::super::b::B; }",
            ),
            ("src/plan/b.rs", "pub struct B;"),
        ],
        &[
            (
                "src/plan/a.rs",
                "// super::b::B\nfn f() { g(\"super::b::B\", x.b()); }",
            ),
            ("src/plan/b.rs", "pub struct B;"),
        ],
        &[
            (
                "src/plan/a.rs",
                "pub(in crate::plan) fn f() { let b = std::b::B; }",
            ),
            ("src/plan/b.rs", "pub struct B;"),
        ],
    ];
    for files in none {
        assert_eq!(uses(files), Vec::<String>::new(), "{files:?}");
    }
}

#[test]
fn a_layered_room_has_no_circles_and_keeps_to_its_floors() {
    let files = [
        ("src/disk/mod.rs", "mod low; mod high; pub use high::High;"),
        ("src/disk/low/mod.rs", "mod a; mod b; pub use b::B;"),
        ("src/disk/low/a.rs", "pub struct A;"),
        ("src/disk/low/b.rs", "use super::a::A; pub struct B(A);"),
        ("src/disk/high.rs", "use super::low::B; pub struct High(B);"),
    ];
    let sources = made_up(&files);
    let graph = FileGraph::new(&sources);
    assert_eq!(circles(&graph, &[]), Vec::<String>::new());
    let found = against_floors(&graph, &[("disk", &["low", "high"])]);
    assert_eq!(found, Vec::<String>::new());
    let found = against_floors(&graph, &[("disk", &["high", "low"])]);
    let up = "src/disk/high.rs -> src/disk/low/b.rs (B): is on a floor above";
    assert_eq!(found, [up]);
    let found = against_floors(&graph, &[("disk", &["high"])]);
    assert!(found.contains(&"src/disk/low/a.rs: stands on no floor of disk".to_owned()));
}

#[test]
fn what_the_roof_defines_is_above_every_floor() {
    let sources = made_up(&[
        ("src/disk/mod.rs", "mod low; pub struct Roof;"),
        ("src/disk/low.rs", "use super::Roof;"),
    ]);
    let found = against_floors(&FileGraph::new(&sources), &[("disk", &["low"])]);
    assert_eq!(found.len(), 1, "{found:?}");
}
