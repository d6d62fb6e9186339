// SPDX-License-Identifier: GPL-3.0-or-later
//! Key security: a security descriptor that keys share.

use std::borrow::Cow;

use super::key_node::{check_length, check_signature, whole};
use super::structures::KeySecurityHeader;
use super::{CellOffset, Record, RegfError};

/// A security descriptor and its place in the ring of them.
///
/// Spec: regf, *Key security*.
#[derive(Clone, Debug)]
pub struct KeySecurity<'a> {
    header: KeySecurityHeader,
    bytes: Cow<'a, [u8]>,
}

impl<'a> KeySecurity<'a> {
    /// Reads the record in the cell at `at`, whose payload is `bytes`.
    ///
    /// # Errors
    ///
    /// [`super::Fault::BadSignature`], or [`super::Fault::Truncated`] where the descriptor leaves
    /// the cell.
    pub fn parse(at: CellOffset, bytes: Cow<'a, [u8]>) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), Record::KeySecurity, fault);
        check_signature(&bytes, &KeySecurityHeader::SIGNATURE, "sk").map_err(error)?;
        let header = whole(&bytes).map_err(error)?;
        let security = Self { header, bytes };
        check_length(&security.bytes, security.descriptor_end()).map_err(error)?;
        Ok(security)
    }

    /// The next record of the ring.
    pub fn flink(&self) -> CellOffset {
        self.header.flink.get()
    }

    /// The previous record of the ring.
    pub fn blink(&self) -> CellOffset {
        self.header.blink.get()
    }

    /// How many keys use it.
    pub fn reference_count(&self) -> u32 {
        self.header.reference_count.get()
    }

    /// The self-relative security descriptor.
    pub fn descriptor(&self) -> &[u8] {
        let range = size_of::<KeySecurityHeader>()..self.descriptor_end();
        self.bytes.get(range).unwrap_or(&[])
    }

    fn descriptor_end(&self) -> usize {
        let size = usize::try_from(self.header.descriptor_size.get());
        size_of::<KeySecurityHeader>().saturating_add(size.unwrap_or(usize::MAX))
    }
}
