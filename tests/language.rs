// SPDX-License-Identifier: GPL-3.0-or-later
//! The language of the baseline library: conditions, enumerated keys, parts of values, parameters,
//! includes, last known good. Each feature plans what it should, and the second plan is empty.

mod boot;
mod commands;
mod conditions;
mod excluding;
mod includes;
mod lint;
mod many_keys;
mod parameters;
mod parts;
mod said;

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
            Err(PlanError::Outdated(_))
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

const ALLOW: &str = "name: R, tokens: {Active: \"TRUE\", Action: Allow}";

const DISK_KEY: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\X";

const RULE: &str = "v2.10|Action=Block|Active=TRUE|Dir=In|LPort=3389|App=C:\\a=b\\x.exe|\
    Profile=Domain|Profile=Private|Name=@FirewallAPI.dll,-28753|";

const DISK: &str = r"SYSTEM\ControlSet001\Control\Class\X";

const PORT: &str =
    "parameters:\n  - {name: port, title: The port, dword: 3389, min: 1, max: 65535}";

fn setting(text: &str) -> Setting {
    Setting::read(text).unwrap()
}
