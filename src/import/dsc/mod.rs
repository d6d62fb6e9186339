// SPDX-License-Identifier: GPL-3.0-or-later
//! Documents of Desired State Configuration, version 3: `Microsoft.Windows/Registry` and
//! `RegistryList`, in YAML or JSON.
//!
//! Spec: PowerShell/DSC, lib/dsc-lib-registry/src/config.rs and resources/registry/src/types.rs.

mod entry;
mod resources;
mod tree;

pub(super) use resources::read;
