// SPDX-License-Identifier: GPL-3.0-or-later
//! Control sets: which there are, and what `Select` says of them.

use super::MachineError;
use crate::profile::HiveName;
use crate::regf::{Hive, Name, NodePath, RegfError};

/// A control set of a SYSTEM hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSetInfo {
    /// Its number.
    pub number: u16,
    /// The key's name as it is spelled in the hive.
    pub name: String,
    /// What it is used as.
    pub roles: Vec<Role>,
}

/// What a control set is used as, according to the key `Select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The machine last ran with it.
    Current,
    /// The next start uses it.
    Default,
    /// "Last Known Good Configuration" uses it.
    LastKnownGood,
    /// It was given up when Last Known Good was used.
    Failed,
}

impl Role {
    /// All of them, in the order in which they are named.
    pub const ALL: [Self; 4] = [
        Self::Current,
        Self::Default,
        Self::LastKnownGood,
        Self::Failed,
    ];

    /// Its name in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Default => "default",
            Self::LastKnownGood => "last-known-good",
            Self::Failed => "failed",
        }
    }

    /// The value of `Select` that holds the number.
    fn value_name(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::Default => "Default",
            Self::LastKnownGood => "LastKnownGood",
            Self::Failed => "Failed",
        }
    }
}

/// Which control sets a profile's `CurrentControlSet` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every one that exists.
    Each,
    /// The one that `Select` calls current.
    Current,
    /// Those with these numbers.
    Numbers(Vec<u16>),
}

impl Selection {
    /// The control sets meant, of those that exist.
    ///
    /// # Errors
    ///
    /// Where a number does not exist or none is current.
    pub fn choose(&self, sets: &[ControlSetInfo]) -> Result<Vec<ControlSetInfo>, MachineError> {
        match self {
            Self::Each => Ok(sets.to_vec()),
            Self::Current => {
                let is_current = |set: &&ControlSetInfo| set.roles.contains(&Role::Current);
                let why = "Select\\Current is missing or names no control set that exists";
                let current = sets.iter().find(is_current);
                Ok(vec![
                    current.ok_or(MachineError::NoCurrent { why })?.clone(),
                ])
            }
            Self::Numbers(numbers) => {
                for &number in numbers {
                    if !sets.iter().any(|set| set.number == number) {
                        let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
                        let known = names.join(", ");
                        return Err(MachineError::NoSuchControlSet { number, known });
                    }
                }
                let chosen = sets.iter().filter(|set| numbers.contains(&set.number));
                Ok(chosen.cloned().collect())
            }
        }
    }
}

/// The control set that the next start uses, as far as `Select` tells.
pub fn booting(sets: &[ControlSetInfo]) -> Option<&ControlSetInfo> {
    let with = |role| sets.iter().find(|set| set.roles.contains(&role));
    let only = || match sets {
        [only] => Some(only),
        _ => None,
    };
    with(Role::Default)
        .or_else(|| with(Role::Current))
        .or_else(only)
}

/// The control sets of a SYSTEM hive, by number.
///
/// # Errors
///
/// Where the root's subkeys or `Select` cannot be read, or there is no control set.
pub fn control_sets(hive: &Hive<'_>) -> Result<Vec<ControlSetInfo>, MachineError> {
    let sets = read(hive).map_err(MachineError::in_hive(HiveName::System))?;
    if sets.is_empty() {
        return Err(MachineError::NoControlSet);
    }
    Ok(sets)
}

fn read(hive: &Hive<'_>) -> Result<Vec<ControlSetInfo>, RegfError> {
    let mut sets = Vec::new();
    for subkey in hive.subkeys(&hive.root()?)? {
        let name = hive.key(subkey)?.name().to_name().to_text();
        if let Some(number) = number_of(&name) {
            let roles = Vec::new();
            sets.push(ControlSetInfo {
                number,
                name,
                roles,
            });
        }
    }
    sets.sort_by_key(|set| set.number);
    let Some(select) = hive.find(&[Name::from("Select")])? else {
        return Ok(sets);
    };
    for role in Role::ALL {
        let Some(value) = hive.find_value(&select, &Name::from(role.value_name()))? else {
            continue;
        };
        let data = hive.data(&value)?;
        let number = crate::regf::u32_at(&data, 0);
        let number = number.and_then(|number| u16::try_from(number).ok());
        for set in sets.iter_mut().filter(|set| Some(set.number) == number) {
            set.roles.push(role);
        }
    }
    Ok(sets)
}

/// The number in `ControlSetNNN`, in whatever case.
pub(crate) fn number_of(name: &str) -> Option<u16> {
    const PREFIX: &str = "ControlSet";
    let (prefix, digits) = name.split_at_checked(PREFIX.len())?;
    let is_number = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !prefix.eq_ignore_ascii_case(PREFIX) || !is_number {
        return None;
    }
    digits.parse().ok()
}

/// The control set that the machine's facts are read from: that of the next start.
pub(crate) fn main_control_set(sets: &[ControlSetInfo]) -> Option<&ControlSetInfo> {
    let with = |role| sets.iter().find(|set| set.roles.contains(&role));
    with(Role::Default).or(with(Role::Current)).or(sets.first())
}

/// A key by its path below a control set, or below the hive's root where there is none.
pub(crate) fn path_in(set: Option<&str>, below: &str) -> NodePath {
    let names = below.split('\\').map(Name::from);
    set.map(Name::from).into_iter().chain(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_digits_make_a_control_set() {
        assert_eq!(number_of("ControlSet001"), Some(1));
        assert_eq!(number_of("CONTROLSET123"), Some(123));
        for other in [
            "ControlSet",
            "ControlSet1",
            "ControlSet0001",
            "ControlSet+01",
            "CurrentControlSet",
        ] {
            assert_eq!(number_of(other), None, "{other}");
        }
    }
}
