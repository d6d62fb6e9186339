// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether a security descriptor parses: self-relative, every part in bounds.
//!
//! Reference: MS-DTYP 2.4.6 (SECURITY_DESCRIPTOR), 2.4.5 (ACL), 2.4.2 (SID).

use crate::regf::bytes::{u16_at, u32_at};

const HEADER: usize = 20;
const SELF_RELATIVE: u16 = 0x8000;
const DACL_PRESENT: u16 = 0x0004;
const SACL_PRESENT: u16 = 0x0010;

/// What is wrong with the descriptor, if anything.
pub(super) fn flaw(descriptor: &[u8]) -> Option<&'static str> {
    let (Some(&revision), Some(control)) = (descriptor.first(), u16_at(descriptor, 2)) else {
        return Some("it is too short");
    };
    if descriptor.len() < HEADER {
        return Some("it is too short");
    }
    if revision != 1 {
        return Some("its revision is not 1");
    }
    if control & SELF_RELATIVE == 0 {
        return Some("it is not self-relative");
    }
    for (field, name) in [(4, "its owner is not a SID"), (8, "its group is not a SID")] {
        let offset = part(descriptor, field);
        if offset.is_some_and(|sid| sid.is_none_or(|sid| !is_sid(sid))) {
            return Some(name);
        }
    }
    let lists = [
        (12, SACL_PRESENT, "its system ACL is damaged"),
        (16, DACL_PRESENT, "its access ACL is damaged"),
    ];
    for (field, flag, name) in lists {
        if control & flag == 0 {
            continue;
        }
        if part(descriptor, field).is_some_and(|acl| acl.is_none_or(|acl| !is_acl(acl))) {
            return Some(name);
        }
    }
    None
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

fn is_acl(bytes: &[u8]) -> bool {
    let (Some(&revision), Some(size), Some(count)) =
        (bytes.first(), u16_at(bytes, 2), u16_at(bytes, 4))
    else {
        return false;
    };
    let Some(mut aces) = bytes.get(8..usize::from(size)) else {
        return false;
    };
    if !(2..=4).contains(&revision) {
        return false;
    }
    for _ in 0..count {
        let size = u16_at(aces, 2).map_or(0, usize::from);
        if size < 8 {
            return false;
        }
        match aces.get(size..) {
            Some(rest) => aces = rest,
            None => return false,
        }
    }
    true
}
