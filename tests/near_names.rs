// SPDX-License-Identifier: GPL-3.0-or-later
//! Names are seen as they are: near misses of known names in profiles, on the command line and on the disk; keys
//! that are on no disk; hives that are not what they were given as.

#![cfg(not(windows))]

use std::fs;

use hivemend::edit::Editor;
use hivemend::profile::{Level, lint, parse};

use crate::bench::{Bench, hivemend};
use crate::machine::{LISTENER, Machine, POLICY, TERMINAL_SERVER};
use crate::workbench::{edited, empty, path};

/// Codes and levels of what lint says of these keys.
fn linted(keys: &str) -> Vec<(&'static str, Level)> {
    let text = format!(
        "schema: hivemend.profile/1\nid: x\ntitle: A test\nsource: This test\nkeys:\n{keys}\n"
    );
    let profile = parse(text.as_bytes(), "x.yaml").unwrap();
    let found = lint(&profile).into_iter();
    found.map(|lint| (lint.code, lint.level)).collect()
}

fn key(path: &str, fields: &str) -> String {
    format!(
        "  - key: \"HKLM\\\\{}\"\n    {fields}",
        path.replace('\\', "\\\\")
    )
}

fn value(name: &str, rest: &str) -> String {
    let listener = r"SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
    key(
        listener,
        &format!("values: [ {{ name: \"{name}\", why: w, {rest} }} ]"),
    )
}

#[test]
fn lint_asks_about_near_misses_and_refuses_what_only_looks_right() {
    let (asks, refuses) = (Level::Warning, Level::Error);
    let one = "values: [ { name: Acme, dword: 1, why: w } ]";
    let control = |name: &str| key(&format!(r"SYSTEM\CurrentControlSet\Control\{name}"), one);
    for (keys, found) in [
        (control("Terminal Server"), vec![]),
        (control("Acme"), vec![]),
        (control("TerminalServer"), vec![("name-near", asks)]),
        (control("Terminal  Server"), vec![("name-near", asks)]),
        (control("Terminal Sever"), vec![("name-near", asks)]),
        (
            control("Terminal\u{a0}Server"),
            vec![("name-invisible", refuses)],
        ),
        (
            control("T\u{435}rminal Server"),
            vec![("name-look-alike", refuses)],
        ),
        (control("Терминал"), vec![]),
        (value("PortNumber", "dword: 1"), vec![]),
        (value("PortNumbr", "dword: 1"), vec![("name-near", asks)]),
        (value("PortNumbr", "absent: true"), vec![]),
        (
            value("P\u{43e}rtNumber", "dword: 1"),
            vec![("name-look-alike", refuses)],
        ),
        (
            value("\u{ff30}ortNumber", "dword: 1"),
            vec![("name-look-alike", refuses)],
        ),
        (
            value("PortNumber\u{200b}", "dword: 1"),
            vec![("name-invisible", refuses)],
        ),
        // What is there already is not made.
        (
            value("PortNumber\u{200b}", "dword: 1, if-exists: true"),
            vec![("name-invisible", asks)],
        ),
        (value("PortNumber\u{200b}", "absent: true"), vec![]),
        (control(r"hivelist"), vec![("key-volatile", asks)]),
        (control(r"SafeBoot\Option"), vec![("key-volatile", asks)]),
        (
            control(r"ComputerName\ActiveComputerName"),
            vec![("key-volatile", asks)],
        ),
        (control(r"ComputerName\ComputerName"), vec![]),
    ] {
        assert_eq!(linted(&keys), found, "{keys}");
    }
    // In a key that no profile knows, only what looks like a known name is told.
    let acme = |name: &str| {
        key(
            r"SOFTWARE\Acme",
            &format!("values: [ {{ name: \"{name}\", dword: 1, why: w }} ]"),
        )
    };
    assert_eq!(linted(&acme("PortNumbr")), []);
    assert_eq!(linted(&acme("PortNumbe\u{433}")), []);
    assert_eq!(
        linted(&acme("PortNumb\u{435}r")),
        [("name-look-alike", refuses)]
    );
}

#[test]
fn set_makes_no_name_that_only_looks_right() {
    let bench = Bench::sample();
    let before = bench.snapshot();
    let listener = r"SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
    for (key, name) in [
        (listener, "PortNumber\u{200b}"),
        (listener, "P\u{43e}rtNumber"),
        ("SOFTWARE\\Ac\u{ad}me", "x"),
        (
            "SYSTEM\\CurrentControlSet\\Control\\Terminal\u{a0}Server",
            "x",
        ),
    ] {
        bench
            .run("set", &[key, name, "dword", "1", "--yes"])
            .expect(2);
    }
    assert_eq!(bench.snapshot(), before);
    let asked = bench
        .run("set", &[listener, "PortNumbr", "dword", "1", "--dry-run"])
        .expect(0);
    assert!(asked.stderr.contains("did you mean that?"), "{asked:?}");
    let asked = bench
        .run("unset", &[listener, "PortNumbr", "--dry-run"])
        .expect(0);
    assert!(asked.stderr.contains("PortNumber is nearly"), "{asked:?}");
}

/// Found by `diagnose` and `plan`, marked by `show`, and removed by `unset` with the name as it was shown.
#[test]
fn what_only_looks_right_is_found_on_the_disk_and_goes() {
    let mut machine = Machine::healthy();
    machine.dword(LISTENER, "PortNumber\u{200b}", 3390);
    machine.dword(TERMINAL_SERVER, "fDenyTSConn\u{435}ctions", 0);
    machine.dword(POLICY, "Security Layer", 2);
    machine.dword(
        &format!("{TERMINAL_SERVER}\u{2060}"),
        "fDenyTSConnections",
        0,
    );
    let disk = machine.write();
    let debris = disk.json("diagnose", &[])["debris"].clone();
    let debris = debris.as_array().unwrap();
    let has = |value: Option<&str>, meant: &str| {
        let mut debris = debris.iter();
        debris.any(|one| {
            one["value"].as_str() == value && one["meant"] == meant && one["flaw"] == "look-alike"
        })
    };
    assert!(has(Some("PortNumber\u{200b}"), "PortNumber"), "{debris:?}");
    assert!(has(Some("fDenyTSConn\u{435}ctions"), "fDenyTSConnections"));
    assert!(has(Some("Security Layer"), "SecurityLayer"));
    assert!(has(None, "Terminal Server"));
    let said = disk.run("diagnose", &["--verbose"]);
    assert!(said.stdout.contains("hivemend unset"), "{said:?}");

    let shown = disk.run("show", &[LISTENER]).expect(0).stdout;
    let mark = r#""PortNumber\u{200b}"=dword:00000d3e  (not PortNumber: it has U+200B, which is not seen)"#;
    assert!(shown.lines().any(|line| line == mark), "{shown}");
    let shown = disk.run("show", &[TERMINAL_SERVER]).expect(0).stdout;
    let mark = "(not fDenyTSConnections: it has U+0435, which only looks like e)";
    assert!(shown.contains(mark), "{shown}");
    let control = r"SYSTEM\CurrentControlSet\Control";
    let shown = disk.run("show", &[control]).expect(0).stdout;
    let mark = r"Terminal Server\u{2060}]  (not Terminal Server: it has U+2060, which is not seen)";
    assert!(shown.contains(mark), "{shown}");

    disk.run("unset", &[LISTENER, r"PortNumber\u{200b}", "--yes"])
        .expect(0);
    let key = format!("{TERMINAL_SERVER}\\u{{2060}}");
    disk.run("unset", &[&key, "--yes"]).expect(0);
    disk.run("show", &[&key]).expect(2);
    disk.run("show", &[TERMINAL_SERVER]).expect(0);
    let debris = disk.json("diagnose", &[])["debris"].clone();
    assert_eq!(debris.as_array().unwrap().len(), 3, "{debris}");
}

/// Real names beside those that are known are no slips of them.
#[test]
fn no_real_disk_has_debris_of_this_kind() {
    for name in ["win7-sp1", "win10-2004", "nt4-sp3", "xp-sp3"] {
        let Some(bench) = Bench::corpus(name) else {
            return;
        };
        let document = bench.run("diagnose", &["--format", "json"]).json();
        let debris = document["debris"].as_array().unwrap();
        assert!(
            !debris.iter().any(|one| one["flaw"] == "look-alike"),
            "{debris:?}"
        );
    }
}

#[test]
fn keys_that_are_on_no_disk_are_said_to_be_so() {
    let bench = Bench::sample();
    for key in [
        r"SYSTEM\CurrentControlSet\Control\hivelist",
        r"SYSTEM\ControlSet001\Control\SafeBoot\Option",
        r"SYSTEM\ControlSet001\Services\TermService\Enum",
    ] {
        let ended = bench.run("show", &[key]).expect(2);
        assert!(
            ended.stderr.contains("only while Windows runs"),
            "{ended:?}"
        );
    }
    let ended = bench.run("show", &[r"HKLM\HARDWARE\DESCRIPTION"]).expect(2);
    assert!(ended.stderr.contains("on no disk"), "{ended:?}");
    for asked in [
        "hivelist",
        "ActiveComputerName",
        r"HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Option",
    ] {
        let said = hivemend(&["explain", asked]).expect(0).stdout;
        assert!(said.contains("only while Windows runs"), "{asked}: {said}");
    }
    let option = r"SYSTEM\CurrentControlSet\Control\SafeBoot\Option";
    let ended = bench
        .run("set", &[option, "OptionValue", "dword", "1", "-n"])
        .expect(0);
    assert!(
        ended.stderr.contains("only while Windows runs"),
        "{ended:?}"
    );
}

#[test]
fn a_hive_that_is_another_one_is_refused_by_name() {
    let bench = Bench::sample();
    let file = bench.beside("HIVE");
    let file = file.to_str().unwrap().to_owned();
    let put = |keys: &[&str]| {
        let image = edited(&empty(5), |editor: &mut Editor| {
            for key in keys {
                editor.create_key(&path(key)).unwrap();
            }
        });
        fs::write(&file, image).unwrap();
    };
    for (keys, seems) in [
        (
            &["Software\\Microsoft", "Control Panel", "Environment"][..],
            "a user's hive",
        ),
        (&["SAM\\Domains"], "the SAM hive"),
        (&["Policy", "RXACT", "Cache"], "the SECURITY hive"),
        (&["CanonicalData", "DerivedData"], "the COMPONENTS hive"),
        (&["Objects", "Description"], "a BCD store"),
        (&["DriverDatabase\\DeviceIds"], "the DRIVERS hive"),
    ] {
        put(keys);
        for option in ["--software", "--system"] {
            for words in [
                &[
                    "show",
                    option,
                    &file,
                    &format!("{}\\x", option[2..].to_uppercase()),
                ][..],
                &["plan", option, &file, "-p", "rdp-enable"],
                &["apply", option, &file, "-p", "rdp-enable", "--yes"],
                &["find", "x", option, &file],
            ] {
                let ended = hivemend(words).expect(3);
                assert!(ended.stderr.contains(seems), "{seems}: {ended:?}");
            }
        }
    }
    put(&["Microsoft", "Classes"]);
    let ended = hivemend(&["show", "--system", &file, r"SYSTEM\Setup"]).expect(3);
    assert!(ended.stderr.contains("--software"), "{ended:?}");
    let system = bench.hive("SYSTEM");
    let ended = hivemend(&["find", "x", "--software", system.to_str().unwrap()]).expect(3);
    assert!(ended.stderr.contains("--system"), "{ended:?}");
    // One that is nothing known is taken at its word.
    put(&["Acme"]);
    hivemend(&["show", "--software", &file, r"SOFTWARE\Acme"]).expect(0);
}
