// SPDX-License-Identifier: GPL-3.0-or-later
//! What is said of settings: what counts, who decides, what stands against a change.

use crate::machine::{Value, dword};
use crate::policy::RegistryPol;
use crate::regf::NodePath;

use super::Debris;

/// What is known of policies besides the hives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'p> {
    /// The local group policy's file, where there is one that can be read.
    pub local: Option<&'p RegistryPol>,
    /// Whether the machine belongs to a domain, whose policy may write the same keys.
    pub domain_member: bool,
}

/// What wins over what, with and without a plan's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The settings that any place says something about.
    pub settings: Vec<Setting>,
    /// What stands against single changes.
    pub marks: Vec<Mark>,
    /// Values that do not do what their writer meant.
    pub debris: Vec<Debris>,
    /// What could not be taken into account.
    pub notes: Vec<String>,
    /// How many of the notes, the first ones, name a place in a hive that cannot be read.
    pub unread: usize,
}

/// A setting of one control set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The control set.
    pub control_set: String,
    /// The key's path below the root of SYSTEM.
    pub key: NodePath,
    /// The value's name.
    pub name: &'static str,
    /// What the value itself is now; it may not count.
    pub stored: Option<Value>,
    /// What counts now.
    pub now: InForce,
    /// What counts once the changes are made.
    pub planned: InForce,
    /// What counts after the next start, as far as the local group policy decides.
    pub at_start: InForce,
}

/// What counts for a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Who decides.
    pub source: Source,
    /// The value that decides; `None` where it is not the registry of the machine.
    pub value: Option<Value>,
}

impl InForce {
    /// The number, where it is one; a policy's "no limit" as the listener says it.
    pub(crate) fn number(&self) -> Option<u32> {
        dword(self.value.as_ref()?)
    }
}

/// Who decides a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A policy in SOFTWARE.
    Policy {
        /// Its key, below the root of SOFTWARE.
        key: &'static str,
        /// The value's name.
        name: &'static str,
    },
    /// The user's account, because a flag beside the value says so.
    UserAccount {
        /// The flag's name.
        flag: &'static str,
    },
    /// The value itself.
    Own,
    /// Nothing: the value is absent, and Windows takes its default.
    Default,
}

/// Why a change has no effect, or not for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The place of the change in the plan, from 0.
    pub change: usize,
    /// What stands against it.
    pub why: Against,
    /// The built-in profile that helps.
    pub profile: Option<&'static str>,
}

/// What stands against a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// A policy wins over the value.
    Policy {
        /// Its key, below the root of SOFTWARE.
        key: &'static str,
        /// The value's name.
        name: &'static str,
        /// The value that counts.
        value: Value,
    },
    /// The user's account decides.
    UserAccount {
        /// The flag beside the value.
        flag: &'static str,
    },
    /// The local group policy's file makes it something else when Windows starts.
    LocalPolicy {
        /// The policy's value in question.
        name: String,
        /// What it will be; `None` where it is deleted.
        value: Option<Value>,
    },
    /// The machine is in a domain, whose policy may write the key.
    DomainPolicy,
}

impl Source {
    /// Its name in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy { .. } => "policy",
            Self::UserAccount { .. } => "user-account",
            Self::Own => "own",
            Self::Default => "default",
        }
    }
}

impl Against {
    /// Its name in plans.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "masked-by-policy",
            Self::UserAccount { .. } => "left-to-user-account",
            Self::LocalPolicy { .. } => "undone-by-registry-pol",
            Self::DomainPolicy => "domain-policy",
        }
    }
}
