// SPDX-License-Identifier: GPL-3.0-or-later
//! What was imported, written as a profile.

use std::fmt::Write;

use super::profile_yaml::{ProfileHead, data_yaml, yaml_text as yaml};
use crate::import::{Draft, DraftKey, DraftValue, DraftWant};

/// The profile. `head.undo` is named where something in it lowers security.
pub fn imported_yaml(head: &ProfileHead, draft: &Draft) -> String {
    let mut text = String::from("# SPDX-License-Identifier: GPL-3.0-or-later\n");
    let _ = writeln!(text, "schema: hivemend.profile/1\nid: {}", head.id);
    let _ = writeln!(text, "title: {}", yaml(&head.title));
    let _ = writeln!(text, "source: {}", yaml(&head.source));
    let mut values = draft.keys.iter().flat_map(|key| &key.values);
    if values.any(|value| value.lowers_security) {
        let _ = writeln!(text, "undo: {}", head.undo);
    }
    text.push_str("keys:\n");
    draft.keys.iter().for_each(|key| write_key(&mut text, key));
    text
}

fn write_key(text: &mut String, key: &DraftKey) {
    let _ = writeln!(text, "  - key: {}", yaml(&key.path.to_string()));
    if let Some(why) = &key.absent {
        let _ = writeln!(text, "    absent: true\n    why: {}", yaml(why));
        return;
    }
    text.push_str("    values:\n");
    key.values.iter().for_each(|value| write_value(text, value));
}

fn write_value(text: &mut String, value: &DraftValue) {
    let _ = writeln!(text, "      - name: {}", yaml(&value.name));
    if value.name == "*" && value.want != DraftWant::AllAbsent {
        text.push_str("        literal: true\n");
    }
    match &value.want {
        DraftWant::Data(data) => {
            let _ = writeln!(text, "        {}", data_yaml(data));
        }
        DraftWant::Absent | DraftWant::AllAbsent => text.push_str("        absent: true\n"),
    }
    let _ = writeln!(text, "        why: {}", yaml(&value.why));
    if value.lowers_security {
        text.push_str("        lowers-security: true\n");
    }
}
