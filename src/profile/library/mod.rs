// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles by their names: those that are part of the program, and files with what they include.

mod groups;
mod include;
mod load;
mod shipped;
mod skeleton;

pub use groups::{Group, group_of, groups};
pub use include::{Library, load_all};
pub use load::load;
pub use shipped::{BuiltIn, builtin, lint};
pub use skeleton::skeleton;
