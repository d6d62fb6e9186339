// SPDX-License-Identifier: GPL-3.0-or-later
//! Who uses which key security record.

use super::editor::Editor;
use super::error::EditError;
use super::inheritance::{Creator, inherit};
use super::ring::Ring;
use crate::regf::structures::KeySecurityHeader;
use crate::regf::{CellOffset, DescriptorFlaw, Hive, SecurityDescriptor, field};
use zerocopy::IntoBytes;

impl Editor {
    fn ring(&mut self) -> Result<&mut Ring, EditError> {
        let ring = match self.ring.take() {
            Some(ring) => ring,
            None => Ring::read(&self.hive()?)?,
        };
        Ok(self.ring.insert(ring))
    }

    /// Fails where keys made one below the other, `levels` of them below the key `parent`, cannot
    /// inherit: a refusal must come before the first of them is there.
    pub(super) fn expect_inheritable(
        &mut self,
        parent: CellOffset,
        levels: usize,
    ) -> Result<(), EditError> {
        let mut at = self.hive()?.key(parent)?.security();
        let (mut left, ring) = (levels, self.ring()?);
        while let Some(&heir) = ring.heirs.get(&at).filter(|_| left > 0) {
            (at, left) = (heir, left.saturating_sub(1));
        }
        let nt4 = ring.nt4;
        let hive = self.hive()?;
        let mut descriptor = hive.security(at)?.descriptor().to_vec();
        for _ in 0..left {
            let heir = inherited(&descriptor, nt4).map_err(|flaw| refusal(&hive, parent, flaw))?;
            if heir == descriptor {
                break; // and so it goes on
            }
            descriptor = heir;
        }
        Ok(())
    }

    /// Counts a new user of the record that a key made below the key `parent` uses.
    pub(super) fn use_inherited_security(
        &mut self,
        parent: CellOffset,
    ) -> Result<CellOffset, EditError> {
        let above = self.hive()?.key(parent)?.security();
        let ring = self.ring()?;
        if let Some(&heir) = ring.heirs.get(&above) {
            self.add_security_user(heir)?;
            return Ok(heir);
        }
        let nt4 = ring.nt4;
        let hive = self.hive()?;
        let heir = inherited(hive.security(above)?.descriptor(), nt4);
        let heir = heir.map_err(|flaw| refusal(&hive, parent, flaw))?;
        let at = self.use_security(&heir, above)?;
        self.ring()?.heirs.insert(above, at);
        Ok(at)
    }

    /// Counts one more key that uses the record at `at`.
    pub(super) fn add_security_user(&mut self, at: CellOffset) -> Result<(), EditError> {
        let counted = self.hive()?.security(at)?.reference_count();
        let count = match self.users.as_ref().map(|users| users.of_record(at)) {
            // Whoever it counts is gone.
            Some(0) => Some(1),
            _ => counted.checked_add(1),
        };
        let count = count.ok_or(EditError::CountOverflow(
            "the users of a security descriptor",
        ))?;
        if let Some(users) = &mut self.users {
            users.set(at, users.of_record(at).saturating_add(1));
        }
        let field = field!(KeySecurityHeader.reference_count);
        self.image.set(at, field, count)
    }

    /// Counts one key less; the last user gone, the record leaves the ring and is freed.
    ///
    /// Spec: regf, *Key security*, notes.
    pub(super) fn remove_security_user(&mut self, at: CellOffset) -> Result<(), EditError> {
        let hive = self.hive()?;
        let record = hive.security(at)?;
        let (count, flink, blink) = (record.reference_count(), record.flink(), record.blink());
        let known = self
            .users
            .as_ref()
            .map_or(count, |users| users.of_record(at));
        let is_last = count <= 1 || known <= 1;
        let descriptor = match is_last {
            true => record.descriptor().to_vec(),
            false => Vec::new(),
        };
        if let Some(users) = &mut self.users {
            users.set(at, known.saturating_sub(1));
        }
        if !is_last {
            let field = field!(KeySecurityHeader.reference_count);
            return self.image.set(at, field, count.saturating_sub(1));
        }
        if let Some(ring) = &mut self.ring {
            ring.remove(at, &descriptor);
        }
        self.image
            .set(blink, field!(KeySecurityHeader.flink), flink)?;
        self.image
            .set(flink, field!(KeySecurityHeader.blink), blink)?;
        self.free_cell(at)
    }

    /// Counts a new user of the record with this descriptor, which is made, behind the one at
    /// `previous`, where there is none.
    pub(super) fn use_security(
        &mut self,
        descriptor: &[u8],
        previous: CellOffset,
    ) -> Result<CellOffset, EditError> {
        self.ring()?;
        let found = match &self.ring {
            Some(ring) => ring.find(&self.hive()?, descriptor)?,
            None => None,
        };
        if let Some(at) = found {
            self.add_security_user(at)?;
            return Ok(at);
        }
        let at = self.add_security(descriptor, previous)?;
        self.ring()?.insert(at, descriptor);
        Ok(at)
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
        let header = KeySecurityHeader {
            signature: KeySecurityHeader::SIGNATURE,
            reserved: [0; 2],
            flink: next.into(),
            blink: previous.into(),
            reference_count: 1.into(),
            descriptor_size: size.into(),
        };
        let at = self.allocate_with(&[header.as_bytes(), descriptor].concat())?;
        let image = &mut self.image;
        image.set(previous, field!(KeySecurityHeader.flink), at)?;
        image.set(next, field!(KeySecurityHeader.blink), at)?;
        if let Some(users) = &mut self.users {
            users.set(at, 1);
        }
        Ok(at)
    }
}

/// The descriptor of a key that an administrator makes below one with the descriptor `parent`.
fn inherited(parent: &[u8], nt4: bool) -> Result<Vec<u8>, DescriptorFlaw> {
    let parent = SecurityDescriptor::parse(parent)?;
    inherit(&parent, &Creator::administrators(), nt4)?.to_bytes()
}

fn refusal(hive: &Hive<'_>, parent: CellOffset, flaw: DescriptorFlaw) -> EditError {
    match hive.key(parent) {
        Ok(key) => EditError::Descriptor {
            key: key.name().to_name(),
            flaw,
        },
        Err(error) => error.into(),
    }
}
