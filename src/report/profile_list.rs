// SPDX-License-Identifier: GPL-3.0-or-later
//! The built-in profiles.

use serde_json::{Value as Json, json};

use super::{BOLD, styled};
use crate::profile::BuiltIn;
use crate::text::Text;

/// The built-in profiles, for scripts.
pub fn profiles_json(builtin: &[BuiltIn]) -> Json {
    let rows = builtin.iter();
    let rows = rows.map(|builtin| json!({ "id": builtin.id, "title": builtin.title }));
    json!({ "schema": "hivemend.profiles/1", "profiles": rows.collect::<Vec<_>>() })
}

/// The same for people.
pub fn profiles_text(builtin: &[BuiltIn]) -> Text {
    let mut text = Text::new();
    for builtin in builtin {
        let id = format!("{:<28}", builtin.id);
        text.line(format_args!("{} {}", styled(BOLD, &id), builtin.title));
    }
    text
}
