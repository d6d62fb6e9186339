// SPDX-License-Identifier: GPL-3.0-or-later
//! hivemend repairs the registry hives of a Windows machine that is not running.

#![warn(missing_docs)]

pub mod disk;
pub mod regf;
pub mod store;
