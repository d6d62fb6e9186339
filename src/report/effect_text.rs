// SPDX-License-Identifier: GPL-3.0-or-later
//! What wins over what, for people and for scripts.

use serde_json::{Value as Json, json};

use super::command_line::CommandLine;
use super::reading::value_read;
use super::state_json::value_json;
use super::style::{BOLD, DIM, WARN};
use super::styled;
use super::values::{kind_text, value_text};
use crate::effect::{Against, Debris, Effect, Flaw, InForce, Mark, Setting, Source};
use crate::machine::Value;
use crate::profile::HiveName;
use crate::regf::Name;
use crate::text::{Text, escape};

/// The columns of a setting's name and of what counts.
const NAME_COLUMN: usize = 34;

/// What counts for the settings that a policy decides, and for those that the user's account decides
/// and `touched` says are changed; with `verbose` for all.
pub(super) fn settings_text(
    effect: &Effect,
    touched: impl Fn(&Setting) -> bool,
    verbose: bool,
) -> Text {
    let mut text = Text::new();
    let is_shown = |setting: &&Setting| {
        let policy = |state: &InForce| matches!(state.source, Source::Policy { .. });
        let account = |state: &InForce| matches!(state.source, Source::UserAccount { .. });
        let states = [&setting.now, &setting.planned, &setting.at_start];
        verbose || states.into_iter().any(policy) || (account(&setting.planned) && touched(setting))
    };
    let mut set = None;
    for setting in effect.settings.iter().filter(is_shown) {
        if set != Some(&setting.control_set) {
            let heading = format!("What counts in {}", setting.control_set);
            text.line(styled(BOLD, &heading));
            set = Some(&setting.control_set);
        }
        setting_line(&mut text, setting);
    }
    if set.is_some() {
        text.end();
    }
    text
}

/// The warnings of a plan, and those that come of what wins over what; each once.
pub(super) fn all_warnings(warnings: &[String], effect: &Effect) -> Vec<String> {
    let mut all = warnings.to_vec();
    let debris = effect.debris.iter().map(debris_sentence);
    for sentence in effect.notes.iter().cloned().chain(debris) {
        if !all.contains(&sentence) {
            all.push(sentence);
        }
    }
    all
}

fn setting_line(text: &mut Text, setting: &Setting) {
    let name = short_name(setting);
    text.part(format_args!("  {:<NAME_COLUMN$} ", escape(&name)));
    text.line(format_args!(
        "{}",
        escape(&in_force_text(setting, &setting.now))
    ));
    if setting.planned != setting.now {
        let line = format!("then {}", in_force_text(setting, &setting.planned));
        text.line(format_args!(
            "  {:<NAME_COLUMN$} {}",
            "",
            styled(DIM, &line)
        ));
    }
    if setting.at_start != setting.planned {
        let line = format!(
            "after the next start {}: Registry.pol writes it",
            in_force_text(setting, &setting.at_start)
        );
        text.line(format_args!(
            "  {:<NAME_COLUMN$} {}",
            "",
            styled(WARN, &line)
        ));
    }
}

/// The firewall has the same names in three keys.
fn short_name(setting: &Setting) -> String {
    let key = setting.key.name().map(Name::to_string).unwrap_or_default();
    match key.ends_with("Profile") {
        true => format!("{key}\\{}", setting.name),
        false => setting.name.to_owned(),
    }
}

fn in_force_text(setting: &Setting, state: &InForce) -> String {
    let value = state.value.as_ref().map(value_text).unwrap_or_default();
    match state.source {
        Source::Policy { name, .. } => {
            let policy = match name == setting.name {
                true => "policy".to_owned(),
                false => format!("policy {name}"),
            };
            format!("{value} by {policy}{}", over(setting))
        }
        Source::UserAccount { flag } => {
            format!("by the user's account, as {flag} says{}", over(setting))
        }
        Source::Own => value,
        Source::Default => match &setting.stored {
            Some(stored) => format!(
                "Windows' default: a {} is no number to it",
                kind_text(stored.kind)
            ),
            None => "absent: Windows' default".to_owned(),
        },
    }
}

/// What is not heeded.
fn over(setting: &Setting) -> String {
    match &setting.stored {
        Some(stored) => format!("; {} is not heeded", value_text(stored)),
        None => String::new(),
    }
}

/// What stands against a change, in a sentence.
pub(super) fn mark_sentence(mark: &Mark) -> String {
    let read = |name: &str, value: &Value| value_read(&Name::from(name), value);
    let sentence = match &mark.why {
        Against::Policy { key, name, value } => format!(
            "MASKED: policy {name} is {} and wins, so that is in force (SOFTWARE\\{key})",
            read(name, value)
        ),
        Against::UserAccount { flag } => {
            format!("NOT HEEDED while {flag} is not 0: the user's account decides")
        }
        Against::LocalPolicy { name, value } => {
            let becomes = match value {
                Some(value) => format!("sets it to {}", read(name, value)),
                None => "deletes it".to_owned(),
            };
            format!(
                "WILL BE UNDONE: Registry.pol has policy {name} and {becomes} when Windows starts"
            )
        }
        Against::DomainPolicy => {
            "MAY BE UNDONE: the machine is in a domain, whose policy may write this key".to_owned()
        }
    };
    match mark.profile {
        Some(profile) => format!("{sentence}; the profile {profile} helps."),
        None => format!("{sentence}."),
    }
}

/// What is wrong with a value or key, and what mends it.
pub(super) fn debris_sentence(debris: &Debris) -> String {
    let key = debris.key.text();
    let hive = debris.hive;
    let place = match &debris.value {
        Some((name, _)) => format!("{hive} {key} has a value called {name:?}"),
        None => format!("{hive} has a key {key}"),
    };
    let sentence = match &debris.flaw {
        Flaw::Name(meant) if meant.is_empty() => format!("{place}, which does nothing."),
        Flaw::Name(meant) => format!(
            "{place}, which does nothing: {meant} was meant. Published procedures make such values \
             when their quotes are typed as printed."
        ),
        Flaw::LooksLike { meant, has } => format!(
            "{place}, which does nothing: {meant} was meant, and this has {has}. Such names come from \
             copied text."
        ),
        Flaw::Type => {
            let (name, kind) = match &debris.value {
                Some((name, value)) => (name.clone(), kind_text(value.kind)),
                None => Default::default(),
            };
            format!(
                "{hive} {key} has {name} as {kind}, which Windows does not read: a REG_DWORD belongs there."
            )
        }
    };
    match debris.profile {
        Some(profile) => format!("{sentence} The profile {profile} mends it."),
        None => format!(
            "{sentence} No built-in profile does anything about it. What removes it: {}",
            unset(debris)
        ),
    }
}

/// The command that removes it, to be copied; names are escaped in it as everywhere.
fn unset(debris: &Debris) -> String {
    let key = escape(&format!("{}\\{}", debris.hive, debris.key.text().raw()));
    let name = debris.value.as_ref();
    let name = name.map(|(name, _)| escape(&name.to_text()));
    let mut behind = vec![key.as_str()];
    behind.extend(name.as_deref());
    CommandLine::anywhere().of("unset", &behind)
}

/// A setting as JSON.
pub(super) fn setting_json(setting: &Setting) -> Json {
    json!({
        "control_set": setting.control_set,
        "key": setting.key.text(),
        "value": setting.name,
        "stored": setting.stored.as_ref().map(value_json),
        "now": in_force_json(setting, &setting.now),
        "planned": in_force_json(setting, &setting.planned),
        "at_start": in_force_json(setting, &setting.at_start),
    })
}

fn in_force_json(setting: &Setting, state: &InForce) -> Json {
    let from = match state.source {
        Source::Policy { key, name } => Some(format!("{}\\{key}\\{name}", HiveName::Software)),
        Source::UserAccount { flag } => Some(flag.to_owned()),
        Source::Own => {
            let key = setting.key.text();
            Some(format!("{}\\{key}\\{}", HiveName::System, setting.name))
        }
        Source::Default => None,
    };
    json!({
        "source": state.source.as_str(),
        "from": from,
        "data": state.value.as_ref().map(value_json),
    })
}

/// What stands against a change, as JSON.
pub(super) fn mark_json(mark: &Mark) -> Json {
    json!({
        "kind": mark.why.as_str(),
        "text": mark_sentence(mark),
        "profile": mark.profile,
    })
}

/// Values that do nothing, as JSON.
pub(super) fn debris_json(effect: &Effect) -> Vec<Json> {
    let debris = effect.debris.iter().map(|debris| {
        let (kind, meant) = match &debris.flaw {
            Flaw::Name(meant) => ("name", Some(meant.raw())),
            Flaw::LooksLike { meant, .. } => ("look-alike", Some(*meant)),
            Flaw::Type => ("type", None),
        };
        let value = debris.value.as_ref();
        json!({
            "hive": debris.hive.to_string(),
            "control_set": debris.control_set,
            "key": debris.key.text(),
            "value": value.map(|(name, _)| name.to_text()),
            "data": value.map(|(_, value)| value_json(value)),
            "flaw": kind,
            "meant": meant,
            "profile": debris.profile,
        })
    });
    debris.collect()
}
