// SPDX-License-Identifier: GPL-3.0-or-later
//! `explain`: every code of the published table, the messages that users paste, names, and what
//! nobody should be able to do to a terminal.

use std::borrow::Cow;
use std::collections::BTreeSet;

use hivemend::explain::{Entry, Found, Kind, Library};
use serde_json::json;

use crate::bench::hivemend;

/// The disconnect codes of the published table; the gateway's begin at 0x3000000.
const DISCONNECT: [u32; 46] = [
    0, 1, 2, 3, 260, 262, 264, 266, 516, 522, 772, 778, 1030, 1032, 1034, 1796, 1800, 2056, 2308,
    2311, 2312, 2567, 2820, 2822, 2823, 2825, 3079, 3080, 3335, 3337, 3590, 3591, 3592, 3593, 3847,
    3848, 4103, 4104, 4359, 4615, 4871, 5127, 6919, 7431, 8711, 9479,
];
const DISCONNECT_REST: [u32; 3] = [9732, 0x0200_0001, 0x0200_0002];
const GATEWAY: u32 = 0x0300_0000;
/// Numbers above [`GATEWAY`] up to 80 that the table leaves out.
const NO_GATEWAY: [u32; 9] = [22, 29, 30, 46, 49, 54, 58, 67, 72];
const EXTENDED: [u32; 35] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 266, 267, 1024,
    1026, 1028, 1029, 1030, 1031, 1032, 1033, 1040, 1041, 1042, 4339, 4498,
];
/// Numbers that only the reference of the ActiveX control has.
const ONLY_API: [u32; 21] = [
    518, 520, 774, 776, 1028, 1286, 1288, 1540, 1542, 1544, 1798, 2052, 2055, 2310, 2566, 3078,
    5639, 5895, 6151, 7175, 8455,
];

fn library() -> Library {
    Library::built_in().unwrap()
}

fn disconnect_codes() -> Vec<u32> {
    let gateway = (1..=80).filter(|number| !NO_GATEWAY.contains(number));
    let gateway = gateway.map(|number| GATEWAY + number);
    let table = DISCONNECT.into_iter().chain(DISCONNECT_REST);
    table.chain(gateway).collect()
}

/// The entry that an answer begins with.
fn first<'a>(library: &'a Library, asked: &str, extended: bool) -> Cow<'a, Entry> {
    let answer = library.look_up(asked, extended, &[]);
    let answer = answer.unwrap_or_else(|missed| panic!("{asked}: {missed:?}"));
    answer.entries.into_iter().next().unwrap().entry
}

fn is_published(entry: &Entry) -> bool {
    let table = |source: &String| source.contains("the published table");
    entry.sources.iter().any(table)
}

#[test]
fn every_code_of_the_published_table_is_explained() {
    let library = library();
    let codes = disconnect_codes();
    assert_eq!(codes.len() + EXTENDED.len(), 155);
    for (kind, codes) in [
        (Kind::Disconnect, codes.as_slice()),
        (Kind::Extended, &EXTENDED),
    ] {
        let extended = kind == Kind::Extended;
        for code in codes {
            for asked in [
                format!("{code}"),
                format!("{code:#x}"),
                format!("0X{code:08X}"),
            ] {
                let entry = first(&library, &asked, extended);
                assert_eq!((entry.kind, entry.code), (kind, Some(*code)), "{asked}");
                assert!(is_published(&entry), "{entry}");
            }
        }
        let found = library.entries().iter().filter(|entry| entry.kind == kind);
        let found = found.filter(|entry| is_published(entry)).count();
        assert_eq!(found, codes.len(), "{kind:?}");
    }
}

#[test]
fn codes_that_only_the_reference_has_say_so() {
    let library = library();
    for code in ONLY_API {
        let entry = first(&library, &code.to_string(), false);
        assert_eq!((entry.kind, entry.code), (Kind::Disconnect, Some(code)));
        assert!(
            !is_published(&entry) && entry.disagreement.is_some(),
            "{entry}"
        );
    }
    for code in [10, 11, 768] {
        let entry = first(&library, &code.to_string(), true);
        assert_eq!(entry.kind, Kind::Extended);
        assert!(
            !is_published(&entry) && entry.disagreement.is_some(),
            "{entry}"
        );
    }
}

#[test]
fn sources_that_disagree_are_marked() {
    let library = library();
    for (asked, extended) in [
        ("1032", false),
        ("2312", false),
        ("3593", false),
        ("8", true),
    ] {
        assert!(
            first(&library, asked, extended).disagreement.is_some(),
            "{asked}"
        );
    }
    for asked in [
        "event 1088",
        "event 1008",
        "SecurityLayer",
        "CrashDumpEnabled",
        "IKEEXT",
    ] {
        assert!(
            first(&library, asked, false).disagreement.is_some(),
            "{asked}"
        );
    }
}

#[test]
fn every_profile_that_is_named_is_shipped() {
    let library = library();
    let builtin = hivemend::profile::builtin().iter();
    let shipped: BTreeSet<&str> = builtin.map(|builtin| builtin.id).collect();
    let named = library.entries().iter().flat_map(|entry| &entry.profiles);
    let named: BTreeSet<&str> = named.map(|profile| profile.id.as_str()).collect();
    let unknown: Vec<&&str> = named.difference(&shipped).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let listed = library.profiles().iter().map(|profile| profile.id.as_str());
    assert_eq!(listed.collect::<BTreeSet<&str>>(), named);
}

/// What every entry must have, and what no entry may be twice.
#[test]
fn the_data_is_whole() {
    let library = library();
    let mut seen = BTreeSet::new();
    for entry in library.entries() {
        let must_be_new = (entry.kind, entry.code, entry.origin.first(), entry.name());
        assert!(seen.insert(must_be_new), "twice: {entry}");
        let has_code = matches!(
            entry.kind,
            Kind::Disconnect
                | Kind::Extended
                | Kind::Event
                | Kind::Stop
                | Kind::SystemError
                | Kind::Hresult
                | Kind::Ntstatus
        );
        assert_eq!(entry.code.is_some(), has_code, "{entry}");
        assert_eq!(
            entry.origin.is_empty(),
            entry.kind != Kind::Event,
            "{entry}"
        );
        assert!(has_code || !entry.name().is_empty(), "{entry:?}");
        let in_registry = matches!(entry.kind, Kind::Service | Kind::Value | Kind::Policy);
        assert_eq!(entry.key.is_some(), in_registry, "{entry}");
        assert!(
            entry.meaning.ends_with('.') && !entry.sources.is_empty(),
            "{entry}"
        );
        let leads = !entry.profiles.is_empty()
            || !entry.not_registry.is_empty()
            || !entry.offline.is_empty();
        assert!(
            leads || matches!(entry.kind, Kind::Value | Kind::Policy | Kind::Service),
            "{entry}"
        );
        for text in [&entry.meaning].into_iter().chain(&entry.causes) {
            assert!(
                !text.contains(char::is_control) && text.trim() == text,
                "{entry}"
            );
        }
    }
    let text = std::fs::read_to_string("data/explain.json").unwrap();
    let rows = text
        .lines()
        .filter(|line| line.starts_with(r#"    {"kind""#))
        .count();
    assert_eq!(rows, library.entries().len(), "one entry a line");
}

/// Every suggestion that the text makes leads to the entry that it is about.
#[test]
fn every_entry_is_found_by_its_own_question() {
    let library = library();
    for entry in library.entries() {
        let asked = entry.question();
        let extended = asked.starts_with("--extended ");
        let asked = asked.trim_start_matches("--extended ").replace('"', "");
        let found = first(&library, &asked, extended);
        assert_eq!(found.to_string(), entry.to_string(), "{asked}");
    }
}

#[test]
fn every_known_text_leads_to_its_entry() {
    let library = library();
    for entry in library.entries() {
        for phrase in &entry.phrases {
            let answer = library.look_up(phrase, false, &[]).unwrap();
            let is_it = |found: &Found<'_>| found.entry.to_string() == entry.to_string();
            let found = answer.entries.iter().take(2).any(is_it);
            assert!(found, "{phrase}: {}", answer.entries[0].entry);
        }
    }
}

/// A message as it comes out of a screenshot's text, a ticket or a chat, and what it is.
const PASTED: [(&str, &str); 33] = [
    (
        "Remote Desktop can’t connect to the remote computer for one of these reasons:\r\n\r\n1) \
         Remote access to the server is not enabled\r\n2) The remote computer is turned off\r\n3) \
         The remote computer is not available on the network\r\n\r\nMake sure the remote computer \
         is turned on and connected to the network, and that remote access is enabled.",
        "can't connect for one of these reasons",
    ),
    (
        "\"This computer can't connect to the remote computer.\n\nTry connecting again. If the \
         problem continues, contact the owner of the remote computer or your network \
         administrator.\"\n\nError code: 0x204\nExtended error code: 0x0",
        "disconnect code 516 (0x204)",
    ),
    (
        "We couldn't connect to the remote PC. Make sure the PC is turned on and connected to the \
         network, and that remote access is enabled.\n\nError code: 0x204",
        "disconnect code 516 (0x204)",
    ),
    ("AN INTERNAL ERROR HAS OCCURRED.", "internal error"),
    (
        "Remote Desktop Connection\r\nAn internal error has occurred.\r\nError code: \
         0x4\r\nExtended error code: 0x0\r\nTimestamp (UTC): 03/04/26 09:10:11",
        "disconnect code 4 (0x4)",
    ),
    (
        "„The remote computer that you are trying to connect to requires Network Level \
         Authentication (NLA), but your Windows domain controller cannot be contacted to perform \
         NLA.“",
        "NLA required, no domain controller",
    ),
    (
        "requires network level authentication which your computer does not support",
        "NLA not supported by the client",
    ),
    (
        "An authentication error has occurred.\nThe Local Security Authority cannot be \
         contacted\n\nRemote computer: vm-17.contoso.local",
        "Local Security Authority",
    ),
    (
        "« An authentication error has occurred. The function requested is not supported. Remote \
         computer: 10.0.0.4. This could be due to CredSSP encryption oracle remediation. For more \
         information, see https://go.microsoft.com/fwlink/?linkid=866660 »",
        "CredSSP encryption oracle remediation",
    ),
    (
        "Because of a security error, the client could not connect to the remote computer. Verify \
         that you are logged on to the network and then try connecting again.",
        "security error",
    ),
    (
        "because of a security error the client could not connect to the terminal server",
        "security error",
    ),
    (
        "The remote session was disconnected because there are no Remote Desktop License Servers \
         available to provide a license.\nPlease contact the server administrator.",
        "no licence servers",
    ),
    (
        "The remote session was disconnected because there are no Remote Desktop client access \
         licences available for this computer.",
        "no client access licences",
    ),
    (
        "remote computer disconnected the session because of an error in the licensing protocol",
        "licence protocol error",
    ),
    (
        "Because of a protocol error, this session will be disconnected. Please try connecting to \
         the remote computer again.  Error code: 0x112f",
        "disconnect code 4399 (0x112f)",
    ),
    (
        "Your Remote Desktop Services session has ended.\n\nThe connection to the remote computer \
         was lost, possibly due to network connectivity problems. Try connecting to the remote \
         computer again.",
        "session ended, connection lost",
    ),
    (
        "Your Remote Desktop Services session has ended, possibly for one of the following \
         reasons:\n\nThe administrator has ended the session.\nAn error occurred while the \
         connection was being established.\nA network problem occurred.",
        "session ended by an administrator",
    ),
    (
        "Your Remote Desktop Services session ended because the remote computer didn’t receive \
         any input from you.",
        "idle limit",
    ),
    (
        "session ended because another user connected to the remote computer, so your connection \
         was lost",
        "another user connected",
    ),
    (
        "'The number of connections to this computer is limited and all connections are in use \
         right now. Try connecting later or contact your system administrator.'",
        "too many connections",
    ),
    (
        "To sign in remotely, you need the right to sign in through Remote Desktop Services. By \
         default, members of the Administrators group have this right.",
        "no right to log on remotely",
    ),
    (
        "The connection was denied because the user account is not authorized for remote login.",
        "no right to log on remotely",
    ),
    (
        "Your credentials did not work\nThe logon attempt failed",
        "credentials did not work",
    ),
    (
        "the trust relationship between this workstaton and the primary domain failed",
        "trust relationship failed",
    ),
    (
        "Remote Desktop cannot verify the identity of the remote computer because there is a time \
         or date difference between your computer and the remote computer. Make sure your \
         computer’s clock is set to the correct time",
        "certificate expired or invalid",
    ),
    (
        "Configuring remote session...",
        "stuck at configuring remote session",
    ),
    (
        "Remote logins are currently disabled.",
        "drain mode, logons disabled",
    ),
    (
        "Windows could not start because the following file is missing or corrupt:\n\
         \\WINDOWS\\SYSTEM32\\CONFIG\\SYSTEM\n\nYou can attempt to repair this file",
        "registry file failure",
    ),
    (
        "Please wait for the Group Policy Client",
        "user profile or please wait",
    ),
    (
        "Error 1069: The service did not start due to a logon failure.",
        "system error 1069, ERROR_SERVICE_LOGON_FAILED",
    ),
    (
        "Windows could not start the Remote Desktop Services service on Local Computer.\n\nError \
         1058: The service cannot be started, either because it is disabled or because it has no \
         enabled devices associated with it.",
        "system error 1058, ERROR_SERVICE_DISABLED",
    ),
    (
        "A fatal error occurred when attempting to access the SSL server credential private key. \
         The error code returned from the cryptographic module is 0x8009030D. The internal error \
         state is 10001.",
        "event 36870, Schannel",
    ),
    (
        "Your PC ran into a problem and needs to restart. Stop code: INACCESSIBLE_BOOT_DEVICE",
        "stop error 0x7B, INACCESSIBLE_BOOT_DEVICE",
    ),
];

#[test]
fn pasted_messages_lead_to_the_right_entry_first() {
    let library = library();
    let mut wrong = String::new();
    for (pasted, want) in PASTED {
        let upper = pasted.to_uppercase();
        let broken = pasted.replace(' ', "\r\n  ");
        for asked in [pasted, &upper, &broken] {
            let found = match library.look_up(asked, false, &[]) {
                Ok(answer) => answer.entries[0].entry.to_string(),
                Err(missed) => format!("{missed:?}"),
            };
            if found.trim_start_matches("error message: ") != want {
                wrong.push_str(&format!("{asked}\n  is {found}\n  not {want}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The code that is pasted with a message is part of the answer.
#[test]
fn a_code_in_a_message_is_explained_too() {
    let library = library();
    let pasted =
        "We couldn't connect to the remote PC.\nError code: 0x204\nExtended error code: 0x7";
    let answer = library.look_up(pasted, false, &[]).unwrap();
    let codes: Vec<_> = answer
        .entries
        .iter()
        .map(|found| (found.entry.kind, found.entry.code))
        .collect();
    assert!(codes.contains(&(Kind::Disconnect, Some(516))), "{codes:?}");
    assert!(codes.contains(&(Kind::Extended, Some(7))), "{codes:?}");
    let alone = first(
        &library,
        "It says nothing of use, only Error code: 0x904",
        false,
    );
    assert_eq!(alone.code, Some(2308));
}

#[test]
fn events_stops_and_names_are_found() {
    let library = library();
    let table = [
        (
            "1057 TerminalServices-RemoteConnectionManager",
            "event 1057, ",
        ),
        (
            "1057 Microsoft-Windows-TerminalServices-RemoteConnectionManager",
            "event 1057, ",
        ),
        ("event 36870", "event 36870, Schannel"),
        ("Event ID: 36871 Schannel", "event 36871, Schannel"),
        ("50 TermDD", "event 50, TermDD"),
        ("7022 Service Control Manager", "event 7022, "),
        ("2056", "disconnect code 2056"),
        ("2056 SessionBroker", "event 2056, SessionBroker"),
        ("event 2056", "event 2056, SessionBroker"),
        ("stop 0x7b", "stop error 0x7B"),
        ("STOP: 0x0000007B", "stop error 0x7B"),
        ("bad_system_config_info", "stop error 0x74"),
        ("error 1077", "system error 1077"),
        ("error 516", "disconnect code 516"),
        ("disconnect reason 3", "disconnect code 3 "),
        ("TERMSERVICE", "service TermService"),
        ("dhcp client", "service Dhcp"),
        ("FDENYTSCONNECTIONS", "value fDenyTSConnections"),
        (
            r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp\SecurityLayer",
            "value SecurityLayer",
        ),
        (
            "policy SecurityLayer",
            "policy: Require use of specific security layer",
        ),
        ("TS_MAX_CON_POLICY", "policy: Limit number of connections"),
        ("X509 Certificate ID", "value Certificate"),
        (
            "what is fQueryUserConfigFromLocalMachine good for",
            "value fQueryUserConfig",
        ),
        ("fDenyTsConection", "value fDenyTSConnections"),
        (
            "RemoteDesktop-UserMode-In-TCP",
            "value RemoteDesktop-UserMode-In-TCP",
        ),
    ];
    for (asked, want) in table {
        let found = first(&library, asked, false).to_string();
        assert!(found.starts_with(want), "{asked}: {found}");
    }
}

/// As PowerShell and logs print an HRESULT; it is no option.
#[test]
fn a_negative_number_is_a_code() {
    let ended = hivemend(&["explain", "-2147023887"]).expect(0);
    assert!(ended.stdout.starts_with("system error 1009"), "{ended:?}");
    let ended = hivemend(&["explain", "Ein interner Fehler ist aufgetreten."]).expect(0);
    assert!(ended.stdout.contains("internal error"), "{ended:?}");
}

#[test]
fn the_unknown_is_a_usage_error_with_what_is_nearest() {
    let library = library();
    for nothing in [
        "",
        " \r\n ",
        "\"\"",
        "xyzzy",
        "0xFFFFFFFE",
        "123456789012345",
    ] {
        assert!(library.look_up(nothing, false, &[]).is_err(), "{nothing:?}");
    }
    let ended = hivemend(&["explain", "5166"]).expect(2);
    assert!(ended.stdout.is_empty());
    assert!(ended.stderr.contains("hivemend explain 516"), "{ended:?}");
    let ended = hivemend(&["explain", "TermSvc"]).expect(2);
    assert!(ended.stderr.contains("service TermService"), "{ended:?}");
    let ended = hivemend(&["explain", "xyzzy", "--format", "json"]).expect(2);
    assert_eq!(ended.json()["schema"], "hivemend.explain/2");
    assert_eq!(ended.json()["is_known"], false);
    hivemend(&["explain"]).expect(2);
    hivemend(&["explain", "--extended", "TermService"]).expect(2);
}

#[test]
fn what_is_pasted_cannot_move_the_cursor() {
    let hostile = "\u{1b}[2J\u{202e}\u{7}xyzzy\u{9b}31m";
    for format in ["text", "json"] {
        let ended = hivemend(&["explain", hostile, "--format", format]).expect(2);
        for said in [&ended.stdout, &ended.stderr] {
            let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!said.contains(bad), "{said:?}");
        }
        assert!(ended.stderr.contains("\\u{1b}[2J\\u{202e}"), "{ended:?}");
    }
    let asked = "\u{1b}[2J516\u{202e}";
    let ended = hivemend(&["explain", asked, "516"]).expect(0);
    assert!(!ended.stdout.contains('\u{1b}') && !ended.stdout.contains('\u{202e}'));
}

#[test]
fn odd_and_endless_questions_end() {
    let library = library();
    let long = "remote desktop 0x204 ".repeat(20_000);
    let one = "a".repeat(1 << 20);
    let digits = "9".repeat(1 << 16);
    let signs = "\u{301}\u{fffd}\"'".repeat(1 << 14);
    for asked in [&long, &one, &digits, &signs] {
        let _ = library.look_up(asked, false, &[]);
        let _ = library.look_up(asked, true, &[]);
    }
}

/// The form of the document is a promise.
#[test]
fn json_is_stable() {
    let ended = hivemend(&["explain", "516517", "--format", "json"]).expect(2);
    let want = json!({
        "schema": "hivemend.explain/2",
        "asked": "516517",
        "is_known": false,
        "codes": [{"written": "516517", "code": 516517, "readings": [], "parameters": []}],
        "entries": [],
        "nearest": [],
        "on_disk": null,
    });
    assert_eq!(ended.json(), want);
    let ended = hivemend(&["explain", "2825", "--format", "json"]).expect(0);
    let want = json!({
        "schema": "hivemend.explain/2",
        "asked": "2825",
        "is_known": true,
        "codes": [{
            "written": "2825",
            "code": 2825,
            "readings": [{
                "kind": "disconnect",
                "code": 2825,
                "name": null,
                "bits": null,
                "is_explained": true,
            }],
            "parameters": [],
        }],
        "entries": [{
            "kind": "disconnect",
            "title": "disconnect code 2825 (0xb09)",
            "score": 95,
            "code": 2825,
            "origin": [],
            "names": [],
            "key": null,
            "meaning": "The server demands Network Level Authentication, and the client cannot do it.",
            "disagreement": null,
            "details": [],
            "causes": [
                "An old client, or one without CredSSP",
                "UserAuthentication is 1 at the listener or in the policy",
            ],
            "diagnose": true,
            "profiles": [{
                "id": "nla-disable",
                "what": "Network Level Authentication off for a while; undo with nla-restore",
                "relaxes": true,
            }],
            "offline": [],
            "not_registry": ["The client is too old or has CredSSP disabled: use another one"],
            "sources": [
                "Microsoft, client disconnect codes and reasons of Remote Desktop (the published table)",
            ],
        }],
        "nearest": [],
        "on_disk": null,
    });
    assert_eq!(ended.json(), want);
    let words = ["explain", "event", "1057", "--format", "json"];
    let again = hivemend(&words).expect(0).stdout;
    assert_eq!(hivemend(&words).expect(0).stdout, again);
    let document = include_str!("../docs/json.md");
    assert!(document.contains("## `hivemend.explain/2`"));
}

#[test]
fn text_says_what_to_run_and_when_it_is_not_the_registry() {
    let ended = hivemend(&["explain", "3590"]).expect(0);
    for want in [
        "disconnect code 3590 (0xe06)",
        "Likely causes",
        "hivemend plan TARGET -p fips-off",
        "relaxes protection",
        "When it is not the registry",
        "From: Microsoft",
    ] {
        assert!(ended.stdout.contains(want), "{want}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'));
    let ended = hivemend(&["explain", "1800"]).expect(0);
    assert!(ended.stdout.contains("No built-in profile addresses it."));
    let ended = hivemend(&["explain", "1032"]).expect(0);
    assert!(ended.stdout.contains("Sources disagree"));
    let widest = ended.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest.unwrap() <= 100);
}
