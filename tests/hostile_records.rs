// SPDX-License-Identifier: GPL-3.0-or-later
//! A record on a disk grants no rights: whatever a manifest or a journal says, nothing is created,
//! changed or given other rights than the target's own hives and their logs, with no more than they
//! had.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, lgetxattr, llistxattr, renameat_with};
use serde_json::{Value as Json, json};

use crate::bench::{Bench, Ended, sha256};

const APPLY: [&str; 3] = ["-p", "rdp-disconnects", "--yes"];
/// What one record of each kind is mutated into in the gate; HIVEMEND_EXHAUSTIVE=1: ten times that.
const MUTATIONS: u64 = 100;

fn exhaustive() -> bool {
    std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some()
}

/// What matters of a file: kind and mode, owner, group, content or where it leads, attributes.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    mode: u32,
    owner: (u32, u32),
    content: String,
    attributes: BTreeMap<String, Vec<u8>>,
}

/// Everything below a folder, links not followed.
fn all_below(folder: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = match metadata.file_type() {
            kind if kind.is_dir() => {
                found.extend(all_below(&path));
                "folder".to_owned()
            }
            kind if kind.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
            _ => sha256(&path),
        };
        let seen = Seen {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            content,
            attributes: attributes(&path),
        };
        found.insert(path, seen);
    }
    found
}

fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 65_536];
    let length = llistxattr(path, &mut names[..]).unwrap_or(0);
    let names = names[..length].split(|byte| *byte == 0);
    let named = names.filter(|name| !name.is_empty()).map(|name| {
        let name = String::from_utf8(name.to_vec()).unwrap();
        let mut value = vec![0; 65_536];
        let length = lgetxattr(path, &name, &mut value[..]).unwrap_or(0);
        value.truncate(length);
        (name, value)
    });
    named.collect()
}

/// Whether the store may make or change a file of this name in the config folder.
fn is_own(config: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(config) else {
        return false;
    };
    if below.starts_with("hivemend") {
        return true;
    }
    let name = below.to_string_lossy().to_ascii_uppercase();
    let name = match name.find(".HIVEMEND-") {
        Some(at) => &name[..at],
        None => name.as_str(),
    };
    let hives = ["SYSTEM", "SOFTWARE"];
    let is_of = |hive: &&str| {
        let rest = name.strip_prefix(*hive);
        rest.is_some_and(|rest| ["", ".LOG", ".LOG1", ".LOG2"].contains(&rest))
    };
    name.starts_with("HIVEMEND.JOURNAL") || hives.iter().any(is_of)
}

/// Nothing outside the hive set is other than it was, and nothing has rights that nothing had.
fn nothing_else(bench: &Bench, before: &BTreeMap<PathBuf, Seen>, context: &str) {
    let config = bench.config();
    let after = all_below(bench.disk().parent().unwrap());
    for (path, seen) in &after {
        let old = before.get(path);
        assert_eq!(seen.mode & 0o7000, 0, "{context}: {path:?} {seen:?}");
        let privileged = seen
            .attributes
            .keys()
            .find(|name| name.starts_with("trusted.") || *name == "security.capability");
        assert_eq!(privileged, None, "{context}: {path:?}");
        if old == Some(seen) {
            continue;
        }
        // Folders say by their time alone that something was made in them.
        assert!(
            is_own(&config, path),
            "{context}: {path:?} is {seen:?}, was {old:?}"
        );
        if let Some(old) = old.filter(|_| !path.starts_with(config.join("hivemend"))) {
            assert_eq!(
                seen.mode & !old.mode & 0o7777,
                0,
                "{context}: {path:?} {seen:?}"
            );
            assert_eq!(seen.owner, old.owner, "{context}: {path:?}");
        }
        let folder = fs::metadata(&config).unwrap();
        assert_eq!(
            seen.owner,
            (folder.uid(), folder.gid()),
            "{context}: {path:?}"
        );
        let is_file = seen.content != "folder";
        // ntfs-3g shows every file with the mount's mode.
        let modes = before.values().filter(|seen| seen.content != "folder");
        if modes.clone().all(|seen| seen.mode & 0o111 == 0o111) {
            continue;
        }
        assert!(
            !is_file || seen.mode & 0o111 == 0,
            "{context}: {path:?} {seen:?}"
        );
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        assert!(is_own(&config, path), "{context}: {path:?} is gone");
    }
}

/// A disk that was repaired once, beside a file of somebody else's.
fn repaired() -> (Bench, PathBuf) {
    let bench = Bench::in_memory();
    fs::write(bench.beside("secret"), b"somebody else's").unwrap();
    fs::set_permissions(bench.beside("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    bench.run("apply", &APPLY).expect(0);
    let mut backups = fs::read_dir(bench.config().join("hivemend")).unwrap();
    let backup = backups.next().unwrap().unwrap().path();
    (bench, backup)
}

fn read(path: &Path) -> Json {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Size and SHA-256 as records have them.
fn content_of(path: &Path) -> Json {
    json!({ "size": fs::metadata(path).unwrap().len(), "sha256": sha256(path) })
}

const SHELL: &[u8] = b"\x7fELF not really";

/// The reproduction: a manifest that asks for a root shell.
#[test]
fn a_manifest_makes_no_program() {
    for (name, role) in [
        ("rootsh", "hives"),
        ("SYSTEM.hivemend-x.new", "hives"),
        ("SAM", "hives"),
        ("rootsh", "companions"),
        ("SYSTEM.LOG3", "companions"),
        ("SAM.LOG1", "companions"),
    ] {
        let (bench, backup) = repaired();
        let (live, kept) = (bench.config().join(name), backup.join(name));
        fs::write(&kept, SHELL).unwrap();
        if role == "hives" {
            fs::write(&live, b"as it was left").unwrap();
        }
        let path = backup.join("manifest.json");
        let mut manifest = read(&path);
        let mut metadata = manifest["hives"][0]["metadata"].clone();
        metadata["mode"] = json!(0o4755);
        metadata["owner"] = json!(0);
        let mut record = json!({ "name": name, "file": name, "kept_as": "link", "role": "log",
            "before": content_of(&kept), "content": content_of(&kept), "metadata": metadata });
        if role == "hives" {
            record["after"] = content_of(&live);
        }
        manifest[role].as_array_mut().unwrap().push(record);
        fs::write(&path, manifest.to_string()).unwrap();
        let before = all_below(bench.disk().parent().unwrap());
        let ended = bench.run("restore", &["--yes"]).expect(3);
        assert!(
            ended.stderr.contains("names this file"),
            "{name}: {ended:?}"
        );
        assert_eq!(all_below(bench.disk().parent().unwrap()), before, "{name}");
    }
}

/// The same by a journal: a run that never was.
#[test]
fn a_journal_makes_no_program() {
    for command in [
        &["apply", APPLY[0], APPLY[1], APPLY[2]][..],
        &["restore", "--yes"],
    ] {
        for operation in ["apply", "restore"] {
            let (bench, backup) = repaired();
            let config = bench.config();
            let id = backup.file_name().unwrap().to_str().unwrap();
            let staged = config.join(format!("rootsh.hivemend-{id}.new"));
            fs::write(&staged, SHELL).unwrap();
            fs::write(config.join(format!("rootsh.hivemend-{id}.old")), SHELL).unwrap();
            fs::write(config.join("rootsh"), b"as it is").unwrap();
            fs::write(backup.join("rootsh"), SHELL).unwrap();
            let manifest = read(&backup.join("manifest.json"));
            let mut metadata = manifest["hives"][0]["metadata"].clone();
            metadata["mode"] = json!(0o4755);
            let journal = json!({ "schema": "hivemend.journal/1", "id": id,
                "run": manifest["run"], "operation": operation, "beside": true, "made_root": true,
                "swaps": [{ "name": "SYSTEM", "file": "rootsh", "from":
                content_of(&config.join("rootsh")), "to": content_of(&staged),
                "metadata": metadata }] });
            fs::write(config.join("hivemend.journal"), journal.to_string()).unwrap();
            let before = all_below(bench.disk().parent().unwrap());
            let ended = bench.run(command[0], &command[1..]).expect(3);
            assert!(ended.stderr.contains("names this file"), "{ended:?}");
            assert_eq!(all_below(bench.disk().parent().unwrap()), before);
        }
    }
}

/// The right names, and rights that the files have not.
#[test]
fn rights_that_a_file_has_not_are_refused_by_name() {
    let capability = "0100000200200000000000000000000000000000";
    // user::rw-, user:65534:rw-, group::r--, mask::rw-, other::---
    let acl = "0200000001000600ffffffff02000600feff000004000400ffffffff10000600ffffffff20000000\
        ffffffff";
    for (part, value, said) in [
        ("mode", json!(0o4600), "mode 4600"),
        ("mode", json!(0o2640), "mode 2640"),
        (
            "security.capability",
            json!(capability),
            "security.capability",
        ),
        (
            "trusted.overlay.redirect",
            json!("2f"),
            "trusted.overlay.redirect",
        ),
        (
            "system.posix_acl_access",
            json!(acl),
            "system.posix_acl_access",
        ),
        ("system.ntfs_acl", json!("01"), "system.ntfs_acl"),
    ] {
        let set = |record: &mut Json| match part {
            "mode" => record["metadata"]["mode"] = value.clone(),
            name => record["metadata"]["xattrs"][name] = value.clone(),
        };
        let (bench, backup) = repaired();
        let path = backup.join("manifest.json");
        let genuine = read(&path);
        let on_ntfs = genuine["hives"][0]["metadata"]["xattrs"]["system.ntfs_acl"].is_string();
        if on_ntfs && part == "mode" {
            // The mount's, whatever a record says: the descriptor decides there.
            continue;
        }
        let mut manifest = genuine.clone();
        set(&mut manifest["hives"][0]);
        fs::write(&path, manifest.to_string()).unwrap();
        let before = all_below(bench.disk().parent().unwrap());
        let ended = bench.run("restore", &["--yes"]).expect(3);
        assert!(ended.stderr.contains(said), "{part}: {ended:?}");
        assert_eq!(all_below(bench.disk().parent().unwrap()), before, "{part}");

        // And in the journal of a run that was cut short before its swap.
        fs::write(&path, genuine.to_string()).unwrap();
        let journal = journal_of(&bench, &backup, set);
        fs::write(bench.config().join("hivemend.journal"), journal.to_string()).unwrap();
        let before = all_below(bench.disk().parent().unwrap());
        for command in ["restore", "recover"] {
            let ended = bench.run(command, &["--yes"]).expect(3);
            assert!(ended.stderr.contains(said), "{part}: {ended:?}");
            assert_eq!(all_below(bench.disk().parent().unwrap()), before, "{part}");
        }
    }
}

/// Makes a finished apply look as if it was stopped after its swap, and gives its journal, changed.
fn journal_of(bench: &Bench, backup: &Path, change: impl Fn(&mut Json)) -> Json {
    let config = bench.config();
    let id = backup.file_name().unwrap().to_str().unwrap().to_owned();
    let path = backup.join("manifest.json");
    let mut manifest = read(&path);
    manifest["state"] = json!("applying");
    fs::write(&path, manifest.to_string()).unwrap();
    let mut swaps = Vec::new();
    for hive in manifest["hives"].as_array().unwrap() {
        let file = hive["file"].as_str().unwrap();
        let old = config.join(format!("{file}.hivemend-{id}.old"));
        fs::copy(backup.join(file), old).unwrap();
        let mut swap = json!({ "name": hive["name"], "file": file, "from": hive["before"],
            "to": hive["after"], "metadata": hive["metadata"] });
        change(&mut swap);
        swaps.push(swap);
    }
    json!({ "schema": "hivemend.journal/1", "id": id, "run": manifest["run"],
        "operation": "apply", "beside": true, "made_root": false, "swaps": swaps })
}

/// A file with the right name, hash and all, that is no hive.
#[test]
fn only_hives_and_logs_are_put_back() {
    for (name, role) in [("SYSTEM", "hives"), ("SYSTEM.LOG1", "companions")] {
        let (bench, backup) = repaired();
        let path = backup.join("manifest.json");
        let mut manifest = read(&path);
        fs::write(backup.join(name), SHELL).unwrap();
        let metadata = manifest["hives"][0]["metadata"].clone();
        match role {
            "hives" => manifest["hives"][0]["before"] = content_of(&backup.join(name)),
            _ => {
                let _ = fs::remove_file(bench.config().join(name));
                let record = json!({ "role": "log", "file": name,
                    "content": content_of(&backup.join(name)), "metadata": metadata });
                manifest["companions"] = json!([record]);
            }
        }
        fs::write(&path, manifest.to_string()).unwrap();
        let before = all_below(bench.disk().parent().unwrap());
        let ended = bench.run("restore", &["--yes"]).expect(3);
        assert!(
            ended.stderr.contains("not what hivemend puts back"),
            "{ended:?}"
        );
        assert_eq!(all_below(bench.disk().parent().unwrap()), before);
    }
}

// ---------------------------------------------------------------- mutations

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Every place in a record, as a JSON pointer.
fn places(record: &Json, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match record {
        Json::Object(fields) if !here.ends_with("/changes") => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(field, &format!("{here}/{name}"), found);
            }
        }
        Json::Array(items) if !here.ends_with("/changes") => {
            for (number, item) in items.iter().enumerate() {
                places(item, &format!("{here}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// What stands at a place becomes something else that the format has there, or has not.
fn mutate(record: &mut Json, contents: &[Json], dice: &mut Dice) -> String {
    let mut all = Vec::new();
    places(record, "", &mut all);
    let place = all[dice.roll(all.len())].clone();
    let names = [
        "rootsh",
        "SYSTEM",
        "system",
        "SOFTWARE",
        "SYSTEM.LOG1",
        "SAM",
        "SECURITY",
        "../secret",
        "..",
        "/etc/passwd",
        "hivemend",
        "hivemend.journal",
        "hivemend/x",
        "SYSTEM:ads",
        "a\nb",
        "SYSTEM ",
        "\u{202e}METSYS",
        "manifest.json",
    ];
    let name = |dice: &mut Dice| json!(names[dice.roll(names.len())]);
    let field = place.rsplit('/').next().unwrap_or_default().to_owned();
    let new = match field.as_str() {
        "file" | "name" => name(dice),
        "mode" => json!([0o4755, 0o2755, 0o7777, 0o777, 0, u64::MAX][dice.roll(6)]),
        "owner" | "group" => json!([0, 1, 65_534, 4_294_967_295_u64][dice.roll(4)]),
        "xattrs" => {
            let names = [
                "security.capability",
                "security.ima",
                "trusted.x",
                "user.x",
                "system.posix_acl_access",
                "system.ntfs_acl",
                "system.ntfs_attrib",
                "windows.attributes",
                "",
                "no.such",
                "system.posix_acl_default",
            ];
            let name = names[dice.roll(names.len())].to_owned();
            let value = json!(["", "00", "0100", "zz"][dice.roll(4)]);
            Json::Object([(name, value)].into_iter().collect())
        }
        "before" | "after" | "content" | "from" | "to" => {
            contents[dice.roll(contents.len())].clone()
        }
        "sha256" => contents[dice.roll(contents.len())]["sha256"].clone(),
        "size" => json!([0, 1, u64::MAX, 1 << 40][dice.roll(4)]),
        "state" => json!(["applying", "applied", "restored", "other"][dice.roll(4)]),
        "operation" => json!(["apply", "restore", "other"][dice.roll(3)]),
        "role" => json!(["log", "config"][dice.roll(2)]),
        "kept_as" => json!(["link", "copy"][dice.roll(2)]),
        "beside" | "made_root" | "read_only" => json!(dice.roll(2) == 0),
        "id" | "undoes" => json!(["2001-01-01T00-00-00Z", "9", "../x"][dice.roll(3)]),
        "seconds" | "nanos" => json!([i64::MAX, i64::MIN, 0, -1][dice.roll(4)]),
        _ => match dice.roll(4) {
            0 => json!(null),
            1 => json!([]),
            2 => json!({}),
            _ => name(dice),
        },
    };
    let said = format!("{place} = {new}");
    match record.pointer_mut(&place) {
        // An entry twice, and then one of them another.
        Some(Json::Array(items)) if !items.is_empty() && dice.roll(2) == 0 => {
            items.push(items[0].clone());
        }
        Some(found) => *found = new,
        None => {}
    }
    said
}

/// Rights that a record may ask for, each of them too many.
fn rights(dice: &mut Dice) -> (&'static str, Json) {
    match dice.roll(5) {
        0 => ("mode", json!(0o4755)),
        1 => ("mode", json!(0o2777)),
        2 => (
            "xattrs",
            json!({ "security.capability": "0100000200200000000000000000000000000000" }),
        ),
        3 => ("xattrs", json!({ "trusted.overlay.opaque": "79" })),
        _ => ("mode", json!(0o777)),
    }
}

/// A record that fits the disk in every name and hash, and is about another file or other rights.
fn craft(
    record: &mut Json,
    is_journal: bool,
    config: &Path,
    backup: &Path,
    dice: &mut Dice,
) -> String {
    let id = backup.file_name().unwrap().to_str().unwrap();
    let name = ["rootsh", "SAM", "sh", "SYSTEM", "SOFTWARE"][dice.roll(5)];
    let (live, kept) = (config.join(name), backup.join(name));
    if !live.exists() {
        fs::write(&live, b"as it was left").unwrap();
    }
    if !kept.exists() {
        fs::write(&kept, SHELL).unwrap();
    }
    let (part, value) = rights(dice);
    let entry = if is_journal {
        let staged = config.join(format!("{name}.hivemend-{id}.new"));
        let old = config.join(format!("{name}.hivemend-{id}.old"));
        fs::copy(&kept, &staged).unwrap();
        fs::copy(&kept, &old).unwrap();
        let entry = &mut record["swaps"][0];
        let (from, to) = match dice.roll(2) {
            // To be finished, or to be undone.
            0 => (content_of(&live), content_of(&staged)),
            _ => (content_of(&old), content_of(&live)),
        };
        (entry["from"], entry["to"]) = (from, to);
        entry
    } else {
        let entry = &mut record["hives"][0];
        (entry["before"], entry["after"]) = (content_of(&kept), content_of(&live));
        entry
    };
    entry["file"] = json!(name);
    entry["metadata"][part] = value.clone();
    format!("{name} with {part} {value}")
}

fn no_panic(ended: &Ended, context: &str) {
    assert!((0..=5).contains(&ended.code), "{context}: {ended:?}");
}

/// Records that a generator made which knows the format.
#[test]
fn no_mutation_of_a_record_reaches_beyond_the_hives() {
    let times = if exhaustive() { 10 } else { 1 };
    for seed in 0..MUTATIONS * times {
        let mut dice = Dice(seed);
        let (bench, backup) = repaired();
        let config = bench.config();
        fs::write(config.join("rootsh"), SHELL).unwrap();
        fs::write(backup.join("rootsh"), SHELL).unwrap();
        symlink(bench.beside("secret"), config.join("SECURITY")).unwrap();
        let contents = [
            content_of(&config.join("SYSTEM")),
            content_of(&backup.join("SYSTEM")),
            content_of(&config.join("rootsh")),
            json!(null),
        ];
        let is_journal = seed % 2 == 0;
        let mut record = match is_journal {
            true => journal_of(&bench, &backup, |_| ()),
            false => read(&backup.join("manifest.json")),
        };
        let mut changes = Vec::new();
        if seed % 4 < 2 {
            changes.push(craft(&mut record, is_journal, &config, &backup, &mut dice));
        }
        for _ in 0..dice.roll(4) {
            changes.push(mutate(&mut record, &contents, &mut dice));
        }
        let path = match is_journal {
            true => config.join("hivemend.journal"),
            false => backup.join("manifest.json"),
        };
        fs::write(&path, record.to_string()).unwrap();
        let before = all_below(bench.disk().parent().unwrap());
        let context = format!("seed {seed}: {path:?} {changes:?}");
        for command in [
            &["restore", "--yes"][..],
            &["restore", "--values", "--yes"],
            &["apply", APPLY[0], APPLY[1], APPLY[2]],
            &["recover", "--yes"],
            &["backups", "--prune", "1", "--yes"],
        ] {
            let ended = bench.run(command[0], &command[1..]);
            let context = format!("{context}: {command:?} {ended:?}");
            no_panic(&ended, &context);
            nothing_else(&bench, &before, &context);
        }
    }
}

// ---------------------------------------------------------------- the race

fn pause(microseconds: usize) {
    if microseconds == 0 {
        return std::thread::yield_now();
    }
    let microseconds = u64::try_from(microseconds).unwrap();
    std::thread::sleep(std::time::Duration::from_micros(microseconds));
}

/// The disk's owner exchanges a folder and a link while root's run goes on.
#[test]
fn a_folder_that_is_swapped_for_a_link_leads_nowhere() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let runs = if exhaustive() { 2_000 } else { 60 };
    for part in ["config", "config/hivemend"] {
        let bench = Bench::in_memory();
        let system32 = bench.config().parent().unwrap().to_path_buf();
        let pristine = bench.twin();
        let foreign = bench.beside("foreign");
        fs::create_dir(&foreign).unwrap();
        fs::set_permissions(&foreign, PermissionsExt::from_mode(0o700)).unwrap();
        let (folder, link) = (system32.join(part), system32.join("link"));
        symlink(&foreign, &link).unwrap();
        let mut codes = BTreeMap::new();
        for seed in 0..runs / 2 {
            let ended = AtomicBool::new(false);
            let code = std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut dice = Dice(seed);
                    while !ended.load(Ordering::Relaxed) {
                        // Both names are there at any time, and each leads to one or the other: in
                        // every second run to the link for a moment only, so that more of it is run.
                        let swap =
                            || renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE);
                        if swap().is_ok() {
                            pause(dice.roll(100));
                            let _ = swap();
                        }
                        pause(if seed % 2 == 0 { dice.roll(6_000) } else { 0 });
                    }
                });
                let code = bench.run("apply", &APPLY).code;
                ended.store(true, Ordering::Relaxed);
                code
            });
            *codes.entry(code).or_insert(0) += 1;
            if fs::symlink_metadata(&link).unwrap().is_dir() {
                renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
            let strangers: Vec<_> = fs::read_dir(&foreign).unwrap().collect();
            assert!(strangers.is_empty(), "{part}: {strangers:?}");
            assert!((0..=5).contains(&code), "{part}: {code}");
            // The disk as it was.
            let config = system32.join("config");
            if !fs::symlink_metadata(&config).unwrap().is_symlink() {
                fs::remove_dir_all(&config).unwrap();
            }
            let mut copy = std::process::Command::new("cp");
            let copied = copy
                .arg("-a")
                .arg(pristine.config())
                .arg(&system32)
                .status();
            assert!(copied.unwrap().success());
        }
        println!("{part}: exit codes {codes:?}");
    }
}
