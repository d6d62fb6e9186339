// SPDX-License-Identifier: GPL-3.0-or-later
//! Lists of choices: of data, and in `is` and `is-not` of less than that.

use std::collections::HashSet;
use std::hash::Hash;

use super::data::{data, data_fields};
use super::error::Report;
use super::fields::{Field, Fields, describe, items, some_of};
use super::scalar;
use super::yaml::Shape;
use crate::profile::model::{Choice, Data, TYPE_FIELDS, shown};

const CHOICE_HINT: &str = "write each choice with its type, as in `{dword: 1}`";

/// The fields of a choice of `is`: beside the data, what asks for less than exactly that.
pub(super) fn pattern_fields() -> Vec<&'static str> {
    [&data_fields()[..], &["same-text", "type-of", "empty"]].concat()
}

/// Reads a list of choices, each a type with its data.
pub(super) fn choices(field: &Field<'_>, report: &mut Report<'_>) -> Vec<Data> {
    let identity = |data: &Data| (data.kind(), data.bytes());
    each_choice(field, &data_fields(), report, choice, identity)
}

/// Reads each item of a list of choices, and refuses those that are there already.
fn each_choice<T, I: Eq + Hash>(
    field: &Field<'_>,
    allowed: &[&'static str],
    report: &mut Report<'_>,
    read: fn(&Fields<'_>, &str, &mut Report<'_>) -> Option<T>,
    identity: impl Fn(&T) -> I,
) -> Vec<T> {
    let what = format!("a choice of {}", field.name);
    let mut choices = Vec::new();
    let mut seen = HashSet::new();
    for item in items(field, report) {
        if !matches!(item.shape, Shape::Map(_)) {
            let message = format!(
                "a choice of `{}` is {}, without a type",
                field.name,
                describe(item)
            );
            report.error(item.at, message, CHOICE_HINT);
            continue;
        }
        let fields = Fields::read(item, &what, allowed, report);
        let Some(choice) = fields.and_then(|fields| read(&fields, field.name, report)) else {
            continue;
        };
        if seen.insert(identity(&choice)) {
            choices.push(choice);
        } else {
            let message = format!("this choice of `{}` is here twice", field.name);
            report.error(item.at, message, "keep one of them");
        }
    }
    choices
}

fn choice(fields: &Fields<'_>, list: &str, report: &mut Report<'_>) -> Option<Data> {
    let mut typed = fields.found.iter().filter(|field| field.name != "data");
    let Some(first) = typed.next() else {
        let message = format!("a choice of `{list}` has no type");
        report.error(fields.at, message, CHOICE_HINT);
        return None;
    };
    for second in typed {
        let message = format!("`{}` stands beside `{}`", second.name, first.name);
        report.error(second.at, message, CHOICE_HINT);
    }
    data(fields, first, report)
}

/// Reads a list of choices, each a type with its data, a type alone, or empty text.
pub(super) fn patterns(field: &Field<'_>, report: &mut Report<'_>) -> Vec<Choice> {
    each_choice(field, &pattern_fields(), report, pattern, Choice::identity)
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
        let hint = format!("write one of: {}", some_of(&TYPE_FIELDS));
        report.error(field.value.at, message, hint);
    }
    u32::try_from(place?).ok()
}
