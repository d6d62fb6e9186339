// SPDX-License-Identifier: GPL-3.0-or-later
//! The choices of `is` and `is-not`.

use super::data::TYPE_FIELDS;
use super::error::Report;
use super::fields::{Field, Fields, list};
use super::read_want::{CHOICE_HINT, data, each_choice};
use super::scalar::{self, shown};
use super::{Choice, Data};

/// Beside the types: what asks for less than exact data.
pub(super) const PATTERN_FIELDS: &[&str] = &["same-text", "type-of", "empty"];

/// Reads a list of choices, each a type with its data, a type alone, or empty text.
pub(super) fn patterns(field: &Field<'_>, report: &mut Report<'_>) -> Vec<Choice> {
    let allowed: Vec<&'static str> = [&TYPE_FIELDS[..], &["type", "data"], PATTERN_FIELDS].concat();
    each_choice(field, &allowed, report, pattern, Choice::identity)
}

fn pattern(fields: &Fields<'_>, list: &str, report: &mut Report<'_>) -> Option<Choice> {
    let mut said = fields
        .found
        .iter()
        .filter(|field| !["data", "same-text"].contains(&field.name));
    let Some(first) = said.next() else {
        let message = format!("a choice of `{list}` has no type");
        report.error(fields.at, message, CHOICE_HINT);
        return None;
    };
    for second in said {
        let message = format!("`{}` stands beside `{}`", second.name, first.name);
        report.error(second.at, message, CHOICE_HINT);
    }
    let is_same_text = fields.flag("same-text", report);
    let choice = match first.name {
        "type-of" => Choice::TypeOf(type_of(first, report)?),
        "empty" => {
            if !first.read(report, scalar::boolean)? {
                let hint = "write `empty: true`, in `is` or in `is-not`";
                report.error(first.value.at, "`empty: false` says nothing", hint);
                return None;
            }
            Choice::Empty
        }
        _ => Choice::Data(data(fields, first, report)?),
    };
    match (choice, fields.get("same-text").filter(|_| is_same_text)) {
        (choice, None) => Some(choice),
        (Choice::Data(text @ (Data::Sz(_) | Data::ExpandSz(_))), Some(_)) => {
            Some(Choice::SameText(text))
        }
        (_, Some(field)) => {
            let hint = "leave it out, or write `sz` or `expand-sz`";
            let message = "`same-text` is about text, and there is none";
            report.error(field.at, message, hint);
            None
        }
    }
}

/// Reads the name of a type, and gives its number.
fn type_of(field: &Field<'_>, report: &mut Report<'_>) -> Option<u32> {
    let word = field.read(report, scalar::text)?;
    let place = TYPE_FIELDS.iter().position(|known| *known == word);
    if place.is_none() {
        let message = format!("`{}` is not a type", shown(&word));
        let hint = format!("write one of: {}", list(&TYPE_FIELDS));
        report.error(field.value.at, message, hint);
    }
    u32::try_from(place?).ok()
}
