// SPDX-License-Identifier: GPL-3.0-or-later
//! What is wrong with a security descriptor.

/// What is wrong with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorFlaw {
    /// Less than its header.
    #[error("a descriptor that is too short")]
    TooShort,
    /// Of a revision that nobody knows.
    #[error("a revision that is not 1")]
    Revision,
    /// Its offsets would be addresses.
    #[error("no flag that it is self-relative")]
    NotSelfRelative,
    /// The owner is none, or leaves the descriptor.
    #[error("an owner that is no SID")]
    Owner,
    /// The group is none, or leaves the descriptor.
    #[error("a group that is no SID")]
    Group,
    /// The list begins elsewhere.
    #[error("an ACL outside of the descriptor")]
    AclOutside,
    /// The list ends elsewhere.
    #[error("an ACL that leaves the descriptor")]
    AclLeaves,
    /// Of a revision that nobody knows.
    #[error("an ACL whose revision is not 2 to 4")]
    AclRevision,
    /// More entries than the list has room for.
    #[error("an ACE that leaves its ACL")]
    AceLeaves,
    /// An entry's type promises a SID.
    #[error("an ACE without a SID that fits into it")]
    AceSid,
    /// Not a SID.
    #[error("no SID")]
    Sid,
    /// The list would be larger than its size field can say.
    #[error("an ACL of more than 65,535 bytes")]
    AclTooLarge,
}
