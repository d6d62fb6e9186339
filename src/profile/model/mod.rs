// SPDX-License-Identifier: GPL-3.0-or-later
//! What a profile says, once it has been read, and what that means for a value that is found.

mod choice;
mod clash;
mod data;
mod elements;
mod key_path;
mod location;
mod number;
mod other_roots;
mod parameter;
mod profile;
mod settings;
mod shown;
mod tokens;
mod typed_key;
mod upcase;
mod verdict;
mod vital;
mod want;
mod when;

pub use choice::Choice;
pub(crate) use clash::{Claim, Rules, clashes};
pub(crate) use data::TYPE_FIELDS;
pub use data::{Data, kind_name};
pub use elements::Part;
pub(crate) use key_path::MAX_NAME_UNITS;
pub use key_path::{ControlSet, HiveName, KeyPath, KeyPathError, Wildcard, wildcard};
pub use location::Location;
pub(crate) use number::parse_number;
pub use parameter::{Parameter, ParameterKind, ParameterUse, SettingError};
pub(crate) use profile::{BUILT_IN, SCHEMA};
pub use profile::{Boot, Cause, Impact, Include, KeyRule, Profile, ValueRule};
pub(crate) use settings::bind;
pub use settings::{Setting, set_parameters};
pub(crate) use shown::shown;
pub(crate) use tokens::token_text;
pub use tokens::{Token, TokenTest};
pub use upcase::upcase;
pub use verdict::Verdict;
pub use vital::{Deed, Forbidden, forbidden};
pub use want::Want;
pub use when::{Versions, When, WindowsVersion};
