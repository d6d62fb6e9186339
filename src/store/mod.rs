// SPDX-License-Identifier: GPL-3.0-or-later
//! The only room that writes to disk: backup, stage, publish, journal, restore.
//!
//! It moves bytes and does not know what a key is. The order of operations, and what an
//! interruption leaves at each of them, is in `docs/crash-safety.md`; what a record that was found
//! on a disk can ask for, and what not, is in `docs/threats.md`.
//!
//! The floors, each of which uses those below it: `terms`, the words of records; `error`; `medium`,
//! the disk; `trust`, what a record may ask for; `files`; `record`, journal and manifest;
//! `transaction`; `door`, which the other rooms come in by; `operations`.

mod door;
mod error;
mod files;
mod medium;
mod operations;
mod record;
mod terms;
mod transaction;
mod trust;

pub use door::Store;
pub use error::{ChangedSince, StoreError, StoreFault, Touched};
pub use medium::{Disk, Handle, Medium};
pub use operations::{
    Backup, HiveStands, Keep, LeftAlone, NewHive, Outcome, Pending, PendingHive, Prepared,
    PruneOutcome, PrunePlan, Published, Request, RestoreAction, RestoreItem, RestoreOutcome,
    RestorePlan, Settled,
};
pub use record::{
    BackupScope, BackupState, ChangeCount, CompanionRecord, CompanionRole, HiveRecord, KeptAs,
    Listed, Manifest, NotCopied,
};
pub use terms::{
    BackupId, Content, FileMetadata, FileName, Kept, Operation, Remembered, Sha256Sum, Stamp,
    limits,
};
pub use trust::{Judge, Role, Site};
