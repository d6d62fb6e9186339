// SPDX-License-Identifier: GPL-3.0-or-later
//! What a profile may say, but hardly means.

use std::collections::HashSet;

use super::lint_names::{check_key_names, check_value_name};
use super::lint_settings::{check_pairs, check_policies};
use super::linter::{Level, Lint, Linter};
use super::security::is_known_to_lower;
use crate::profile::model::{
    BUILT_IN, ControlSet, Data, KeyRule, Location, Profile, ValueRule, Want, upcase,
};
use crate::profile::reading::{nearest, parse};
use crate::text::is_invisible;

/// The profiles that are part of the program: id and text of each.
pub(crate) type Shipped<'s> = &'s [(&'static str, &'static str)];

/// Looks for what the profile hardly means; in the order of the file, 200 findings at most.
pub(crate) fn lint(profile: &Profile, shipped: Shipped<'_>) -> Vec<Lint> {
    let mut linter = Linter::new(profile);
    check_undo(&mut linter, shipped);
    check_diagnosed(&mut linter);
    check_parameters(&mut linter);
    check_pairs(&mut linter);
    check_policies(&mut linter);
    for key in &profile.keys {
        check_key(&mut linter, key);
        for value in &key.values {
            check_value(&mut linter, key, value);
        }
    }
    linter.finish()
}

fn check_undo(linter: &mut Linter<'_>, shipped: Shipped<'_>) {
    let profile = linter.profile;
    let keys = profile
        .keys
        .iter()
        .filter(|key| key.lowers_security)
        .map(|key| key.at);
    let values = profile.keys.iter().flat_map(|key| &key.values);
    let values = values
        .filter(|value| value.lowers_security)
        .map(|value| value.at);
    let first = keys.chain(values).min();
    if let (Some(at), None) = (first, &profile.undo) {
        let message = "this lowers security, and no profile is named that takes it back";
        let hint = "add `undo:` with the id of the profile that restores security";
        linter.add(Level::Error, "undo-missing", at, message.to_owned(), hint);
    }
    let Some(undo) = profile.undo.as_deref() else {
        return;
    };
    let at = linter.field("undo");
    if let Some((_, text)) = shipped.iter().find(|(id, _)| *id == undo) {
        let back = parse(text.as_bytes(), BUILT_IN);
        if back.is_ok_and(|back| back.lowers_security()) {
            let message = format!("`{undo}`, which takes this back, lowers security itself");
            let hint = "name a profile that restores security";
            linter.warn("undo-lowers", at, message, hint);
        }
        return;
    }
    let ids: Vec<&str> = shipped.iter().map(|(id, _)| *id).collect();
    if let Some(near) = nearest(undo, &ids) {
        let message = format!("`{undo}` is not a built-in profile, but {near} is");
        let hint = "check the spelling; a profile of your own is fine";
        linter.warn("undo-unknown", at, message, hint);
    }
}

/// `diagnose` names the profile to run: never one that costs security.
fn check_diagnosed(linter: &mut Linter<'_>) {
    let profile = linter.profile;
    if profile.cause.is_none() {
        return;
    }
    let at = linter.field("impact");
    if profile.opt_in {
        let message = "diagnose would propose this profile, which is a last resort (opt-in)";
        let hint = "leave `impact` or `opt-in` out";
        linter.warn("opt-in-diagnosed", at, message.to_owned(), hint);
    } else if profile.lowers_security() {
        let message = "diagnose would propose this profile, which lowers security";
        let hint = "leave `impact` out, and name this profile where a safe one does not help";
        linter.warn("relaxing-diagnosed", at, message.to_owned(), hint);
    }
}

fn check_parameters(linter: &mut Linter<'_>) {
    let profile = linter.profile;
    let values = profile.keys.iter().flat_map(|key| &key.values);
    let mut used: HashSet<&str> = HashSet::new();
    for value in values {
        used.extend(value.parameter.as_ref().map(|used| used.name.as_str()));
        if let Want::Tokens(tokens) = &value.want {
            used.extend(tokens.iter().filter_map(|token| token.parameter.as_deref()));
        }
        let asked = value.if_tokens.iter().flat_map(|test| &test.texts);
        used.extend(asked.filter_map(|token| token.parameter.as_deref()));
    }
    // It may be there for a profile that is included.
    let parameters = profile
        .parameters
        .iter()
        .filter(|_| profile.include.is_empty());
    for parameter in parameters.filter(|parameter| !used.contains(parameter.name.as_str())) {
        let message = format!("no entry takes the parameter `{}`", parameter.name);
        let hint = format!("write `parameter: {}` in a value entry", parameter.name);
        linter.warn("parameter-idle", parameter.at, message, &hint);
    }
}

fn check_key(linter: &mut Linter<'_>, key: &KeyRule) {
    let at = key.at;
    check_key_names(linter, key);
    if key.absent && key.why.is_none() {
        let message = "a key is deleted, and the profile does not say why".to_owned();
        linter.warn("why-missing", at, message, "add `why:`");
    }
    if key.absent && key.if_exists {
        idle_if_exists(linter, at);
    }
    if let Some(set @ ControlSet::Number(_)) = key.path.control_set {
        let message = format!("this holds for {set} only, which may not be the one that boots");
        let hint = "write CurrentControlSet for each control set that is there";
        linter.warn("one-control-set", at, message, hint);
    }
}

fn idle_if_exists(linter: &mut Linter<'_>, at: Location) {
    let message = "`if-exists` beside `absent` changes nothing".to_owned();
    linter.warn("if-exists-idle", at, message, "leave `if-exists` out");
}

fn check_value(linter: &mut Linter<'_>, key: &KeyRule, value: &ValueRule) {
    let at = value.at;
    let choices = match &value.want {
        Want::Data(data) | Want::Range { write: data, .. } => std::slice::from_ref(data),
        Want::OneOf(choices) | Want::SameText(choices) => choices,
        // Debris of an article with a bad name is just what `absent` is for.
        Want::Absent if value.if_exists => return idle_if_exists(linter, at),
        Want::Absent => return,
        want if want.is_partial() && value.if_exists => {
            let message = "`if-exists` changes nothing here: only what is there is edited";
            let hint = "leave `if-exists` out";
            return linter.warn("if-exists-idle", at, message.to_owned(), hint);
        }
        _ => &[],
    };
    check_value_name(linter, key, value);
    for data in choices {
        check_data(linter, data, at);
        check_variable(linter, key, data, at);
    }
    let lowers = value
        .want
        .to_write()
        .is_some_and(|data| is_known_to_lower(&value.name, data));
    if lowers && !value.lowers_security {
        let message = format!(
            "`{}` set like this lowers security, and does not say so",
            value.name
        );
        let hint = "add `lowers-security: true`";
        linter.warn("security-unmarked", at, message, hint);
    }
}

fn check_data(linter: &mut Linter<'_>, data: &Data, at: Location) {
    if data
        .texts()
        .iter()
        .flat_map(|text| text.chars())
        .any(is_invisible)
    {
        let message = format!("{data}: the text has a character in it that is not seen");
        let hint = "in double quotes \\t and \\n are a tab and a line end: use 'single quotes'";
        linter.warn("data-invisible", at, message, hint);
    }
    if let Data::Link(_) = data {
        let message = "a link redirects every program that opens this key".to_owned();
        let hint = "hivemend never edits through one; make sure that it is meant";
        linter.warn("link", at, message, hint);
    }
}

/// Keys whose texts Windows replaces %variables% in, whatever their type: the rules of its firewall.
const RULES: [&str; 2] = ["FirewallRules", "ConSecRules"];

fn check_variable(linter: &mut Linter<'_>, key: &KeyRule, data: &Data, at: Location) {
    let last = key.path.segments.last();
    let is_rule = last.is_some_and(|last| RULES.iter().any(|name| upcase(name) == upcase(last)));
    if let Data::Sz(text) = data
        && names_variable(text)
        && !is_rule
    {
        let message = format!("{data}: Windows does not replace %variables% in an sz");
        linter.warn("sz-variable", at, message, "write `expand-sz`");
    }
}

fn names_variable(text: &str) -> bool {
    let mut parts = text.split('%').skip(1);
    let Some(name) = parts.next() else {
        return false;
    };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '(' | ')');
    !name.is_empty() && name.chars().all(is_name) && parts.next().is_some()
}
