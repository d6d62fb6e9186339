// SPDX-License-Identifier: GPL-3.0-or-later
//! Looking at keys: `show` with all that is below a key, names that are nearly there, and `find`, on
//! sound hives and on hostile ones.

#![cfg(not(windows))]

use std::fs;
use std::time::{Duration, Instant};

use hivemend::regf::{CellOffset, Hive, Name};

use crate::bench::{Bench, Ended, hivemend};
use crate::fields::key_node_field as nk;
use crate::workbench::{data, edited, empty, path};

const TERMINAL_SERVER: &str = r"SYSTEM\CurrentControlSet\Control\Terminal Server";

/// Runs a command on one file given as SOFTWARE.
fn on_software(image: &[u8], command: &str, words: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("SOFTWARE");
    fs::write(&file, image).unwrap();
    let mut all = vec![command];
    all.extend(words);
    all.extend(["--software", file.to_str().unwrap()]);
    let began = Instant::now();
    let ended = hivemend(&all);
    assert!(began.elapsed() < Duration::from_secs(20), "{command}");
    ended
}

fn place(at: CellOffset, field: usize) -> usize {
    usize::try_from(at.in_file().0).unwrap() + 4 + field
}

fn put(image: &mut [u8], at: usize, number: u32) {
    image[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn number(image: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(image[at..at + 4].try_into().unwrap())
}

/// Where the key is.
fn key(image: &Vec<u8>, text: &str) -> CellOffset {
    let hive = Hive::open(image).unwrap();
    hive.find(&path(text)).unwrap().unwrap().at()
}

#[test]
fn a_key_is_named_as_people_have_it() {
    let bench = Bench::sample();
    let want = bench.run("show", &[TERMINAL_SERVER]).expect(0).stdout;
    assert!(want.contains("WinStations]"), "subkeys are listed: {want}");
    for typed in [
        r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server",
        r"Ordinateur\HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\",
        "コンピューター¥HKEY_LOCAL_MACHINE¥SYSTEM¥CurrentControlSet¥Control¥Terminal Server",
        r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server]",
    ] {
        assert_eq!(
            bench.run("show", &[typed]).expect(0).stdout,
            want,
            "{typed}"
        );
    }
    let other = bench.run("show", &[r"HKCU\Software\Microsoft"]).expect(2);
    assert!(other.stderr.contains("NTUSER.DAT"), "{other:?}");
}

#[test]
fn what_is_not_there_is_a_usage_error_that_names_the_nearest() {
    let bench = Bench::sample();
    let near = |words: &[&str], hint: &str| {
        let ended = bench.run("show", words).expect(2);
        assert!(ended.stderr.contains(hint), "{hint}: {ended:?}");
    };
    near(
        &[r"SYSTEM\CurrentControlSet\Control\TerminalServer"],
        "did you mean Terminal Server?",
    );
    near(
        &[r"SYSTEM\CurrentControlSet\Control\Terminal Sever\WinStations\RDP-Tcp"],
        r"SYSTEM\ControlSet001\Control has no Terminal Sever; did you mean Terminal Server?",
    );
    near(
        &[TERMINAL_SERVER, "fDenyTSConnection"],
        "did you mean \"fDenyTSConnections\"?",
    );
    near(
        &[&format!(r"{TERMINAL_SERVER}\fDenyTSConnections")],
        "fDenyTSConnections is a value in it",
    );
    near(&[TERMINAL_SERVER, "WinStations"], "it is a key");
    near(
        &[r"SYSTEM\CurrentControlSet\Control\Acme"],
        r"the path leads to SYSTEM\ControlSet001\Control, which has no Acme",
    );
    let ended = bench
        .run("show", &[TERMINAL_SERVER, "Acme", "--format", "json"])
        .expect(2);
    assert_eq!(ended.json()["exit_code"], 2);
}

#[test]
fn a_tree_is_printed_with_all_values() {
    let bench = Bench::sample();
    let stations = format!(r"{TERMINAL_SERVER}\WinStations");
    let text = bench.run("show", &["-r", &stations]).expect(0).stdout;
    let keys: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(keys.len(), 4, "{text}");
    assert!(keys[2].ends_with(r"\WinStations\RDP-Tcp]"), "{text}");
    let one = bench
        .run("show", &[&format!(r"{stations}\Console")])
        .expect(0)
        .stdout;
    assert!(text.contains(&one), "{one} in {text}");
    let json = bench
        .run("show", &["-r", &stations, "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(json["schema"], "hivemend.show-tree/1");
    assert_eq!(json["keys"].as_array().unwrap().len(), 4);
    assert_eq!(
        json["keys"][0]["key"],
        r"ControlSet001\Control\Terminal Server\WinStations"
    );
    assert!(json["stopped_before"].is_null() && json["unread"].as_array().unwrap().is_empty());
    bench
        .run("show", &["-r", TERMINAL_SERVER, "fDenyTSConnections"])
        .expect(2);
}

#[test]
fn a_tree_that_is_too_much_says_where_it_stops() {
    let image = edited(&empty(5), |editor| {
        for at in 0..10_005 {
            editor.create_key(&path(&format!("a\\k{at:05}"))).unwrap();
        }
    });
    let text = on_software(&image, "show", &["-r", r"SOFTWARE\a"])
        .expect(0)
        .stdout;
    let last = text.lines().last().unwrap();
    assert!(
        last.contains(r"stopped before [SOFTWARE\a\k09999]"),
        "{last}"
    );
    let json = on_software(&image, "show", &["-r", r"SOFTWARE\a", "--format", "json"]);
    let json = json.expect(0).json();
    assert_eq!(json["stopped_before"], r"a\k09999");
}

#[test]
fn a_word_is_found_in_names_and_texts_of_both_hives() {
    let bench = Bench::sample();
    let disk = bench.disk().to_str().unwrap().to_owned();
    let find = |words: &[&str]| {
        let mut all = vec!["find"];
        all.extend(words);
        hivemend(&all)
    };
    let text = find(&["termservice", &disk]).expect(0).stdout;
    assert!(
        text.contains(r"[SYSTEM\ControlSet001\Services\TermService]"),
        "{text}"
    );
    let text = find(&["MSTSC.EXE", &disk]).expect(0).stdout;
    assert!(
        text.contains(r#"[SOFTWARE\Classes\RDP.File\DefaultIcon] @=expand-sz:"#),
        "{text}"
    );
    let text = find(&["принтер", &disk]).expect(0).stdout;
    assert!(text.contains(r"PRINTENUM\Принтер]"), "{text}");
    let json = find(&["portnumber", &disk, "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(json["schema"], "hivemend.find/1");
    let first = &json["found"][0];
    assert_eq!(
        (&first["hive"], &first["value"]),
        (&"SYSTEM".into(), &"PortNumber".into())
    );
    assert_eq!(first["in"], serde_json::json!(["name"]));
    assert_eq!(json["more"], 0);

    let none = find(&["no such word", &disk]).expect(1);
    assert!(none.stdout.contains("is in no name"), "{none:?}");
    assert_eq!(find(&["no such word", &disk, "-q"]).expect(1).stdout, "");
    find(&["", &disk]).expect(2);
    let swapped = find(&[&disk, "termservice"]);
    assert!(
        swapped.stderr.contains("The word comes first"),
        "{swapped:?}"
    );

    let all = find(&["e", &disk, "--format", "json"]).expect(0).json();
    let all = all["found"].as_array().unwrap().len();
    let few = find(&["e", &disk, "--limit", "2"]).expect(0).stdout;
    assert_eq!(few.lines().count(), 3, "{few}");
    assert!(few.contains(&format!("{} more of {all}", all - 2)), "{few}");
}

#[test]
fn what_is_found_forges_nothing() {
    let evil = "x\nerror: forged\u{202e}\u{1b}[2J";
    let image = edited(&empty(5), |editor| {
        editor.create_key(&[Name::from(evil)]).unwrap();
        let text: Vec<u8> = evil.encode_utf16().flat_map(u16::to_le_bytes).collect();
        editor
            .set_value(&[Name::from(evil)], &Name::from(evil), 1, &text)
            .unwrap();
    });
    for (command, words) in [
        ("find", &["FORGED"][..]),
        ("find", &["FORGED", "--format", "json"]),
        ("show", &["-r", "SOFTWARE"]),
        ("show", &["-r", "SOFTWARE", "--format", "json"]),
    ] {
        let said = on_software(&image, command, words).expect(0).stdout;
        assert!(said.contains("error: forged"), "{said}");
        assert!(
            !said.contains("\nerror") && !said.contains(['\u{202e}', '\u{1b}']),
            "{said}"
        );
    }
    // What was shown can be typed.
    let typed = r"SOFTWARE\x\u{a}error: forged\u{202e}\u{1b}[2J";
    on_software(&image, "show", &[typed, &typed[9..]]).expect(0);
}

/// Keys below each other in a circle, deeper than is allowed, and lists that hold more than there is.
#[test]
fn hostile_trees_end_soon_and_are_said_to_be_damaged() {
    let chain = edited(&empty(5), |editor| {
        editor.create_key(&path(r"a\b\c")).unwrap();
        editor.create_key(&path("z")).unwrap();
    });
    let mut circle = chain.clone();
    let (a, c) = (key(&chain, "a"), key(&chain, r"a\b\c"));
    let list = number(&circle, place(a, nk::SUBKEYS_LIST));
    put(&mut circle, place(c, nk::SUBKEYS_LIST), list);
    put(&mut circle, place(c, nk::SUBKEY_COUNT), 1);
    let tree = on_software(&circle, "show", &["-r", "SOFTWARE"]).expect(4);
    assert!(
        tree.stdout.contains("in a circle") && tree.stdout.contains(r"[SOFTWARE\z]"),
        "{tree:?}"
    );
    let found = on_software(&circle, "find", &["z"]).expect(0);
    assert!(found.stdout.starts_with(r"[SOFTWARE\z]"), "{found:?}");
    on_software(&circle, "find", &["nothing of that"]).expect(4);

    // Each of many keys lists all of them.
    let mut many = edited(&empty(5), |editor| {
        for at in 0..3_000 {
            editor.create_key(&path(&format!("a\\k{at}"))).unwrap();
        }
    });
    let list = number(&many, place(key(&many, "a"), nk::SUBKEYS_LIST));
    for at in 0..3_000 {
        let at = key(&many, &format!("a\\k{at}"));
        put(&mut many, place(at, nk::SUBKEYS_LIST), list);
        put(&mut many, place(at, nk::SUBKEY_COUNT), 3_000);
    }
    on_software(&many, "find", &["nothing of that"]).expect(4);
    let tree = on_software(&many, "show", &["-r", "SOFTWARE"])
        .expect(4)
        .stdout;
    assert!(tree.len() < 4 << 20, "{}", tree.len());

    // A value with a megabyte is listed a hundred thousand times.
    let mut values = edited(&empty(5), |editor| {
        editor.create_key(&path("a")).unwrap();
        for at in 0..2_000 {
            let name = Name::from(format!("v{at}").as_str());
            editor.set_value(&path("a"), &name, 3, &data(8, 1)).unwrap();
        }
        editor
            .set_value(&path("a"), &Name::from("big"), 1, &data(1 << 20, 2))
            .unwrap();
    });
    let at = place(key(&values, "a"), nk::VALUES_LIST);
    let list = place(CellOffset(number(&values, at)), 0);
    let last = number(&values, list + 2_000 * 4);
    for at in 0..2_000 {
        put(&mut values, list + at * 4, last);
    }
    on_software(&values, "find", &["nothing of that"]).expect(4);
    on_software(&values, "show", &["-r", "SOFTWARE"]).expect(4);
}

#[test]
fn a_tree_deeper_than_windows_allows_is_cut() {
    let deep = vec!["d"; 511].join("\\");
    let mut image = edited(&empty(5), |editor| {
        editor.create_key(&path(&deep)).unwrap();
        editor.create_key(&path("e")).unwrap();
    });
    let text = on_software(&image, "find", &["d"]).expect(0).stdout;
    assert_eq!(
        text.lines().filter(|line| line.starts_with('[')).count(),
        500
    );
    let tree = on_software(&image, "show", &["-r", "SOFTWARE"])
        .expect(0)
        .stdout;
    assert_eq!(tree.lines().count(), 513);
    // The lowest key has the keys of the root below it.
    let (last, root) = (key(&image, &deep), key(&image, ""));
    let list = number(&image, place(root, nk::SUBKEYS_LIST));
    put(&mut image, place(last, nk::SUBKEYS_LIST), list);
    put(&mut image, place(last, nk::SUBKEY_COUNT), 2);
    let tree = on_software(&image, "show", &["-r", "SOFTWARE"])
        .expect(4)
        .stdout;
    assert!(
        tree.contains("levels below the root") && tree.contains("circle"),
        "{tree}"
    );
}

#[test]
fn a_hive_that_cannot_be_read_keeps_nobody_from_searching_the_other() {
    let bench = Bench::sample();
    fs::write(bench.hive("SOFTWARE"), b"no hive at all").unwrap();
    let disk = bench.disk().display().to_string();
    let words = ["find", "fDenyTSConnections", disk.as_str()];
    let ended = hivemend(&words);
    assert!(ended.code >= 3, "{ended:?}");
    assert!(ended.stdout.contains("fDenyTSConnections"), "{ended:?}");
    assert!(
        ended.stderr.contains("SOFTWARE was not searched"),
        "{ended:?}"
    );
    let json = hivemend(&[&words[..], &["--format", "json"]].concat());
    assert_eq!(json.code, ended.code);
    let json = json.json();
    assert_eq!(json["not_searched"][0]["hive"], "SOFTWARE");
    assert!(!json["found"].as_array().unwrap().is_empty());
    let nowhere = hivemend(&["find", "nothing of that", &disk]);
    assert_eq!(nowhere.code, ended.code);
    assert!(
        nowhere.stdout.contains("SOFTWARE was not searched"),
        "{nowhere:?}"
    );
}

/// A key that says it has more below it than there is room for keeps nobody from what is beside it.
#[test]
fn what_can_be_reached_of_an_overfull_hive_is_searched() {
    let mut image = edited(&empty(5), |editor| {
        for name in ["a", "b", "wanted"] {
            editor.create_key(&path(name)).unwrap();
            editor.create_key(&path(&format!("{name}\\below"))).unwrap();
        }
    });
    let at = place(key(&image, "a"), nk::SUBKEY_COUNT);
    put(&mut image, at, 1_000_000);
    let ended = on_software(&image, "find", &["wanted"]).expect(0);
    assert!(ended.stdout.contains(r"[SOFTWARE\wanted]"), "{ended:?}");
    assert!(ended.stdout.contains("not read"), "{ended:?}");
    on_software(&image, "find", &["nothing of that"]).expect(4);
}

#[test]
fn what_was_nearly_named_is_a_command_away() {
    let bench = Bench::sample();
    let said = bench
        .run("show", &[r"SYSTEM\ControlSet001\Control\TerminalServer"])
        .expect(2)
        .stderr;
    let disk = bench.disk().display().to_string();
    let quote = |word: &str| match cfg!(windows) {
        true => format!("\"{word}\""),
        false => format!("'{word}'"),
    };
    let key = quote(r"SYSTEM\ControlSet001\Control\Terminal Server");
    let command = format!("hivemend show {disk} {key}");
    assert!(said.contains(&command), "{command}: {said}");
    let key = r"SYSTEM\ControlSet001\Control\Terminal Server";
    let said = bench
        .run("show", &[key, "fDenyTSConnection"])
        .expect(2)
        .stderr;
    let command = format!("hivemend show {disk} {} fDenyTSConnections", quote(key));
    assert!(said.contains(&command), "{command}: {said}");
    let said = bench.run("show", &[key, "unlike all"]).expect(2).stderr;
    let command = format!("hivemend show {disk} {}", quote(key));
    assert!(said.contains(&command), "{command}: {said}");
}
