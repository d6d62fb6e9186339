// SPDX-License-Identifier: GPL-3.0-or-later
//! Who uses which key security record.

use super::{EditError, Editor};
use crate::regf::{CellOffset, KEY_SECURITY_HEADER_SIZE, key_security_field};

impl Editor {
    /// Counts one more key that uses the record at `at`.
    pub(super) fn add_security_user(&mut self, at: CellOffset) -> Result<(), EditError> {
        let count = self.hive()?.security(at)?.reference_count().checked_add(1);
        let count = count.ok_or(EditError::CountOverflow(
            "the users of a security descriptor",
        ))?;
        let field = key_security_field::REFERENCE_COUNT;
        self.image.put_u32(at, field, count)
    }

    /// Counts one key less; the last user gone, the record leaves the ring and is freed.
    ///
    /// Spec: regf, *Key security*, notes.
    pub(super) fn remove_security_user(&mut self, at: CellOffset) -> Result<(), EditError> {
        let hive = self.hive()?;
        let record = hive.security(at)?;
        let (count, flink, blink) = (record.reference_count(), record.flink(), record.blink());
        if count > 1 {
            let field = key_security_field::REFERENCE_COUNT;
            return self.image.put_u32(at, field, count.saturating_sub(1));
        }
        self.image
            .put_u32(blink, key_security_field::FLINK, flink.0)?;
        self.image
            .put_u32(flink, key_security_field::BLINK, blink.0)?;
        self.free_cell(at)
    }

    /// Counts a new user of the record with this descriptor, which is made where there is none.
    ///
    /// `member` is any key of this hive: its record is where the ring is entered.
    pub(super) fn use_security(
        &mut self,
        descriptor: &[u8],
        member: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let hive = self.hive()?;
        let first = hive.key(member)?.security();
        let mut at = first;
        loop {
            let record = hive.security(at)?;
            if record.descriptor() == descriptor {
                self.add_security_user(at)?;
                return Ok(at);
            }
            at = record.flink();
            if at == first {
                break;
            }
        }
        self.add_security(descriptor, first)
    }

    /// Makes a record with one user and puts it into the ring behind the one at `previous`.
    fn add_security(
        &mut self,
        descriptor: &[u8],
        previous: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let next = self.hive()?.security(previous)?.flink();
        let size = u32::try_from(descriptor.len());
        let size = size.map_err(|_| EditError::DataTooLarge(descriptor.len()))?;
        let mut bytes = vec![0; KEY_SECURITY_HEADER_SIZE];
        bytes.extend_from_slice(descriptor);
        let at = self.allocate_with(&bytes)?;
        let image = &mut self.image;
        image.put(at, 0, b"sk")?;
        image.put_u32(at, key_security_field::FLINK, next.0)?;
        image.put_u32(at, key_security_field::BLINK, previous.0)?;
        image.put_u32(at, key_security_field::REFERENCE_COUNT, 1)?;
        image.put_u32(at, key_security_field::DESCRIPTOR_SIZE, size)?;
        image.put_u32(previous, key_security_field::FLINK, at.0)?;
        image.put_u32(next, key_security_field::BLINK, at.0)?;
        Ok(at)
    }
}
