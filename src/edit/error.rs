// SPDX-License-Identifier: GPL-3.0-or-later
//! Why an edit was not made.

use thiserror::Error;

use crate::regf::{DescriptorFlaw, FileOffset, Finding, Name, RegfError, SpecialKey};

/// Why an edit was not made. The file on the disk is never touched by this room.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EditError {
    /// A structure that the edit needs is damaged.
    #[error(transparent)]
    Regf(#[from] RegfError),
    /// The hive is damaged as it is, so that nothing can safely be changed in it.
    #[error("the hive is damaged as it is: {0}")]
    Unsound(Box<Finding>),
    /// The hive is damaged in a way that makes any edit a danger to it.
    #[error("no edit is safe in a hive with this damage: {0}")]
    Unsafe(Box<Finding>),
    /// What is damaged would have to be edited too.
    #[error("key {key} cannot be edited safely in a hive with this damage: {finding}")]
    InDamage {
        /// The key's path.
        key: String,
        /// What is damaged.
        finding: Box<Finding>,
    },
    /// The list that would have to be edited is damaged.
    #[error("no key can safely be put into or taken out of a subkeys list with this damage: {0}")]
    ListInDamage(Box<Finding>),
    /// What would have to be written, or freed, may belong to something that is damaged.
    #[error(
        "what stands at {at} must stay as it is: the damaged structure at {from} may reach so far"
    )]
    InReach {
        /// Where it stands.
        at: FileOffset,
        /// The structure whose length or offset is damaged.
        from: FileOffset,
    },
    /// A hive that would have to grow, into what something damaged may reach.
    #[error(
        "the hive has no free cell that is large enough, and must not grow: the damaged structure at \
         {from} may reach beyond its end, and would then be read with other bytes than before"
    )]
    NoGrowth {
        /// The structure whose length or offset is damaged.
        from: FileOffset,
    },
    /// Windows would not find a key any more.
    #[error(
        "the key at {0} would not be found by its name any more: the order of its list is damaged"
    )]
    KeyLost(FileOffset),
    /// The edited image is not as sound as the hive was: a bug, caught before anything was written.
    #[error("the edited hive does not pass the check, which is a bug in hivemend: {0}")]
    Damaged(Box<Finding>),
    /// An earlier edit failed half-way.
    #[error("an earlier edit of this hive failed; nothing more can be done with it")]
    Broken,
    /// The key is not there.
    #[error("key {0:?} does not exist")]
    KeyMissing(Name),
    /// The key must not be edited.
    #[error("key {key:?} {refusal}")]
    Refused {
        /// Its name.
        key: Name,
        /// Why.
        refusal: Refusal,
    },
    /// What a new key must inherit from its parent cannot be read, or does not fit.
    #[error("no key can be made below {key:?}: what it would inherit is {flaw}")]
    Descriptor {
        /// The parent's name.
        key: Name,
        /// What is wrong with its security descriptor.
        flaw: DescriptorFlaw,
    },
    /// The name cannot be that of a key or value.
    #[error("{name:?} cannot be a name here: {why}")]
    BadName {
        /// The name.
        name: Name,
        /// What it breaks.
        why: &'static str,
    },
    /// A value's data is larger than the format can hold.
    #[error("{0} bytes are more than a value can hold")]
    DataTooLarge(usize),
    /// The hive cannot grow any more.
    #[error("the hive is full: its bins cannot grow beyond 2 GiB")]
    HiveFull,
    /// A count that the format stores in a fixed width would overflow.
    #[error("{0} cannot be counted any higher")]
    CountOverflow(&'static str),
    /// The sequence numbers have reached their end.
    #[error("the sequence number of the base block cannot grow any more")]
    SequenceExhausted,
}

/// Why a key must not be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It stands for something else than itself.
    Special(SpecialKey),
    /// It is the root of the hive.
    Root,
    /// It carries the flag that forbids deletion.
    NoDelete,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Special(special) => special.fmt(f),
            Self::Root => f.write_str("is the root of the hive and cannot be deleted"),
            Self::NoDelete => f.write_str("is marked as not to be deleted"),
        }
    }
}
