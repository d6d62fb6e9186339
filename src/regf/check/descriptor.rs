// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether a security descriptor parses: self-relative, every part in bounds.
//!
//! Reference: MS-DTYP 2.4.6 (SECURITY_DESCRIPTOR), 2.4.5 (ACL), 2.4.4 (ACE), 2.4.2 (SID).

use super::codes::*;
use crate::regf::bytes::{u16_at, u32_at};

const HEADER: usize = 20;
const SELF_RELATIVE: u16 = 0x8000;
const DACL_PRESENT: u16 = 0x0004;
const SACL_PRESENT: u16 = 0x0010;

/// A rule that a descriptor breaks, and how.
pub(super) type Flaw = (FindingCode, &'static str);

/// Everything that is wrong with the descriptor.
pub(super) fn flaws(descriptor: &[u8]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let control = u16_at(descriptor, 2).unwrap_or(0);
    if descriptor.len() < HEADER {
        return vec![(DESCRIPTOR_HEADER, "a descriptor that is too short")];
    }
    if descriptor.first() != Some(&1) {
        flaws.push((DESCRIPTOR_HEADER, "a revision that is not 1"));
    }
    if control & SELF_RELATIVE == 0 {
        flaws.push((DESCRIPTOR_HEADER, "no flag that it is self-relative"));
        return flaws; // its offsets would be addresses
    }
    for (field, flaw) in [
        (4, "an owner that is no SID"),
        (8, "a group that is no SID"),
    ] {
        let sid = part(descriptor, field);
        if sid.is_some_and(|sid| sid.is_none_or(|sid| !is_sid(sid))) {
            flaws.push((DESCRIPTOR_SID, flaw));
        }
    }
    for (field, flag) in [(12, SACL_PRESENT), (16, DACL_PRESENT)] {
        if control & flag == 0 {
            continue;
        }
        match part(descriptor, field) {
            None => {}
            Some(None) => flaws.push((DESCRIPTOR_ACL, "an ACL outside of the descriptor")),
            Some(Some(acl)) => flaws.extend(acl_flaw(acl)),
        }
    }
    flaws
}

/// The part that the offset at `field` leads to: nothing where it is 0, `Some(None)` out of range.
fn part(descriptor: &[u8], field: usize) -> Option<Option<&[u8]>> {
    let offset = usize::try_from(u32_at(descriptor, field)?).ok()?;
    if offset == 0 {
        return None;
    }
    let valid = offset >= HEADER && offset < descriptor.len();
    Some(descriptor.get(offset..).filter(|_| valid))
}

fn is_sid(bytes: &[u8]) -> bool {
    let (Some(1), Some(&count)) = (bytes.first(), bytes.get(1)) else {
        return false;
    };
    let need = usize::from(count).saturating_mul(4).saturating_add(8);
    count <= 15 && bytes.len() >= need
}

fn acl_flaw(acl: &[u8]) -> Option<Flaw> {
    let size = usize::from(u16_at(acl, 2)?);
    let Some(mut aces) = acl.get(8..size) else {
        return Some((DESCRIPTOR_ACL, "an ACL that leaves the descriptor"));
    };
    if !acl
        .first()
        .is_some_and(|revision| (2..=4).contains(revision))
    {
        return Some((DESCRIPTOR_ACL, "an ACL whose revision is not 2 to 4"));
    }
    for _ in 0..u16_at(acl, 4)? {
        let size = usize::from(u16_at(aces, 2).unwrap_or(0));
        let Some((ace, rest)) = aces.split_at_checked(size).filter(|_| size >= 8) else {
            return Some((DESCRIPTOR_ACE, "an ACE that leaves its ACL"));
        };
        if sid_of(ace).is_some_and(|sid| !is_sid(sid)) {
            return Some((DESCRIPTOR_ACE, "an ACE without a SID that fits into it"));
        }
        aces = rest;
    }
    None
}

/// Where the SID stands in an ACE whose type has one.
fn sid_of(ace: &[u8]) -> Option<&[u8]> {
    const OBJECT_TYPE: u32 = 1;
    const INHERITED_OBJECT_TYPE: u32 = 2;
    let start: usize = match ace.first()? {
        0x00..=0x03 | 0x09 | 0x0A | 0x0D | 0x0E | 0x11..=0x14 => 8,
        0x05..=0x08 | 0x0B | 0x0C | 0x0F | 0x10 => {
            let flags = u32_at(ace, 8).unwrap_or(0);
            let identifiers = [OBJECT_TYPE, INHERITED_OBJECT_TYPE];
            let present = identifiers.iter().filter(|&&flag| flags & flag != 0);
            present.count().saturating_mul(16).saturating_add(12)
        }
        _ => return None,
    };
    Some(ace.get(start..).unwrap_or(&[]))
}
