// SPDX-License-Identifier: GPL-3.0-or-later
//! Plans against hives in memory, and their changes made with the editor.

use hivemend::edit::Editor;
use hivemend::machine::{Condition, HiveInput, Selection, State};
use hivemend::plan::{Action, Change, Options, Plan, build};
use hivemend::profile::{HiveName, builtin, load};
use hivemend::regf::Hive;

/// What the built-in profile `id` would change in these hives, in every control set.
pub(crate) fn plan(id: &str, hives: &[(HiveName, &Vec<u8>)]) -> Plan {
    let profile = load(id).unwrap();
    let hives = hives.iter().map(|(name, image)| {
        let hive = Hive::open(*image).unwrap();
        HiveInput::new(*name, name.to_string().into(), hive, Condition::Clean)
    });
    let hives: Vec<HiveInput<'_>> = hives.collect();
    let options = Options {
        target: "test".to_owned().into(),
        selection: Selection::Each,
    };
    build(&[profile], &hives, &options).unwrap()
}

/// The built-in profile `id` without its conditions, as a file: for hives of a Windows that the
/// profile itself leaves alone, and that are good for the making of keys.
pub(crate) fn unguarded(id: &str) -> (tempfile::TempDir, String) {
    let known = builtin().iter().find(|known| known.id == id).unwrap();
    let is_guard = |line: &&str| {
        let guards = ["if-exists: true", "when:", "- windows:"];
        let in_key = line.find(|c| c != ' ').is_some_and(|blanks| blanks <= 6);
        in_key && guards.iter().any(|guard| line.trim().starts_with(guard))
    };
    let lines = known.text.lines().filter(|line| !is_guard(line));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unguarded.yaml");
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

/// Makes the changes to the hive called `hive`.
pub(crate) fn apply(changes: &[Change], hive: HiveName, editor: &mut Editor) {
    for change in changes.iter().filter(|change| change.hive == hive) {
        match (change.action, &change.value, &change.after) {
            (Action::Set, Some(name), Some(State::Value(value))) => {
                editor
                    .set_value(&change.key, name, value.kind, &value.data)
                    .unwrap();
            }
            (Action::DeleteValue, Some(name), None) => {
                editor.delete_value(&change.key, name).unwrap();
            }
            (Action::CreateKey, None, Some(_)) => {
                editor.create_key(&change.key).unwrap();
            }
            (Action::DeleteKey, None, None) => {
                editor.delete_key(&change.key).unwrap();
            }
            _ => panic!("not a change: {change:?}"),
        }
    }
}
