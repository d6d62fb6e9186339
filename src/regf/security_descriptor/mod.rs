// SPDX-License-Identifier: GPL-3.0-or-later
//! Self-relative security descriptors: who owns a key, and who may do what with it.
//!
//! Spec: MS-DTYP 2.4.

mod acl;
mod flaw;
mod sid;

pub use acl::{Ace, AceContent, Acl, ace_flags, ace_type};
pub use flaw::DescriptorFlaw;
pub use sid::Sid;

use super::bytes::{u16_at, u32_at};

/// Bytes of a descriptor's header.
const HEADER: usize = 20;
const REVISION: u8 = 1;
// Where it has the offsets of its parts.
const OWNER: usize = 4;
const GROUP: usize = 8;
const SACL: usize = 12;
const DACL: usize = 16;

/// Bits of a descriptor's control field.
///
/// Spec: MS-DTYP 2.4.6.
#[allow(missing_docs, reason = "the specification's names")]
pub mod descriptor_control {
    pub const DACL_PRESENT: u16 = 0x0004;
    pub const SACL_PRESENT: u16 = 0x0010;
    pub const DACL_AUTO_INHERITED: u16 = 0x0400;
    pub const SACL_AUTO_INHERITED: u16 = 0x0800;
    pub const DACL_PROTECTED: u16 = 0x1000;
    pub const SACL_PROTECTED: u16 = 0x2000;
    pub const SELF_RELATIVE: u16 = 0x8000;
}

/// Bits of an access mask: generic rights, and what they mean for a key.
///
/// Spec: MS-DTYP 2.4.3; MS-RRP 2.2.3 (the rights of keys).
#[allow(missing_docs, reason = "the specification's names")]
pub mod key_access {
    pub const GENERIC_ALL: u32 = 0x1000_0000;
    pub const GENERIC_EXECUTE: u32 = 0x2000_0000;
    pub const GENERIC_WRITE: u32 = 0x4000_0000;
    pub const GENERIC_READ: u32 = 0x8000_0000;
    pub const ACCESS_SYSTEM_SECURITY: u32 = 0x0100_0000;
    pub const KEY_CREATE_LINK: u32 = 0x0000_0020;
    pub const KEY_READ: u32 = 0x0002_0019;
    pub const KEY_WRITE: u32 = 0x0002_0006;
    pub const KEY_EXECUTE: u32 = 0x0002_0019;
    pub const KEY_ALL_ACCESS: u32 = 0x000F_003F;
}

/// A security descriptor.
///
/// A DACL that is absent, or is flagged as present and has no list, restricts nobody.
///
/// Spec: MS-DTYP 2.4.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// Of [`descriptor_control`].
    pub control: u16,
    /// The owner.
    pub owner: Option<Sid>,
    /// The owner's primary group.
    pub group: Option<Sid>,
    /// What is audited, and the mandatory label.
    pub sacl: Option<Acl>,
    /// Who may do what.
    pub dacl: Option<Acl>,
}

impl SecurityDescriptor {
    /// Reads a self-relative descriptor.
    ///
    /// # Errors
    ///
    /// The first flaw it has.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorFlaw> {
        let (descriptor, flaws) = Self::read(bytes);
        match flaws.first() {
            Some(&flaw) => Err(flaw),
            None => Ok(descriptor),
        }
    }

    /// Reads what can be read, and says everything that is wrong.
    pub(super) fn read(bytes: &[u8]) -> (Self, Vec<DescriptorFlaw>) {
        let mut flaws = Vec::new();
        let mut descriptor = Self::default();
        if bytes.len() < HEADER {
            return (descriptor, vec![DescriptorFlaw::TooShort]);
        }
        if bytes.first() != Some(&REVISION) {
            flaws.push(DescriptorFlaw::Revision);
        }
        descriptor.control = u16_at(bytes, 2).unwrap_or(0);
        if !descriptor.has(descriptor_control::SELF_RELATIVE) {
            flaws.push(DescriptorFlaw::NotSelfRelative);
            return (descriptor, flaws);
        }
        let mut sid = |field, flaw| match part(bytes, field)?.and_then(|at| Sid::parse(at).ok()) {
            None => {
                flaws.push(flaw);
                None
            }
            sid => sid,
        };
        descriptor.owner = sid(OWNER, DescriptorFlaw::Owner);
        descriptor.group = sid(GROUP, DescriptorFlaw::Group);
        let mut acl = |field, flag| {
            let at = part(bytes, field).filter(|_| descriptor.control & flag != 0)?;
            let acl = at.ok_or(DescriptorFlaw::AclOutside).and_then(Acl::parse);
            acl.map_err(|flaw| flaws.push(flaw)).ok()
        };
        let sacl = acl(SACL, descriptor_control::SACL_PRESENT);
        let dacl = acl(DACL, descriptor_control::DACL_PRESENT);
        (descriptor.sacl, descriptor.dacl) = (sacl, dacl);
        (descriptor, flaws)
    }

    /// Whether all of the bits `flags` of the control field are set.
    pub fn has(&self, flags: u16) -> bool {
        self.control & flags == flags
    }

    /// The descriptor as Windows stores it: header, SACL, DACL, owner, group, with nothing between.
    ///
    /// # Errors
    ///
    /// [`DescriptorFlaw::AclTooLarge`] where a list does not fit into its size field.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DescriptorFlaw> {
        let mut parts: Vec<u8> = Vec::new();
        let mut offsets = [0_u32; 4];
        let [owner, group, sacl, dacl] = &mut offsets;
        for (acl, offset) in [(&self.sacl, sacl), (&self.dacl, dacl)] {
            if let Some(acl) = acl {
                *offset = offset_behind(&parts)?;
                acl.write(&mut parts)?;
            }
        }
        for (sid, offset) in [(&self.owner, owner), (&self.group, group)] {
            if let Some(sid) = sid {
                *offset = offset_behind(&parts)?;
                sid.write(&mut parts);
            }
        }
        let mut bytes = vec![REVISION, 0];
        bytes.extend((self.control | descriptor_control::SELF_RELATIVE).to_le_bytes());
        bytes.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
        bytes.append(&mut parts);
        Ok(bytes)
    }
}

fn offset_behind(parts: &[u8]) -> Result<u32, DescriptorFlaw> {
    let offset = u32::try_from(parts.len().saturating_add(HEADER));
    offset.map_err(|_| DescriptorFlaw::AclTooLarge)
}

/// The part that the offset at `field` leads to: nothing where it is 0, `Some(None)` out of range.
fn part(bytes: &[u8], field: usize) -> Option<Option<&[u8]>> {
    let offset = usize::try_from(u32_at(bytes, field)?).ok()?;
    if offset == 0 {
        return None;
    }
    let valid = offset >= HEADER && offset < bytes.len();
    Some(bytes.get(offset..).filter(|_| valid))
}
