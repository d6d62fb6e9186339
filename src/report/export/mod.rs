// SPDX-License-Identifier: GPL-3.0-or-later
//! A plan in the languages of other tools: `.reg`, REG ADD, PowerShell, DSC.
//!
//! Comments carry the reasons, and a change that lowers security is marked. What a language cannot say
//! is an error: nothing is left out. `profile import` reads each of them back.

mod cmd;
mod dsc;
mod error;
mod keys;
mod kind;
mod powershell;
mod reg;
mod step;
mod write;

pub use error::ExportError;
pub use keys::{keys_reg, profile_reg};
pub use kind::{ExportFormat, ExportPlace};
pub use write::{export, export_file};
