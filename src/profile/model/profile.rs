// SPDX-License-Identifier: GPL-3.0-or-later
//! What a profile says, once it has been read.

use std::sync::Arc;

use super::data::{Data, is_same};
use super::key_path::KeyPath;
use super::location::Location;
use super::parameter::{Parameter, ParameterUse};
use super::tokens::{self, TokenTest};
use super::want::Want;
use super::when::When;

/// The language this program speaks.
pub(crate) const SCHEMA: &str = "hivemend.profile/1";

/// The origin of a profile that is part of the program.
pub(crate) const BUILT_IN: &str = "built-in";

/// A baseline: keys and values as they should be, with the reason for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name it is called by, such as `rdp-disconnects`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Where the values come from: an article, a measurement.
    pub source: String,
    /// What the machine's user sees when this profile is the remedy.
    pub symptoms: Vec<String>,
    /// The id of the profile that takes this one back.
    pub undo: Option<String>,
    /// The profiles whose entries hold too, as they are named in it.
    pub include: Vec<Include>,
    /// What `--set` can give to it.
    pub parameters: Vec<Parameter>,
    /// What must be so for any of its rules to hold.
    pub when: Vec<When>,
    /// What drift from it means; `None` keeps it out of `diagnose`.
    pub cause: Option<Cause>,
    /// What else is to be done, outside the registry.
    pub advice: Vec<String>,
    /// Whether it is a last resort, which only a profile of the same kind includes.
    pub opt_in: bool,
    /// The rules, in the order of the file.
    pub keys: Vec<KeyRule>,
    /// The file's name as it was given, or `built-in`.
    pub origin: String,
    /// The id of the profile that includes it; `None` for one that was named itself.
    pub included_by: Option<String>,
    /// The profile as it was read, without a byte order mark.
    pub text: String,
}

/// A profile named by another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// Its id, or its path beside the including file.
    pub name: String,
    /// Where it is named.
    pub at: Location,
}

/// What drift means to somebody who wants to get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// How bad it is.
    pub impact: Impact,
    /// What is wrong, in a line.
    pub text: Arc<str>,
}

/// How bad drift is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Impact {
    /// Nobody gets in.
    Blocks,
    /// The machine is less secure than it should be.
    Weakens,
    /// Not how Windows sets it up.
    Unusual,
}

impl Impact {
    /// All of them, the worst first.
    pub const ALL: [Self; 3] = [Self::Blocks, Self::Weakens, Self::Unusual];

    /// Its name in profiles and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Weakens => "weakens",
            Self::Unusual => "unusual",
        }
    }
}

/// What a profile wants of one key, or of each key that its path matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// The key.
    pub path: KeyPath,
    /// What must be so for the rule to hold.
    pub when: Vec<When>,
    /// Whether the key, with all that is in it, should not be there. It has no `values` then.
    pub absent: bool,
    /// The computed change of `Select`, instead of `values`.
    pub boot: Option<Boot>,
    /// Whether the rule holds only where the key exists.
    pub if_exists: bool,
    /// Why, where the entry says it for the key as a whole.
    pub why: Option<Arc<str>>,
    /// Whether removing this `absent` key lowers the machine's security.
    pub lowers_security: bool,
    /// What is wanted of its values, in the order of the file.
    pub values: Vec<ValueRule>,
    /// Where the entry begins.
    pub at: Location,
}

/// A change of `Select` that is worked out from what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// The next start uses the last known good control set, and the old one is given up.
    LastKnownGood,
}

/// What a profile wants of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueRule {
    /// The value's name; empty for the key's unnamed (default) value.
    pub name: String,
    /// Whether every value of the key is meant that is there; the name is `*` then.
    pub every: bool,
    /// What it should be.
    pub want: Want,
    /// The parameter that `want` was made of.
    pub parameter: Option<ParameterUse>,
    /// Whether the rule holds only where the value exists.
    pub if_exists: bool,
    /// The rule holds only where the value is one of these; empty for anywhere.
    pub if_one_of: Vec<Data>,
    /// The rule holds only where the value is a firewall rule that passes these; empty for anywhere.
    pub if_tokens: Vec<TokenTest>,
    /// The reason, for the engineer who reviews the plan.
    pub why: Arc<str>,
    /// Whether this lowers the machine's security.
    pub lowers_security: bool,
    /// What drift of this value means, where it differs from what the profile says.
    pub cause: Option<Cause>,
    /// Where the entry begins.
    pub at: Location,
}

impl ValueRule {
    /// Whether a value that is found like this is one of those that the rule is limited to.
    pub fn is_meant(&self, found: Option<(u32, &[u8])>) -> bool {
        let is_one = |data: &Data| is_same(found, data);
        (self.if_one_of.is_empty() || self.if_one_of.iter().any(is_one))
            && (self.if_tokens.is_empty() || tokens::passes(found, &self.if_tokens))
    }
}

impl Profile {
    /// Whether any of its rules lowers the machine's security.
    pub fn lowers_security(&self) -> bool {
        let values = self.keys.iter().flat_map(|key| &key.values);
        let mut values = values.map(|value| value.lowers_security);
        values.any(|lowers| lowers) || self.keys.iter().any(|key| key.lowers_security)
    }
}
