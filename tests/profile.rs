// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles: what is wrong with one is said with its place and what to write instead, nothing
//! makes the parser panic, and the shipped profiles say what Microsoft's procedure says.

use hivemend::profile::{
    ControlSet, Data, HiveName, Level, Profile, ProfileErrors, Want, builtin, conflicts, lint,
    load, parse,
};
use proptest::prelude::*;

/// A profile whose only value entry has these lines below its name; they begin in line 9.
fn with_value(lines: &str) -> String {
    with_entry(&format!("      - name: A\n        why: because\n{lines}"))
}

/// A profile whose only key entry has these lines for its values; they begin in line 8.
fn with_entry(lines: &str) -> String {
    with_keys(&format!(
        "  - key: HKLM\\SOFTWARE\\Acme\n    values:\n{lines}"
    ))
}

/// A profile with these lines for its keys; they begin in line 6.
fn with_keys(lines: &str) -> String {
    format!("schema: hivemend.profile/1\nid: x\ntitle: X\nsource: me\nkeys:\n{lines}\n")
}

fn with_key(key: &str) -> String {
    let values = "    values:\n      - {name: A, dword: 1, why: because}";
    with_keys(&format!("  - key: {key}\n{values}"))
}

fn errors(text: &str) -> ProfileErrors {
    match parse(text.as_bytes(), "x.yaml") {
        Ok(_) => panic!("this profile is not refused:\n{text}"),
        Err(errors) => errors,
    }
}

fn good(text: &str) -> Profile {
    parse(text.as_bytes(), "x.yaml").unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn data_of(lines: &str) -> Want {
    good(&with_value(lines)).keys[0].values[0].want.clone()
}

mod refused;

#[test]
fn every_bad_profile_gets_exactly_this_error() {
    let mut wrong = String::new();
    for (name, text, want) in refused::table() {
        let found = errors(&text).to_string();
        if found != want {
            wrong.push_str(&format!("== {name}\n{found}\n-- wanted\n{want}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_type_can_be_written() {
    let text = |s: &str| s.to_owned();
    let table = [
        ("none: ''", Data::None(vec![])),
        ("sz: tcp", Data::Sz(text("tcp"))),
        ("sz: ''", Data::Sz(text(""))),
        (
            r"expand-sz: '%SystemRoot%\x'",
            Data::ExpandSz(text(r"%SystemRoot%\x")),
        ),
        ("binary: 10", Data::Binary(vec![0x10])),
        (
            "binary: hex:01,02,\\\n          ff",
            Data::Binary(vec![1, 2, 255]),
        ),
        ("dword: 0xFFFFFFFF", Data::Dword(u32::MAX)),
        ("dword-big-endian: 1", Data::DwordBigEndian(1)),
        (
            r"link: \Registry\Machine\x",
            Data::Link(text(r"\Registry\Machine\x")),
        ),
        (
            "multi-sz: [RPCSS, 'TermDD']",
            Data::MultiSz(vec![text("RPCSS"), text("TermDD")]),
        ),
        ("multi-sz: []", Data::MultiSz(vec![])),
        ("resource-list: 00", Data::ResourceList(vec![0])),
        (
            "full-resource-descriptor: 00",
            Data::FullResourceDescriptor(vec![0]),
        ),
        (
            "resource-requirements-list: 00",
            Data::ResourceRequirementsList(vec![0]),
        ),
        ("qword: 18446744073709551615", Data::Qword(u64::MAX)),
        (
            "type: 0xFFFF0012\n        data: 01 00",
            Data::Other {
                kind: 0xFFFF_0012,
                bytes: vec![1, 0],
            },
        ),
    ];
    for (lines, data) in table {
        assert_eq!(
            data_of(&format!("        {lines}")),
            Want::Data(data),
            "{lines}"
        );
    }
    assert_eq!(data_of("        absent: true"), Want::Absent);
    let choices = Want::OneOf(vec![Data::Dword(2), Data::Sz(text("2"))]);
    assert_eq!(
        data_of("        one-of: [ {dword: 2}, {sz: '2'} ]"),
        choices
    );
}

#[test]
fn a_profile_is_read_as_it_stands() {
    let text = with_keys(
        "  - key: BROKENSYSTEM\\ControlSet001\\Services\\X\n    if-exists: true\n    values:\n      \
         - name: ''\n        if-exists: true\n        lowers-security: true\n        absent: true\n        \
         why: >-\n          two\n          lines\n  - why: gone\n    key: HKLM\\SOFTWARE\\Acme\n    absent: true",
    );
    let profile = good(&text);
    assert_eq!(
        (profile.origin.as_str(), profile.text.as_str()),
        ("x.yaml", text.as_str())
    );
    let [key, gone] = profile.keys.as_slice() else {
        panic!()
    };
    assert_eq!(key.path.hive, HiveName::System);
    assert_eq!(key.path.control_set, Some(ControlSet::Number(1)));
    assert_eq!(key.path.segments, ["Services", "X"]);
    assert!(key.if_exists && !key.absent);
    let value = &key.values[0];
    assert_eq!((value.name.as_str(), &*value.why), ("", "two lines"));
    assert!(value.if_exists && value.lowers_security);
    assert_eq!((value.at.line, value.at.column), (9, 9));
    assert!(gone.absent && gone.why.as_deref() == Some("gone"));
    assert_eq!((gone.at.line, gone.at.column), (16, 5));
}

#[test]
fn the_bytes_around_the_text_do_not_matter() {
    let text = with_value("        sz: Ä𝄞");
    let plain = good(&text);
    let windows = good(&text.replace('\n', "\r\n"));
    let marked = parse(&[b"\xef\xbb\xbf", text.as_bytes()].concat(), "x.yaml").unwrap();
    assert_eq!(plain.keys, windows.keys);
    assert_eq!(plain, marked);
}

#[test]
fn other_encodings_and_sizes_are_named() {
    let said = |bytes: &[u8]| parse(bytes, "x.yaml").unwrap_err().to_string();
    let utf16 = |text: &str| -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    assert!(said(&utf16("Windows Registry Editor Version 5.00\r\n")).contains("a .reg file"));
    assert!(said(&utf16("schema: x")).contains("UTF-16"));
    let latin = said(b"a: b\nc: d\xe9");
    assert!(
        latin.starts_with("x.yaml:2:5: this is not UTF-8 text\n    2 | c: d"),
        "{latin}"
    );
    let mut big = with_value("        dword: 1").into_bytes();
    big.resize(1 << 20, b'\n');
    assert!(parse(&big, "x.yaml").is_ok());
    big.push(b'\n');
    assert!(said(&big).contains("1 MiB"));
}

#[test]
fn more_errors_than_anyone_reads_are_counted() {
    let errors = errors(&"a: b\n".repeat(1000));
    assert_eq!((errors.errors().len(), errors.left_out()), (100, 905));
    assert!(errors.to_string().ends_with("\n\nand 905 more"));
}

#[test]
fn an_unknown_name_says_where_the_known_ones_are() {
    let said = load("rdp-disconects").unwrap_err().to_string();
    assert!(said.contains("did you mean rdp-disconnects?"), "{said}");
    assert!(said.contains("`hivemend profile list`"), "{said}");
    assert!(
        load("./no such.yaml")
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
}

#[test]
fn a_file_is_loaded_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.yaml");
    std::fs::write(&path, with_value("        dword: 1")).unwrap();
    let spec = path.to_str().unwrap();
    assert_eq!(load(spec).unwrap().origin, spec);
    let said = load(folder.path().to_str().unwrap())
        .unwrap_err()
        .to_string();
    assert!(said.contains("cannot be read"), "{said}");
    std::fs::write(&path, vec![b'#'; 3 << 20]).unwrap();
    assert!(load(spec).unwrap_err().to_string().contains("1 MiB"));
}

/// The 16 values of catalogue slug `rdp-listener-reset`, each a REG_DWORD.
const DISCONNECTS: [(&str, u32); 16] = [
    ("SecurityLayer", 0),
    ("MinEncryptionLevel", 1),
    ("fQueryUserConfigFromLocalMachine", 1),
    ("KeepAliveTimeout", 1),
    ("fInheritReconnectSame", 0),
    ("fReconnectSame", 1),
    ("fInheritMaxSessionTime", 1),
    ("fInheritMaxDisconnectionTime", 1),
    ("MaxDisconnectionTime", 0),
    ("MaxConnectionTime", 0),
    ("fInheritMaxIdleTime", 1),
    ("MaxIdleTime", 0),
    ("MaxInstanceCount", 0xFFFF_FFFF),
    ("KeepAliveEnable", 1),
    ("KeepAliveInterval", 1),
    ("fDisableAutoReconnect", 0),
];

const LISTENER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";

#[test]
fn rdp_disconnects_is_the_procedure_of_the_article() {
    let profile = load("rdp-disconnects").unwrap();
    let paths: Vec<String> = profile
        .keys
        .iter()
        .map(|key| key.path.to_string())
        .collect();
    // SecurityLayer by itself, for it has a condition of its own.
    assert_eq!(paths, [LISTENER, LISTENER, POLICY]);
    let counts: Vec<usize> = profile.keys.iter().map(|key| key.values.len()).collect();
    assert_eq!(counts, [1, 12, 3]);
    let values: Vec<_> = profile.keys.iter().flat_map(|key| &key.values).collect();
    let found: Vec<_> = values
        .iter()
        .map(|value| (value.name.as_str(), &value.want))
        .collect();
    let want: Vec<_> = DISCONNECTS
        .map(|(name, n)| (name, Want::Data(Data::Dword(n))))
        .into();
    let want: Vec<_> = want.iter().map(|(name, want)| (*name, want)).collect();
    assert_eq!(found, want);
    let lowering = values.iter().filter(|value| value.lowers_security);
    let lowering: Vec<_> = lowering.map(|value| value.name.as_str()).collect();
    assert_eq!(lowering, ["SecurityLayer", "MinEncryptionLevel"]);
    assert_eq!(profile.undo.as_deref(), Some("rdp-defaults"));
}

#[test]
fn rdp_defaults_undoes_every_value_of_rdp_disconnects() {
    let (lowered, healthy) = (
        load("rdp-disconnects").unwrap(),
        load("rdp-defaults").unwrap(),
    );
    for key in &lowered.keys {
        let mut backs = healthy.keys.iter();
        let back = backs.find(|back| key.path.is_same_key(&back.path)).unwrap();
        for value in &key.values {
            let undo = back
                .values
                .iter()
                .find(|undo| undo.name == value.name)
                .unwrap();
            let written = value
                .want
                .to_write()
                .map(|data| (data.kind(), data.bytes()));
            let written = written
                .as_ref()
                .map(|(kind, bytes)| (*kind, bytes.as_slice()));
            let same = [
                "fInheritMaxSessionTime",
                "fInheritMaxDisconnectionTime",
                "fInheritMaxIdleTime",
                "MaxDisconnectionTime",
                "MaxConnectionTime",
                "MaxIdleTime",
                "MaxInstanceCount",
            ]
            .contains(&value.name.as_str());
            assert_eq!(undo.want.is_met_by(written), same, "{}", value.name);
        }
    }
    assert!(
        healthy
            .keys
            .iter()
            .flat_map(|key| &key.values)
            .all(|value| !value.lowers_security)
    );
}

/// As measured on the listeners of untouched machines; `None` is a value that is not there.
#[test]
fn rdp_defaults_leaves_untouched_listeners_alone() {
    let profile = load("rdp-defaults").unwrap();
    let common = [
        ("KeepAliveTimeout", 0),
        ("fInheritReconnectSame", 1),
        ("fReconnectSame", 0),
        ("fInheritMaxSessionTime", 1),
        ("fInheritMaxDisconnectionTime", 1),
        ("fInheritMaxIdleTime", 1),
        ("MaxDisconnectionTime", 0),
        ("MaxConnectionTime", 0),
        ("MaxIdleTime", 0),
        ("MaxInstanceCount", u32::MAX),
        ("MinEncryptionLevel", 2),
    ];
    let machines: [&[(&str, u32)]; 3] = [
        &[
            ("SecurityLayer", 2),
            ("UserAuthentication", 1),
            ("fAllowSecProtocolNegotiation", 1),
        ],
        &[
            ("SecurityLayer", 1),
            ("UserAuthentication", 0),
            ("fAllowSecProtocolNegotiation", 1),
        ],
        &[],
    ];
    for machine in machines {
        for rule in &profile.keys[0].values {
            let mut stored = common.iter().chain(machine);
            let number = stored
                .find(|(name, _)| *name == rule.name)
                .map(|(_, n)| n.to_le_bytes());
            let found = number.as_ref().map(|bytes| (4, bytes.as_slice()));
            let skipped = found.is_none() && rule.if_exists;
            assert!(
                skipped || rule.want.is_met_by(found),
                "{} on {machine:?}",
                rule.name
            );
        }
    }
}

#[test]
fn the_shipped_profiles_are_clean_and_listed_as_they_are() {
    for known in builtin() {
        let profile = load(known.id).unwrap();
        assert_eq!(
            (profile.id.as_str(), profile.title.as_str()),
            (known.id, known.title)
        );
        assert_eq!(lint(&profile), [], "{}", known.id);
        assert!(profile.undo.iter().all(|undo| load(undo).is_ok()));
        assert!(
            known
                .text
                .starts_with("# SPDX-License-Identifier: GPL-3.0-or-later\n")
        );
    }
}

#[test]
fn the_reference_has_a_good_example_and_every_name() {
    let reference = include_str!("../docs/profiles.md");
    let example = reference.split("```yaml\n").nth(1).unwrap();
    let example = good(example.split("```").next().unwrap());
    assert_eq!(lint(&example), []);
    let codes = [
        "undo-missing",
        "undo-unknown",
        "security-unmarked",
        "why-missing",
        "link",
        "one-control-set",
        "name-quote",
        "name-blank",
        "name-invisible",
        "data-invisible",
        "sz-variable",
        "if-exists-idle",
        "undo-lowers",
        "pair-invalid",
        "policy-range",
        "policy-unknown",
        "relaxing-diagnosed",
        "opt-in-diagnosed",
        "parameter-idle",
    ];
    let types = (0..12).map(|kind| hivemend::profile::kind_name(kind).unwrap());
    for name in codes.into_iter().chain(types) {
        assert!(reference.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_same_number_under_another_type_is_drift() {
    let want = Want::Data(Data::Dword(0));
    assert!(want.is_met_by(Some((4, &[0, 0, 0, 0]))));
    assert!(!want.is_met_by(Some((3, &[0, 0, 0, 0]))));
    assert!(!want.is_met_by(Some((1, &Data::Sz("0".to_owned()).bytes()))));
    assert!(!want.is_met_by(None));
    assert!(Want::Absent.is_met_by(None) && !Want::Absent.is_met_by(Some((0, &[]))));
}

fn named(id: &str, keys: &str) -> Profile {
    let text = with_keys(keys).replace("id: x\n", &format!("id: {id}\n"));
    parse(text.as_bytes(), &format!("{id}.yaml")).unwrap()
}

fn entry(key: &str, want: &str) -> String {
    format!("  - key: {key}\n    values:\n      - {{name: Value, why: because, {want}}}")
}

#[test]
fn profiles_that_disagree_are_named_with_both_entries() {
    let one = named(
        "one",
        &entry(r"HKLM\SYSTEM\CurrentControlSet\A", "dword: 1"),
    );
    let two = named(
        "two",
        &entry(
            r"brokensystem\CONTROLSET003\a",
            "one-of: [{dword: 2}, {dword: 1}]",
        ),
    );
    let said = conflicts(&[one, two]).unwrap_err().to_string();
    let want = "profiles disagree on HKLM\\SYSTEM\\ControlSet003\\a, value `Value`\n   \
        one.yaml:8:9: one: dword 1\n   two.yaml:8:9: two: one of dword 2, dword 1\n   \
        name one of these profiles only, or make them agree";
    assert_eq!(said, want);
}

#[test]
fn profiles_conflict_only_where_they_disagree_on_the_same_value() {
    let every = r"HKLM\SYSTEM\CurrentControlSet\A";
    let first = r"HKLM\SYSTEM\ControlSet001\A";
    let second = r"HKLM\SYSTEM\ControlSet002\A";
    let beside = r"HKLM\SYSTEM\A";
    let table = [
        (every, "dword: 1", every, "dword: 0x1", true),
        (every, "dword: 1", every, "dword: 1, if-exists: true", true),
        (every, "dword: 1", every, "qword: 1", false),
        (every, "dword: 1", first, "dword: 2", false),
        (first, "dword: 1", every, "absent: true", false),
        (first, "dword: 1", second, "dword: 2", true),
        (every, "dword: 1", beside, "dword: 2", true),
        (r"HKLM\SOFTWARE\A", "dword: 1", beside, "dword: 2", true),
        (
            r"HKLM\SOFTWARE\Ä\b",
            "dword: 1",
            r"HKLM\SOFTWARE\ä\B",
            "dword: 2",
            false,
        ),
    ];
    for (key, want, other_key, other_want, agree) in table {
        let pair = [
            named("one", &entry(key, want)),
            named("two", &entry(other_key, other_want)),
        ];
        assert_eq!(
            conflicts(&pair).is_ok(),
            agree,
            "{key} {want}, {other_key} {other_want}"
        );
    }
}

#[test]
fn a_key_wanted_absent_conflicts_with_what_is_wanted_below_it() {
    let gone = |key: &str| {
        named(
            "gone",
            &format!("  - key: {key}\n    absent: true\n    why: because"),
        )
    };
    let below = named(
        "below",
        &entry(r"HKLM\SYSTEM\CurrentControlSet\A\B\C", "dword: 1"),
    );
    let none = named(
        "none",
        &entry(r"HKLM\SYSTEM\CurrentControlSet\A\B\C", "absent: true"),
    );
    for (key, agree) in [
        (r"HKLM\SYSTEM\CurrentControlSet\a\b", false),
        (r"HKLM\SYSTEM\ControlSet001\A\B\C", false),
        (r"HKLM\SYSTEM\CurrentControlSet\A\BC", true),
        (r"HKLM\SYSTEM\A\B", true),
    ] {
        for pair in [[gone(key), below.clone()], [below.clone(), gone(key)]] {
            assert_eq!(conflicts(&pair).is_ok(), agree, "{key}");
        }
        assert!(conflicts(&[gone(key), none.clone()]).is_ok(), "{key}");
    }
}

#[test]
fn the_shipped_profiles_disagree_with_each_other_and_not_with_themselves() {
    let (lowered, healthy) = (
        load("rdp-disconnects").unwrap(),
        load("rdp-defaults").unwrap(),
    );
    let found = conflicts(&[lowered.clone(), healthy]).unwrap_err();
    assert_eq!(found.pairs().len(), 9);
    assert!(conflicts(&[lowered.clone(), lowered]).is_ok());
}

#[test]
fn lint_finds_what_is_hardly_meant() {
    let value = |rest: &str| with_entry(&format!("      - {{why: because, {rest}}}"));
    let marked = "lowers-security: true";
    let table = [
        (
            value("name: \"'SecurityLayer'\", dword: 2"),
            vec!["name-quote"],
        ),
        (value("name: ' MaxIdleTime', dword: 0"), vec!["name-blank"]),
        (value("name: ' MaxIdleTime', absent: true"), vec![]),
        (
            value("name: \"a\\u00a0b\", dword: 0"),
            vec!["name-invisible"],
        ),
        (value("name: a, sz: \"C:\\temp\""), vec!["data-invisible"]),
        (value("name: a, sz: '%SystemRoot%\\x'"), vec!["sz-variable"]),
        (value("name: a, sz: '100% or 50%'"), vec![]),
        (value("name: a, link: '\\Registry\\x'"), vec!["link"]),
        (
            value("name: a, absent: true, if-exists: true"),
            vec!["if-exists-idle"],
        ),
        (
            value("name: securitylayer, dword: 0"),
            vec!["security-unmarked"],
        ),
        (
            value(&format!("name: a, dword: 0, {marked}")),
            vec!["undo-missing"],
        ),
        (
            with_keys("  - key: HKLM\\SOFTWARE\\Acme\n    absent: true"),
            vec!["why-missing"],
        ),
        (
            with_key(r"BROKENSYSTEM\ControlSet001\A"),
            vec!["one-control-set"],
        ),
        (with_key("'HKLM\\SOFTWARE\\Acme '"), vec!["name-blank"]),
        (
            with_key("HKLM\\SOFTWARE\\Acme").replace("title:", "undo: rdp-default\ntitle:"),
            vec!["undo-unknown"],
        ),
        (
            with_key("HKLM\\SOFTWARE\\Acme").replace("title:", "undo: my-own\ntitle:"),
            vec![],
        ),
    ];
    for (text, want) in table {
        let found = lint(&good(&text));
        let codes: Vec<&str> = found.iter().map(|lint| lint.code).collect();
        assert_eq!(codes, want, "{text}");
        for lint in found {
            let level = if lint.code == "undo-missing" {
                Level::Error
            } else {
                Level::Warning
            };
            assert_eq!(lint.level, level);
        }
    }
}

#[test]
fn a_lint_is_printed_with_its_place_and_advice() {
    let found = lint(&good(&with_key(r"BROKENSYSTEM\ControlSet001\A")));
    let want = "x.yaml:6:5: warning[one-control-set]: this holds for ControlSet001 only, which may \
        not be the one that boots\n    6 |   - key: BROKENSYSTEM\\ControlSet001\\A\n      |     ^\n   \
        write CurrentControlSet for each control set that is there";
    assert_eq!(found[0].to_string(), want);
}

/// Files that cost serde_yaml alone minutes, or memory without bound.
#[test]
fn hostile_files_are_refused_in_bounded_time() {
    let bomb: String = (1..30)
        .map(|i| format!("a{i}: &a{i} [{}]\n", format!("*a{},", i - 1).repeat(9)))
        .collect();
    let files = [
        "[".repeat(1 << 20),
        "{a: ".repeat(1 << 18),
        "- ".repeat(1 << 19),
        "? ".repeat(1 << 19),
        format!("a0: &a0 x\n{bomb}"),
        "a: b\n".repeat(200_000),
        format!("[{}]", "a,".repeat(1 << 19).split_at((1 << 20) - 2).0),
        with_value(&format!("        dword: {}", "9".repeat(1_000_000))),
        with_value(&format!("        binary: {}x", "0".repeat(1_000_000))),
        with_key(&r"HKLM\SOFTWARE\".repeat(70_000)),
    ];
    for file in files {
        let said = errors(&file).to_string();
        assert!(said.len() < 100_000, "{} bytes of error", said.len());
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'));
    }
}

/// A line of a profile, or of something that is nearly one.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "schema: hivemend.profile/1\n",
            "id: x\n",
            "title: X\n",
            "source: me\n",
            "undo: y\n",
            "symptoms: [a, b]\n",
            "keys:\n",
            "  - key: HKLM\\SOFTWARE\\A\n",
            "    values:\n",
            "    absent: true\n",
            "      - name: A\n",
            "        dword: 0\n",
            "        why: w\n",
            "        one-of: [ {dword: 1}, {sz: a} ]\n",
            "        multi-sz:\n",
            "          - a\n",
            "? [a]\n",
            ": b\n",
            "- ",
            "  ",
            "\t",
            "'",
            "\"",
            "|\n",
            ">-\n",
            "&a ",
            "*a",
            "!t ",
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "#",
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "<<: ",
            "~",
            "\\",
            "\u{0}",
            "\u{1b}",
            "𝄞",
            "@",
            "`",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

/// Parses; what comes of it must print, and a good profile must pass on to lint and conflicts.
fn exercise(bytes: &[u8]) {
    match parse(bytes, "x.yaml") {
        Ok(profile) => {
            lint(&profile)
                .iter()
                .for_each(|lint| drop(lint.to_string()));
            let twice = [profile.clone(), profile];
            assert!(conflicts(&twice).is_ok());
        }
        Err(errors) => {
            assert!(!errors.errors().is_empty());
            let said = errors.to_string();
            assert!(
                !said.chars().any(|c| c.is_control() && c != '\n'),
                "{said:?}"
            );
            for at in errors.errors().iter().filter_map(|error| error.at) {
                assert!(at.line > 0 && at.column > 0);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn anything_like_yaml_is_survived(parts in proptest::collection::vec(fragment(), 0..40)) {
        exercise(parts.concat().as_bytes());
    }

    #[test]
    fn every_mutation_of_a_good_profile_is_survived(
        which in 0..2usize,
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0..20usize, fragment()), 1..5),
    ) {
        let mut text = builtin()[which].text.as_bytes().to_vec();
        for (at, len, new) in edits {
            let at = at.index(text.len() + 1);
            let end = text.len().min(at + len);
            text.splice(at..end, new.into_bytes());
        }
        exercise(&text);
    }
}
