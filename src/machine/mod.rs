// SPDX-License-Identifier: GPL-3.0-or-later
//! The hives of one machine, asked for what everybody needs to know of them: their control sets, what
//! Windows this is and what it is used as, and the values of a key. Pure: reads, never writes.

#![deny(clippy::arithmetic_side_effects)]

mod control_sets;
mod error;
mod facts;
mod hive_input;
mod installation;
mod kind;
mod state;
mod walk;
mod word;

pub use control_sets::{ControlSetInfo, Role, Selection, booting, control_sets};
pub(crate) use control_sets::{main_control_set, path_in};
pub use error::MachineError;
pub use facts::{Fact, Machine, ProductType, is_domain_member, machine};
pub(crate) use hive_input::hive_of;
pub use hive_input::{Condition, HiveInput, Recovery};
pub use installation::{WindowsVersion, computer_name, system_drive, windows_version};
pub use kind::{Mistaken, mistaken};
pub use state::{KeyContent, KeySummary, State, Value, key_content, summarize};
pub(crate) use state::{all_values, dword, find_value, text};
pub use walk::{Met, Unwalked, Walk};
pub use word::Word;
