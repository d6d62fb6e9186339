// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether a security descriptor parses: self-relative, every part in bounds.

use super::codes::*;
use crate::regf::{DescriptorFlaw, SecurityDescriptor};

/// Everything that is wrong with the descriptor, and the rule that it breaks.
pub(super) fn flaws(descriptor: &[u8]) -> Vec<(FindingCode, DescriptorFlaw)> {
    let (_, flaws) = SecurityDescriptor::read(descriptor);
    flaws.into_iter().map(|flaw| (code(flaw), flaw)).collect()
}

fn code(flaw: DescriptorFlaw) -> FindingCode {
    use DescriptorFlaw as Flaw;
    match flaw {
        Flaw::TooShort | Flaw::Revision | Flaw::NotSelfRelative => DESCRIPTOR_HEADER,
        Flaw::Owner | Flaw::Group | Flaw::Sid => DESCRIPTOR_SID,
        Flaw::AclOutside | Flaw::AclLeaves | Flaw::AclRevision | Flaw::AclTooLarge => {
            DESCRIPTOR_ACL
        }
        Flaw::AceLeaves | Flaw::AceSid => DESCRIPTOR_ACE,
    }
}
