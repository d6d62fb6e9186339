// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles by their names: those that are part of the program, and files with what they include.

mod include;
mod load;
mod shipped;
mod skeleton;

pub use include::{Library, load_all};
pub use load::load;
pub use shipped::{BuiltIn, builtin, lint};
pub use skeleton::skeleton;
