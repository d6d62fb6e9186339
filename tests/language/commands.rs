// SPDX-License-Identifier: GPL-3.0-or-later
//! The language from the command line.

use super::*;

#[test]
fn apply_refuses_what_is_blocked_and_writes_nothing() {
    let bench = Bench::sample();
    let keys = entry(
        r"HKLM\SYSTEM\ControlSet001\Control",
        "name: PreshutdownOrder, tokens: {A: b}",
    ) + &entry(r"HKLM\SYSTEM\ControlSet001\Control", "name: New, dword: 1");
    let profile = bench.profile("x", &keys);
    let before = bench.snapshot();
    let file = bench.beside("plan.json").display().to_string();
    let plan = bench.run("plan", &["-p", &profile, "--format", "json", "-o", &file]);
    let plan = plan.expect(0).json();
    assert_eq!(plan["summary"]["blocked"], 1);
    assert_eq!(plan["blocked"][0]["value"], "PreshutdownOrder");
    for args in [
        vec!["-p", profile.as_str(), "--yes"],
        vec!["--plan", file.as_str(), "--yes"],
    ] {
        let ended = bench.run("apply", &args).expect(3);
        assert!(
            ended.stderr.contains("cannot be followed here"),
            "{ended:?}"
        );
    }
    assert_eq!(bench.snapshot(), before);
}

#[test]
fn a_port_is_set_from_the_command_line() {
    let bench = Bench::sample();
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
    let text = text_of(
        "port",
        PORT,
        &entry(key, "name: PortNumber, parameter: port"),
    );
    let file = bench.beside("port.yaml");
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let args = ["-p", file.as_str(), "--set", "port=3390"];
    let json = [args.as_slice(), &["--yes", "--format", "json"]].concat();
    let applied = bench.run("apply", &json).expect(0).json();
    assert_eq!(applied["changes"][0]["after"]["data"], 3390);
    assert_eq!(
        bench.run("apply", &json).expect(0).json()["outcome"]["status"],
        "unchanged"
    );
    for bad in ["port=0", "prot=1", "port"] {
        bench.run("plan", &["-p", &file, "--set", bad]).expect(2);
        bench
            .run("apply", &["-p", &file, "--set", bad, "--yes"])
            .expect(2);
        hivemend(&["profile", "check", &file, "--set", bad]).expect(2);
    }
    hivemend(&["profile", "check", &file, "--set", "port=1"]).expect(0);
    let ended = bench
        .run("plan", &["-p", &file, "--set", "port=0"])
        .expect(2);
    assert!(
        ended.stderr.contains("a number from 1 to 65535"),
        "{ended:?}"
    );
}

/// A SOFTWARE that only tells the version is no reason to leave SYSTEM alone.
#[test]
fn a_hive_that_only_tells_something_may_be_damaged() {
    let bench = Bench::sample();
    let key = format!(
        "  - key: {SERVICES}\\X\n    when: [ {{windows: '>=5.0'}} ]\n    values:\n      \
         - {{name: V, dword: 1, why: w}}\n"
    );
    let other = entry(&format!("{SERVICES}\\Y"), "name: V, dword: 1");
    let profile = bench.profile("x", &(key + &other));
    fs::write(bench.hive("SOFTWARE"), "no hive").unwrap();
    let ended = bench
        .run("plan", &["-p", &profile, "--format", "json"])
        .expect(0);
    assert!(ended.stderr.contains("SOFTWARE is left out"), "{ended:?}");
    let plan = ended.json();
    assert!(
        plan["skipped"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("cannot be told")
    );
    assert_eq!(plan["skipped"][0]["condition"], "Windows >=5.0");
    bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
}

#[test]
fn a_new_profile_is_a_good_one_and_names_every_field() {
    let bench = Bench::sample();
    let file = bench.beside("new.yaml").display().to_string();
    hivemend(&["profile", "new", "-o", &file]).expect(0);
    let checked = hivemend(&["profile", "check", &file]).expect(0);
    assert_eq!(checked.stdout, "");
    bench.run("plan", &["-p", &file]).expect(0);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(hivemend(&["profile", "new"]).expect(0).stdout, text);
    let fields = hivemend::profile::fields_of_the_language();
    let rare = [
        "dword-big-endian",
        "link",
        "resource-list",
        "full-resource-descriptor",
        "resource-requirements-list",
        "expand-sz",
        "type",
        "data",
        "lowers-security",
        "boot",
        "title",
    ];
    for (kind, fields) in fields {
        for field in fields.iter().filter(|field| !rare.contains(field)) {
            assert!(text.contains(field), "{field} of a {kind}");
        }
    }
    // What is there is never replaced.
    fs::write(&file, "mine").unwrap();
    hivemend(&["profile", "new", "-o", &file]).expect(3);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_healthy_twin_is_captured_and_compared() {
    let healthy = Bench::sample();
    let file = healthy.beside("captured.yaml").display().to_string();
    for from in ["rdp-disconnects", "rdp-defaults"] {
        let _ = fs::remove_file(&file);
        let before = healthy.snapshot();
        healthy.run("profile", &[]).expect(2);
        let disk = healthy.disk().display().to_string();
        hivemend(&["profile", "capture", &disk, "--from", from, "-o", &file]).expect(0);
        assert_eq!(healthy.snapshot(), before);
        hivemend(&["profile", "check", &file]).expect(0);
        // ControlSet002 of the sample disk differs on purpose.
        let current = [
            "-p",
            file.as_str(),
            "--control-set",
            "current",
            "--exit-code",
        ];
        healthy.run("plan", &current).expect(0);
        let broken = Bench::sample();
        let break_it = broken.profile(
            "break",
            &(entry(
                r"HKLM\SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp",
                "name: MaxIdleTime, sz: broken",
            ) + &entry(
                r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services",
                "name: KeepAliveEnable, dword: 77",
            )),
        );
        broken.run("apply", &["-p", &break_it, "--yes"]).expect(0);
        let args = [current.as_slice(), &["--format", "json"]].concat();
        let plan = broken.run("plan", &args).expect(1).json();
        let values: Vec<&str> = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|c| c["value"].as_str())
            .collect();
        assert_eq!(values, ["MaxIdleTime", "KeepAliveEnable"]);
    }
    let inside = healthy.config().join("x.yaml").display().to_string();
    let disk = healthy.disk().display().to_string();
    hivemend(&[
        "profile",
        "capture",
        &disk,
        "--from",
        "rdp-defaults",
        "-o",
        &inside,
    ])
    .expect(3);
    hivemend(&[
        "profile",
        "capture",
        &disk,
        "--from",
        "rdp-defaults",
        "-o",
        &file,
    ])
    .expect(3);
    hivemend(&[
        "profile",
        "capture",
        &disk,
        "--from",
        "rdp-defaults",
        "--control-set",
        "each",
    ])
    .expect(2);
}

#[test]
fn what_is_captured_survives_every_kind_of_data_and_name() {
    let bench = Bench::sample();
    let keys = r#"
  - key: 'HKLM\SOFTWARE\Odd '' key'
    values:
      - { name: "line\nend", sz: "a\tb\u202e'\"", why: "w: #x" }
      - { name: 'yes', expand-sz: 'no', why: w }
      - { name: m, multi-sz: ['it''s', '- b', '1'], why: w }
      - { name: b, binary: '00ff', why: w }
      - { name: n, none: '', why: w }
      - { name: q, qword: 18446744073709551615, why: w }
      - { name: t, type: 0xFFFF0012, data: '01', why: w }
      - { name: gone, absent: true, why: w }
      - { name: '', sz: '', why: w }
  - key: HKLM\SOFTWARE\Gone
    absent: true
    why: w
"#;
    let profile = bench.profile("odd", keys);
    bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
    let disk = bench.disk().display().to_string();
    let file = bench.beside("captured.yaml").display().to_string();
    hivemend(&["profile", "capture", &disk, "--from", &profile, "-o", &file]).expect(0);
    bench.run("plan", &["-p", &file, "--exit-code"]).expect(0);
    let captured = hivemend::profile::load(&file).unwrap();
    let original = hivemend::profile::load(&profile).unwrap();
    assert_eq!(captured.keys[0].values.len(), original.keys[0].values.len());
    for (one, two) in captured.keys[0].values.iter().zip(&original.keys[0].values) {
        assert_eq!((&one.name, &one.want), (&two.name, &two.want));
    }
    assert!(captured.keys[1].absent);
}

/// Two profiles want one thing, or parts of one thing, and one of them says that it lowers security: so
/// does the change, whichever comes first and whether or not its key has to be made.
#[test]
fn the_mark_of_what_lowers_security_survives_a_merge() {
    const LOWERS: &str = "lowers-security: true, ";
    let lab = Lab::new()
        .with(DISK, "R", sz(RULE))
        .with(DISK, "V", Data::Dword(1));
    let absent_key = r"HKLM\SYSTEM\CurrentControlSet\Control\New\Key";
    let cases = [
        (
            DISK_KEY,
            "name: R, tokens: {Action: Allow}",
            "name: R, tokens: {LPort: \"3390\"}",
        ),
        (
            DISK_KEY,
            "name: R, tokens: {Action: Allow, Edge: \"TRUE\"}",
            "name: R, tokens: {Action: Allow}",
        ),
        (DISK_KEY, "name: V, dword: 0", "name: v, dword: 0"),
        (absent_key, "name: V, dword: 0", "name: V, dword: 0"),
    ];
    for (key, plain, lowering) in cases {
        let one = profile("one", &entry(key, plain));
        let two = entry(key, &format!("{LOWERS}{lowering}")).replace("because", "at a price");
        let two = with_head("two", "undo: none", &two);
        for pair in [[one.clone(), two.clone()], [two.clone(), one.clone()]] {
            let plan = lab.try_plan(&pair).unwrap();
            assert_eq!(plan.blocked, []);
            let [change] = plan
                .changes
                .iter()
                .filter(|c| c.value.is_some())
                .collect::<Vec<_>>()[..]
            else {
                panic!("{:?}", plan.changes);
            };
            assert!(change.lowers_security, "{lowering} beside {plain}");
            assert!(change.note.contains("at a price"), "{}", change.note);
            assert!(plan_text(&plan, &Effect::default(), &PlanView::default()).contains("LOWER"));
        }
        assert!(
            lab.plan(&two)
                .changes
                .iter()
                .any(|change| change.lowers_security)
        );
        assert!(
            !lab.plan(&one)
                .changes
                .iter()
                .any(|change| change.lowers_security)
        );
    }
    // What it is about was so before: the change of the other part lowers nothing.
    let dir = entry(DISK_KEY, &format!("{LOWERS}name: R, tokens: {{Dir: In}}"));
    let dir = with_head("dir", "undo: none", &dir);
    let allow = profile("allow", &entry(DISK_KEY, ALLOW));
    for pair in [[dir.clone(), allow.clone()], [allow, dir]] {
        let plan = lab.try_plan(&pair).unwrap();
        assert_eq!(plan.changes.len(), 1);
        assert!(!plan.changes[0].lowers_security);
    }
    // A key as a whole.
    let gone = |id: &str, mark: &str| {
        let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Hivemend";
        let keys = format!("  - {{key: {key}, absent: true, {mark}why: w}}\n");
        with_head(id, "undo: none", &keys)
    };
    let lab = Lab::new().with(
        r"SYSTEM\ControlSet001\Control\Hivemend",
        "V",
        Data::Dword(1),
    );
    let pair = [gone("one", ""), gone("two", LOWERS)];
    let plan = lab.try_plan(&pair).unwrap();
    assert!(plan.changes[0].lowers_security);
}

/// The limit of the language is that of the format.
#[test]
fn a_key_in_a_profile_is_as_deep_as_keys_can_be() {
    for hive in [r"HKLM\SOFTWARE", r"HKLM\SYSTEM", "BROKENSYSTEM"] {
        let key = |levels: usize| format!("{hive}{}", r"\a".repeat(levels));
        let deepest: KeyPath = key(KEY_DEPTH_LIMIT).parse().unwrap();
        assert_eq!(deepest.segments.len(), KEY_DEPTH_LIMIT);
        let error = key(KEY_DEPTH_LIMIT + 1).parse::<KeyPath>().unwrap_err();
        assert!(
            error.message.contains(&KEY_DEPTH_LIMIT.to_string()),
            "{error:?}"
        );
    }
    let in_set = |levels: usize| format!(r"HKLM\SYSTEM\CurrentControlSet{}", r"\a".repeat(levels));
    assert!(in_set(KEY_DEPTH_LIMIT - 1).parse::<KeyPath>().is_ok());
    assert!(in_set(KEY_DEPTH_LIMIT).parse::<KeyPath>().is_err());
    // As deep as that, a key can be made.
    let lab = Lab::new();
    let deep = format!(
        r"HKLM\SYSTEM\CurrentControlSet{}",
        r"\a".repeat(KEY_DEPTH_LIMIT - 1)
    );
    lab.repaired(&profile("x", &entry(&deep, "name: V, dword: 1")));
}

/// What is too long for a profile is not called malformed.
#[test]
fn what_is_not_captured_is_said_with_its_reason() {
    let bench = Bench::sample();
    let file = bench.hive("SOFTWARE");
    let image = edited(&fs::read(&file).unwrap(), |editor| {
        let key = path("Long");
        editor.create_key(&key).unwrap();
        for (name, kind, data) in [("long", 3, vec![0; 16_385]), ("odd", 4, vec![1, 2])] {
            editor
                .set_value(&key, &Name::from(name), kind, &data)
                .unwrap();
        }
        set(editor, "Long", "short", &Data::Dword(1));
    });
    fs::write(&file, image).unwrap();
    let values =
        ["long", "odd", "short"].map(|name| format!("{{ name: {name}, dword: 1, why: w }}"));
    let keys = format!(
        "  - key: HKLM\\SOFTWARE\\Long\n    values: [ {} ]\n",
        values.join(", ")
    );
    let profile = bench.profile("long", &keys);
    let disk = bench.disk().display().to_string();
    let captured = hivemend(&["profile", "capture", &disk, "--from", &profile])
        .expect(0)
        .stdout;
    let line = |name: &str| {
        let value = format!("value {name}:");
        captured
            .lines()
            .find(|line| line.contains(&value))
            .unwrap_or_else(|| panic!("{captured}"))
    };
    assert!(
        line("long").contains("16385 bytes, more than the 16384"),
        "{captured}"
    );
    assert!(!line("long").contains("malformed"));
    assert!(line("odd").contains("malformed"), "{captured}");
    assert!(captured.contains("name: 'short'"), "{captured}");
}

#[test]
fn state_after_is_what_the_plan_says() {
    let lab = Lab::new().with(DISK, "V", Data::Dword(1));
    let plan = lab.plan(&profile("x", &entry(DISK_KEY, "name: V, dword: 2, min: 2")));
    let Some(State::Value(after)) = &plan.changes[0].after else {
        panic!()
    };
    assert_eq!(
        (after.kind, after.data.as_slice()),
        (4, [2, 0, 0, 0].as_slice())
    );
}
