// SPDX-License-Identifier: GPL-3.0-or-later
//! Access control lists and their entries.

use super::flaw::DescriptorFlaw;
use super::sid::Sid;
use crate::regf::bytes::{u16_at, u32_at};

/// Bytes of an ACL in front of its entries.
const ACL_HEADER: usize = 8;
/// The revision of a list without object entries.
const ACL_REVISION: u8 = 2;
/// Bytes of an ACE's type, flags and size.
const ACE_HEADER: usize = 4;

/// The types of entries that something depends on here.
///
/// Spec: MS-DTYP 2.4.4.1.
#[allow(missing_docs, reason = "the specification's names")]
pub mod ace_type {
    pub const ACCESS_ALLOWED: u8 = 0x00;
    pub const ACCESS_DENIED: u8 = 0x01;
    pub const SYSTEM_AUDIT: u8 = 0x02;
    pub const ACCESS_DENIED_OBJECT: u8 = 0x06;
    pub const ACCESS_DENIED_CALLBACK: u8 = 0x0A;
    pub const ACCESS_DENIED_CALLBACK_OBJECT: u8 = 0x0C;
    /// The first of those whose mask is no access mask.
    pub const SYSTEM_MANDATORY_LABEL: u8 = 0x11;
}

/// Flags of an entry.
///
/// Spec: MS-DTYP 2.4.4.1.
#[allow(missing_docs, reason = "the specification's names")]
pub mod ace_flags {
    /// Values inherit it; keys hand it on.
    pub const OBJECT_INHERIT: u8 = 0x01;
    /// Subkeys inherit it.
    pub const CONTAINER_INHERIT: u8 = 0x02;
    pub const NO_PROPAGATE_INHERIT: u8 = 0x04;
    pub const INHERIT_ONLY: u8 = 0x08;
    pub const INHERITED: u8 = 0x10;
    /// All that have to do with inheritance.
    pub const INHERITANCE: u8 = 0x1F;
}

/// An access control list.
///
/// Spec: MS-DTYP 2.4.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// 2, or 4 with object entries.
    pub revision: u8,
    /// The entries, the first to count first.
    pub aces: Vec<Ace>,
}

/// An entry of a list.
///
/// Spec: MS-DTYP 2.4.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// What it does, of [`ace_type`].
    pub ace_type: u8,
    /// Of [`ace_flags`].
    pub flags: u8,
    /// To whom and to what.
    pub content: AceContent,
}

/// What stands behind an entry's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AceContent {
    /// Of a type with an access mask and one SID.
    Access {
        /// The rights.
        mask: u32,
        /// Flags and GUIDs of an object entry, else nothing.
        object: Vec<u8>,
        /// Whose.
        sid: Sid,
        /// What follows: a condition, a claim.
        data: Vec<u8>,
    },
    /// Of another type: its bytes.
    Other(Vec<u8>),
}

impl Acl {
    /// A list of plain entries.
    pub fn new(aces: Vec<Ace>) -> Self {
        let revision = ACL_REVISION;
        Self { revision, aces }
    }

    /// Reads the list that `bytes` begin with.
    ///
    /// # Errors
    ///
    /// Where the list leaves `bytes`, an entry the list, or a SID its entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorFlaw> {
        let size = u16_at(bytes, 2).ok_or(DescriptorFlaw::AclLeaves)?;
        let aces = bytes.get(ACL_HEADER..usize::from(size));
        let mut rest = aces.ok_or(DescriptorFlaw::AclLeaves)?;
        let revision = *bytes.first().ok_or(DescriptorFlaw::AclLeaves)?;
        if !(2..=4).contains(&revision) {
            return Err(DescriptorFlaw::AclRevision);
        }
        let mut aces = Vec::new();
        for _ in 0..u16_at(bytes, 4).unwrap_or(0) {
            let size = usize::from(u16_at(rest, 2).unwrap_or(0));
            let split = rest.split_at_checked(size).filter(|_| size >= 8);
            let (ace, others) = split.ok_or(DescriptorFlaw::AceLeaves)?;
            aces.push(Ace::parse(ace)?);
            rest = others;
        }
        Ok(Self { revision, aces })
    }

    /// Appends the list to `to`.
    ///
    /// # Errors
    ///
    /// [`DescriptorFlaw::AclTooLarge`] where it takes more than 65,535 bytes.
    pub(super) fn write(&self, to: &mut Vec<u8>) -> Result<(), DescriptorFlaw> {
        let mut entries = Vec::new();
        for ace in &self.aces {
            ace.write(&mut entries)?;
        }
        let size = u16::try_from(entries.len().saturating_add(ACL_HEADER));
        let size = size.map_err(|_| DescriptorFlaw::AclTooLarge)?;
        let count = u16::try_from(self.aces.len()).map_err(|_| DescriptorFlaw::AclTooLarge)?;
        to.extend([self.revision, 0]);
        to.extend(size.to_le_bytes());
        to.extend(count.to_le_bytes());
        to.extend([0, 0]);
        to.append(&mut entries);
        Ok(())
    }
}

impl Ace {
    /// An entry that allows `sid` the rights of `mask`.
    pub fn allowed(flags: u8, mask: u32, sid: Sid) -> Self {
        let (object, data) = (Vec::new(), Vec::new());
        Self {
            ace_type: ace_type::ACCESS_ALLOWED,
            flags,
            content: AceContent::Access {
                mask,
                object,
                sid,
                data,
            },
        }
    }

    /// Reads an entry, all of whose bytes are `bytes`.
    fn parse(bytes: &[u8]) -> Result<Self, DescriptorFlaw> {
        let (Some(&ace_type), Some(&flags)) = (bytes.first(), bytes.get(1)) else {
            return Err(DescriptorFlaw::AceLeaves);
        };
        let content = match sid_offset(ace_type, bytes) {
            None => AceContent::Other(bytes.get(ACE_HEADER..).unwrap_or(&[]).to_vec()),
            Some(at) => parse_access(bytes, at).ok_or(DescriptorFlaw::AceSid)?,
        };
        Ok(Self {
            ace_type,
            flags,
            content,
        })
    }

    /// Whether all of the bits `flags` are set.
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    fn write(&self, to: &mut Vec<u8>) -> Result<(), DescriptorFlaw> {
        let mut body = Vec::new();
        match &self.content {
            AceContent::Other(bytes) => body.extend(bytes),
            AceContent::Access {
                mask,
                object,
                sid,
                data,
            } => {
                body.extend(mask.to_le_bytes());
                body.extend(object);
                sid.write(&mut body);
                body.extend(data);
            }
        }
        // Entries begin on multiples of four bytes.
        body.resize(body.len().next_multiple_of(4), 0);
        let size = u16::try_from(body.len().saturating_add(ACE_HEADER));
        let size = size.map_err(|_| DescriptorFlaw::AclTooLarge)?;
        to.extend([self.ace_type, self.flags]);
        to.extend(size.to_le_bytes());
        to.append(&mut body);
        Ok(())
    }
}

fn parse_access(bytes: &[u8], sid_at: usize) -> Option<AceContent> {
    let sid = Sid::parse(bytes.get(sid_at..)?).ok()?;
    let end = sid_at.saturating_add(sid.size());
    Some(AceContent::Access {
        mask: u32_at(bytes, ACE_HEADER)?,
        object: bytes.get(8..sid_at)?.to_vec(),
        data: bytes.get(end..)?.to_vec(),
        sid,
    })
}

/// Where the SID stands in an entry whose type has one, in bytes from its header.
fn sid_offset(ace_type: u8, bytes: &[u8]) -> Option<usize> {
    const OBJECT_TYPE: u32 = 1;
    match ace_type {
        0x00..=0x03 | 0x09 | 0x0A | 0x0D | 0x0E | 0x11..=0x14 => Some(8),
        0x05..=0x08 | 0x0B | 0x0C | 0x0F | 0x10 => {
            let flags = u32_at(bytes, 8).unwrap_or(0);
            let identifiers = [OBJECT_TYPE, INHERITED_OBJECT_TYPE];
            let present = identifiers.iter().filter(|&&flag| flags & flag != 0);
            Some(present.count().saturating_mul(16).saturating_add(12))
        }
        _ => None,
    }
}

/// Flag of an object entry that only one type of objects inherits.
const INHERITED_OBJECT_TYPE: u32 = 2;

impl AceContent {
    /// Whether only objects of a certain type inherit it as effective. Keys have no type.
    pub fn is_for_an_object_type(&self) -> bool {
        let Self::Access { object, .. } = self else {
            return false;
        };
        u32_at(object, 0).is_some_and(|flags| flags & INHERITED_OBJECT_TYPE != 0)
    }
}
