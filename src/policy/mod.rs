// SPDX-License-Identifier: GPL-3.0-or-later
//! The local group policy's file, `Registry.pol`: what it will write into the registry.
//!
//! Pure: bytes in, typed entries out. The file is `System32\GroupPolicy\Machine\Registry.pol` for
//! the machine; its entries are instructions for keys below `HKEY_LOCAL_MACHINE`, most of them
//! below `SOFTWARE\Policies`. Windows carries them out when it processes policies, at a start at
//! the latest, and so undoes what was changed in the hive. Before that it deletes the values that
//! it wrote the last time, so that a value that is not in the file any more goes away too.
//!
//! Spec: \[MS-GPREG\] 2.2.1 *Registry Policy Message Syntax* and 3.2.5.1.2; the control codes in
//! *Registry Policy File Format* and *Control Codes* of the Platform SDK.

mod effect;
mod entry;
mod error;
mod parse;

pub use effect::PolicyEffect;
pub use entry::{NameList, PolicyAction, PolicyEntry};
pub use error::{PolicyError, PolicyFault};

/// A parsed `Registry.pol`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryPol {
    entries: Vec<PolicyEntry>,
    index: effect::Index,
}

impl RegistryPol {
    /// Parses the bytes of a `Registry.pol`.
    ///
    /// An empty file has no entries, and zeros behind the last entry are padding. What is kept
    /// grows with the file: bounding that is the caller's part.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with the place: Windows skips a file without the signature as a whole, and
    /// stops in one at the entry that it cannot read.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let entries = parse::entries(bytes)?;
        let index = effect::Index::of(&entries);
        Ok(Self { entries, index })
    }

    /// The entries, in the order in which Windows carries them out.
    pub fn entries(&self) -> &[PolicyEntry] {
        &self.entries
    }

    /// What the file will do to a value the next time that Windows processes it.
    ///
    /// `key` is below `HKEY_LOCAL_MACHINE`, as in the file: `SOFTWARE\Policies\...`. Neither it nor
    /// `value_name` is case-sensitive. `None` where no entry is about the value.
    pub fn what_becomes_of(&self, key: &str, value_name: &str) -> Option<PolicyEffect> {
        effect::of(&self.entries, &self.index, key, value_name)
    }
}
