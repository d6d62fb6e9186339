// SPDX-License-Identifier: GPL-3.0-or-later
//! What is written down of a run: the journal while it goes on, the manifest for good.

mod journal;
mod manifest;

pub(crate) use journal::{JOURNAL, Journal, Swap};
pub use manifest::{
    BackupScope, BackupState, ChangeCount, CompanionRecord, CompanionRole, HiveRecord, KeptAs,
    Listed, Manifest, NotCopied,
};
