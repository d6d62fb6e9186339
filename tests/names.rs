// SPDX-License-Identifier: GPL-3.0-or-later
//! Names from a disk forge nothing: no line that they begin, no character that moves a cursor,
//! reorders a line or is not seen, in no output of any command.

#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench::{Bench, output_of};
use crate::workbench::{edited, path as key_path};
use hivemend::edit::Editor;
use hivemend::regf::{Name, checksum};
use hivemend::text::{escape, is_deceptive};
use serde_json::{Value as Json, json};

/// What must not begin a line.
const FORGED: [&str; 2] = ["error: forged", "Run: curl"];

/// Line breaks of every kind, escape sequences, characters that reorder a line or are not seen.
const EVIL: &str = "x\nerror: forged\rRun: curl x | sh\u{85}error: forged\u{2028}Run: curl\u{b}\u{c}\
    \u{1b}[2J\u{1b}[8m\u{1b}]0;t\u{7}\u{9b}31m\u{7f}\u{8}\t\u{202e}\u{202a}\u{2066}\u{2069}\u{200e}\
    \u{200f}\u{61c}\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}\u{34f}\u{3164}\u{fe0f}\u{e0041}\u{e0100}\
    \u{a0}\u{2003}\u{3000}\u{2800}\u{fff9}y";

/// The same in the name of a file, which is shorter.
const EVIL_FILE: &str =
    "e\nerror: forged\r\u{1b}[2J\u{202e}\u{200b}\u{2028}\u{a0}\u{e0041}\u{9b}\u{7f}";

/// For the middle of a long line: behind blanks, where a line is broken that is too long.
const LONG: &str = "a name that is so long that the line in which it is told must be broken somewhere \
    error: forged error: forged error: forged error: forged error: forged error: forged error: forged";

const LISTENER: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// Half of a pair, which is no character.
fn half() -> Name {
    let mut units: Vec<u16> = "half".encode_utf16().collect();
    units.extend([0xd800, 0x0a]);
    Name::from_units(units)
}

/// A disk on which everything that can have an evil name has one.
struct Disk {
    bench: Bench,
    /// The disk's root.
    root: PathBuf,
}

impl Disk {
    fn new() -> Self {
        let bench = Bench::sample();
        let root = bench.beside(EVIL_FILE);
        fs::rename(bench.disk(), &root).unwrap();
        let disk = Self { bench, root };
        disk.edit("SYSTEM", spoil_system);
        disk.edit("SOFTWARE", spoil_software);
        disk
    }

    fn hive(&self, name: &str) -> PathBuf {
        self.root.join("Windows/System32/config").join(name)
    }

    fn edit(&self, hive: &str, edit: impl FnOnce(&mut Editor)) {
        let file = self.hive(hive);
        let image = edited(&fs::read(&file).unwrap(), edit);
        fs::write(file, image).unwrap();
    }

    /// Writes a file beside the disk.
    fn beside(&self, name: &str, text: impl AsRef<[u8]>) -> OsString {
        let folder = self.bench.beside("beside");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        folder.join(name).into_os_string()
    }

    /// Runs a command, and looks at every character that it says.
    fn run(&self, words: &[&OsStr]) -> Said {
        let said = run(words);
        // Styles are hivemend's own; nothing else is.
        let mut colored = vec![
            OsStr::new("--color"),
            OsStr::new("always"),
            OsStr::new("--verbose"),
        ];
        colored.extend(words);
        // A second time only where that changes nothing.
        if !["apply", "restore", "recover"]
            .iter()
            .any(|word| words.contains(&OsStr::new(word)))
            && !words.contains(&OsStr::new("-o"))
        {
            run(&colored);
        }
        said
    }

    /// `COMMAND DISK ARGS`, as text and as JSON.
    fn both(&self, command: &str, args: &[&OsStr]) -> (Said, Said) {
        let mut words = vec![OsStr::new(command), self.root.as_os_str()];
        words.extend(args);
        let text = self.run(&words);
        words.extend(["--format", "json"].map(OsStr::new));
        let json = self.run(&words);
        let document: Json = serde_json::from_str(&json.stdout).unwrap();
        assert!(document["schema"].is_string());
        (text, json)
    }
}

/// What a command said, without its styles.
#[derive(Debug)]
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Said {
    fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails with all that was said where the exit code is another.
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Makes sure that the evil name was told at all.
    fn names(self, part: &str) -> Self {
        assert!(self.all().contains(part), "{part} is not named: {self:#?}");
        self
    }
}

fn run(words: &[&OsStr]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    command
        .args(words)
        .stdin(Stdio::null())
        .env_remove("NO_COLOR");
    let output = output_of(&mut command);
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let plain = without_styles(&text);
        expect_harmless(&plain, words);
        plain
    };
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Styles are `ESC [ numbers m`.
fn without_styles(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = match end.strip_prefix('m') {
            // Invisible ink is none of ours.
            Some(end) if !after.starts_with('8') => end,
            _ => {
                plain.push('\u{1b}');
                after
            }
        };
    }
    plain + rest
}

fn expect_harmless(text: &str, words: &[&OsStr]) {
    let odd = text.chars().find(|&c| c != '\n' && is_deceptive(c));
    assert_eq!(odd, None, "{words:?}:\n{}", text.escape_debug());
    for line in text.lines() {
        let forged = FORGED.iter().any(|forged| line.starts_with(forged));
        assert!(!forged, "{words:?}:\n{text}");
    }
}

fn spoil_system(editor: &mut Editor) {
    let set = |editor: &mut Editor, key: &str, name: &Name, kind: u32, data: &[u8]| {
        editor.create_key(&key_path(key)).unwrap();
        editor.set_value(&key_path(key), name, kind, data).unwrap();
    };
    let evil = Name::from(EVIL);
    let multi: Vec<u8> = [utf16(EVIL), utf16(LONG), vec![0, 0]].concat();
    for key in [
        LISTENER,
        r"ControlSet001\Control\Terminal Server",
        r"ControlSet001\Services\TermService",
        r"ControlSet001\Services\Tcpip\Parameters\Interfaces\{01234567-89AB-CDEF-0123-456789ABCDEF}",
        r"ControlSet001\Control\Session Manager",
        "Setup",
    ] {
        set(editor, key, &evil, 1, &utf16(EVIL));
        set(editor, key, &half(), 4, &[1, 0, 0, 0]);
        set(editor, key, &Name::from(LONG), 7, &multi);
        let mut below = key_path(key);
        below.push(evil.clone());
        editor.create_key(&below).unwrap();
        for name in [EVIL.to_owned(), format!("{EVIL}2")] {
            let name = Name::from(name.as_str());
            editor.set_value(&below, &name, 2, &utf16(EVIL)).unwrap();
        }
        editor
            .set_value(&below, &Name::default(), 1, &utf16(LONG))
            .unwrap();
        let mut below = key_path(key);
        below.push(half());
        editor.create_key(&below).unwrap();
    }
    let third = Name::from(format!("{EVIL}3").as_str());
    set(editor, LISTENER, &third, 1, &utf16("a"));
    // What a mistyped procedure leaves, and a number as text.
    let quoted = Name::from(format!("'{EVIL}'").as_str());
    set(editor, LISTENER, &quoted, 1, &utf16("0"));
    set(
        editor,
        LISTENER,
        &Name::from("SecurityLayer"),
        1,
        &utf16(EVIL),
    );
    set(
        editor,
        r"ControlSet001\Control\ComputerName\ComputerName",
        &Name::from("ComputerName"),
        1,
        &utf16(EVIL),
    );
    for (name, text) in [
        ("ImagePath", EVIL),
        ("ObjectName", EVIL),
        ("DisplayName", EVIL),
    ] {
        set(
            editor,
            r"ControlSet001\Services\TermService",
            &Name::from(name),
            2,
            &utf16(text),
        );
    }
    let parameters = r"ControlSet001\Services\TermService\Parameters";
    set(
        editor,
        parameters,
        &Name::from("ServiceDll"),
        2,
        &utf16(EVIL),
    );
    let rules = r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
    let rule = format!("v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name={EVIL}|");
    set(editor, rules, &evil, 1, &utf16(&rule));
    set(
        editor,
        rules,
        &Name::from("RemoteDesktop-UserMode-In-TCP"),
        1,
        &utf16(EVIL),
    );
    let class = r"ControlSet001\Control\Class\{4D36E967-E325-11CE-BFC1-08002BE10318}";
    set(editor, class, &Name::from("UpperFilters"), 7, &multi);
    let product = r"ControlSet001\Control\ProductOptions";
    set(editor, product, &Name::from("ProductType"), 1, &utf16(EVIL));
}

fn spoil_software(editor: &mut Editor) {
    let mut set = |key: &str, name: &Name, kind: u32, data: &[u8]| {
        editor.create_key(&key_path(key)).unwrap();
        editor.set_value(&key_path(key), name, kind, data).unwrap();
    };
    let windows = r"Microsoft\Windows NT\CurrentVersion";
    for name in [
        "ProductName",
        "DisplayVersion",
        "CurrentVersion",
        "CurrentBuild",
        "BuildLab",
    ] {
        set(windows, &Name::from(name), 1, &utf16(EVIL));
    }
    set(POLICY, &Name::from(EVIL), 1, &utf16(EVIL));
    set(
        POLICY,
        &Name::from(format!(" {EVIL}").as_str()),
        1,
        &utf16(EVIL),
    );
    editor
        .create_key(&[Name::from(EVIL), Name::from(EVIL)])
        .unwrap();
    let twice = [Name::from(EVIL), Name::from(EVIL)];
    let evil = Name::from(EVIL);
    editor.set_value(&twice, &evil, 1, &utf16("a")).unwrap();
    let mut set = |key: &str, name: &Name, kind: u32, data: &[u8]| {
        editor.set_value(&key_path(key), name, kind, data).unwrap();
    };
    set(POLICY, &Name::from("MinEncryptionLevel"), 1, &utf16(EVIL));
    set(POLICY, &Name::from("SecurityLayer"), 4, &[2, 0, 0, 0]);
    set(POLICY, &Name::from("fDenyTSConnections"), 4, &[1, 0, 0, 0]);
}

/// EVIL as a double-quoted YAML scalar.
fn yaml(text: &str) -> String {
    let chars = text.chars().map(|c| match c {
        '\\' | '"' => format!("\\{c}"),
        c if is_deceptive(c) => format!("\\U{:08X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", chars.collect::<String>())
}

/// A profile whose every text is evil, and which changes values and keys with evil names. They are all on the
/// disk: none is made.
fn profile() -> String {
    let evil = yaml(EVIL);
    let key = yaml(&format!(r"HKLM\SYSTEM\{LISTENER}\{EVIL}"));
    let new = yaml(&format!(r"HKLM\SOFTWARE\{EVIL}\{EVIL}"));
    let listener = yaml(&format!(r"HKLM\SYSTEM\{LISTENER}"));
    format!(
        "schema: hivemend.profile/1\nid: evil\ntitle: {evil}\nsource: {evil}\nsymptoms: [{evil}]\n\
         advice: [{evil}, {long}]\nimpact: blocks\ncause: {evil}\nundo: rdp-defaults\nparameters:\n  \
         - {{ name: p, title: {evil}, sz: {evil} }}\nkeys:\n  - key: {key}\n    if-exists: true\n    values:\n      \
         - {{ name: {evil}, if-exists: true, sz: {evil}, why: {long} }}\n      \
         - {{ name: {two}, if-exists: true, parameter: p, why: {evil} }}\n  - key: {new}\n    if-exists: true\n    \
         values:\n      - {{ name: {evil}, if-exists: true, multi-sz: [{evil}, {evil}], why: {evil}, \
         lowers-security: true }}\n  \
         - key: {listener}\n    when: [ {{ key: {key}, value: {evil}, is-not: [ {{ sz: {evil} }} ] }} ]\n    \
         values:\n      - {{ name: {evil}, if-exists: true, sz: b, why: {evil} }}\n  \
         - key: {listener}\n    when: [ {{ key: {key}, exists: false }} ]\n    values:\n      \
         - {{ name: {three}, if-exists: true, sz: b, why: {evil} }}\n",
        long = yaml(LONG),
        two = yaml(&format!("{EVIL}2")),
        three = yaml(&format!("{EVIL}3")),
    )
}

#[test]
fn what_is_looked_at_forges_nothing() {
    let disk = Disk::new();
    let profile = disk.beside(&format!("{EVIL_FILE}.yaml"), profile());
    let p = OsStr::new("-p");
    let escaped = "x\\u{a}error: forged";
    for id in [
        "rdp-disconnects",
        "rdp-baseline",
        "rdp-debris",
        "filter-drivers",
        "nic-dhcp",
    ] {
        disk.both("plan", &[p, OsStr::new(id)]);
    }
    disk.both("plan", &[p, &profile]).0.expect(0).names(escaped);
    disk.both("diagnose", &[]).0.expect(0);
    disk.both("disks", &[]).0.expect(0).names(escaped);
    disk.both("backups", &[]).0.expect(0);
    let listener = format!(r"SYSTEM\{LISTENER}");
    let shown = disk.both("show", &[OsStr::new(&listener)]);
    shown
        .0
        .expect(0)
        .names(escaped)
        .names("half\\u{d800}\\u{a}");
    let below = format!(r"{listener}\{EVIL}");
    disk.both("show", &[OsStr::new(&below)])
        .0
        .expect(0)
        .names(escaped);
    disk.both("show", &[OsStr::new(&below), OsStr::new(EVIL)])
        .0
        .expect(0)
        .names(escaped);
    let none = format!(r"{below}\{EVIL}");
    disk.both("show", &[OsStr::new(&none)])
        .0
        .expect(2)
        .names(escaped);
    disk.both("show", &[OsStr::new(&below), OsStr::new(&none)])
        .0
        .expect(2)
        .names(escaped);
    disk.both("show", &[OsStr::new(EVIL)]).0.expect(2);
    disk.both("check", &[]).0.expect(0);
    let capture = [
        OsStr::new("profile"),
        OsStr::new("capture"),
        disk.root.as_os_str(),
    ];
    let from = [OsStr::new("--from"), &profile];
    disk.run(&[&capture[..], &from[..]].concat())
        .expect(0)
        .names("\\U0000000A");
    disk.run(&[OsStr::new("profile"), OsStr::new("check"), &profile])
        .expect(0);
    disk.run(&[OsStr::new("profile"), OsStr::new("show"), &profile])
        .expect(0);
}

/// What JSON says is exactly what is there.
#[test]
fn json_is_harmless_and_exact() {
    let disk = Disk::new();
    let key = format!(r"SYSTEM\{LISTENER}\{EVIL}");
    let shown = disk
        .both("show", &[OsStr::new(&key), OsStr::new(EVIL)])
        .1
        .expect(0);
    let document: Json = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(document["key"], format!(r"{LISTENER}\{EVIL}"));
    assert_eq!(document["values"][0]["name"], EVIL);
    assert_eq!(document["values"][0]["data"], EVIL);
    assert_eq!(document["target"], disk.root.to_str().unwrap());
    let disks = disk.both("disks", &[]).1.expect(0);
    let document: Json = serde_json::from_str(&disks.stdout).unwrap();
    assert_eq!(document["disks"][0]["computer_name"], EVIL);
    assert_eq!(document["disks"][0]["windows"]["product"], EVIL);
}

/// Every command that writes, with all it warns of, and what it refuses.
#[test]
fn what_is_written_forges_nothing() {
    let disk = Disk::new();
    let profile = disk.beside(&format!("{EVIL_FILE}.yaml"), profile());
    let plan_file = disk
        .bench
        .beside(&format!("{EVIL_FILE}.json"))
        .into_os_string();
    let elsewhere = disk
        .bench
        .beside(&format!("{EVIL_FILE}backups"))
        .into_os_string();
    fs::create_dir(&elsewhere).unwrap();
    let escaped = "x\\u{a}error: forged";
    let [p, yes, plan, values] = ["-p", "--yes", "--plan", "--values"].map(OsStr::new);
    disk.both("plan", &[p, &profile, OsStr::new("-o"), &plan_file])
        .0
        .expect(0);
    expect_harmless(
        &fs::read_to_string(&plan_file).unwrap(),
        &[OsStr::new("plan -o")],
    );

    // What is there is no longer what the plan saw.
    disk.edit("SYSTEM", |editor| {
        let key = [key_path(LISTENER), vec![Name::from(EVIL)]].concat();
        editor
            .set_value(&key, &Name::from(EVIL), 1, &utf16("changed"))
            .unwrap();
    });
    let refused = disk.both("apply", &[plan, &plan_file, yes]);
    refused
        .0
        .expect(3)
        .names(escaped)
        .names("has changed since the plan was made");

    let backup_dir = [OsStr::new("--backup-dir"), &elsewhere];
    disk.both("apply", &[p, &profile, yes])
        .0
        .expect(0)
        .names(escaped);
    disk.both("backups", &[]).0.expect(0);
    // Somebody sets the values since: they stay, and that is said.
    disk.edit("SYSTEM", |editor| {
        let key = [key_path(LISTENER), vec![Name::from(EVIL)]].concat();
        editor
            .set_value(&key, &Name::from(EVIL), 1, &utf16("since"))
            .unwrap();
    });
    disk.both("restore", &[yes]).0.expect(3);
    disk.both("restore", &[OsStr::new(EVIL), yes])
        .0
        .expect(3)
        .names("error: forged");
    let text = disk.run(&[OsStr::new("restore"), disk.root.as_os_str(), values, yes]);
    text.expect(0).names("stays as it is").names(escaped);
    disk.both("restore", &[values, yes]).0.expect(0);
    disk.both("apply", &[p, &profile, yes, backup_dir[0], backup_dir[1]])
        .0
        .expect(0);
    disk.both("backups", &backup_dir).0.expect(0);
    disk.both("restore", &[yes, backup_dir[0], backup_dir[1]]);
    let prune = [OsStr::new("--prune"), OsStr::new("1"), yes];
    disk.both("backups", &prune).0.expect(0);
}

/// Plans that somebody wrote by hand, and records that are none.
#[test]
fn documents_forge_nothing() {
    let disk = Disk::new();
    let [yes, plan] = ["--yes", "--plan"].map(OsStr::new);
    let number = json!({ "type": "REG_DWORD", "data": 1 });
    let change = |key: &str, action: &str, hive: &str| {
        json!({ "profile": EVIL, "hive": hive, "control_set": EVIL, "key": key, "value": EVIL,
            "action": action, "before": number, "after": null, "lowers_security": false,
            "note": EVIL })
    };
    let document = |schema: &str, changes: Vec<Json>| {
        json!({ "schema": schema, "target": EVIL, "profiles": [{ "id": EVIL, "title": EVIL }],
            "hives": [{ "name": EVIL, "path": EVIL, "state": EVIL, "control_sets": [] }],
            "changes": changes, "warnings": [EVIL, LONG],
            "summary": { "changes": 1, "matches": 0, "skipped": 0 } })
    };
    let schema = "hivemend.plan/1";
    let deep = format!(r"{LISTENER}\{EVIL}");
    let mut blocked = document(schema, vec![]);
    blocked["blocked"] = json!([{ "profile": EVIL, "hive": "SYSTEM", "key": EVIL, "value": EVIL,
        "reason": EVIL }]);
    let mut unknown = document(schema, vec![]);
    unknown[EVIL] = json!(EVIL);
    for document in [
        document(EVIL, vec![]),
        document(schema, vec![change(&deep, "delete-value", EVIL)]),
        document(schema, vec![change(&deep, EVIL, "SYSTEM")]),
        document(schema, vec![change(&deep, "delete-value", "SYSTEM")]),
        document(schema, vec![change("Select", "delete-value", "SYSTEM")]),
        document(
            schema,
            vec![change(
                &format!("ControlSet{EVIL}"),
                "delete-value",
                "SYSTEM",
            )],
        ),
        document(
            schema,
            vec![change(&format!(r"\{EVIL}"), "delete-value", "SYSTEM")],
        ),
        document(schema, vec![]),
        blocked,
        unknown,
        json!(EVIL),
    ] {
        let file = disk.beside("plan.json", document.to_string());
        disk.both("apply", &[plan, &file, yes]);
    }
    for text in [
        EVIL,
        "{",
        "schema: hivemend.profile/1\nid: \"a\\nerror: forged\"\n",
    ] {
        let file = disk.beside(EVIL_FILE, text);
        disk.both("apply", &[plan, &file, yes]).0.expect(2);
        disk.both("plan", &[OsStr::new("-p"), &file]).0.expect(2);
        disk.run(&[OsStr::new("profile"), OsStr::new("check"), &file])
            .expect(1);
    }
    // A profile with an error at each evil text.
    let broken = profile()
        .replace("sz:", "zs:")
        .replace("why:", "yhw:")
        .replace("undo: rdp-defaults", "undo: a\u{202e}b");
    let file = disk.beside("broken.yaml", broken);
    disk.run(&[OsStr::new("profile"), OsStr::new("check"), &file])
        .expect(1);
    // Profiles that disagree on an evil value.
    let other = profile()
        .replace("id: evil", "id: other")
        .replace("sz: b", "sz: c");
    let (one, other) = (
        disk.beside("one.yaml", profile()),
        disk.beside("other.yaml", other),
    );
    let p = OsStr::new("-p");
    disk.both("plan", &[p, &one, p, &other])
        .0
        .expect(2)
        .names("profiles disagree");
    // Records in the backup folder.
    let folder = disk.hive("hivemend");
    for (name, text) in [
        ("20260101T000000Z", EVIL.to_owned()),
        ("20260101T000001Z", json!({ "schema": EVIL }).to_string()),
        (EVIL_FILE, "{}".to_owned()),
    ] {
        fs::create_dir_all(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("manifest.json"), text).unwrap();
    }
    disk.both("backups", &[]);
    disk.both("restore", &[yes]);
    fs::write(
        disk.hive("hivemend.journal"),
        json!({ "schema": EVIL }).to_string(),
    )
    .unwrap();
    disk.both("backups", &[]);
    disk.both("restore", &[yes]);
    disk.both("apply", &[p, OsStr::new("rdp-disconnects"), yes]);
}

/// What is typed, or what a shell makes of a star.
#[test]
fn arguments_forge_nothing() {
    let disk = Disk::new();
    let evil = OsStr::new(EVIL);
    let option = OsString::from(format!("--{EVIL}"));
    let setting = OsString::from(format!("{EVIL}={EVIL}"));
    let root = disk.root.as_os_str();
    let bytes = OsString::from_vec(b"no\xffunicode\n\x1b[2J".to_vec());
    let all: Vec<Vec<&OsStr>> = vec![
        vec![evil],
        vec![&option],
        vec![OsStr::new("plan"), root, &option],
        vec![
            OsStr::new("plan"),
            evil,
            OsStr::new("-p"),
            OsStr::new("rdp-defaults"),
        ],
        vec![
            OsStr::new("plan"),
            &bytes,
            OsStr::new("-p"),
            OsStr::new("rdp-defaults"),
        ],
        vec![OsStr::new("plan"), root, OsStr::new("-p"), evil],
        vec![
            OsStr::new("plan"),
            root,
            OsStr::new("-p"),
            OsStr::new("rdp-port"),
            OsStr::new("--set"),
            &setting,
        ],
        vec![
            OsStr::new("plan"),
            root,
            OsStr::new("-p"),
            OsStr::new("rdp-port"),
            OsStr::new("--format"),
            evil,
        ],
        vec![
            OsStr::new("plan"),
            root,
            OsStr::new("-p"),
            OsStr::new("rdp-port"),
            OsStr::new("--control-set"),
            evil,
        ],
        vec![OsStr::new("explain"), evil],
        vec![
            OsStr::new("explain"),
            OsStr::new("event"),
            OsStr::new("1\nerror: forged"),
        ],
        vec![OsStr::new("check"), evil, root, &bytes],
        vec![
            OsStr::new("show"),
            OsStr::new("--system"),
            evil,
            OsStr::new("SYSTEM"),
        ],
        vec![OsStr::new("recover"), evil],
        vec![
            OsStr::new("backups"),
            root,
            OsStr::new("--backup-dir"),
            evil,
        ],
        vec![OsStr::new("backups"), root, OsStr::new("--prune"), evil],
        vec![OsStr::new("profile"), OsStr::new("show"), evil],
        vec![OsStr::new("profile"), evil],
        vec![OsStr::new("disks"), evil],
    ];
    for words in all {
        disk.run(&words);
    }
}

/// Hives and logs whose files have evil names, and hives that are damaged or dirty.
#[test]
fn files_and_damage_forge_nothing() {
    let disk = Disk::new();
    let mut image = fs::read(disk.hive("SYSTEM")).unwrap();
    // The file's name in the base block.
    for (at, unit) in EVIL.encode_utf16().take(31).enumerate() {
        image[48 + at * 2..50 + at * 2].copy_from_slice(&unit.to_le_bytes());
    }
    seal(&mut image);
    // The largest name of a value, in keys with evil names.
    let name: Vec<u8> = EVIL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let places: Vec<usize> = (80..image.len() - name.len())
        .filter(|&at| image[at..].starts_with(&name) && &image[at - 76..at - 74] == b"nk")
        .collect();
    assert!(!places.is_empty());
    for at in places {
        image[at - 76 + 60..at - 76 + 64].fill(0);
    }
    let damaged = disk.beside(EVIL_FILE, &image);
    for log in ["LOG1", "LOG2"] {
        disk.beside(&format!("{EVIL_FILE}.{log}"), EVIL);
    }
    let check = OsStr::new("check");
    let json = ["--format", "json"].map(OsStr::new);
    disk.run(&[check, &damaged]).names("\\u{a}error: forged");
    disk.run(&[check, &damaged, json[0], json[1]]);
    // Dirty, with logs that are none.
    image[4] = image[4].wrapping_add(1);
    seal(&mut image);
    let dirty = disk.beside(EVIL_FILE, &image);
    let [yes, accept] = ["--yes", "--accept-unrecovered"].map(OsStr::new);
    let system = OsStr::new("--system");
    for words in [
        vec![check, &dirty],
        vec![OsStr::new("recover"), &dirty, yes],
        vec![OsStr::new("recover"), &dirty, yes, accept],
        vec![
            OsStr::new("plan"),
            system,
            &dirty,
            OsStr::new("-p"),
            OsStr::new("rdp-defaults"),
        ],
        vec![
            OsStr::new("plan"),
            system,
            &dirty,
            OsStr::new("-p"),
            OsStr::new("rdp-defaults"),
            accept,
        ],
        vec![OsStr::new("diagnose"), system, &dirty, accept],
        vec![
            OsStr::new("apply"),
            system,
            &dirty,
            OsStr::new("-p"),
            OsStr::new("rdp-defaults"),
            yes,
            accept,
        ],
    ] {
        disk.run(&words);
        disk.run(&[&words[..], &json[..]].concat());
    }
    let other = disk.beside(EVIL_FILE, EVIL);
    for words in [
        vec![check, &other],
        vec![OsStr::new("recover"), &other, yes],
        vec![OsStr::new("show"), system, &other, OsStr::new("SYSTEM")],
        vec![
            OsStr::new("plan"),
            OsStr::new(&other),
            OsStr::new("-p"),
            OsStr::new("rdp-defaults"),
        ],
    ] {
        disk.run(&words).names("\\u{a}error: forged");
    }
}

fn seal(image: &mut [u8]) {
    let sum = checksum(image).unwrap();
    image[508..512].copy_from_slice(&sum.to_le_bytes());
}

/// The names that this file is made of are what it says, and letters are left alone.
#[test]
fn evil_is_evil_and_letters_are_letters() {
    for text in [EVIL, EVIL_FILE] {
        assert!(text.chars().filter(|&c| is_deceptive(c)).count() >= 9);
        assert!(!escape(text).contains(is_deceptive));
    }
    let disk = Disk::new();
    let letters = "Größe Москва 東京 é e\u{301} עברית";
    disk.edit("SYSTEM", |editor| {
        editor
            .set_value(
                &key_path(LISTENER),
                &Name::from(letters),
                1,
                &utf16(letters),
            )
            .unwrap();
    });
    let key = format!(r"SYSTEM\{LISTENER}");
    let said = disk.both("show", &[OsStr::new(&key), OsStr::new(letters)]);
    assert_eq!(
        said.0.stdout.lines().nth(1).unwrap(),
        format!("\"{letters}\"=\"{letters}\"")
    );
    assert!(said.1.stdout.contains(letters));
}

/// No part of the program writes to the terminal but through the text that cannot forge.
#[test]
fn nothing_is_printed_past_the_sink() {
    const SINKS: [&str; 3] = ["src/cli/output.rs", "src/cli/phase.rs", "src/cli/stdout.rs"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if SINKS.contains(&name.as_str()) || path.extension() != Some(OsStr::from_bytes(b"rs"))
            {
                continue;
            }
            looked_at += 1;
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                for sink in [
                    "println!",
                    "print!(",
                    "eprint",
                    "io::stdout",
                    "io::stderr",
                    "dbg!",
                ] {
                    assert!(!line.contains(sink), "{name}: {line}");
                }
            }
        }
    }
    assert!(looked_at > 100);
}
