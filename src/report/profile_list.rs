// SPDX-License-Identifier: GPL-3.0-or-later
//! The built-in profiles, by what they are about.

use anstyle::Style;
use serde_json::{Value as Json, json};

use super::page::wrapped;
use super::style::DIM;
use super::{BOLD, styled};
use crate::profile::{Parameter, Profile};
use crate::text::Text;

/// A built-in profile in a list.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    /// What it is about.
    pub group: &'static str,
    /// The profile.
    pub profile: Profile,
}

/// Built-in profiles, for scripts.
pub fn profiles_json(rows: &[ProfileRow]) -> Json {
    let rows: Vec<Json> = rows.iter().map(row_json).collect();
    json!({ "schema": "hivemend.profiles/1", "profiles": rows })
}

fn row_json(row: &ProfileRow) -> Json {
    let profile = &row.profile;
    json!({
        "id": profile.id,
        "title": profile.title,
        "group": row.group,
        "lowers_security": profile.lowers_security(),
        "opt_in": profile.opt_in,
        "parameters": profile.parameters.iter().map(parameter_json).collect::<Vec<Json>>(),
        "undo": profile.undo,
        "symptoms": profile.symptoms,
    })
}

fn parameter_json(parameter: &Parameter) -> Json {
    json!({
        "name": parameter.name,
        "title": parameter.title,
        "accepted": parameter.accepted(),
        "default": parameter.default.as_ref().map(ToString::to_string),
    })
}

/// The column of titles.
const COLUMN: usize = 32;

/// The same for people.
pub fn profiles_text(rows: &[ProfileRow]) -> Text {
    let mut text = Text::new();
    let mut group = "";
    for row in rows {
        if row.group != group {
            if !group.is_empty() {
                text.end();
            }
            group = row.group;
            text.line(styled(BOLD, group));
        }
        let label = format!("  {:<COLUMN$}", row.profile.id);
        wrapped(&mut text, Style::new(), &label, &row.profile.title);
        let marks = marks(&row.profile);
        if !marks.is_empty() {
            let label = format!("  {:<COLUMN$}", "");
            wrapped(&mut text, DIM, &label, &marks);
        }
    }
    text
}

/// What is to be known before a profile is chosen.
fn marks(profile: &Profile) -> String {
    let mut marks = Vec::new();
    if profile.lowers_security() {
        marks.push("LOWERS SECURITY".to_owned());
    }
    if profile.opt_in {
        marks.push("a last resort, or for who knows the machine".to_owned());
    }
    for parameter in &profile.parameters {
        let name = &parameter.name;
        marks.push(match &parameter.default {
            Some(default) => format!("--set {name}=... ({default} by default)"),
            None => format!("needs --set {name}=..."),
        });
    }
    marks.join("; ")
}
