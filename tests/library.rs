// SPDX-License-Identifier: GPL-3.0-or-later
//! Every built-in profile, on disks made to drift from each of its entries: applied, judged, undone
//! by its undo profile, restored. And on real disks of five Windows versions: no profile makes a
//! control set, lowers anything unmarked, or touches what does not belong to that version.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use hivemend::edit::Editor;
use hivemend::machine::{Condition, HiveInput, Selection, State};
use hivemend::plan::{Action, Change, Options, Plan, build};
use hivemend::profile::{
    Choice, ControlSet, Data, HiveName, KeyPath, KeyRule, Part, Profile, Setting, ValueRule, Want,
    When, builtin, conflicts, lint, load, load_all, set_parameters, upcase, wildcard,
};
use hivemend::regf::{Finder, Hive, Name, NodePath};
use hivemend::verify::{Expectation, ExpectedState, verify};

use crate::bench::Bench;
use crate::jury;

/// FILETIME of every edit.
const NOW: u64 = 0x01DC_5A00_0000_0000;

/// What must be given to the profiles that have required parameters.
const SETTINGS: &[(&str, &[&str])] = &[
    (
        "rds-licensing-config",
        &["mode=4", "servers=licence.example.test"],
    ),
    (
        "ssl-cipher-order",
        &["suites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
    ),
];

fn settings(id: &str) -> Vec<Setting> {
    let given = SETTINGS.iter().find(|(name, _)| *name == id);
    let given = given.map_or(&[][..], |(_, given)| given).iter();
    given.map(|text| Setting::read(text).unwrap()).collect()
}

/// The built-in profile `id` with what it includes.
fn loaded(id: &str) -> Vec<Profile> {
    let loaded = load_all(&[id.to_owned()]);
    let mut profiles = loaded.unwrap_or_else(|errors| panic!("{id}: {errors}"));
    set_parameters(&mut profiles, &settings(id)).unwrap();
    conflicts(&profiles).unwrap_or_else(|error| panic!("{id}: {error}"));
    profiles
}

/// SYSTEM and, where there is one, SOFTWARE.
#[derive(Clone)]
struct Disk {
    system: Vec<u8>,
    software: Option<Vec<u8>>,
}

impl Disk {
    fn sample() -> Self {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/testdata/osdisk/Windows/System32/config/"
        );
        Self {
            system: fs::read(format!("{folder}SYSTEM")).unwrap(),
            software: Some(fs::read(format!("{folder}SOFTWARE")).unwrap()),
        }
    }

    fn plan(&self, profiles: &[Profile]) -> Plan {
        let input = |name: HiveName, image| {
            let hive = Hive::open(image).unwrap();
            HiveInput::new(name, name.to_string().into(), hive, Condition::Clean)
        };
        let mut hives = vec![input(HiveName::System, &self.system)];
        hives.extend(
            self.software
                .as_ref()
                .map(|image| input(HiveName::Software, image)),
        );
        let options = Options {
            target: "test".to_owned().into(),
            selection: Selection::Each,
        };
        build(profiles, &hives, &options).unwrap()
    }

    fn image(&mut self, hive: HiveName) -> &mut Vec<u8> {
        match hive {
            HiveName::System => &mut self.system,
            HiveName::Software => self.software.as_mut().unwrap(),
        }
    }

    fn edit(&mut self, hive: HiveName, edit: impl FnOnce(&mut Editor)) {
        let image = self.image(hive);
        let mut editor = Editor::open(std::mem::take(image), NOW).unwrap();
        edit(&mut editor);
        *image = editor.seal(0).unwrap().image;
    }

    /// Makes the changes; nt-hive sees all of them.
    fn apply(&mut self, plan: &Plan) {
        for hive in HiveName::ALL {
            let changes: Vec<&Change> = plan.changes.iter().filter(|c| c.hive == hive).collect();
            if changes.is_empty() {
                continue;
            }
            self.edit(hive, |editor| {
                changes.iter().for_each(|change| make(change, editor))
            });
            let expected: Vec<Expectation> = changes.iter().map(|c| expectation(c)).collect();
            verify(self.image(hive), &expected).unwrap();
        }
    }

    fn read(&self, hive: HiveName, key: &NodePath, value: &Name) -> Option<(u32, Vec<u8>)> {
        let image = match hive {
            HiveName::System => &self.system,
            HiveName::Software => self.software.as_ref()?,
        };
        let hive = Hive::open(image).unwrap();
        let key = Finder::new(hive).find(key).unwrap().key?;
        let value = hive.find_value(&key, value).unwrap()?;
        Some((value.kind(), hive.data(&value).unwrap().into_owned()))
    }
}

fn make(change: &Change, editor: &mut Editor) {
    match (change.action, &change.value, &change.after) {
        (Action::Set, Some(name), Some(State::Value(value))) => {
            editor
                .set_value(&change.key, name, value.kind, &value.data)
                .unwrap();
        }
        (Action::DeleteValue, Some(name), None) => {
            assert!(editor.delete_value(&change.key, name).unwrap());
        }
        (Action::CreateKey, None, Some(_)) => {
            editor.create_key(&change.key).unwrap();
        }
        (Action::DeleteKey, None, None) => {
            assert!(editor.delete_key(&change.key).unwrap());
        }
        _ => panic!("not a change: {change:?}"),
    }
}

fn expectation(change: &Change) -> Expectation {
    let state = match (&change.value, &change.after) {
        (Some(name), Some(State::Value(value))) => ExpectedState::Value {
            name: name.clone(),
            kind: value.kind,
            data: value.data.clone(),
        },
        (Some(name), _) => ExpectedState::ValueAbsent { name: name.clone() },
        (None, Some(_)) => ExpectedState::KeyExists,
        (None, None) => ExpectedState::KeyAbsent,
    };
    Expectation {
        key: change.key.clone(),
        state,
    }
}

/// A machine that conditions can ask about.
#[derive(Clone, Copy, Debug)]
struct Machine {
    version: (u32, u32, u32),
    product: &'static str,
    domain: &'static str,
}

/// Every condition of a shipped profile holds on one of them.
const MACHINES: [Machine; 5] = [
    Machine {
        version: (10, 0, 19041),
        product: "WinNT",
        domain: "",
    },
    Machine {
        version: (6, 1, 7601),
        product: "ServerNT",
        domain: "example.test",
    },
    Machine {
        version: (6, 3, 9600),
        product: "ServerNT",
        domain: "",
    },
    Machine {
        version: (10, 0, 20348),
        product: "ServerNT",
        domain: "example.test",
    },
    Machine {
        version: (5, 1, 2600),
        product: "WinNT",
        domain: "",
    },
];

const SETS: [&str; 2] = ["ControlSet001", "ControlSet002"];

fn names(path: &str) -> Vec<Name> {
    path.split('\\').map(Name::from).collect()
}

fn set(editor: &mut Editor, key: &[Name], name: &str, data: &Data) {
    editor.create_key(key).unwrap();
    editor
        .set_value(key, &Name::from(name), data.kind(), &data.bytes())
        .unwrap();
}

fn sz(text: &str) -> Data {
    Data::Sz(text.to_owned())
}

impl Machine {
    fn install(&self, disk: &mut Disk) {
        let (major, minor, build) = self.version;
        disk.edit(HiveName::Software, |editor| {
            let key = names(r"Microsoft\Windows NT\CurrentVersion");
            for (name, number) in [
                ("CurrentMajorVersionNumber", major),
                ("CurrentMinorVersionNumber", minor),
            ] {
                match major {
                    10 => set(editor, &key, name, &Data::Dword(number)),
                    _ => {
                        editor.delete_value(&key, &Name::from(name)).unwrap();
                    }
                }
            }
            let version = format!("{}.{}", major.min(6), if major == 10 { 3 } else { minor });
            set(editor, &key, "CurrentVersion", &sz(&version));
            set(editor, &key, "CurrentBuild", &sz(&build.to_string()));
            set(editor, &key, "CurrentBuildNumber", &sz(&build.to_string()));
        });
        disk.edit(HiveName::System, |editor| {
            for control_set in SETS {
                let key = |below: &str| names(&format!("{control_set}\\{below}"));
                let product = key(r"Control\ProductOptions");
                set(editor, &product, "ProductType", &sz(self.product));
                let tcpip = key(r"Services\Tcpip\Parameters");
                set(editor, &tcpip, "Domain", &sz(self.domain));
                set(editor, &tcpip, "NV Domain", &sz(self.domain));
            }
        });
    }
}

/// The real keys that a path of a profile is made to mean.
fn places(path: &KeyPath) -> Vec<Vec<Name>> {
    let segments = path.segments.iter().map(|segment| match wildcard(segment) {
        None => Name::from(segment.as_str()),
        Some(_) => Name::from("{11111111-2222-3333-4444-555555555555}"),
    });
    let segments: Vec<Name> = segments.collect();
    match path.control_set {
        None => vec![segments],
        Some(ControlSet::Number(number)) => panic!("one control set only: {number}"),
        Some(ControlSet::Every) => SETS
            .iter()
            .map(|set| [&[Name::from(*set)], &segments[..]].concat())
            .collect(),
    }
}

/// A firewall rule that blocks, with a `=` behind the first one of a token.
const RULE: &str = "v2.30|Action=Block|Active=FALSE|Dir=In|Protocol=6|LPort=13|App=C:\\a=b.exe|\
    Profile=Domain|Profile=Public|Name=@FirewallAPI.dll,-28775|";

/// The rule above, or one that the entry asks for.
fn rule_for(rule: &ValueRule) -> String {
    if rule.if_tokens.is_empty() {
        return RULE.to_owned();
    }
    let mut text = String::from("v2.30|");
    for test in &rule.if_tokens {
        let wanted = test.texts.iter().filter_map(|token| token.text.as_deref());
        let wanted: Vec<&str> = wanted.collect();
        if !wanted.contains(&"") {
            text.push_str(&format!("{}={}|", test.name, wanted[0]));
        }
    }
    text + "Name=acme|"
}

/// The name of a value that the entry is about.
fn a_name(rule: &ValueRule) -> &str {
    if rule.every { "0" } else { &rule.name }
}

/// Data that is the choice.
fn sample_of(choice: &Choice) -> Data {
    match choice {
        Choice::Data(data) | Choice::SameText(data) => data.clone(),
        Choice::TypeOf(1) | Choice::Empty => sz(""),
        Choice::TypeOf(kind) => Data::from_stored(*kind, &[0; 4]).unwrap(),
    }
}

/// Something that the entry is not content with, and changes.
fn drifted(rule: &ValueRule) -> Data {
    let multi = |elements: &[&str]| {
        Data::MultiSz(
            elements
                .iter()
                .map(|element| (*element).to_owned())
                .collect(),
        )
    };
    let text = |list: &[String]| list.first().cloned().unwrap();
    let mut choices: Vec<Data> = rule.if_one_of.clone();
    if choices.is_empty() {
        choices = match &rule.want {
            Want::Tokens(_) => vec![sz(&rule_for(rule))],
            Want::ListRemove(names) => vec![multi(&["RPCSS", &text(names)])],
            Want::ListKeep(names) => vec![multi(&["acmeflt", &text(names), "wombat"])],
            Want::ListAdd(_) => vec![multi(&["acmeflt"])],
            Want::TextList {
                separator,
                part: Part::Remove,
                names,
            } => vec![sz(&format!("RDPNP{separator}{}", text(names)))],
            Want::TextList { .. } => vec![sz("acme")],
            Want::Absent => vec![sz("192.0.2.1")],
            _ => [0, 1, 4, 77].into_iter().map(Data::Dword).collect(),
        };
    }
    let met = |data: &Data| rule.want.is_met_by(Some((data.kind(), &data.bytes())));
    let mut choices = choices.into_iter();
    choices
        .find(|data| !met(data))
        .unwrap_or_else(|| panic!("{rule:?}"))
}

/// Makes a disk drift from every entry of the profiles, and their conditions hold where that is
/// not a matter of the machine.
fn drift(profiles: &[Profile], machine: &Machine) -> Disk {
    let mut disk = Disk::sample();
    machine.install(&mut disk);
    let rules = || profiles.iter().flat_map(|profile| &profile.keys);
    for hive in HiveName::ALL {
        disk.edit(hive, |editor| {
            for rule in rules().filter(|rule| rule.path.hive == hive) {
                places(&rule.path)
                    .iter()
                    .for_each(|key| spoil(rule, key, editor));
            }
        });
    }
    let own = profiles.iter().flat_map(|profile| &profile.when);
    for when in own.chain(rules().flat_map(|rule| &rule.when)) {
        if let Some(path) = when.path() {
            disk.edit(path.hive, |editor| {
                places(path)
                    .iter()
                    .for_each(|key| fulfil(when, key, editor));
            });
        }
    }
    disk
}

fn spoil(rule: &KeyRule, key: &[Name], editor: &mut Editor) {
    if rule.boot.is_some() {
        // A control set that can be started has these four.
        for set in SETS {
            editor
                .create_key(&names(&format!(r"{set}\Hardware Profiles\0001")))
                .unwrap();
        }
    }
    if rule.absent {
        set(editor, key, "debris", &Data::Dword(1));
    }
    for value in &rule.values {
        set(editor, key, a_name(value), &drifted(value));
    }
}

fn fulfil(when: &When, key: &[Name], editor: &mut Editor) {
    match when {
        When::Key { exists: true, .. } => {
            editor.create_key(key).unwrap();
        }
        When::Key { exists: false, .. } => {
            editor.delete_key(key).unwrap();
        }
        When::Is {
            name, choices, is, ..
        } => {
            let hive = editor.current().unwrap();
            let found = hive.find(key).unwrap().and_then(|key| {
                let value = hive.find_value(&key, &Name::from(name.as_str())).unwrap()?;
                Some((value.kind(), hive.data(&value).unwrap().into_owned()))
            });
            let is_one = found.is_some_and(|(kind, bytes)| {
                let mut choices = choices.iter();
                choices.any(|choice| choice.is_met_by(kind, &bytes))
            });
            match is {
                true if !is_one => set(editor, key, name, &sample_of(&choices[0])),
                false if is_one => set(editor, key, name, &Data::Dword(3)),
                _ => {}
            }
        }
        When::Value { name, exists, .. } => match exists {
            true => set(editor, key, name, &Data::Dword(1)),
            false => {
                editor
                    .delete_value(key, &Name::from(name.as_str()))
                    .unwrap();
            }
        },
        _ => {}
    }
}

/// What tells an entry: its key without the control set, its value, its reason.
fn entries(profiles: &[Profile]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for rule in profiles.iter().flat_map(|profile| &profile.keys) {
        let key = places(&rule.path)[0].clone();
        let key = upcase(&without_set(&NodePath::from(&key)));
        for value in &rule.values {
            let name = a_name(value).to_owned();
            entries.push((rule.path.hive, key.clone(), name, value.why.to_string()));
        }
        if rule.absent {
            let why = rule.why.as_ref().unwrap().to_string();
            entries.push((rule.path.hive, key, String::new(), why));
        }
    }
    entries
}

fn without_set(key: &NodePath) -> String {
    let mut sets = SETS.iter();
    let is_in_set = sets.any(|set| key.first() == Some(&Name::from(*set)));
    let below = key.without_first().filter(|_| is_in_set);
    below.as_ref().unwrap_or(key).text().raw().to_owned()
}

#[test]
fn each_entry_of_each_profile_drifts_and_is_put_right_and_undone() {
    for known in builtin() {
        let profiles = loaded(known.id);
        let mut missing: BTreeSet<_> = entries(&profiles).into_iter().collect();
        for (number, machine) in MACHINES.iter().enumerate() {
            let drifted = drift(&profiles, machine);
            let plan = drifted.plan(&profiles);
            assert_eq!(plan.blocked, [], "{} on {machine:?}", known.id);
            take_out_seen(&mut missing, &plan);
            if plan.changes.is_empty() {
                continue;
            }
            let mut repaired = drifted.clone();
            repaired.apply(&plan);
            for change in plan.changes.iter().filter(|change| change.value.is_some()) {
                assert_read_back(&repaired, change);
            }
            let again = repaired.plan(&profiles);
            assert_eq!(again.changes, [], "{} again on {machine:?}", known.id);
            if number == 0 {
                judge(&repaired);
            }
            undo(known.id, &plan, repaired, machine);
        }
        // Entries whose conditions exclude each other drift on disks of their own.
        for profile in &profiles {
            for alone in each_alone(profile) {
                let is_missing = |entry| missing.contains(&entry);
                if !entries(&alone).into_iter().any(is_missing) {
                    continue;
                }
                for machine in &MACHINES {
                    let drifted = drift(&alone, machine);
                    take_out_seen(&mut missing, &drifted.plan(&alone));
                }
            }
        }
        assert!(
            missing.is_empty(),
            "{}: never drifts: {missing:#?}",
            known.id
        );
    }
}

type Entry = (HiveName, Vec<u16>, String, String);

fn take_out_seen(missing: &mut BTreeSet<Entry>, plan: &Plan) {
    for change in &plan.changes {
        let key = upcase(&without_set(&change.key));
        let name = change
            .value
            .as_ref()
            .map_or(String::new(), ToString::to_string);
        missing.retain(|(hive, at, value, why)| {
            let same = (*hive, at) == (change.hive, &key) && *value == name;
            !(same && change.note.contains(why.as_str()))
        });
    }
}

/// The profile with one of its entries only, for each.
fn each_alone(profile: &Profile) -> Vec<Vec<Profile>> {
    let mut all = Vec::new();
    for rule in &profile.keys {
        for value in &rule.values {
            let mut alone = profile.clone();
            let values = vec![value.clone()];
            alone.keys = vec![KeyRule {
                values,
                ..rule.clone()
            }];
            all.push(vec![alone]);
        }
    }
    all
}

fn assert_read_back(disk: &Disk, change: &Change) {
    let value = change.value.as_ref().unwrap();
    let found = disk.read(change.hive, &change.key, value);
    let wanted = match &change.after {
        Some(State::Value(value)) => Some((value.kind, value.data.clone())),
        _ => None,
    };
    assert_eq!(found, wanted, "{change:?}");
}

/// Every judge is content with both hives.
fn judge(disk: &Disk) {
    let folder = tempfile::tempdir().unwrap();
    let images = [Some(&disk.system), disk.software.as_ref()];
    for (number, image) in images.into_iter().flatten().enumerate() {
        let path = folder.path().join(number.to_string());
        fs::write(&path, image).unwrap();
        assert_eq!(jury::judges_accept(&path), Ok(()));
    }
}

/// Its undo makes the listener strict, which is what the deleted policy was there for.
const HARDENED_INSTEAD: &[&str] = &["rdp-policy-clear"];

/// The undo profile leaves none of what lowered security, and is content afterwards.
fn undo(id: &str, plan: &Plan, mut disk: Disk, machine: &Machine) {
    let undoes: BTreeMap<String, String> = loaded(id)
        .into_iter()
        .filter_map(|profile| Some((profile.id, profile.undo?)))
        .collect();
    for (profile, by) in &undoes {
        let profiles = loaded(by);
        let made: Vec<&Change> = plan
            .changes
            .iter()
            .filter(|c| c.profile == *profile)
            .collect();
        if made.is_empty() {
            continue;
        }
        let back = disk.plan(&profiles);
        assert_eq!(back.blocked, []);
        disk.apply(&back);
        assert_eq!(disk.plan(&profiles).changes, [], "{by} again");
        let is_back = |change: &&&Change| {
            let Some(value) = &change.value else {
                return false;
            };
            let found = disk.read(change.hive, &change.key, value);
            match &change.after {
                Some(State::Value(value)) => found != Some((value.kind, value.data.clone())),
                _ => found.is_some(),
            }
        };
        assert!(
            made.iter().any(|change| is_back(&change)) || HARDENED_INSTEAD.contains(&id),
            "{by} takes nothing of {id} back on {machine:?}"
        );
        let mut lowered = made.iter().filter(|change| change.lowers_security);
        let left = lowered.find(|change| !is_back(change));
        let excused = HARDENED_INSTEAD.contains(&profile.as_str());
        assert!(
            left.is_none() || excused,
            "{by} leaves {left:?} on {machine:?}"
        );
    }
}

/// The same from outside, with backups: the undo profile, then `restore` twice. Under Wine, where a
/// program takes long to start, every seventh profile; HIVEMEND_EXHAUSTIVE=1: all of them there too.
#[test]
fn each_profile_is_applied_and_restored_from_outside() {
    let is_short = cfg!(windows) && std::env::var_os("HIVEMEND_EXHAUSTIVE").is_none();
    for known in builtin().iter().step_by(if is_short { 7 } else { 1 }) {
        let profiles = loaded(known.id);
        let machine = MACHINES
            .iter()
            .find(|machine| !drift(&profiles, machine).plan(&profiles).changes.is_empty());
        let disk = drift(&profiles, machine.unwrap());
        let bench = Bench::sample();
        fs::write(bench.hive("SYSTEM"), &disk.system).unwrap();
        fs::write(bench.hive("SOFTWARE"), disk.software.as_ref().unwrap()).unwrap();
        let before = bench.hives();
        let args = |id: &str, rest: &[&str]| {
            let mut args = vec!["-p".to_owned(), id.to_owned()];
            for setting in settings(id) {
                let Setting { name, value } = setting;
                args.extend(["--set".to_owned(), format!("{name}={value}")]);
            }
            args.extend(rest.iter().map(|&arg| arg.to_owned()));
            args
        };
        let run = |command: &str, id: &str, rest: &[&str]| {
            let args = args(id, rest);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            bench.run(command, &args)
        };
        run("plan", known.id, &["--exit-code"]).expect(1);
        run("apply", known.id, &["--yes"]).expect(0);
        run("plan", known.id, &["--exit-code"]).expect(0);
        assert_ne!(bench.hives(), before);
        let mut repairs = 1;
        if let Some(undo) = load(known.id).unwrap().undo {
            let ended = run("apply", &undo, &["--yes", "--format", "json"]).expect(0);
            repairs += usize::from(ended.json()["outcome"]["status"] == "applied");
            run("plan", &undo, &["--exit-code"]).expect(0);
        }
        for _ in 0..repairs {
            bench.run("restore", &["--yes"]).expect(0);
        }
        assert_eq!(bench.hives(), before, "{}", known.id);
    }
}

/// Windows PE, audit mode and an image before its first start are in setup because they are meant to be.
#[test]
fn setup_is_left_alone_where_it_is_meant() {
    let profiles = loaded("setup-state-clear");
    let broken = drift(&profiles, &MACHINES[0]);
    let changes = broken.plan(&profiles).changes;
    let changed = changes.iter().filter_map(|change| change.value.as_ref());
    let changed: Vec<String> = changed.map(ToString::to_string).collect();
    for name in [
        "SetupType",
        "CmdLine",
        "SetupPhase",
        "SystemSetupInProgress",
        "OOBEInProgress",
    ] {
        assert!(changed.contains(&name.to_owned()), "{name}: {changed:?}");
    }
    let state = r"Microsoft\Windows\CurrentVersion\Setup\State";
    let pe = r"Microsoft\Windows NT\CurrentVersion\WinPE";
    for (hive, key, name, data) in [
        (HiveName::Software, pe, "Version", sz("10.0")),
        (HiveName::System, "Setup", "CmdLine", sz("WinPESHL.exe")),
        (HiveName::System, "Setup", "AuditInProgress", Data::Dword(1)),
        (
            HiveName::System,
            r"Setup\Status",
            "AuditBoot",
            Data::Dword(1),
        ),
        (
            HiveName::Software,
            state,
            "ImageState",
            sz("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"),
        ),
        (
            HiveName::Software,
            state,
            "ImageState",
            sz("IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT"),
        ),
    ] {
        let mut disk = broken.clone();
        disk.edit(hive, |editor| set(editor, &names(key), name, &data));
        assert_eq!(disk.plan(&profiles).changes, [], "{key} {name}");
    }
    let mut disk = broken.clone();
    disk.edit(HiveName::System, |editor| {
        for set in SETS {
            editor
                .create_key(&names(&format!(r"{set}\Control\MiniNT")))
                .unwrap();
        }
    });
    assert_eq!(disk.plan(&profiles).changes, []);
    // Without SOFTWARE nobody can tell what is meant.
    let mut disk = broken;
    disk.software = None;
    assert_eq!(disk.plan(&profiles).changes, []);
}

/// Real disks, and the version of their Windows.
const REAL: [(&str, (u32, u32)); 5] = [
    ("win10-2004", (10, 0)),
    ("win7-sp1", (6, 1)),
    ("xp-sp3", (5, 1)),
    ("nt4-sp3", (4, 0)),
    ("win10-1709-dirty", (10, 0)),
];

/// A disk of the corpus, its logs applied.
fn real(name: &str) -> Option<(Bench, Disk)> {
    let bench = Bench::corpus(name)?;
    bench.run("recover", &["--yes"]).expect(0);
    let files = fs::read_dir(bench.config()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let hive = |name: &str| {
        let mut files = files.iter();
        let file = files.find(|file| file.file_name().unwrap().eq_ignore_ascii_case(name));
        file.map(|file| fs::read(file).unwrap())
    };
    let disk = Disk {
        system: hive("SYSTEM").unwrap(),
        software: hive("SOFTWARE"),
    };
    Some((bench, disk))
}

/// Keys and values, and the first version of Windows that has them and the first that has not.
type Version = (u32, u32);
const BELONGS: &[(&str, Version, Version)] = &[
    (r"CONTROL\TERMINAL SERVER", (5, 0), (99, 0)),
    (r"RDP-TCP\SECURITYLAYER", (5, 2), (99, 0)),
    (r"RDP-TCP\USERAUTHENTICATION", (6, 0), (99, 0)),
    (r"RDP-TCP\FALLOWSECPROTOCOLNEGOTIATION", (6, 0), (99, 0)),
    (r"TERMINAL SERVER\RCM", (6, 0), (99, 0)),
    (r"TERMSERVICE\PARAMETERS\CERTIFICATE", (5, 0), (6, 0)),
    (r"TERMSERVICE\PARAMETERS\X509", (5, 0), (6, 0)),
    (r"TERMSERVICE\PARAMETERS\LICENSESERVERS", (6, 0), (99, 0)),
    (r"WINDOWS NT\TERMINAL SERVICES", (5, 1), (99, 0)),
    (r"FIREWALLRULES\", (6, 0), (99, 0)),
    (r"FIREWALLRULES\REMOTEDESKTOP-IN-TCP", (6, 0), (6, 2)),
    (r"SCHANNEL\PROTOCOLS\TLS 1.2", (6, 1), (99, 0)),
    (r"WINDOWS ERROR REPORTING\LOCALDUMPS", (6, 0), (99, 0)),
    (r"CRASHCONTROL\NMICRASHDUMP", (5, 1), (6, 2)),
    (r"PROFILELIST\PROGRAMDATA", (6, 0), (99, 0)),
    (r"REALTIMEISUNIVERSAL", (6, 0), (99, 0)),
    (r"SERVICES\VOLUME\", (10, 0), (99, 0)),
    (r"SERVICES\VOLMGR\", (6, 0), (99, 0)),
    (r"SERVICES\GPSVC", (6, 0), (99, 0)),
    (r"SERVICES\TDX\", (6, 0), (99, 0)),
    (r"SERVICES\MPSDRV\", (6, 0), (99, 0)),
    (r"SERVICES\NSIPROXY\", (6, 0), (99, 0)),
    (r"SERVICES\STORNVME\", (6, 3), (99, 0)),
    (r"\STARTOVERRIDE\", (6, 2), (99, 0)),
    (r"\SRPV2\", (6, 1), (99, 0)),
    (r"\DEVICEGUARD", (6, 3), (99, 0)),
    (r"ENABLEPERIODICBACKUP", (10, 0), (99, 0)),
    (r"APPCS\DEBUGEDLOOPBACKAPPS", (6, 2), (99, 0)),
    (r"SERVICES\NSI\", (6, 0), (99, 0)),
    (r"SERVICES\ACPI\", (6, 0), (99, 0)),
    (r"SERVICES\TERMSERVICE\OBJECTNAME", (6, 0), (99, 0)),
    (r"SERVICES\DHCP\OBJECTNAME", (6, 0), (99, 0)),
    (r"\INTERFACES\", (6, 0), (99, 0)),
];

/// The only keys that a profile may make, on a Windows that has the like.
const MADE: &[(&str, &str)] = &[
    (
        "rdp-disconnects",
        r"Policies\Microsoft\Windows NT\Terminal Services",
    ),
    (
        "rdp-policy-relax",
        r"Policies\Microsoft\Windows NT\Terminal Services",
    ),
    (
        "crash-dumps-of-services",
        r"Microsoft\Windows\Windows Error Reporting\LocalDumps",
    ),
];

fn number(state: Option<&State>) -> Option<u32> {
    match state {
        Some(State::Value(value)) if value.kind == 4 => {
            Some(u32::from_le_bytes(value.data.as_slice().try_into().ok()?))
        }
        _ => None,
    }
}

/// Whether the change makes a machine less secure, by what is known of each setting.
fn lowers(change: &Change) -> bool {
    let value = change
        .value
        .as_ref()
        .map_or(String::new(), |name| name.to_string());
    let (before, after) = (
        number(change.before.as_ref()),
        number(change.after.as_ref()),
    );
    let path = String::from_utf16(&upcase(change.key.text().raw())).unwrap();
    let falls = |default: u32| before.unwrap_or(default) > after.unwrap_or(default);
    let rises = |default: u32| before.unwrap_or(default) < after.unwrap_or(default);
    let service = |name: &str| path.ends_with(&format!(r"SERVICES\{name}"));
    match value.as_str() {
        // As a policy they keep the listener from being weaker.
        "SecurityLayer" | "MinEncryptionLevel" | "UserAuthentication"
            if path.contains("POLICIES") && change.action == Action::DeleteValue =>
        {
            before != Some(0)
        }
        "SecurityLayer" => falls(1),
        "MinEncryptionLevel" => falls(2),
        "UserAuthentication" | "fAllowSecProtocolNegotiation" | "EnableFirewall" => falls(1),
        "disabledomaincreds" => falls(0),
        "AllowEncryptionOracle" => rises(1),
        "Enabled" if path.contains("FIPSALGORITHMPOLICY") => falls(0),
        "Enabled" if path.contains(r"TLS 1.0") || path.contains(r"TLS 1.1") => rises(0),
        // A list that is empty allows nothing: nothing is lost with it.
        "Functions" => {
            let is_empty = |state: &State| match state {
                State::Value(value) => value.data.iter().all(|&byte| byte == 0),
                State::Key(_) => false,
            };
            change.action == Action::DeleteValue && !change.before.as_ref().is_some_and(is_empty)
        }
        "EnforcementMode" | "EnforceChannelBinding" => after == Some(0),
        "EnableVirtualizationBasedSecurity" | "LsaCfgFlags" | "RunAsPPL" => after == Some(0),
        "Enabled" if path.contains("HYPERVISORENFORCEDCODEINTEGRITY") => after == Some(0),
        "DumpType" => after == Some(2),
        "Start"
            if ["GPSVC", "TRUSTEDINSTALLER", "MPSSVC", "BFE", "EVENTLOG"]
                .iter()
                .any(|name| service(name)) =>
        {
            after == Some(4)
        }
        "Start" if service("REMOTEREGISTRY") => after != Some(4),
        _ => false,
    }
}

#[test]
fn on_real_disks_nothing_is_made_or_lowered_that_must_not_be() {
    for (name, version) in REAL {
        let Some((_bench, disk)) = real(name) else {
            return;
        };
        for known in builtin() {
            let profiles = loaded(known.id);
            let mut rules = profiles.iter().flat_map(|profile| &profile.keys);
            if disk.software.is_none() && rules.all(|rule| rule.path.hive == HiveName::Software) {
                continue;
            }
            let plan = disk.plan(&profiles);
            let sets = &plan.hives[0].control_sets;
            for change in &plan.changes {
                let at = format!("{name}: {}: {change:?}", known.id);
                if let Some(set) = &change.control_set {
                    assert!(sets.iter().any(|known| known.name == *set), "{at}");
                }
                let path = change.key.text().raw().to_owned();
                assert!(
                    !path.starts_with("ControlSet") || change.key.depth() > 1,
                    "{at}"
                );
                assert!(!path.contains("GracePeriod"), "{at}");
                let made = |&(profile, key): &(&str, &str)| {
                    profile == change.profile
                        && (key == path || key.starts_with(&format!("{path}\\")))
                };
                assert!(
                    change.action != Action::CreateKey || MADE.iter().any(made),
                    "{at}"
                );
                assert!(change.lowers_security || !lowers(change), "unmarked: {at}");
                let value = change
                    .value
                    .as_ref()
                    .map_or(String::new(), ToString::to_string);
                let full = String::from_utf16(&upcase(&format!("{path}\\{value}"))).unwrap();
                for (part, first, beyond) in BELONGS {
                    let belongs = *first <= version && version < *beyond;
                    assert!(
                        belongs || !full.contains(part),
                        "does not belong there: {at}"
                    );
                }
            }
        }
    }
}

/// The safe set lowers nothing, wherever it is used, and its undo is not needed.
#[test]
fn the_baseline_never_lowers_security() {
    let profiles = loaded("rdp-baseline");
    assert!(profiles.len() >= 8, "{}", profiles.len());
    for profile in &profiles {
        assert!(
            !profile.lowers_security() && !profile.opt_in,
            "{}",
            profile.id
        );
    }
    for machine in &MACHINES {
        let plan = drift(&profiles, machine).plan(&profiles);
        let lowered = plan.changes.iter().find(|change| lowers(change));
        assert_eq!(lowered, None, "{machine:?}");
    }
}

#[test]
fn the_baseline_repairs_real_disks_and_is_restored() {
    for (name, _) in REAL {
        let Some(bench) = Bench::corpus(name) else {
            return;
        };
        let before = bench.hives();
        let ended = bench.run(
            "apply",
            &["-p", "rdp-baseline", "--yes", "--format", "json"],
        );
        let applied = ended.expect(0).json()["outcome"]["status"] == "applied";
        bench
            .run("plan", &["-p", "rdp-baseline", "--exit-code"])
            .expect(0);
        if applied {
            bench.run("restore", &["--yes"]).expect(0);
        }
        assert_eq!(bench.hives(), before, "{name}");
    }
}

/// A relaxing profile is a last resort, and its undo does not lower security itself.
#[test]
fn what_lowers_security_is_opt_in_and_has_an_undo() {
    for known in builtin() {
        let profile = load(known.id).unwrap();
        assert_eq!(lint(&profile), [], "{}", known.id);
        if profile.lowers_security() {
            assert!(profile.opt_in, "{}", known.id);
            assert_eq!(profile.cause, None, "{}", known.id);
            let undo = load(profile.undo.as_deref().unwrap()).unwrap();
            assert!(!undo.lowers_security() && !undo.opt_in, "{}", known.id);
        }
    }
}

/// The firewall's services, a licence's grace period, ciphers, and the path of a service's program.
#[test]
fn what_no_profile_may_touch() {
    for known in builtin() {
        for rule in &load(known.id).unwrap().keys {
            let key = rule.path.to_string();
            assert!(
                !key.contains("GracePeriod") && !key.contains(r"SCHANNEL\Ciphers"),
                "{key}"
            );
            let firewall = key.ends_with(r"Services\MpsSvc") || key.ends_with(r"Services\BFE");
            for value in &rule.values {
                assert_ne!(value.name, "ImagePath", "{key}");
                let disabled = value.want.to_write() == Some(&Data::Dword(4));
                assert!(!(firewall && disabled), "{}", known.id);
                if value.name == "Start" {
                    let bounded = value.if_exists || !value.if_one_of.is_empty();
                    assert!(bounded, "{}: {key} could be made", known.id);
                }
            }
        }
    }
}

/// docs/library.md has a line for each profile, made of what the profile says.
#[test]
fn the_table_of_profiles_is_theirs() {
    let document = include_str!("../docs/library.md");
    let rows: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(rows.len(), builtin().len());
    for known in builtin() {
        let profile = load(known.id).unwrap();
        let mut what = format!("{}.", profile.title);
        for (mark, is) in [
            ("lowers", profile.lowers_security()),
            ("opt-in", profile.opt_in),
        ] {
            if is {
                what.push_str(&format!(" **{mark}**"));
            }
        }
        for parameter in &profile.parameters {
            what.push_str(&format!(" `--set {}=...`", parameter.name));
        }
        let undo = profile
            .undo
            .map_or(String::new(), |undo| format!("`{undo}`"));
        let row = format!(
            "| `{}` | {what} | {} | {undo} | {} |",
            profile.id,
            profile.symptoms[0].trim(),
            profile.source.trim()
        );
        assert!(
            rows.contains(&row.as_str()),
            "docs/library.md lacks this row:\n{row}"
        );
    }
}
