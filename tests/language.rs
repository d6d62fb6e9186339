// SPDX-License-Identifier: GPL-3.0-or-later
//! The language of the baseline library: conditions, enumerated keys, parts of values, parameters,
//! includes, last known good. Each feature plans what it should, and the second plan is empty.

use std::fs;

use crate::bench::{Bench, hivemend};
use crate::drift;
use crate::workbench::{edited, empty, path, read};
use hivemend::edit::Editor;
use hivemend::effect::Effect;
use hivemend::machine::{Condition, HiveInput, ProductType, Selection, State, machine};
use hivemend::plan::{Action, Options, Plan, PlanError, build, confirm};
use hivemend::profile::{
    Data, HiveName, KeyPath, Level, Profile, Setting, SettingError, Token, Verdict, Want,
    WindowsVersion, conflicts, lint, load_all, parse, set_parameters,
};
use hivemend::regf::{Hive, KEY_DEPTH_LIMIT, Name};
use hivemend::report::{PlanView, plan_document, plan_from_json, plan_text};
use proptest::prelude::*;

const SERVICES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services";

/// A profile whose keys are these lines.
fn profile(id: &str, keys: &str) -> Profile {
    with_head(id, "", keys)
}

/// A profile with more fields of its own.
fn with_head(id: &str, head: &str, keys: &str) -> Profile {
    let text = text_of(id, head, keys);
    parse(text.as_bytes(), &format!("{id}.yaml")).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn text_of(id: &str, head: &str, keys: &str) -> String {
    let head = match head {
        "" => String::new(),
        head => format!("{head}\n"),
    };
    format!("schema: hivemend.profile/1\nid: {id}\ntitle: X\nsource: me\n{head}keys:\n{keys}\n")
}

/// An entry for one value.
fn entry(key: &str, value: &str) -> String {
    format!("  - key: {key}\n    values:\n      - {{why: because, {value}}}\n")
}

/// What is said of a profile that is refused.
fn refused(head: &str, keys: &str) -> String {
    let text = text_of("x", head, keys);
    match parse(text.as_bytes(), "x.yaml") {
        Ok(_) => panic!("this profile is not refused:\n{text}"),
        Err(errors) => errors.to_string(),
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Two hives in memory.
#[derive(Clone)]
struct Lab {
    system: Vec<u8>,
    software: Option<Vec<u8>>,
}

impl Lab {
    /// A SYSTEM with one control set, and an empty SOFTWARE.
    fn new() -> Self {
        let system = edited(&empty(5), |editor| {
            for key in [
                "ControlSet001\\Services",
                "ControlSet001\\Control",
                "Select",
            ] {
                editor.create_key(&path(key)).unwrap();
            }
            for name in ["Current", "Default"] {
                set(editor, "Select", name, &Data::Dword(1));
            }
        });
        Self {
            system,
            software: Some(empty(5)),
        }
    }

    fn with(mut self, key: &str, name: &str, data: Data) -> Self {
        self.set(key, name, &data);
        self
    }

    fn with_key(mut self, key: &str) -> Self {
        let (hive, below) = key.split_once('\\').unwrap();
        let image = self.image(hive);
        *image = edited(image, |editor| {
            editor.create_key(&path(below)).unwrap();
        });
        self
    }

    fn set(&mut self, key: &str, name: &str, data: &Data) {
        let (hive, below) = key.split_once('\\').unwrap();
        let image = self.image(hive);
        *image = edited(image, |editor| {
            editor.create_key(&path(below)).unwrap();
            set(editor, below, name, data);
        });
    }

    fn image(&mut self, hive: &str) -> &mut Vec<u8> {
        match hive {
            "SYSTEM" => &mut self.system,
            _ => self.software.as_mut().unwrap(),
        }
    }

    /// Type and bytes of a value of SYSTEM.
    fn get(&self, key: &str, name: &str) -> Option<(u32, Vec<u8>)> {
        read(&self.system, &path(key), name)
    }

    fn number(&self, key: &str, name: &str) -> Option<u32> {
        let (kind, data) = self.get(key, name)?;
        assert_eq!(kind, 4);
        Some(u32::from_le_bytes(data.try_into().unwrap()))
    }

    fn inputs(&self) -> Vec<HiveInput<'_>> {
        let input = |name: HiveName, image| {
            let hive = Hive::open(image).unwrap();
            HiveInput::new(name, name.to_string().into(), hive, Condition::Clean)
        };
        let mut inputs = vec![input(HiveName::System, &self.system)];
        inputs.extend(
            self.software
                .iter()
                .map(|image| input(HiveName::Software, image)),
        );
        inputs
    }

    fn try_plan(&self, profiles: &[Profile]) -> Result<Plan, PlanError> {
        let options = Options {
            target: "test".to_owned().into(),
            selection: Selection::Each,
        };
        build(profiles, &self.inputs(), &options)
    }

    fn plan(&self, profile: &Profile) -> Plan {
        self.try_plan(std::slice::from_ref(profile)).unwrap()
    }

    /// The hives after a plan, which went through its file on the way.
    fn apply(&self, plan: &Plan) -> Self {
        assert_eq!(plan.blocked, []);
        let json = serde_json::to_value(plan_document(plan, &Effect::default(), None)).unwrap();
        let read = plan_from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(read, *plan);
        confirm(&read.changes, &self.inputs()).unwrap();
        let make = |image: &Vec<u8>, name| {
            edited(image, |editor| drift::apply(&read.changes, name, editor))
        };
        Self {
            system: make(&self.system, HiveName::System),
            software: self
                .software
                .as_ref()
                .map(|image| make(image, HiveName::Software)),
        }
    }

    /// Applies the profile; the second time there is nothing to do, and the first plan's
    /// before-values no longer hold.
    fn repaired(&self, profile: &Profile) -> Self {
        let plan = self.plan(profile);
        assert_ne!(plan.changes, [], "no drift");
        let after = self.apply(&plan);
        let again = after.plan(profile);
        assert_eq!((again.changes, again.blocked), (vec![], vec![]));
        assert!(matches!(
            confirm(&plan.changes, &after.inputs()),
            Err(PlanError::Outdated { .. })
        ));
        after
    }
}

fn set(editor: &mut Editor, key: &str, name: &str, data: &Data) {
    let bytes = data.bytes();
    editor
        .set_value(&path(key), &Name::from(name), data.kind(), &bytes)
        .unwrap();
}

fn sz(text: &str) -> Data {
    Data::Sz(text.to_owned())
}

fn list(members: &[&str]) -> Data {
    Data::MultiSz(members.iter().map(|member| (*member).to_owned()).collect())
}

/// The names of the values that change, each with the last name of its key.
fn changed(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().map(|change| {
        let value = change
            .value
            .as_ref()
            .map_or("(key)".to_owned(), Name::to_string);
        format!("{}:{value}", change.key.name().unwrap())
    });
    changes.collect()
}

/// Why the only rule was left out, and the condition.
fn left_out(plan: &Plan) -> (String, Option<String>) {
    assert_eq!((&plan.changes, &plan.blocked), (&vec![], &vec![]));
    let [skipped] = plan.skipped.as_slice() else {
        panic!("{:?}", plan.skipped)
    };
    (skipped.reason.clone(), skipped.condition.clone())
}

fn blocked(plan: &Plan) -> String {
    assert_eq!(plan.changes, []);
    let [blocked] = plan.blocked.as_slice() else {
        panic!("{:?}", plan.blocked)
    };
    blocked.reason.clone()
}

// ---------------------------------------------------------------- conditions

/// A rule that writes `V`, under this condition.
fn guarded(when: &str) -> Profile {
    let key = format!(
        "  - key: {SERVICES}\\X\n    when: [ {{{when}}} ]\n    values:\n      \
         - {{name: V, dword: 1, why: because}}\n"
    );
    profile("x", &key)
}

const TERM: &str = r"key: HKLM\SYSTEM\CurrentControlSet\Services\TermService";

/// A plan's text with all that is known.
fn verbose() -> PlanView {
    PlanView {
        verbose: true,
        ..PlanView::default()
    }
}

#[test]
fn conditions_about_keys_and_values() {
    let lab = Lab::new().with(
        r"SYSTEM\ControlSet001\Services\TermService",
        "Start",
        Data::Dword(4),
    );
    for (when, holds) in [
        (format!("{TERM}, exists: true"), true),
        (format!("{TERM}, exists: false"), false),
        (format!("{TERM}2, exists: false"), true),
        (format!("{TERM}, value: start, exists: true"), true),
        (format!("{TERM}, value: Type, exists: true"), false),
        (format!("{TERM}, value: Type, exists: false"), true),
        (
            format!("{TERM}, value: Start, is: [ {{dword: 3}}, {{dword: 4}} ]"),
            true,
        ),
        (format!("{TERM}, value: Start, is: [ {{qword: 4}} ]"), false),
        (
            format!("{TERM}, value: Start, is-not: [ {{dword: 4}} ]"),
            false,
        ),
        (
            format!("{TERM}, value: Type, is-not: [ {{dword: 4}} ]"),
            true,
        ),
        (
            format!("{TERM}2, value: Start, is: [ {{dword: 4}} ]"),
            false,
        ),
        (
            r"key: HKLM\SYSTEM\ControlSet001, exists: true".to_owned(),
            true,
        ),
        (
            r"key: HKLM\SYSTEM\ControlSet002, exists: true".to_owned(),
            false,
        ),
        (
            r"key: HKLM\SOFTWARE\Microsoft, exists: false".to_owned(),
            true,
        ),
    ] {
        let profile = guarded(&when);
        if holds {
            assert_eq!(changed(&lab.plan(&profile)), ["X:(key)", "X:V"], "{when}");
            lab.repaired(&profile);
        } else {
            let (reason, condition) = left_out(&lab.plan(&profile));
            let condition = condition.unwrap();
            assert_eq!(reason, format!("holds only where {condition}"));
            assert!(condition.starts_with(r"HKLM\SYSTEM\C"), "{condition}");
        }
    }
}

#[test]
fn a_condition_is_asked_in_the_control_set_of_its_rule() {
    let lab = Lab::new()
        .with(
            r"SYSTEM\ControlSet001\Services\TermService",
            "Start",
            Data::Dword(4),
        )
        .with(
            r"SYSTEM\ControlSet002\Services\TermService",
            "Start",
            Data::Dword(3),
        );
    let plan = lab.plan(&guarded(&format!(
        "{TERM}, value: Start, is: [ {{dword: 3}} ]"
    )));
    let sets: Vec<_> = plan
        .changes
        .iter()
        .map(|c| c.control_set.clone().unwrap())
        .collect();
    assert_eq!(sets, ["ControlSet002", "ControlSet002"]);
    assert_eq!(plan.skipped.len(), 1);
    // Outside of the control sets, the one of the next start is asked.
    let key = format!(
        "  - key: HKLM\\SOFTWARE\\A\n    when: [ {{{TERM}, value: Start, is: [ {{dword: 4}} ]}} ]\n    \
         values: [ {{name: V, dword: 1, why: because}} ]\n"
    );
    assert_eq!(changed(&lab.plan(&profile("x", &key))), ["A:(key)", "A:V"]);
}

#[test]
fn a_hive_that_is_not_here_leaves_its_conditions_open() {
    let mut lab = Lab::new();
    lab.software = None;
    let plan = lab.plan(&guarded(r"key: HKLM\SOFTWARE\A, exists: false"));
    let (reason, _) = left_out(&plan);
    assert_eq!(
        reason,
        r"whether HKLM\SOFTWARE\A does not exist cannot be told: there is no SOFTWARE hive here"
    );
}

const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const DEVICE: &str =
    r"SYSTEM\ControlSet001\Control\Class\{4d36e97d-e325-11ce-bfc1-08002be10318}\0003";

#[test]
fn the_version_is_read_from_software_or_from_the_drivers() {
    let seven = Lab::new()
        .with(CURRENT_VERSION, "CurrentVersion", sz("6.1"))
        .with(CURRENT_VERSION, "CurrentBuildNumber", sz("7601"));
    let ten = Lab::new()
        .with(CURRENT_VERSION, "CurrentVersion", sz("6.3"))
        .with(
            CURRENT_VERSION,
            "CurrentMajorVersionNumber",
            Data::Dword(10),
        )
        .with(CURRENT_VERSION, "CurrentMinorVersionNumber", Data::Dword(0))
        .with(CURRENT_VERSION, "CurrentBuild", sz("14393"));
    let by_driver = Lab::new()
        .with(DEVICE, "ProviderName", sz("Microsoft"))
        .with(DEVICE, "DriverVersion", sz("10.0.19041.1266"))
        .with(&DEVICE.replace("0003", "0004"), "ProviderName", sz("Other"))
        .with(
            &DEVICE.replace("0003", "0004"),
            "DriverVersion",
            sz("99.0.1.1"),
        );
    let by_database = Lab::new().with(
        r"SYSTEM\DriverDatabase",
        "Version",
        Data::Dword(0x0A00_0000),
    );
    let unknown = Lab::new();
    for (lab, when, holds) in [
        (&seven, ">=6.1", Some(true)),
        (&seven, "<6.2", Some(true)),
        (&seven, ">=6.1.7602", Some(false)),
        (&ten, ">=6.2 <10.0", Some(false)),
        (&ten, ">=10.0.14393", Some(true)),
        (&ten, "<10.0.14393", Some(false)),
        (&by_driver, ">=10.0.15063", Some(true)),
        (&by_driver, "<10.0", Some(false)),
        (&by_database, ">=6.2", Some(true)),
        (&by_database, ">=10.0.14393", None),
        (&unknown, ">=5.0", None),
    ] {
        let plan = lab.plan(&guarded(&format!("windows: \"{when}\"")));
        match holds {
            Some(true) => assert_eq!(plan.changes.len(), 2, "{when}"),
            Some(false) => {
                let (reason, condition) = left_out(&plan);
                assert_eq!(reason, format!("holds only where Windows {when}"));
                assert_eq!(condition.unwrap(), format!("Windows {when}"));
            }
            None => {
                let (reason, _) = left_out(&plan);
                assert!(
                    reason.contains("cannot be told") && reason.contains("--software"),
                    "{reason}"
                );
            }
        }
    }
    let found = machine(&by_driver.inputs()).version.unwrap();
    let version = WindowsVersion {
        major: 10,
        minor: 0,
        build: Some(19041),
    };
    assert_eq!(found.value, version);
    assert!(
        found.from.ends_with(r"\0003, value DriverVersion"),
        "{}",
        found.from
    );
}

#[test]
fn what_the_machine_is_used_as() {
    let options = r"SYSTEM\ControlSet001\Control\ProductOptions";
    let tcpip = r"SYSTEM\ControlSet001\Services\Tcpip\Parameters";
    let client = Lab::new()
        .with(options, "ProductType", sz("WinNT"))
        .with(tcpip, "Domain", sz(""));
    let member = Lab::new()
        .with(options, "ProductType", sz("ServerNT"))
        .with(tcpip, "NV Domain", sz("corp.example"));
    let controller = Lab::new()
        .with(options, "ProductType", sz("ServerNT"))
        .with(
            r"SYSTEM\ControlSet001\Services\NTDS\Parameters",
            "DSA Database file",
            sz("C:\\x"),
        );
    let old_controller = Lab::new().with(options, "ProductType", sz("LanmanNT"));
    let unknown = Lab::new();
    for (lab, when, holds) in [
        (&client, "server: false", true),
        (&client, "domain-member: false", true),
        (&client, "domain-controller: true", false),
        (&member, "server: true", true),
        (&member, "domain-member: true", true),
        (&member, "domain-controller: false", true),
        (&controller, "domain-controller: true", true),
        (&controller, "domain-member: true", true),
        (&old_controller, "domain-controller: true", true),
        (&old_controller, "server: true", true),
        (&unknown, "server: true", false),
        (&unknown, "server: false", false),
        (&unknown, "domain-member: false", false),
        (&unknown, "domain-controller: false", false),
    ] {
        let plan = lab.plan(&guarded(when));
        assert_eq!(!plan.changes.is_empty(), holds, "{when}");
        if !holds {
            let (reason, condition) = left_out(&plan);
            assert!(condition.is_some());
            let is_open = reason.contains("cannot be told");
            assert_eq!(is_open, lab.system == unknown.system, "{reason}");
        }
    }
    let facts = machine(&controller.inputs());
    assert_eq!(facts.product.unwrap().value, ProductType::Server);
}

#[test]
fn the_conditions_of_a_profile_guard_all_of_its_rules() {
    let keys = [
        entry(r"HKLM\SOFTWARE\A", "name: V, dword: 1"),
        format!("  - key: {SERVICES}\\X\n    absent: true\n    why: because\n"),
    ];
    let profile = with_head("x", "when: [ {server: true} ]", &keys.concat());
    let lab = Lab::new().with_key(r"SYSTEM\ControlSet001\Services\X");
    let plan = lab.plan(&profile);
    assert_eq!((plan.changes.len(), plan.skipped.len()), (0, 2));
    let lab = lab.with(
        r"SYSTEM\ControlSet001\Control\ProductOptions",
        "ProductType",
        sz("ServerNT"),
    );
    assert_eq!(lab.plan(&profile).changes.len(), 3);
    lab.repaired(&profile);
}

// ---------------------------------------------------------------- enumerated keys

#[test]
fn a_star_is_every_key_that_is_there() {
    let interfaces = format!("{SERVICES}\\Tcpip\\Parameters\\Interfaces\\*");
    let profile = profile("x", &entry(&interfaces, "name: EnableDHCP, dword: 1"));
    let below =
        |name: &str| format!(r"SYSTEM\ControlSet001\Services\Tcpip\Parameters\Interfaces\{name}");
    for lab in [
        Lab::new(),
        Lab::new().with_key(below("").trim_end_matches('\\')),
    ] {
        let (reason, _) = left_out(&lab.plan(&profile));
        assert_eq!(reason, "no key matches");
    }
    let one = Lab::new().with(&below("{1}"), "EnableDHCP", Data::Dword(0));
    let after = one.repaired(&profile);
    assert_eq!(after.number(&below("{1}")[7..], "EnableDHCP"), Some(1));
    let many = one
        .with(&below("{2}"), "EnableDHCP", Data::Dword(1))
        .with_key(&below("plain"));
    assert_eq!(
        changed(&many.plan(&profile)),
        ["plain:EnableDHCP", "{1}:EnableDHCP"]
    );
    assert_eq!(many.plan(&profile).matches, 1);
    many.repaired(&profile);
}

#[test]
fn a_guid_is_every_key_with_such_a_name_and_no_key_is_made() {
    let guid = "{4D36E967-e325-11CE-BFC1-08002BE10318}";
    let class = r"SYSTEM\ControlSet001\Control\Class";
    let lab = Lab::new()
        .with(&format!(r"{class}\{guid}\0000"), "A", Data::Dword(0))
        .with_key(&format!(r"{class}\{guid}\0001"))
        .with_key(&format!(
            r"{class}\{{4D36E967-e325-11CE-BFC1-08002BE1031}}\0000"
        ))
        .with_key(&format!(r"{class}\Properties\0000"));
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{GUID}\*";
    let plan = lab.plan(&profile("x", &entry(key, "name: A, dword: 1")));
    assert_eq!(changed(&plan), ["0000:A", "0001:A"]);
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{GUID}\0002";
    let (reason, _) = left_out(&lab.plan(&profile("x", &entry(key, "name: A, dword: 1"))));
    assert_eq!(reason, "the key does not exist");
}

#[test]
fn a_condition_can_be_about_the_key_that_a_star_stands_for() {
    let interfaces = r"SYSTEM\ControlSet001\Services\Tcpip\Parameters\Interfaces";
    let lab = Lab::new()
        .with(
            &format!(r"{interfaces}\{{1}}"),
            "NameServer",
            sz("10.0.0.1"),
        )
        .with(&format!(r"{interfaces}\{{2}}"), "NameServer", sz(""));
    let star = format!(r"{SERVICES}\Tcpip\Parameters\Interfaces\*");
    let key = format!(
        "  - key: {star}\n    when: [ {{key: {star}, value: NameServer, is-not: [ {{sz: ''}} ]}} ]\n    \
         values: [ {{name: V, dword: 1, why: because}} ]\n"
    );
    assert_eq!(changed(&lab.plan(&profile("x", &key))), ["{1}:V"]);
    let said = refused("", &key.replacen(&star, r"HKLM\SOFTWARE\A", 1));
    assert!(
        said.contains("more `*` or `{GUID}` here than in the entry's key"),
        "{said}"
    );
}

#[test]
fn everything_at_once_is_never_meant() {
    for (key, message) in [
        (r"HKLM\SYSTEM\*", "everything there is"),
        (r"HKLM\SYSTEM\CurrentControlSet\*\A", "everything there is"),
        (r"HKLM\SOFTWARE\{GUID}\A", "everything there is"),
        (r"HKLM\SOFTWARE\A\*\*\*", "two parts"),
    ] {
        assert!(
            refused("", &entry(key, "name: A, dword: 1")).contains(message),
            "{key}"
        );
    }
    let gone = |key: &str| format!("  - key: {key}\n    absent: true\n    why: because\n");
    assert!(refused("", &gone(&format!("{SERVICES}\\*"))).contains("would be deleted"));
    // What is below each of them may go.
    let lab = Lab::new()
        .with_key(r"SYSTEM\ControlSet001\Services\A\Bad")
        .with_key(r"SYSTEM\ControlSet001\Services\B\Bad")
        .with_key(r"SYSTEM\ControlSet001\Services\C");
    let profile = profile("x", &gone(&format!("{SERVICES}\\*\\Bad")));
    assert_eq!(lab.plan(&profile).changes.len(), 2);
    lab.repaired(&profile);
}

#[test]
fn more_keys_than_anyone_means_are_blocked() {
    let system = edited(&Lab::new().system, |editor| {
        for number in 0..4097 {
            let key = format!(r"ControlSet001\Services\{number}");
            editor.create_key(&path(&key)).unwrap();
        }
    });
    let lab = Lab {
        system,
        software: None,
    };
    let profile = profile("x", &entry(&format!("{SERVICES}\\*"), "name: A, dword: 1"));
    assert_eq!(
        blocked(&lab.plan(&profile)),
        "more than 4096 keys match: that is not meant"
    );
}

/// Which real keys `*` shares with another entry shows in the plan only.
#[test]
fn a_star_and_a_name_that_disagree_are_blocked() {
    let lab = Lab::new().with_key(r"SYSTEM\ControlSet001\Services\A\One");
    let star = profile(
        "star",
        &entry(&format!(r"{SERVICES}\A\*"), "name: V, dword: 1"),
    );
    let named = |number| {
        let value = format!("name: v, dword: {number}");
        profile("named", &entry(&format!(r"{SERVICES}\A\one"), &value))
    };
    let pair = [star.clone(), named(1)];
    assert!(conflicts(&pair).is_ok());
    assert_eq!(lab.try_plan(&pair).unwrap().changes.len(), 1);
    let plan = lab.try_plan(&[star.clone(), named(2)]).unwrap();
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(plan.blocked[0].reason, "star wants something else of it");
    // And a key that one deletes is not written into by the other.
    let gone = format!("  - key: {SERVICES}\\A\n    absent: true\n    why: because\n");
    let plan = lab.try_plan(&[star, profile("gone", &gone)]).unwrap();
    assert_eq!(changed(&plan), ["A:(key)"]);
    assert_eq!(plan.blocked[0].reason, "gone deletes the key");
}

// ---------------------------------------------------------------- parts of values

const DISK: &str = r"SYSTEM\ControlSet001\Control\Class\X";
const DISK_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\X";

#[test]
fn elements_of_a_list() {
    let lab = Lab::new().with(DISK, "UpperFilters", list(&["partmgr", "EvilFlt", "other"]));
    let remove = profile(
        "x",
        &entry(DISK_KEY, "name: UpperFilters, list-remove: [evilflt, none]"),
    );
    let after = lab.repaired(&remove);
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (7, utf16("partmgr\0other\0\0")));
    let keep = profile(
        "x",
        &entry(DISK_KEY, "name: upperfilters, list-keep: [PARTMGR]"),
    );
    let after = lab.repaired(&keep);
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (7, utf16("partmgr\0\0")));
    let nothing = profile(
        "x",
        &entry(DISK_KEY, "name: UpperFilters, list-keep: [none]"),
    );
    let plan = lab.plan(&nothing);
    assert_eq!(plan.changes[0].action, Action::DeleteValue);
    assert_eq!(lab.repaired(&nothing).get(&DISK[7..], "UpperFilters"), None);
}

#[test]
fn what_is_missing_in_a_list_is_put_in() {
    let lab = Lab::new().with(DISK, "UpperFilters", list(&["partmgr"]));
    let add = profile(
        "x",
        &entry(DISK_KEY, "name: UpperFilters, list-add: [PartMgr, new]"),
    );
    let after = lab.repaired(&add);
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (7, utf16("partmgr\0new\0\0")));
    // Nothing is made where there is no list.
    assert_eq!(
        left_out(&Lab::new().with_key(DISK).plan(&add)).0,
        "the value does not exist"
    );
    let text = "name: UpperFilters, list-add: [b], separator: ';'";
    let lab = Lab::new().with(DISK, "UpperFilters", Data::ExpandSz("%a%\\x; c".to_owned()));
    let after = lab.repaired(&profile("x", &entry(DISK_KEY, text)));
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (2, utf16("%a%\\x; c;b\0")));
    let text = "name: UpperFilters, list-remove: [C], separator: ';'";
    let after = lab.repaired(&profile("x", &entry(DISK_KEY, text)));
    let now = after.get(&DISK[7..], "UpperFilters").unwrap();
    assert_eq!(now, (2, utf16("%a%\\x\0")));
}

#[test]
fn who_takes_out_what_another_puts_in_disagrees() {
    let one = |name: &str, text: &str| profile(name, &entry(DISK_KEY, text));
    for (some, others, fine) in [
        ("list-add: [a]", "list-remove: [b]", true),
        ("list-add: [a]", "list-remove: [A]", false),
        ("list-add: [a]", "list-keep: [a, b]", true),
        ("list-add: [a]", "list-keep: [b]", false),
        ("list-add: [a]", "list-add: [b]", true),
        ("list-add: [a], separator: ','", "list-add: [b]", false),
        // The same is written, and the stricter of the two counts.
        ("one-of: [ {dword: 2}, {dword: 1} ]", "dword: 2", true),
        ("one-of: [ {dword: 2}, {dword: 1} ]", "dword: 1", false),
    ] {
        let pair = [
            one("one", &format!("name: F, {some}")),
            one("two", &format!("name: F, {others}")),
        ];
        assert_eq!(conflicts(&pair).is_ok(), fine, "{some} / {others}");
    }
    let lab = Lab::new().with(DISK, "F", Data::Dword(1));
    let wide = one("one", "name: F, one-of: [ {dword: 2}, {dword: 1} ]");
    let strict = one("two", "name: F, dword: 2");
    for pair in [[wide.clone(), strict.clone()], [strict, wide]] {
        let plan = lab.try_plan(&pair).unwrap();
        let after = lab.apply(&plan);
        assert_eq!(after.number(&DISK[7..], "F"), Some(2));
    }
}

#[test]
fn a_star_is_every_value_that_is_there() {
    let lab = Lab::new()
        .with(DISK, "0", Data::Dword(3))
        .with(DISK, "1", Data::Dword(0))
        .with(DISK, "*", Data::Dword(4));
    let all = profile("x", &entry(DISK_KEY, "name: '*', dword: 0"));
    let mut names = changed(&lab.plan(&all));
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names[0].ends_with(":*") && names[1].ends_with(":0"),
        "{names:?}"
    );
    let after = lab.repaired(&all);
    for name in ["0", "1", "*"] {
        assert_eq!(after.number(&DISK[7..], name), Some(0), "{name}");
    }
    let some = profile(
        "x",
        &entry(DISK_KEY, "name: '*', dword: 0, if-one-of: [ {dword: 4} ]"),
    );
    let plan = lab.plan(&some);
    assert_eq!((plan.changes.len(), plan.skipped.len()), (1, 0));
    let literal = profile("x", &entry(DISK_KEY, "name: '*', literal: true, dword: 7"));
    let after = lab.repaired(&literal);
    assert_eq!(after.number(&DISK[7..], "*"), Some(7));
    assert_eq!(after.number(&DISK[7..], "0"), Some(3));
    // It makes no value, and no key.
    for lab in [Lab::new(), Lab::new().with_key(DISK)] {
        assert_eq!(lab.plan(&all).changes, []);
    }
    // With a name that wants something else it is blocked.
    let clash = entry(DISK_KEY, "name: '*', dword: 0") + &entry(DISK_KEY, "name: '0', dword: 3");
    let plan = lab.plan(&profile("x", &clash));
    assert_eq!(plan.blocked.len(), 1, "{:?}", plan.blocked);
}

const RULES_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Rules";
const RULES: &str = r"SYSTEM\ControlSet001\Services\Rules";

#[test]
fn an_entry_is_limited_to_rules_with_these_tokens() {
    let rule = |text: &str| sz(&format!("v2.10|{text}|"));
    let lab = Lab::new()
        .with(RULES, "{1}", rule("Action=SecureServer|Active=TRUE|Dir=In"))
        .with(RULES, "{2}", rule("Action=Request|Active=TRUE"))
        .with(RULES, "{3}", rule("action=secure|Active=TRUE|EP1Port=3390"))
        .with(RULES, "{4}", rule("Action=Secure|Active=TRUE|EP1Port=80"))
        .with(RULES, "{5}", rule("Action=Secure|Active=FALSE"))
        .with(RULES, "{6}", sz("no rule"))
        .with(RULES, "{7}", Data::Dword(1));
    let text = "name: '*', tokens: {Active: 'FALSE'}, \
                if-tokens: {Action: [Secure, SecureServer], EP1Port: ['', $port]}";
    let head = "parameters:\n  - {name: port, title: T, dword: 3389}";
    let profile = with_head("x", head, &entry(RULES_KEY, text));
    let mut with_port = [profile.clone()];
    set_parameters(&mut with_port, &[setting("port=3390")]).unwrap();
    for (profile, wanted) in [(&profile, vec!["{1}"]), (&with_port[0], vec!["{1}", "{3}"])] {
        let plan = lab.plan(profile);
        assert_eq!(plan.blocked, []);
        let names: Vec<String> = changed(&plan);
        let wanted: Vec<String> = wanted.iter().map(|name| format!("Rules:{name}")).collect();
        assert_eq!(names, wanted);
        let again = lab.repaired(profile);
        assert_eq!(again.plan(profile).changes, []);
    }
}

#[test]
fn a_condition_asks_for_a_type_or_for_nothing_at_all() {
    let asked = |choice: &str| guarded(&format!("{TERM}, value: V, is: [ {{{choice}}} ]"));
    let term = r"SYSTEM\ControlSet001\Services\TermService";
    for (data, choice, holds) in [
        (list(&[]), "type-of: multi-sz", true),
        (sz("a"), "type-of: multi-sz", false),
        (sz(""), "empty: true", true),
        (list(&[]), "empty: true", true),
        (sz("a"), "empty: true", false),
        (Data::Dword(0), "empty: true", false),
        (
            sz("WinPeShl.exe"),
            "sz: winpeshl.EXE, same-text: true",
            true,
        ),
        (sz("WinPeShl.exe"), "sz: winpeshl.exe", false),
    ] {
        let lab = Lab::new().with(term, "V", data.clone());
        let plan = lab.plan(&asked(choice));
        assert_eq!(!plan.changes.is_empty(), holds, "{data:?} {choice}");
    }
    // A value that is not there has no type, and no text.
    for choice in ["type-of: sz", "empty: true"] {
        assert_eq!(Lab::new().with_key(term).plan(&asked(choice)).changes, []);
    }
}

#[test]
fn parts_and_choices_that_make_no_sense_are_refused() {
    for (text, message) in [
        (
            "name: A, dword: 1, separator: ','",
            "`separator` is about the elements",
        ),
        (
            "name: A, list-add: [a], separator: ', '",
            "is not one character",
        ),
        (
            "name: A, list-add: ['a,b'], separator: ','",
            "cannot stand between the elements",
        ),
        (
            "name: A, list-add: [a], separator: ' '",
            "cannot stand between the elements",
        ),
        ("name: A, list-add: []", "`list-add` is an empty list"),
        (
            "name: A, dword: 1, literal: true",
            "`literal` is about the name `*`",
        ),
        ("name: A, dword: 1, if-tokens: {}", "`if-tokens` is empty"),
        ("name: A, dword: 1, if-tokens: [a]", "not a map"),
        (
            "name: A, dword: 1, if-tokens: {A: []}",
            "has no text to be compared with",
        ),
        (
            "name: A, dword: 1, if-tokens: {A: x, a: y}",
            "is here twice",
        ),
        (
            "name: A, dword: 1, if-tokens: {A: $p}",
            "the profile has no parameter `p`",
        ),
    ] {
        let said = refused("", &entry(DISK_KEY, text));
        assert!(said.contains(message), "{text}: {said}");
    }
    for (choice, message) in [
        ("type-of: text", "`text` is not a type"),
        ("type-of: sz, sz: a", "stands beside"),
        ("empty: false", "`empty: false` says nothing"),
        ("dword: 1, same-text: true", "`same-text` is about text"),
        ("same-text: true", "has no type"),
        ("empty: true}, {empty: true", "is here twice"),
    ] {
        let keys = format!(
            "  - key: {DISK_KEY}\n    when: [ {{{TERM}, value: V, is: [ {{{choice}}} ]}} ]\n    \
             values:\n      - {{name: V, dword: 1, why: because}}\n"
        );
        let said = refused("", &keys);
        assert!(said.contains(message), "{choice}: {said}");
    }
}

#[test]
fn a_parameter_takes_only_what_it_names() {
    let head = "parameters:\n  - {name: mode, title: T, required: true, type-of: dword, \
                one-of: [ {dword: 2}, {dword: 4} ]}";
    let profile = with_head("x", head, &entry(DISK_KEY, "name: A, parameter: mode"));
    for (text, fine) in [
        ("mode=2", true),
        ("mode=0x4", true),
        ("mode=3", false),
        ("mode=1", false),
    ] {
        let mut given = [profile.clone()];
        let said = set_parameters(&mut given, &[setting(text)]);
        assert_eq!(said.is_ok(), fine, "{text}");
        if let Err(error) = said {
            assert!(error.to_string().contains("one of 2, 4"), "{error}");
        }
    }
    for (head, message) in [
        (
            "dword: 3, one-of: [ {dword: 2}, {dword: 4} ]",
            "is not one of them",
        ),
        (
            "dword: 2, one-of: [ {dword: 2} ]",
            "two or more of its own type",
        ),
        (
            "dword: 2, one-of: [ {dword: 2}, {sz: a} ]",
            "two or more of its own type",
        ),
        (
            "dword: 2, min: 1, one-of: [ {dword: 2}, {dword: 4} ]",
            "`min` stands beside `one-of`",
        ),
    ] {
        let head = format!("parameters:\n  - {{name: mode, title: T, {head}}}");
        let said = refused(&head, &entry(DISK_KEY, "name: A, parameter: mode"));
        assert!(said.contains(message), "{head}: {said}");
    }
}

#[test]
fn a_part_of_what_is_not_there_is_no_drift() {
    for lab in [Lab::new(), Lab::new().with_key(DISK)] {
        for want in ["list-remove: [a]", "list-keep: [a]", "tokens: {A: b}"] {
            let plan = lab.plan(&profile("x", &entry(DISK_KEY, &format!("name: V, {want}"))));
            assert_eq!(left_out(&plan).0, "the value does not exist");
        }
    }
}

#[test]
fn a_part_of_another_type_is_blocked() {
    let lab = Lab::new()
        .with(DISK, "List", sz("a"))
        .with(DISK, "Rule", Data::Dword(1));
    let plan = lab.plan(&profile(
        "x",
        &entry(DISK_KEY, "name: List, list-remove: [a]"),
    ));
    assert_eq!(
        blocked(&plan),
        "a REG_MULTI_SZ was expected, and it has the type REG_SZ"
    );
    let plan = lab.plan(&profile(
        "x",
        &entry(DISK_KEY, "name: Rule, tokens: {A: b}"),
    ));
    assert!(
        blocked(&plan).starts_with("a rule is a REG_SZ, and this value has the type REG_DWORD")
    );
    let text = plan_text(&plan, &Effect::default(), &PlanView::default());
    assert!(
        text.contains("BLOCKED: SYSTEM ControlSet001\\Control\\Class\\X, value Rule"),
        "{text}"
    );
    let verdict = "Plan: it cannot be applied, 1 entry cannot be followed here";
    assert!(text.contains(verdict), "{text}");
}

const RULE: &str = "v2.10|Action=Block|Active=TRUE|Dir=In|LPort=3389|App=C:\\a=b\\x.exe|\
    Profile=Domain|Profile=Private|Name=@FirewallAPI.dll,-28753|";
const ALLOW: &str = "name: R, tokens: {Active: \"TRUE\", Action: Allow}";

#[test]
fn tokens_of_a_firewall_rule() {
    let lab = Lab::new().with(DISK, "R", sz(RULE));
    let allow = profile("x", &entry(DISK_KEY, ALLOW));
    let after = lab.repaired(&allow);
    let want = RULE.replace("Block", "Allow");
    assert_eq!(
        after.get(&DISK[7..], "R").unwrap(),
        (1, utf16(&format!("{want}\0")))
    );
    let twice = profile("x", &entry(DISK_KEY, "name: R, tokens: {profile: Public}"));
    assert!(blocked(&lab.plan(&twice)).contains("the token profile more than once"));
    let new = profile("x", &entry(DISK_KEY, "name: R, tokens: {Edge: \"TRUE\"}"));
    let after = lab.repaired(&new);
    let want = RULE.replace("v2.10|", "v2.10|Edge=TRUE|");
    assert_eq!(
        after.get(&DISK[7..], "R").unwrap().1,
        utf16(&format!("{want}\0"))
    );
}

#[test]
fn two_profiles_may_change_different_parts_of_one_value() {
    let lab = Lab::new()
        .with(DISK, "R", sz(RULE))
        .with(DISK, "L", list(&["a", "b", "c"]));
    let one = entry(DISK_KEY, ALLOW) + &entry(DISK_KEY, "name: L, list-remove: [a]");
    let two = entry(
        DISK_KEY,
        "name: R, tokens: {LPort: \"3390\", action: Allow}",
    ) + &entry(DISK_KEY, "name: L, list-keep: [A, b]");
    let pair = [profile("one", &one), profile("two", &two)];
    assert!(conflicts(&pair).is_ok());
    let plan = lab.try_plan(&pair).unwrap();
    assert_eq!(
        (changed(&plan), plan.blocked.len()),
        (vec!["X:R".to_owned(), "X:L".to_owned()], 0)
    );
    let after = lab.apply(&plan);
    let want = RULE.replace("Block", "Allow").replace("3389", "3390");
    assert_eq!(
        after.get(&DISK[7..], "R").unwrap().1,
        utf16(&format!("{want}\0"))
    );
    assert_eq!(after.get(&DISK[7..], "L").unwrap().1, utf16("b\0\0"));
    assert_eq!(after.try_plan(&pair).unwrap().changes, []);
    // A third one must agree with both, which `*` hides from the check before the plan.
    let third = [
        pair[0].clone(),
        pair[1].clone(),
        profile(
            "three",
            &entry(
                r"HKLM\SYSTEM\CurrentControlSet\Control\Class\*",
                "name: R, tokens: {LPort: \"1\"}",
            ),
        ),
    ];
    assert!(conflicts(&third).is_ok());
    let plan = lab.try_plan(&third).unwrap();
    assert_eq!(plan.blocked[0].reason, "one wants something else of it");
    let other = [
        profile("one", &entry(DISK_KEY, "name: R, tokens: {A: b}")),
        profile("two", &entry(DISK_KEY, "name: R, tokens: {a: c}")),
    ];
    let said = conflicts(&other).unwrap_err().to_string();
    assert!(
        said.contains("one: A=b") && said.contains("two: a=c"),
        "{said}"
    );
}

/// The change that parts of a value are merged into lowers security as soon as one part does,
/// whichever is planned first; and it says why for each.
#[test]
fn a_change_of_parts_has_the_mark_of_each_part() {
    let lab = Lab::new().with(DISK, "L", list(&["a", "b", "c"]));
    let part = |id: &str, want: &str, lowers: bool| {
        let lowers = if lowers {
            ", lowers-security: true"
        } else {
            ""
        };
        let value = format!("name: L, {want}{lowers}");
        with_head(
            id,
            "undo: none",
            &entry(DISK_KEY, &value).replace("because", id),
        )
    };
    for (first, second) in [(false, false), (false, true), (true, false), (true, true)] {
        for wants in [
            ["list-remove: [a]", "list-keep: [a, b]"],
            ["list-keep: [c]", "list-remove: [c]"],
        ] {
            let pair = [part("one", wants[0], first), part("two", wants[1], second)];
            let plan = lab.try_plan(&pair).unwrap();
            let [change] = plan.changes.as_slice() else {
                panic!("{:?}", plan.changes);
            };
            assert_eq!(change.lowers_security, first || second, "{wants:?}");
            assert_eq!(&*change.note, "one; two");
        }
    }
}

#[test]
fn numbers_in_a_range() {
    let want = "name: V, dword: 2, min: 2, max: 4";
    let good = profile("x", &entry(DISK_KEY, want));
    for (found, is_good) in [
        (Data::Dword(2), true),
        (Data::Dword(4), true),
        (Data::Dword(1), false),
        (Data::Dword(5), false),
        (Data::Qword(3), false),
        (sz("3"), false),
        (Data::Binary(vec![3, 0, 0, 0]), false),
    ] {
        let lab = Lab::new().with(DISK, "V", found.clone());
        assert_eq!(lab.plan(&good).changes.is_empty(), is_good, "{found}");
        if !is_good {
            assert_eq!(lab.repaired(&good).number(&DISK[7..], "V"), Some(2));
        }
    }
    let at_least = profile("x", &entry(DISK_KEY, "name: V, qword: 9, min: 9"));
    let lab = Lab::new().with(DISK, "V", Data::Qword(u64::MAX));
    assert_eq!(lab.plan(&at_least).matches, 1);
    for (want, message) in [
        (
            "name: V, dword: 1, min: 2",
            "1 is not in the range from 2 to 4294967295",
        ),
        (
            "name: V, dword: 1, min: 2, max: 1",
            "no number is from 2 to 1",
        ),
        ("name: V, sz: a, min: 2", "`min` goes with one number"),
        (
            "name: V, one-of: [{dword: 1}, {dword: 2}], max: 2",
            "`max` goes with one number",
        ),
        ("name: V, dword: 1, max: 4294967296", "too large"),
    ] {
        assert!(
            refused("", &entry(DISK_KEY, want)).contains(message),
            "{want}"
        );
    }
}

#[test]
fn only_where_it_is_one_of_these_now() {
    let want = "name: Start, dword: 3, if-one-of: [ {dword: 4} ]";
    let fix = profile("x", &entry(DISK_KEY, want));
    let lab = Lab::new().with(DISK, "Start", Data::Dword(4));
    assert_eq!(lab.repaired(&fix).number(&DISK[7..], "Start"), Some(3));
    for (lab, reason) in [
        (Lab::new(), "the value does not exist"),
        (Lab::new().with_key(DISK), "the value does not exist"),
        (
            Lab::new().with(DISK, "Start", Data::Dword(2)),
            "the value is none of those that are changed",
        ),
        (
            Lab::new().with(DISK, "Start", sz("4")),
            "the value is none of those that are changed",
        ),
    ] {
        assert_eq!(left_out(&lab.plan(&fix)).0, reason);
    }
    let lab = Lab::new().with(DISK, "Start", Data::Dword(3));
    assert_eq!(lab.plan(&fix).matches, 1);
    let gone = profile(
        "x",
        &entry(DISK_KEY, "name: A, absent: true, if-one-of: [ {sz: bad} ]"),
    );
    let lab = Lab::new().with(DISK, "A", sz("bad"));
    assert_eq!(lab.repaired(&gone).get(&DISK[7..], "A"), None);
    let lab = Lab::new().with(DISK, "A", sz("good"));
    left_out(&lab.plan(&gone));
}

#[test]
fn text_in_whatever_case() {
    let account = r"name: ObjectName, sz: NT Authority\NetworkService, same-text: true";
    let fix = profile("x", &entry(DISK_KEY, account));
    for (found, is_good) in [
        (sz(r"NT AUTHORITY\NETWORKSERVICE"), true),
        (sz("LocalSystem"), false),
        (
            Data::ExpandSz(r"NT Authority\NetworkService".to_owned()),
            false,
        ),
    ] {
        let lab = Lab::new().with(DISK, "ObjectName", found.clone());
        assert_eq!(lab.plan(&fix).changes.is_empty(), is_good, "{found}");
        if !is_good {
            lab.repaired(&fix);
        }
    }
    let either = "name: ObjectName, one-of: [{sz: LocalSystem}, {sz: A}], same-text: true";
    let lab = Lab::new().with(DISK, "ObjectName", sz("localSYSTEM"));
    assert_eq!(lab.plan(&profile("x", &entry(DISK_KEY, either))).matches, 1);
    let said = refused("", &entry(DISK_KEY, "name: A, dword: 1, same-text: true"));
    assert!(said.contains("`same-text` is about text"), "{said}");
}

// ---------------------------------------------------------------- last known good

const BOOT: &str = "  - key: HKLM\\SYSTEM\\Select\n    boot: last-known-good\n";

/// Control sets, each with so many services.
fn machine_with(sets: &[(u32, usize)], select: &[(&str, u32)]) -> Lab {
    let system = edited(&empty(5), |editor| {
        for (number, services) in sets {
            let set = format!("ControlSet{number:03}");
            for part in [
                "Control\\A",
                "Control\\B",
                "Enum\\A",
                "Hardware Profiles\\0001",
            ] {
                editor.create_key(&path(&format!("{set}\\{part}"))).unwrap();
            }
            for service in 0..*services {
                editor
                    .create_key(&path(&format!("{set}\\Services\\{service}")))
                    .unwrap();
            }
        }
        editor.create_key(&path("Select")).unwrap();
        for (name, number) in select {
            set(editor, "Select", name, &Data::Dword(*number));
        }
    });
    Lab {
        system,
        software: None,
    }
}

fn select(lab: &Lab) -> [u32; 4] {
    ["Current", "Default", "LastKnownGood", "Failed"]
        .map(|name| lab.number("Select", name).unwrap())
}

fn usual(last_known_good: u32) -> [(&'static str, u32); 4] {
    [
        ("Current", 1),
        ("Default", 1),
        ("LastKnownGood", last_known_good),
        ("Failed", 0),
    ]
}

#[test]
fn last_known_good_is_what_windows_would_do() {
    let boot = profile("lkg", BOOT);
    let lab = machine_with(&[(1, 10), (2, 9)], &usual(2));
    let plan = lab.plan(&boot);
    assert_eq!(
        changed(&plan),
        ["Select:Current", "Select:Default", "Select:Failed"]
    );
    let after = lab.repaired(&boot);
    assert_eq!(select(&after), [2, 2, 2, 1]);
    let again = after.plan(&boot);
    assert_eq!(
        left_out(&again).0,
        "the last known good control set is in use already: ControlSet002 is current, default and \
         last known good, and ControlSet001 failed"
    );
    // Where LastKnownGood is the default one or is not there, the only other one.
    for named in [1, 3] {
        let lab = machine_with(&[(1, 10), (2, 5)], &usual(named));
        assert_eq!(select(&lab.repaired(&boot)), [2, 2, 2, 1], "{named}");
    }
    // Two profiles that both ask for it ask for the same.
    let pair = [boot.clone(), profile("other", BOOT)];
    let plan = lab.try_plan(&pair).unwrap();
    assert_eq!((plan.changes.len(), plan.blocked.len()), (3, 0));
    // Of several, the one that is named.
    let lab = machine_with(&[(1, 10), (2, 10), (3, 10)], &usual(3));
    assert_eq!(select(&lab.repaired(&boot)), [3, 3, 3, 1]);
}

#[test]
fn last_known_good_is_blocked_where_windows_could_not_start() {
    let boot = profile("lkg", BOOT);
    let none = machine_with(&[(1, 10)], &usual(1));
    let skeleton = {
        let mut lab = none.clone();
        lab.set(r"SYSTEM\ControlSet002\Control\Lsa", "a", &Data::Dword(1));
        lab
    };
    let mut failed = usual(1);
    failed[3].1 = 2;
    let mut current = failed;
    current[0].1 = 2;
    for (lab, reason) in [
        (
            none,
            "there is no control set but ControlSet001, the default one",
        ),
        (
            skeleton,
            "there is no complete control set beside ControlSet001: ControlSet002: it has no Enum",
        ),
        (
            machine_with(&[(1, 10), (2, 4)], &usual(2)),
            "ControlSet002: Services has 4 keys, and 10 in ControlSet001",
        ),
        (
            machine_with(&[(1, 10)], &usual(2)),
            "ControlSet002 (last known good) does not exist",
        ),
        (
            machine_with(&[(1, 10), (2, 10), (3, 10)], &usual(1)),
            "Select does not say which of ControlSet002, ControlSet003 is",
        ),
        (
            machine_with(&[(1, 10), (2, 10)], &current),
            "ControlSet002: Select says that it failed",
        ),
        (
            machine_with(&[(1, 10), (2, 10)], &[("Current", 1)]),
            "Select does not say which control set is the default one",
        ),
    ] {
        let found = blocked(&lab.plan(&boot));
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn boot_is_about_select_and_nothing_else() {
    let values = "    values: [ {name: Default, dword: 1, why: w} ]\n";
    for (keys, message) in [
        (
            BOOT.replace("Select", "Setup"),
            "`boot` is about `Select`, and this is another key",
        ),
        (format!("{BOOT}{values}"), "`values` stands beside `boot`"),
        (
            BOOT.replace("last-known-good", "safe"),
            "`safe` is not a way to boot",
        ),
    ] {
        assert!(refused("", &keys).contains(message), "{keys}");
    }
}

// ---------------------------------------------------------------- parameters

const PORT: &str =
    "parameters:\n  - {name: port, title: The port, dword: 3389, min: 1, max: 65535}";

fn setting(text: &str) -> Setting {
    Setting::read(text).unwrap()
}

#[test]
fn a_parameter_is_its_default_until_it_is_set() {
    let keys = entry(DISK_KEY, "name: PortNumber, parameter: port")
        + &entry(DISK_KEY, "name: R, tokens: {LPort: $port}");
    let profile = with_head("x", PORT, &keys);
    let lab = Lab::new()
        .with(DISK, "PortNumber", Data::Dword(1))
        .with(DISK, "R", sz(RULE));
    let after = lab.repaired(&profile);
    assert_eq!(after.number(&DISK[7..], "PortNumber"), Some(3389));
    let mut set = vec![profile];
    set_parameters(&mut set, &[setting("port=0xD3E")]).unwrap();
    let after = lab.repaired(&set[0]);
    assert_eq!(after.number(&DISK[7..], "PortNumber"), Some(3390));
    let rule = after.get(&DISK[7..], "R").unwrap().1;
    assert_eq!(rule, utf16(&format!("{}\0", RULE.replace("3389", "3390"))));
}

#[test]
fn a_setting_that_does_not_fit_says_what_does() {
    let keys = entry(DISK_KEY, "name: A, parameter: port")
        + &entry(DISK_KEY, "name: B, parameter: servers")
        + &entry(DISK_KEY, "name: C, tokens: {App: $app}");
    let head = format!(
        "{PORT}\n  - {{name: servers, title: The servers, multi-sz: [a]}}\n  \
         - {{name: app, title: The program, sz: x}}"
    );
    let read = |settings: &[&str]| -> Result<Profile, SettingError> {
        let mut profiles = vec![with_head("x", &head, &keys)];
        let settings: Result<Vec<Setting>, _> = settings.iter().map(|s| Setting::read(s)).collect();
        set_parameters(&mut profiles, &settings?)?;
        Ok(profiles.remove(0))
    };
    let set = read(&["servers=one, two", "port=65535"]).unwrap();
    let servers = &set.keys[1].values[0].want;
    assert_eq!(*servers, Want::Data(list(&["one", "two"])));
    for (settings, said) in [
        (
            vec!["port=0"],
            "`0` cannot be `port` (The port): a number from 1 to 65535",
        ),
        (vec!["port=65536"], "a number from 1 to 65535"),
        (vec!["port=08"], "a number from 1 to 65535"),
        (vec!["port=-1"], "a number from 1 to 65535"),
        (vec!["port="], "a number from 1 to 65535"),
        (vec!["port=x\u{1b}[2J"], "x\\u{1b}[2J"),
        (vec!["servers=a,,b"], "names with commas between them"),
        (vec!["app=a|b"], "text without a |"),
        (vec!["app="], "text that is not empty"),
        (
            vec!["prot=1"],
            "no profile here has a parameter `prot`; there are: port (a number",
        ),
        (vec!["port=1", "port=1"], "`port` is set twice"),
        (vec!["port"], "`port` is not NAME=VALUE"),
        (vec!["=1"], "`=1` is not NAME=VALUE"),
    ] {
        let found = read(&settings).unwrap_err().to_string();
        assert!(found.contains(said), "{found}");
        assert!(!found.contains('\u{1b}'));
    }
}

#[test]
fn a_required_parameter_must_be_given() {
    let head =
        "parameters:\n  - {name: mode, title: The mode, required: true, type-of: dword, max: 5}";
    let keys = entry(DISK_KEY, "name: Mode, parameter: mode, max: 9")
        + &entry(DISK_KEY, "name: R, tokens: {Mode: $mode}");
    let mut profiles = vec![with_head("x", head, &keys)];
    let said = set_parameters(&mut profiles, &[]).unwrap_err().to_string();
    assert!(
        said.starts_with("the profile x needs --set mode=...: The mode; a number from 0 to 5"),
        "{said}"
    );
    // Whoever goes on all the same is stopped by the plan.
    let lab = Lab::new().with(DISK, "R", sz(RULE));
    let plan = lab.plan(&profiles[0]);
    assert_eq!((plan.changes.len(), plan.blocked.len()), (0, 2));
    set_parameters(&mut profiles, &[setting("mode=4")]).unwrap();
    let after = lab.repaired(&profiles[0]);
    assert_eq!(after.number(&DISK[7..], "Mode"), Some(4));
    // The range of the entry is that of good numbers.
    let lab = Lab::new().with(DISK, "Mode", Data::Dword(9));
    assert_eq!(lab.plan(&profiles[0]).matches, 1);
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let keys = entry(DISK_KEY, "name: A, dword: 1");
    for (head, message) in [
        (
            "parameters:\n  - {name: p, title: T}",
            "a parameter needs a type with its default",
        ),
        (
            "parameters:\n  - {name: p, title: T, dword: 1, sz: a}",
            "`sz` stands beside `dword`",
        ),
        (
            "parameters:\n  - {name: p, title: T, required: true, dword: 1}",
            "a parameter needs a type with its default",
        ),
        (
            "parameters:\n  - {name: p, title: T, required: true, type-of: binary}",
            "`binary` is not a type of a parameter",
        ),
        (
            "parameters:\n  - {name: p, title: T, dword: 0, min: 1}",
            "the default 0 is not in the range",
        ),
        (
            "parameters:\n  - {name: p, title: T, sz: a, min: 1}",
            "`min` goes with numbers",
        ),
        (
            "parameters:\n  - {name: P, title: T, sz: a}",
            "`P` cannot be the name of a parameter",
        ),
        (
            "parameters:\n  - {name: p, title: T, sz: a}\n  - {name: p, title: T, sz: b}",
            "the parameter `p` is here twice",
        ),
        (
            "parameters:\n  - {title: T, sz: a}",
            "a parameter has no `name`",
        ),
    ] {
        assert!(refused(head, &keys).contains(message), "{head}");
    }
    for (value, message) in [
        (
            "name: A, parameter: prot",
            "the profile has no parameter `prot`",
        ),
        (
            "name: A, tokens: {B: $prot}",
            "the profile has no parameter `prot`",
        ),
        (
            "name: A, parameter: port, dword: 1",
            "`dword` stands beside `parameter`",
        ),
        (
            "name: A, parameter: port, max: 5",
            "`port` can be a number that is not good here",
        ),
        (
            "name: A, tokens: {B: a|b}",
            "`a|b` cannot be the text of a token",
        ),
        ("name: A, tokens: {B: TRUE}", "without quotes is yes or no"),
        ("name: A, tokens: {B=C: a}", "cannot be the name of a token"),
        (
            "name: A, tokens: {B: a, b: c}",
            "the token `b` is here twice",
        ),
        ("name: A, tokens: {}", "`tokens` is empty"),
        ("name: A, tokens: [a]", "`tokens` is a list, not a map"),
        ("name: A, list-remove: []", "`list-remove` is an empty list"),
        (
            "name: A, list-remove: [a, A]",
            "`list-remove` names `A` twice",
        ),
        ("name: A, list-keep: ['']", "`list-keep` has an empty name"),
        (
            "name: A, dword: 1, if-one-of: []",
            "`if-one-of` is an empty list",
        ),
        (
            "name: A, dword: 1, if-one-of: [1]",
            "a choice of `if-one-of` is a single value",
        ),
        (
            "name: A, dword: 1, impact: blocks, cause: c",
            "its profile has none",
        ),
    ] {
        let said = refused(PORT, &entry(DISK_KEY, value));
        assert!(said.contains(message), "{value}: {said}");
    }
}

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let values = "    values: [ {name: A, dword: 1, why: w} ]\n";
    for (when, message) in [
        (
            "{windows: '6.1'}",
            "`6.1` is not a range of Windows versions",
        ),
        (
            "{windows: '>=10.0 <6.1'}",
            "no version of Windows is `>=10.0 <6.1`",
        ),
        (
            "{windows: '>=6.1', server: true}",
            "`server` stands beside `windows`",
        ),
        (
            r"{key: HKLM\SOFTWARE\A}",
            "a condition does not say what must be so",
        ),
        (
            r"{key: HKLM\SOFTWARE, exists: true}",
            "this is a whole hive",
        ),
        (
            r"{key: HKLM\SOFTWARE\A, is: [ {dword: 1} ]}",
            "`is` is about a value, and none is named",
        ),
        (
            r"{key: HKLM\SOFTWARE\A, value: B, is: [ {dword: 1} ], is-not: [ {dword: 1} ]}",
            "`is-not` stands beside `is`",
        ),
        (
            r"{key: HKLM\SOFTWARE\A, value: B, is: []}",
            "`is` is an empty list",
        ),
        ("{exists: true}", "a condition has no `key`"),
        ("{server: yes}", "write true"),
        ("{os: 7}", "`os` is not a field of a condition"),
    ] {
        let keys = format!("  - key: {DISK_KEY}\n    when: [ {when} ]\n{values}");
        let said = refused("", &keys);
        assert!(said.contains(message), "{when}: {said}");
        assert!(said.starts_with("x.yaml:7:"), "{said}");
    }
    assert!(refused("when: []", values).contains("`when` is an empty list"));
    assert!(refused("impact: blocks", values).contains("a profile has `impact` and no `cause`"));
    assert!(refused("impact: bad\ncause: c", values).contains("write blocks, weakens or unusual"));
}

// ---------------------------------------------------------------- what goes together

#[test]
fn entries_whose_conditions_exclude_each_other_are_no_conflict() {
    let guarded = |when: &str, number: u32| {
        format!(
            "  - key: {DISK_KEY}\n    when: [ {{{when}}} ]\n    values:\n      \
             - {{name: Start, dword: {number}, why: because}}\n"
        )
    };
    let exists = |exists| format!(r"key: HKLM\SOFTWARE\A, exists: {exists}");
    for (one, two, fine) in [
        (
            "domain-member: true".to_owned(),
            "domain-member: false".to_owned(),
            true,
        ),
        (
            "windows: '<6.2'".to_owned(),
            "windows: '>=6.2'".to_owned(),
            true,
        ),
        (
            "windows: '<6.2'".to_owned(),
            "windows: '>=6.1'".to_owned(),
            false,
        ),
        (
            "server: true".to_owned(),
            "domain-member: true".to_owned(),
            false,
        ),
        (exists(true), exists(false), true),
        (exists(true), exists(true), false),
    ] {
        let keys = guarded(&one, 2) + &guarded(&two, 3);
        let text = text_of("x", "", &keys);
        assert_eq!(parse(text.as_bytes(), "x").is_ok(), fine, "{one} / {two}");
        let pair = [
            profile("one", &guarded(&one, 2)),
            profile("two", &guarded(&two, 3)),
        ];
        assert_eq!(conflicts(&pair).is_ok(), fine, "{one} / {two}");
    }
    // The conditions of the profiles count too.
    let keys = entry(DISK_KEY, "name: Start, dword: 2");
    let other = entry(DISK_KEY, "name: Start, dword: 3");
    let pair = [
        with_head("one", "when: [ {server: true} ]", &keys),
        with_head("two", "when: [ {server: false} ]", &other),
    ];
    assert!(conflicts(&pair).is_ok());
    let lab = Lab::new().with(
        r"SYSTEM\ControlSet001\Control\ProductOptions",
        "ProductType",
        sz("WinNT"),
    );
    let plan = lab.try_plan(&pair).unwrap();
    assert_eq!(plan.changes.last().unwrap().profile, "two");
    assert_eq!((plan.changes.len(), plan.skipped.len()), (3, 1));
}

/// Writes profiles into a folder and loads the first one with all that it includes.
fn load_files(files: &[(&str, &str, &str)]) -> Result<Vec<Profile>, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, head, keys) in files {
        let id = name.rsplit('/').next().unwrap().trim_end_matches(".yaml");
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = match keys.is_empty() {
            true => text_of(id, head, "").replace("keys:\n", ""),
            false => text_of(id, head, keys),
        };
        fs::write(file, text).unwrap();
    }
    let first = folder.path().join(files[0].0).display().to_string();
    load_all(&[first]).map_err(|errors| errors.to_string())
}

#[test]
fn an_include_is_as_if_it_were_named_too() {
    let keys = |name: &str| entry(DISK_KEY, &format!("name: {name}, dword: 1"));
    let (a, b, c) = (keys("A"), keys("B"), keys("C"));
    let profiles = load_files(&[
        (
            "a.yaml",
            "include: [./b.yaml, sub/c.yaml, rdp-defaults]",
            &a,
        ),
        ("b.yaml", "include: [./sub/c.yaml]", &b),
        ("sub/c.yaml", "", &c),
    ])
    .unwrap();
    let ids: Vec<_> = profiles
        .iter()
        .map(|p| (p.id.as_str(), p.included_by.as_deref()))
        .collect();
    assert_eq!(
        ids,
        [
            ("c", Some("b")),
            ("b", Some("a")),
            ("rdp-defaults", Some("a")),
            ("a", None)
        ]
        .map(|(id, by)| (id, by))
    );
    let plan = Lab::new().try_plan(&profiles).unwrap();
    let by: Vec<_> = plan
        .changes
        .iter()
        .map(|change| change.profile.as_str())
        .collect();
    assert_eq!(by, ["c", "c", "c", "b", "a"]);
    let text = plan_text(&plan, &Effect::default(), &verbose());
    assert!(text.contains("c: X (included by b)"), "{text}");
    assert_eq!(
        serde_json::to_value(plan_document(&plan, &Effect::default(), None)).unwrap()["profiles"]
            [0]["included_by"],
        "b"
    );
    // A profile may do nothing but include others.
    let profiles = load_files(&[("a.yaml", "include: [b.yaml]", ""), ("b.yaml", "", &b)]).unwrap();
    assert_eq!(profiles.len(), 2);
    let clash = [
        ("a.yaml", "include: [b.yaml]", a.as_str()),
        ("b.yaml", "", &a.replace("dword: 1", "dword: 2")),
    ];
    assert!(conflicts(&load_files(&clash).unwrap()).is_err());
}

#[test]
fn an_included_parameter_is_the_including_profile_s() {
    let takes = entry(DISK_KEY, "name: PortNumber, parameter: port");
    let own = entry(DISK_KEY, "name: A, dword: 1");
    let ours = PORT.replace("3389", "3390");
    let outer = format!("include: [b.yaml]\n{ours}");
    let mut profiles = load_files(&[("a.yaml", &outer, &own), ("b.yaml", PORT, &takes)]).unwrap();
    let want = |profiles: &[Profile]| profiles[0].keys[0].values[0].want.clone();
    assert_eq!(want(&profiles), Want::Data(Data::Dword(3390)));
    set_parameters(&mut profiles, &[setting("port=1")]).unwrap();
    assert_eq!(want(&profiles), Want::Data(Data::Dword(1)));
    // One that the including profile does not have can be set all the same.
    let mut profiles = load_files(&[
        ("a.yaml", "include: [b.yaml]", &own),
        ("b.yaml", PORT, &takes),
    ])
    .unwrap();
    set_parameters(&mut profiles, &[setting("port=2")]).unwrap();
    assert_eq!(want(&profiles), Want::Data(Data::Dword(2)));
}

#[test]
fn includes_that_cannot_be_are_refused_with_their_place() {
    let keys = entry(DISK_KEY, "name: A, dword: 1");
    let includes = |name: &str| format!("include: [{name}]");
    for (name, message) in [
        ("a.yaml", "`a.yaml` includes this profile"),
        (
            "b.yaml",
            "includes this profile, directly or through others",
        ),
        ("rdp-defalts", "there is no built-in profile `rdp-defalts`"),
        ("none.yaml", "cannot be read"),
        ("/tmp/x.yaml", "is not a path from this file"),
    ] {
        let said = load_files(&[
            ("a.yaml", &includes(name), &keys),
            ("b.yaml", &includes("./a.yaml"), &keys),
        ])
        .unwrap_err();
        assert!(said.contains(message), "{said}");
    }
    let said = load_files(&[("a.yaml", &includes("a.yaml"), &keys)]).unwrap_err();
    assert!(said.contains("a.yaml:5:11: "), "{said}");
    let said = load_files(&[
        ("a.yaml", &includes("b.yaml"), &keys),
        ("b.yaml", "opt-in: true", &keys),
    ])
    .unwrap_err();
    assert!(
        said.contains("is a last resort (opt-in), and this profile is not"),
        "{said}"
    );
    let last = [
        ("a.yaml", "include: [b.yaml]\nopt-in: true", keys.as_str()),
        ("b.yaml", "opt-in: true", &keys),
    ];
    assert!(load_files(&last).is_ok());
    let chain: Vec<(String, String)> = (0..12)
        .map(|n| (format!("p{n}.yaml"), includes(&format!("p{}.yaml", n + 1))))
        .collect();
    let chain: Vec<(&str, &str, &str)> = chain
        .iter()
        .map(|(name, head)| (name.as_str(), head.as_str(), keys.as_str()))
        .collect();
    assert!(load_files(&chain).unwrap_err().contains("more than 8 deep"));
}

#[test]
fn a_profile_without_a_file_includes_built_in_ones_only() {
    let text = text_of(
        "x",
        "include: [./y.yaml]",
        &entry(DISK_KEY, "name: A, dword: 1"),
    );
    assert!(parse(text.as_bytes(), "built-in").is_ok());
    for known in hivemend::profile::builtin() {
        assert!(load_all(&[known.id.to_owned()]).is_ok(), "{}", known.id);
    }
}

// ---------------------------------------------------------------- what a plan says

#[test]
fn a_change_says_what_it_means_that_it_is_needed() {
    let keys = entry(DISK_KEY, "name: A, dword: 1")
        + &entry(
            DISK_KEY,
            "name: B, dword: 1, impact: unusual, cause: tuned by hand",
        );
    let head = "impact: blocks\ncause: nobody gets in\nadvice: [ \"Restart \\e[2J it\" ]";
    let head = head.replace("\\e", "\\u001b");
    let profile = with_head("x", &head, &keys);
    let lab = Lab::new().with_key(DISK);
    let plan = lab.plan(&profile);
    let json = serde_json::to_value(plan_document(&plan, &Effect::default(), None)).unwrap();
    assert_eq!(json["changes"][0]["impact"], "blocks");
    assert_eq!(json["changes"][0]["cause"], "nobody gets in");
    assert_eq!(json["changes"][1]["impact"], "unusual");
    assert_eq!(json["changes"][1]["cause"], "tuned by hand");
    let text = plan_text(&plan, &Effect::default(), &PlanView::default());
    assert!(text.contains("besides: Restart \\u{1b}[2J it"), "{text:?}");
    // Where nothing changes, nothing else is to be done.
    let after = lab.repaired(&profile);
    assert!(
        !plan_text(
            &after.plan(&profile),
            &Effect::default(),
            &PlanView::default()
        )
        .contains("besides")
    );
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let lab = Lab::new()
        .with_key("SYSTEM\\ControlSet001\\Services\\A\\\u{1b}[2J\u{202e}")
        .with(
            "SYSTEM\\ControlSet001\\Services\\A\\\u{1b}[2J\u{202e}",
            "R",
            sz("\u{1b}]0;x\u{7}"),
        );
    let keys = entry(&format!(r"{SERVICES}\A\*"), "name: R, tokens: {A: b}")
        + &entry(&format!(r"{SERVICES}\A\*"), "name: V, dword: 1");
    let plan = lab.plan(&profile("x", &keys));
    assert_eq!((plan.changes.len(), plan.blocked.len()), (1, 1));
    let text = plan_text(&plan, &Effect::default(), &verbose());
    let bare = anstream::adapter::strip_str(&text).to_string();
    assert!(!bare.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{bare:?}");
    assert!(bare.contains("\\u{1b}[2J"), "{bare}");
}

#[test]
fn a_plan_that_comes_to_too_much_is_refused() {
    let system = edited(&Lab::new().system, |editor| {
        for number in 0..600 {
            let key = format!(r"ControlSet001\Services\{number}");
            editor.create_key(&path(&key)).unwrap();
        }
    });
    let lab = Lab {
        system,
        software: None,
    };
    let value = format!("name: A, binary: '{}'", "00".repeat(500_000));
    let profile = profile("x", &entry(&format!("{SERVICES}\\*"), &value));
    assert!(matches!(
        lab.try_plan(std::slice::from_ref(&profile)),
        Err(PlanError::TooMuch { .. })
    ));
}

#[test]
fn the_linter_knows_what_does_not_go_together() {
    let listener = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
    let policy = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";
    let lowers = "lowers-security: true";
    let undo = "undo: rdp-defaults";
    let found = |head: &str, keys: String| -> Vec<&str> {
        let lints = lint(&with_head("x", head, &keys));
        assert!(lints.iter().all(|lint| lint.level == Level::Warning));
        lints.iter().map(|lint| lint.code).collect()
    };
    let pair = |one: &str, two: &str| entry(listener, one) + &entry(listener, two);
    for (head, keys, codes) in [
        (
            undo,
            pair(
                "name: SecurityLayer, dword: 2",
                &format!("name: minencryptionlevel, dword: 1, {lowers}"),
            ),
            vec!["pair-invalid"],
        ),
        (
            undo,
            pair(
                "name: SecurityLayer, dword: 2",
                "name: MinEncryptionLevel, dword: 2",
            ),
            vec![],
        ),
        (
            undo,
            pair(
                &format!("name: SecurityLayer, dword: 0, {lowers}"),
                "name: UserAuthentication, dword: 1",
            ),
            vec!["pair-invalid"],
        ),
        (
            "",
            entry(policy, "name: MinEncryptionLevel, dword: 4"),
            vec!["policy-range"],
        ),
        ("", entry(policy, "name: MaxIdleTime, dword: 60000"), vec![]),
        (
            "",
            entry(policy, "name: MaxIdleTime, dword: 60001"),
            vec!["policy-range"],
        ),
        (
            "",
            entry(policy, "name: KeepAliveInterval, dword: 0"),
            vec!["policy-range"],
        ),
        (
            "",
            entry(policy, "name: LicenseServers, dword: 1"),
            vec!["policy-range"],
        ),
        (
            "",
            entry(policy, "name: PortNumber, dword: 1"),
            vec!["policy-unknown"],
        ),
        ("", entry(policy, "name: PortNumber, absent: true"), vec![]),
        (
            "undo: rdp-disconnects",
            entry(DISK_KEY, &format!("name: A, dword: 1, {lowers}")),
            vec!["undo-lowers"],
        ),
        (
            "undo: rdp-defaults\nimpact: blocks\ncause: c",
            entry(DISK_KEY, &format!("name: A, dword: 1, {lowers}")),
            vec!["relaxing-diagnosed"],
        ),
        (
            "opt-in: true\nimpact: blocks\ncause: c",
            entry(DISK_KEY, "name: A, dword: 1"),
            vec!["opt-in-diagnosed"],
        ),
        (
            "",
            entry(DISK_KEY, "name: A, list-remove: [a], if-exists: true"),
            vec!["if-exists-idle"],
        ),
        (
            "parameters: [ {name: p, title: T, dword: 1} ]",
            entry(DISK_KEY, "name: A, dword: 1"),
            vec!["parameter-idle"],
        ),
    ] {
        assert_eq!(found(head, keys.clone()), codes, "{head} {keys}");
    }
}

// ---------------------------------------------------------------- properties

fn element() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "A", "b", "ä", "Ä", "long name", "=", "|", ""])
        .prop_map(str::to_owned)
}

proptest! {
    /// Whatever bytes are there: what is written is then met, and nothing that was not named is gone.
    #[test]
    fn editing_a_list_is_idempotent(
        elements in proptest::collection::vec(element(), 0..8),
        names in proptest::collection::vec(proptest::sample::select(vec!["a", "B", "ä", "="]), 1..4),
        cut in 0..4_usize,
        keep: bool,
    ) {
        let text: String = elements.iter().map(|element| format!("{element}\0")).collect();
        let mut bytes = utf16(&format!("{text}\0"));
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let want = if keep { Want::ListKeep(names) } else { Want::ListRemove(names) };
        match want.judge(Some((7, &bytes))) {
            Verdict::Write { kind, data } => {
                prop_assert!(data.len() < bytes.len());
                prop_assert_eq!(want.judge(Some((kind, &data))), Verdict::Met);
            }
            Verdict::Delete => prop_assert!(bytes.len() > 2),
            Verdict::Blocked(_) => prop_assert!(bytes.len() % 2 == 1),
            Verdict::Met => {}
            Verdict::Missing => prop_assert!(false),
        }
    }

    #[test]
    fn editing_tokens_is_idempotent(
        version in proptest::sample::select(vec!["v2.10", "v2", "2.10", "", "V2.33"]),
        pieces in proptest::collection::vec("[AaBb]{0,2}=?[a|=x\u{0}é]{0,3}", 0..6),
        rest in proptest::collection::vec(any::<u8>(), 0..5),
    ) {
        let mut bytes = utf16(&format!("{version}|{}|", pieces.join("|")));
        bytes.extend(rest);
        let token = |name: &str, text: &str| Token {
            name: name.to_owned(),
            text: Some(text.to_owned()),
            parameter: None,
        };
        let want = Want::Tokens(vec![token("A", "x=y"), token("b", "é")]);
        if let Verdict::Write { kind, data } = want.judge(Some((1, &bytes))) {
            prop_assert_eq!(want.judge(Some((kind, &data))), Verdict::Met);
            // Tokens of other names stay, in their order.
            let others = |bytes: &[u8]| -> Vec<String> {
                let units: Vec<u16> =
                    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                let text = String::from_utf16_lossy(&units);
                let is_ours = |piece: &&str| {
                    let name = piece.split_once('=').map(|(name, _)| name.to_uppercase());
                    matches!(name.as_deref(), Some("A" | "B"))
                };
                text.split('|').filter(|piece| !is_ours(piece)).map(str::to_owned).collect()
            };
            let end = bytes.chunks_exact(2).position(|pair| pair == [0, 0]);
            let end = end.map_or(bytes.len(), |end| end * 2);
            let new_end = data.chunks_exact(2).position(|pair| pair == [0, 0]);
            let new_end = new_end.map_or(data.len(), |end| end * 2);
            prop_assert_eq!(others(&bytes[..end]), others(&data[..new_end]));
            prop_assert_eq!(&bytes[end..], &data[new_end..]);
        }
    }
}

// ---------------------------------------------------------------- the program

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
