// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive in memory that can be changed.

use std::collections::HashMap;

use super::damage::Damage;
use super::error::{EditError, Refusal};
use super::free_cells::FreeCells;
use super::image::Image;
use super::open_values::OpenValues;
use super::ring::{Ring, Users};
use crate::regf::structures::{BaseBlockHead, KeyNodeHeader};
use crate::regf::{
    CellOffset, FoldedPath, Hive, KeyNode, Name, NodePath, Overreach, Report, check, check_reach,
    checksum, field,
};

/// A hive in memory that can be changed.
pub struct Editor {
    pub(super) image: Image,
    pub(super) free: FreeCells,
    pub(super) before: Report,
    pub(super) damage: Damage,
    /// The key security records, once a key is made.
    pub(super) ring: Option<Ring>,
    /// Who uses them, where they themselves do not tell.
    pub(super) users: Option<Users>,
    pub(super) now: u64,
    pub(super) state: State,
    /// The values of keys that have many, once one of them was edited.
    pub(super) open_values: HashMap<CellOffset, OpenValues>,
    /// Keys that may be edited, where they were found. A key's cell never moves.
    pub(super) found: HashMap<FoldedPath, CellOffset>,
}

/// How far the editing is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Unchanged,
    Changed,
    /// An edit failed half-way: the image is worthless.
    Broken,
}

/// An image that is ready to be published.
#[non_exhaustive]
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
        let users = Users::of(&Hive::open(image.bytes())?, &before)?;
        let state = State::Unchanged;
        Ok(Self {
            image,
            free,
            before,
            damage,
            ring: None,
            users,
            now,
            state,
            open_values: HashMap::new(),
            found: HashMap::new(),
        })
    }

    /// The hive as it is now.
    ///
    /// # Errors
    ///
    /// None that a sound image can give.
    pub fn current(&mut self) -> Result<Hive<'_>, EditError> {
        self.write_open_values()?;
        self.hive()
    }

    /// The hive as it is now, but for the values lists of keys whose values are being edited.
    pub(super) fn hive(&self) -> Result<Hive<'_>, EditError> {
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
            State::Changed => self.write_open_values()?,
        }
        let base = *self.hive()?.base();
        let last = base.primary_sequence.max(base.secondary_sequence);
        let sequence = last.max(beyond).checked_add(1);
        let sequence = sequence.ok_or(EditError::SequenceExhausted)?;
        let image = &mut self.image;
        image.set_head(field!(BaseBlockHead.primary_sequence), sequence)?;
        image.set_head(field!(BaseBlockHead.secondary_sequence), sequence)?;
        let sum = checksum(image.bytes()).unwrap_or(0);
        image.set_head(field!(BaseBlockHead.checksum), sum)?;
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
    pub(super) fn edit<T>(
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

    /// As [`Damage::spare`].
    pub(super) fn spare(&self, path: &NodePath) -> Result<(), EditError> {
        match self.damage.is_none() {
            true => Ok(()),
            false => self.damage.spare(&names(path)),
        }
    }

    /// As [`Damage::spare_key`].
    pub(super) fn spare_key(&self, path: &NodePath) -> Result<(), EditError> {
        match self.damage.is_none() {
            true => Ok(()),
            false => self.damage.spare_key(&names(path)),
        }
    }

    /// Notes that the key at `key` was changed now.
    pub(super) fn touch(&mut self, key: CellOffset) -> Result<(), EditError> {
        self.state = State::Changed;
        let now = self.now;
        self.image.set(key, field!(KeyNodeHeader.last_written), now)
    }
}

fn names(path: &NodePath) -> Vec<Name> {
    path.names().into_iter().cloned().collect()
}

/// Refuses keys that stand for something else than themselves.
pub(super) fn expect_ordinary(key: &KeyNode<'_>) -> Result<(), EditError> {
    match key.special() {
        None => Ok(()),
        Some(special) => Err(EditError::Refused {
            key: key.name().to_name(),
            refusal: Refusal::Special(special),
        }),
    }
}
