// SPDX-License-Identifier: GPL-3.0-or-later
//! Key security: a security descriptor that keys share.

use std::borrow::Cow;

use super::bytes::u32_at;
use super::key_node::{check_length, check_signature};
use super::{CellOffset, Record, RegfError};

/// Bytes of a key security record in front of its descriptor.
pub const KEY_SECURITY_HEADER_SIZE: usize = 20;

/// Where the fields of a key security record stand, in bytes from its signature.
#[allow(missing_docs, reason = "the specification's field names")]
pub mod key_security_field {
    pub const FLINK: usize = 4;
    pub const BLINK: usize = 8;
    pub const REFERENCE_COUNT: usize = 12;
    pub const DESCRIPTOR_SIZE: usize = 16;
    pub const DESCRIPTOR: usize = 20;
}

/// A security descriptor and its place in the ring of them.
///
/// Spec: regf, *Key security*.
#[derive(Clone, Debug)]
pub struct KeySecurity<'a> {
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
        check_signature(&bytes, b"sk", "sk").map_err(error)?;
        check_length(&bytes, KEY_SECURITY_HEADER_SIZE).map_err(error)?;
        let security = Self { bytes };
        check_length(&security.bytes, security.descriptor_end()).map_err(error)?;
        Ok(security)
    }

    /// The next record of the ring.
    pub fn flink(&self) -> CellOffset {
        CellOffset(self.u32(key_security_field::FLINK))
    }

    /// The previous record of the ring.
    pub fn blink(&self) -> CellOffset {
        CellOffset(self.u32(key_security_field::BLINK))
    }

    /// How many keys use it.
    pub fn reference_count(&self) -> u32 {
        self.u32(key_security_field::REFERENCE_COUNT)
    }

    /// The self-relative security descriptor.
    pub fn descriptor(&self) -> &[u8] {
        let range = key_security_field::DESCRIPTOR..self.descriptor_end();
        self.bytes.get(range).unwrap_or(&[])
    }

    fn descriptor_end(&self) -> usize {
        let size = usize::try_from(self.u32(key_security_field::DESCRIPTOR_SIZE));
        KEY_SECURITY_HEADER_SIZE.saturating_add(size.unwrap_or(usize::MAX))
    }

    fn u32(&self, at: usize) -> u32 {
        u32_at(&self.bytes, at).unwrap_or(0)
    }
}
