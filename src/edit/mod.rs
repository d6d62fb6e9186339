// SPDX-License-Identifier: GPL-3.0-or-later
//! The only room that changes hive bytes, in memory.
//!
//! An [`Editor`] takes a whole sound image, edits it, and gives back a sealed one that was checked
//! again. It changes only the cells it must, and nothing at all where nothing is to change.

#![deny(clippy::arithmetic_side_effects)]

mod allocate;
mod damage;
mod error;
mod image;
mod keys;
mod search;
mod security;
mod subkeys;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests;
mod values;

pub use error::{EditError, Refusal};

use self::allocate::FreeCells;
use self::damage::Damage;
use self::image::Image;
use crate::regf::{
    CellOffset, Hive, KeyNode, Name, Overreach, Report, base_block_field, check, check_reach,
    checksum, key_node_field,
};

/// A hive in memory that can be changed.
pub struct Editor {
    image: Image,
    free: FreeCells,
    before: Report,
    damage: Damage,
    now: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unchanged,
    Changed,
    /// An edit failed half-way: the image is worthless.
    Broken,
}

/// An image that is ready to be published.
pub struct Sealed {
    /// The whole primary file.
    pub image: Vec<u8>,
    /// What the structural check found in it.
    pub report: Report,
}

impl Editor {
    /// Takes the whole primary file in `image`; keys that change will say they did at `now`
    /// (FILETIME).
    ///
    /// # Errors
    ///
    /// [`EditError::Unsound`] where the structural check finds an error in it.
    pub fn open(image: Vec<u8>, now: u64) -> Result<Self, EditError> {
        let before = check(&image);
        if let Some(finding) = before.first_error() {
            return Err(EditError::Unsound(Box::new(finding.clone())));
        }
        Self::checked(image, before, Damage::default(), Vec::new(), now)
    }

    /// As [`Editor::open`], for a hive that may be damaged: what is damaged stays as it is, with
    /// all that it may reach, and nothing near it can be edited.
    ///
    /// # Errors
    ///
    /// [`EditError::Unsafe`] where the damage leaves it open which bytes are in use, or is too much
    /// to be known.
    pub fn open_damaged(image: Vec<u8>, now: u64) -> Result<Self, EditError> {
        let (before, reach) = check_reach(&image);
        let mut damage = Damage::of(&before)?;
        let reach = match (reach, before.first_error()) {
            (None, Some(finding)) => return Err(EditError::Unsafe(Box::new(finding.clone()))),
            (reach, _) => reach.unwrap_or_default(),
        };
        damage.note_found(&Hive::open(&image)?);
        Self::checked(image, before, damage, reach, now)
    }

    fn checked(
        image: Vec<u8>,
        before: Report,
        damage: Damage,
        reach: Vec<Overreach>,
        now: u64,
    ) -> Result<Self, EditError> {
        let image = Image::new(image, reach);
        let free = FreeCells::read(&image)?;
        let state = State::Unchanged;
        Ok(Self {
            image,
            free,
            before,
            damage,
            now,
            state,
        })
    }

    /// The hive as it is now.
    ///
    /// # Errors
    ///
    /// None that a sound image can give.
    pub fn hive(&self) -> Result<Hive<'_>, EditError> {
        Ok(Hive::open(self.image.bytes())?)
    }

    /// What the structural check found when the hive was opened.
    pub fn report_before(&self) -> &Report {
        &self.before
    }

    /// Has the image sealed even without an edit: it is not what the file on the disk holds.
    pub fn renew(&mut self) {
        if self.state == State::Unchanged {
            self.state = State::Changed;
        }
    }

    /// Whether anything was changed.
    pub fn is_changed(&self) -> bool {
        self.state != State::Unchanged
    }

    /// Gives the image back, marked as completely written: both sequence numbers become one more
    /// than any of the old ones and than `beyond`, the last one that a transaction log holds.
    ///
    /// Without an edit the image comes back as it was.
    ///
    /// Spec: regf, *Base block*.
    ///
    /// # Errors
    ///
    /// [`EditError::Broken`] after a failed edit; [`EditError::KeyLost`] where a damaged list would
    /// no longer lead to a key; [`EditError::Damaged`] where the structural check finds anything
    /// that was not there before.
    pub fn seal(mut self, beyond: u32) -> Result<Sealed, EditError> {
        match self.state {
            State::Broken => return Err(EditError::Broken),
            State::Unchanged => {
                return Ok(Sealed {
                    image: self.image.into_bytes(),
                    report: self.before,
                });
            }
            State::Changed => {}
        }
        let base = *self.hive()?.base();
        let last = base.primary_sequence.max(base.secondary_sequence);
        let sequence = last.max(beyond).checked_add(1);
        let sequence = sequence.ok_or(EditError::SequenceExhausted)?;
        let header = &mut self.image;
        header.put_header(base_block_field::PRIMARY_SEQUENCE, sequence)?;
        header.put_header(base_block_field::SECONDARY_SEQUENCE, sequence)?;
        let sum = checksum(header.bytes()).unwrap_or(0);
        header.put_header(base_block_field::CHECKSUM, sum)?;
        let image = self.image.into_bytes();
        let report = check(&image);
        if let Some(lost) = self.damage.first_lost(&Hive::open(&image)?) {
            return Err(EditError::KeyLost(lost.in_file()));
        }
        // What was there before was accepted, or no error.
        match report.first_new_since(&self.before) {
            Some(finding) => Err(EditError::Damaged(Box::new(finding.clone()))),
            None => Ok(Sealed { image, report }),
        }
    }

    /// Runs an edit. What can be refused was refused before: where this fails, it fails half-way,
    /// and the editor can only be dropped.
    fn edit<T>(
        &mut self,
        edit: impl FnOnce(&mut Self) -> Result<T, EditError>,
    ) -> Result<T, EditError> {
        if self.state == State::Broken {
            return Err(EditError::Broken);
        }
        let result = edit(self);
        if result.is_err() {
            self.state = State::Broken;
        }
        result
    }

    /// The key at `path`, if every key on the way is an ordinary one.
    fn find_ordinary(&self, path: &[Name]) -> Result<Option<KeyNode<'_>>, EditError> {
        let hive = self.hive()?;
        let mut key = hive.root()?;
        expect_ordinary(&key)?;
        for name in path {
            match hive.find_subkey(&key, name)? {
                Some(subkey) => key = subkey,
                None => return Ok(None),
            }
            expect_ordinary(&key)?;
        }
        Ok(Some(key))
    }

    /// Notes that the key at `key` was changed now.
    fn touch(&mut self, key: CellOffset) -> Result<(), EditError> {
        self.state = State::Changed;
        let now = self.now;
        self.image.put_u64(key, key_node_field::LAST_WRITTEN, now)
    }
}

/// Refuses keys that stand for something else than themselves.
fn expect_ordinary(key: &KeyNode<'_>) -> Result<(), EditError> {
    match key.special() {
        None => Ok(()),
        Some(special) => Err(EditError::Refused {
            key: key.name().to_name(),
            refusal: Refusal::Special(special),
        }),
    }
}
