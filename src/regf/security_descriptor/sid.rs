// SPDX-License-Identifier: GPL-3.0-or-later
//! Security identifiers.

use std::fmt;

use super::flaw::DescriptorFlaw;
use crate::regf::bytes::u32_at;

/// Bytes of a SID in front of its sub-authorities.
const SID_HEADER: usize = 8;
const MOST_SUB_AUTHORITIES: u8 = 15;

/// Who a right is for: a user, a group or a placeholder.
///
/// Spec: MS-DTYP 2.4.2.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sid {
    authority: [u8; 6],
    sub_authorities: Vec<u32>,
}

impl Sid {
    /// Reads the SID that `bytes` begin with.
    ///
    /// # Errors
    ///
    /// [`DescriptorFlaw::Sid`] where there is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorFlaw> {
        let Some((&[1, count, authority @ ..], rest)) = bytes.split_first_chunk::<SID_HEADER>()
        else {
            return Err(DescriptorFlaw::Sid);
        };
        let size = usize::from(count).saturating_mul(4);
        let rest = rest
            .get(..size)
            .filter(|_| count <= MOST_SUB_AUTHORITIES)
            .ok_or(DescriptorFlaw::Sid)?;
        let words = rest.chunks_exact(4).filter_map(|word| u32_at(word, 0));
        Ok(Self {
            authority,
            sub_authorities: words.collect(),
        })
    }

    /// BUILTIN\Administrators, S-1-5-32-544.
    pub fn administrators() -> Self {
        Self::of(5, &[32, 544])
    }

    /// LocalSystem, S-1-5-18.
    pub fn local_system() -> Self {
        Self::of(5, &[18])
    }

    /// CREATOR OWNER, S-1-3-0: stands for the owner of a key that is made later.
    pub fn creator_owner() -> Self {
        Self::of(3, &[0])
    }

    /// CREATOR GROUP, S-1-3-1: stands for the group of a key that is made later.
    pub fn creator_group() -> Self {
        Self::of(3, &[1])
    }

    fn of(authority: u8, sub_authorities: &[u32]) -> Self {
        Self {
            authority: [0, 0, 0, 0, 0, authority],
            sub_authorities: sub_authorities.to_vec(),
        }
    }

    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        let parts = self.sub_authorities.len().saturating_mul(4);
        SID_HEADER.saturating_add(parts)
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        // At most 15, as parsed.
        let count = u8::try_from(self.sub_authorities.len()).unwrap_or(MOST_SUB_AUTHORITIES);
        to.extend([1, count]);
        to.extend(self.authority);
        to.extend(
            self.sub_authorities
                .iter()
                .flat_map(|part| part.to_le_bytes()),
        );
    }
}

/// As Windows writes it: `S-1-5-32-544`.
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority.iter().fold(0_u64, |number, &byte| {
            number.wrapping_shl(8) | u64::from(byte)
        });
        write!(f, "S-1-{authority}")?;
        let mut parts = self.sub_authorities.iter();
        parts.try_for_each(|part| write!(f, "-{part}"))
    }
}
