// SPDX-License-Identifier: GPL-3.0-or-later
//! `explain` over texts as users paste them, gathered from public threads before the explanations
//! were looked at, and over numbers that mean nothing.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use hivemend::explain::{Entry, Kind, Library};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::bench::hivemend;

/// What the list of texts calls a thing that has no number, and the entry that it is.
const CALLED: [(&str, &str); 35] = [
    ("three-reasons", "can't connect for one of these reasons"),
    ("auth-error", "authentication error"),
    ("lsa", "Local Security Authority"),
    ("internal-error", "internal error"),
    ("credssp", "CredSSP encryption oracle remediation"),
    ("startup-repair", "Windows failed to start"),
    ("bcd", "boot store damaged"),
    ("license-60-minutes", "licence problem, 60 minutes"),
    ("license-mode", "licensing mode not configured"),
    ("license-protocol", "licence protocol error"),
    ("license-servers", "no licence servers"),
    ("stuck-updating", "getting Windows ready, updates"),
    ("gateway-permission", "disconnect code 50331675"),
    ("freeze", "frozen sessions"),
    ("please-wait", "user profile or please wait"),
    ("user-restriction", "user account restriction"),
    ("logon-types", "restricted types of logon"),
    ("sign-in-method", "sign-in method not allowed"),
    ("access-denied-session", "session access denied"),
    ("user-not-authorized", "no right to log on remotely"),
    ("need-right", "no right to log on remotely"),
    ("credentials", "credentials did not work"),
    ("cant-find", "computer not found"),
    ("cant-connect", "can't connect to the remote computer"),
    ("nla", "NLA required, no domain controller"),
    ("another-user", "another user is signed in"),
    ("bitlocker", "BitLocker recovery"),
    ("not-bootable", "no bootable disk"),
    ("reboot-loop", "reboot loop"),
    ("console-session", "disconnect code 1800"),
    ("critical-service-failed", "CRITICAL_SERVICE_FAILED"),
    ("trust", "trust relationship failed"),
    ("protocol-error", "protocol error"),
    ("time-limit", "time limit"),
    ("registry-file", "registry file failure"),
];

/// How many texts were answered rightly, wrongly, and not at all.
struct Result {
    right: usize,
    missed: usize,
    wrong: String,
}

fn try_all(list: &str) -> Result {
    let library = Library::built_in().unwrap();
    let mut result = Result {
        right: 0,
        missed: 0,
        wrong: String::new(),
    };
    for line in list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let columns: Vec<&str> = line.splitn(4, '\t').collect();
        let [_language, wanted, source, text] = columns[..] else {
            panic!("{line}");
        };
        assert!(
            source.starts_with("gh:") || source.starts_with("file:") || source.contains("://"),
            "{line}"
        );
        let text = text
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\\\", "\\");
        let wanted: Vec<&str> = wanted.split('|').collect();
        match library.look_up(&text, false, &[]) {
            Ok(answer) if wanted.iter().any(|want| is(&answer.entries[0].entry, want)) => {
                result.right += 1
            }
            Ok(answer) => {
                writeln!(result.wrong, "{text}\n  is {}", answer.entries[0].entry).unwrap()
            }
            Err(_) if wanted.contains(&"unknown") => result.right += 1,
            Err(_) => result.missed += 1,
        }
    }
    result
}

fn is(entry: &Entry, wanted: &str) -> bool {
    let Some((kind, number)) = wanted.split_once(':') else {
        let called = CALLED.iter().find(|(word, _)| *word == wanted);
        return called.is_some_and(|(_, title)| entry.to_string().contains(title));
    };
    let kind = match kind {
        "system" => Kind::SystemError,
        "hresult" => Kind::Hresult,
        "ntstatus" | "boot" => Kind::Ntstatus,
        "stop" => Kind::Stop,
        "event" => Kind::Event,
        "extended" => Kind::Extended,
        // What the client shows in hex is a reason for a disconnection.
        "disconnect" | "client" | "gateway" => Kind::Disconnect,
        _ => panic!("{wanted}"),
    };
    let number = match number.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    entry.kind == kind && entry.code == Some(number.unwrap())
}

#[test]
fn texts_of_public_threads_are_answered_rightly_or_not_at_all() {
    let list = include_str!("../testdata/explain/texts.tsv");
    let texts = || {
        list.lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
    };
    assert!(texts().count() >= 200);
    assert!(texts().filter(|line| !line.starts_with("en\t")).count() >= 60);
    let result = try_all(list);
    assert!(result.wrong.is_empty(), "{}", result.wrong);
    assert!(
        result.right >= 4 * result.missed,
        "{} of {}",
        result.right,
        texts().count()
    );
}

/// The lists that were gathered afterwards, after what they showed was mended.
#[test]
fn texts_that_came_afterwards_are_answered_rightly_or_not_at_all() {
    let result = try_all(include_str!("../testdata/explain/afterwards.tsv"));
    assert!(result.wrong.is_empty(), "{}", result.wrong);
    assert!(result.right >= 70, "{} of 78", result.right);
}

/// A number answers with itself, with what is wrapped in it, or not at all.
#[test]
fn no_number_answers_with_the_entry_of_another() {
    let library = Library::built_in().unwrap();
    let forms = [
        "{}",
        "error {}",
        "event {}",
        "stop {x}",
        "{x}",
        "Error code: {x}",
        "Fehler {}",
        "код ошибки {x}",
        "错误 {}",
        "the service failed with error {} again",
        "Status: {x}",
        "event id {}",
        "{}: {x}",
        "Erreur {} ({x})",
        "[{}] {x}",
        "NTSTATUS {x}",
        "HRESULT {x}",
    ];
    let numbers = prop_oneof![
        0..20_000_u32,
        any::<u32>(),
        0xC000_0000..0xC000_1000_u32,
        0x8007_0000..0x800A_0000_u32,
        0x0300_0000..0x0300_0100_u32
    ];
    let mut runner = TestRunner::new(Config {
        cases: 1_500,
        failure_persistence: None,
        ..Config::default()
    });
    let test = |(number, form): (u32, usize)| {
        let asked = forms[form]
            .replace("{x}", &format!("{number:#x}"))
            .replace("{}", &number.to_string());
        let Ok(answer) = library.look_up(&asked, false, &[]) else {
            return Ok(());
        };
        let codes = answer.codes.iter().flat_map(|code| &code.readings);
        let allowed: Vec<u32> = codes.map(|reading| reading.code).chain([number]).collect();
        for found in &answer.entries {
            let is_its = found.entry.code.is_none_or(|code| allowed.contains(&code));
            prop_assert!(is_its, "{}: {}", asked, found.entry);
        }
        prop_assert!(
            answer.entries[0].entry.code.is_some(),
            "{}: {}",
            asked,
            answer.entries[0].entry
        );
        Ok(())
    };
    runner.run(&(numbers, 0..forms.len()), test).unwrap();
}

#[test]
fn the_complaints_of_the_issue_are_answered() {
    let library = Library::built_in().unwrap();
    for (asked, want) in [
        ("Fehler 1079: Das angegebene Konto", "system error 1079"),
        ("Erreur 1058", "system error 1058"),
        (
            "Код ошибки: 0x904. Расширенный код ошибки: 0x7",
            "disconnect code 2308",
        ),
        (
            "DCOM got error \"1297\" attempting to start the service TermService",
            "system error 1297",
        ),
        ("StartService error (code 1083)", "system error 1083"),
        ("error 1016", "system error 1016"),
        ("event 4625", "event 4625"),
        ("stop 0x51", "stop error 0x51"),
        ("error 1072", "system error 1072"),
        (
            "An authentication error has occurred",
            "error message: authentication error",
        ),
        ("0x800703F1", "system error 1009"),
        ("-2147023887", "system error 1009"),
        ("0xD0000034", "status 0xC0000034"),
        ("MASKED", "MASKED"),
        ("DeleteFlag", "value DeleteFlag"),
        ("scforceoption", "value scforceoption"),
        ("MiniNT", "value MiniNT"),
        ("hivelist", "value hivelist"),
        ("fClientDisableUDP", "value fClientDisableUDP"),
        ("0x80090010", "error 0x80090010, NTE_PERM"),
    ] {
        let answer = library.look_up(asked, false, &[]);
        let answer = answer.unwrap_or_else(|missed| panic!("{asked}: {missed:?}"));
        let first = answer.entries[0].entry.to_string();
        assert!(first.starts_with(want), "{asked}: {first}");
    }
    let stop = "STOP: 0x0000007B (0xFFFFF880009A97E8,0xFFFFFFFFC0000034,0x0,0x0)";
    let answer = library.look_up(stop, false, &[]).unwrap();
    assert_eq!(
        answer.codes[0].parameters[0].name.as_deref(),
        Some("STATUS_OBJECT_NAME_NOT_FOUND")
    );
    for nothing in [
        "error 4242",
        "event 99999",
        "stop 0xDEAD",
        "Windows",
        "error",
        "remote desktop",
        "0x8F78F08D",
    ] {
        assert!(library.look_up(nothing, false, &[]).is_err(), "{nothing}");
    }
}

#[test]
fn bad_input_ends_soon() {
    let library = Library::built_in().unwrap();
    let forty = format!("error 0x{}", "8".repeat(40));
    assert!(library.look_up(&forty, false, &[]).is_err());
    let texts = [
        "\u{1b}[2J error ".repeat(100_000),
        "0x80070005 ".repeat(100_000),
        "(1058) 错误 エラー ".repeat(60_000),
        "-".repeat(1 << 20),
        "1.".repeat(1 << 19),
        "stop 0x7B (".repeat(90_000),
        "\u{0}".repeat(1 << 20),
    ];
    // Without optimization and beside other tests it takes longer than it does for a user.
    for text in &texts {
        let begun = Instant::now();
        let _ = library.look_up(text, false, &[]);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?} {}",
            begun.elapsed(),
            &text[..10]
        );
    }
}

#[test]
fn a_text_comes_from_a_file_or_from_standard_input_and_is_held_against_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ticket.txt");
    let text = "Der Dienst \"Remotedesktopdienste\" wurde nicht gestartet.\r\nFehler 1068: Der Abhängigkeitsdienst ...";
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, [&[0xFF, 0xFE], units.as_slice()].concat()).unwrap();
    let file = file.to_str().unwrap();
    let ended = hivemend(&["explain", "--file", file, "--format", "json"]).expect(0);
    assert_eq!(ended.json()["entries"][0]["code"], 1068);
    assert_eq!(
        ended.json()["codes"][0]["readings"][0]["kind"],
        "system-error"
    );
    hivemend(&["explain", "--file", "no such file"]).expect(2);

    let disk = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/osdisk");
    let limited = "The number of connections to this computer is limited and all connections are in \
                   use right now.";
    let ended = hivemend(&["explain", limited, "--on", disk, "--format", "json"]).expect(0);
    let on_disk = &ended.json()["on_disk"];
    assert_eq!(on_disk["is_shown"], true, "{on_disk}");
    let ended = hivemend(&["explain", "stop 0x74", "--on", disk]).expect(0);
    assert!(
        ended.stdout.contains("shows this cause"),
        "{}",
        ended.stdout
    );
    hivemend(&["explain", "516", "--on", folder.path().to_str().unwrap()]).expect(3);
}
