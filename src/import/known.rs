// SPDX-License-Identifier: GPL-3.0-or-later
//! What the built-in profiles know of values.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::profile::{Data, Profile, ValueRule, Want, builtin, load, upcase};

static BUILT_IN: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let known = builtin().iter();
    known.filter_map(|known| load(known.id).ok()).collect()
});

/// Of each name, whether every built-in profile that writes a value of that name writes a REG_DWORD.
static NUMBERS: LazyLock<HashMap<Vec<u16>, bool>> = LazyLock::new(|| {
    let mut numbers: HashMap<Vec<u16>, bool> = HashMap::new();
    for value in BUILT_IN.iter().flat_map(values) {
        if let Some(data) = value.want.to_write() {
            let is_number = matches!(data, Data::Dword(_));
            let known = numbers.entry(upcase(&value.name)).or_insert(true);
            *known &= is_number;
        }
    }
    numbers
});

fn values(profile: &Profile) -> impl Iterator<Item = &ValueRule> {
    profile.keys.iter().flat_map(|key| &key.values)
}

/// Whether a value of this name is known to be a REG_DWORD.
pub(super) fn is_number(name: &str) -> bool {
    NUMBERS.get(&upcase(name)).copied().unwrap_or(false)
}

/// The built-in profile that takes most of these settings, which lower security, back.
pub fn undo_of(lowered: &[(&str, &Data)]) -> Option<&'static str> {
    let takes_back = |rule: &ValueRule, (name, data): &(&str, &Data)| {
        let bytes = data.bytes();
        upcase(&rule.name) == upcase(name)
            && rule.want != Want::Unset
            && !rule.want.is_met_by(Some((data.kind(), &bytes)))
    };
    let score = |profile: &Profile| {
        let taken = lowered.iter();
        let taken = taken.filter(|one| values(profile).any(|rule| takes_back(rule, one)));
        taken.count()
    };
    let safe = BUILT_IN.iter().filter(|profile| !profile.lowers_security());
    let scored = safe.map(|profile| (score(profile), profile));
    let mut best: Option<(usize, &Profile)> = None;
    for (taken, profile) in scored.filter(|(taken, _)| *taken > 0) {
        if best.is_none_or(|(most, _)| taken > most) {
            best = Some((taken, profile));
        }
    }
    best.map(|(_, profile)| profile.id.as_str())
}
