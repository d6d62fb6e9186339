// SPDX-License-Identifier: GPL-3.0-or-later
//! What is known of Remote Desktop's settings, held against a profile: values that do not go together,
//! and what the policies of TerminalServer.admx can be.

use std::collections::HashMap;

use super::linter::Linter;
use crate::profile::model::{Data, HiveName, KeyRule, ValueRule, Want, upcase};
use crate::settings::{PAIRS, TS_POLICY, Takes, has_no_policy, policy};

/// Looks for pairs of values that Windows does not take together.
pub(super) fn check_pairs(linter: &mut Linter<'_>) {
    let mut written: HashMap<(Vec<u16>, usize, bool), &ValueRule> = HashMap::new();
    let profile = linter.profile;
    for (key, value) in values(&profile.keys) {
        let path = upcase(&key.path.to_string());
        for (index, pair) in PAIRS.iter().enumerate() {
            for (is_one, half) in [(true, pair.one), (false, pair.other)] {
                if !writes(value, half) {
                    continue;
                }
                written.insert((path.clone(), index, is_one), value);
                if let Some(other) = written.get(&(path.clone(), index, !is_one)) {
                    let line = other.at.line;
                    let message = format!("{}; the other value is in line {line}", pair.why);
                    let hint = "change one of the two: Windows does not take them together";
                    linter.warn("pair-invalid", value.at, message, hint);
                }
            }
        }
    }
}

fn values(keys: &[KeyRule]) -> impl Iterator<Item = (&KeyRule, &ValueRule)> {
    keys.iter()
        .flat_map(|key| key.values.iter().map(move |value| (key, value)))
}

fn writes(value: &ValueRule, (name, number): (&str, u32)) -> bool {
    value.want.to_write() == Some(&Data::Dword(number)) && upcase(&value.name) == upcase(name)
}

/// Looks for values under the policy key that no policy can have.
pub(super) fn check_policies(linter: &mut Linter<'_>) {
    let profile = linter.profile;
    for (_, value) in values(&profile.keys).filter(|(key, _)| is_policy_key(key)) {
        if has_no_policy(&value.name) && value.want != Want::Absent {
            let message = format!(
                "no policy has a value `{}`: here it does nothing",
                value.name
            );
            let hint = "write it to the listener, or leave it out";
            linter.warn("policy-unknown", value.at, message, hint);
        }
        let Some(policy) = policy(&value.name) else {
            continue;
        };
        let choices = match &value.want {
            Want::Data(data) | Want::Range { write: data, .. } => std::slice::from_ref(data),
            Want::OneOf(choices) => choices,
            _ => continue,
        };
        if !choices.iter().all(|data| takes(policy.takes, data)) {
            let message = format!("the policy {} cannot be {}", policy.name, value.want);
            linter.warn("policy-range", value.at, message, &policy.takes.hint());
        }
    }
}

fn is_policy_key(key: &KeyRule) -> bool {
    key.path.hive == HiveName::Software
        && upcase(&key.path.segments.join("\\")) == upcase(TS_POLICY)
}

fn takes(takes: Takes, data: &Data) -> bool {
    match data {
        Data::Dword(number) => takes.takes_number(*number),
        Data::Sz(text) => takes.takes_text(text),
        _ => false,
    }
}
