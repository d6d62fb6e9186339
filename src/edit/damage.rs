// SPDX-License-Identifier: GPL-3.0-or-later
//! Where a hive is damaged that is edited all the same.

use std::collections::{BTreeMap, BTreeSet};

use super::error::EditError;
use super::search;
use crate::regf::{CellOffset, Finding, Hive, Name, Report, Severity, upcase};

/// What a path begins with that a finding has only the end of.
const CUT_OFF: &str = "\\...";

/// What is wrong in a hive, as far as an editor must leave it alone.
#[derive(Default)]
pub(super) struct Damage {
    /// The errors in a key, with its upper-cased path.
    keys: Vec<(Vec<u16>, Finding)>,
    /// What is wrong with a subkeys list by itself, by the key that has the list.
    pub(super) lists: BTreeMap<CellOffset, Finding>,
    /// One in the key security records, which every new or deleted key has to do with.
    security: Option<Finding>,
    /// The keys that Windows found by their names when the hive was opened, and that are still
    /// meant to be there.
    found: BTreeSet<CellOffset>,
}

impl Damage {
    /// The damage that a check has found.
    ///
    /// # Errors
    ///
    /// [`EditError::Unsafe`] where no edit is safe.
    pub(super) fn of(report: &Report) -> Result<Self, EditError> {
        let mut damage = Self::default();
        if report.is_sound() {
            return Ok(damage);
        }
        for finding in &report.findings {
            let is_error = finding.severity == Severity::Error;
            // Of what is only counted nobody can say what must be left alone.
            if is_error && (finding.is_about_space() || !report.has_every_error()) {
                return Err(EditError::Unsafe(Box::new(finding.clone())));
            }
            if let Some(list) = finding.list {
                damage.lists.entry(list).or_insert(finding.clone());
            }
            if finding.is_about_security() {
                damage.security.get_or_insert(finding.clone());
            }
            match &finding.key {
                Some(key) if is_error && !key.raw().starts_with(CUT_OFF) => {
                    damage.keys.push((folded(key.raw()), finding.clone()));
                }
                None if finding.is_about_security() => {}
                _ if is_error => return Err(EditError::Unsafe(Box::new(finding.clone()))),
                _ => {}
            }
        }
        Ok(damage)
    }

    pub(super) fn is_none(&self) -> bool {
        self.keys.is_empty() && self.security.is_none()
    }

    /// Notes which keys of the hive Windows finds before it is edited.
    pub(super) fn note_found(&mut self, hive: &Hive<'_>) {
        if !self.is_none() {
            self.found = search::found(hive);
        }
    }

    /// The key at `key` is meant to go.
    pub(super) fn forget(&mut self, key: CellOffset) {
        self.found.remove(&key);
    }

    /// A key that Windows found in the hive and does not find in `hive`, which was made from it.
    pub(super) fn first_lost(&self, hive: &Hive<'_>) -> Option<CellOffset> {
        if self.found.is_empty() {
            return None;
        }
        let found = search::found(hive);
        self.found.difference(&found).next().copied()
    }

    /// As [`Damage::spare`], for an edit that adds or removes the key at `path`.
    pub(super) fn spare_key(&self, path: &[Name]) -> Result<(), EditError> {
        match &self.security {
            Some(finding) => Err(in_damage(text(path), finding)),
            None => self.spare(path),
        }
    }

    /// Refuses an edit of the key at `path` where the key, one above it or one below it is damaged.
    pub(super) fn spare(&self, path: &[Name]) -> Result<(), EditError> {
        if self.is_none() {
            return Ok(());
        }
        let key = text(path);
        let wanted = folded(&key);
        let near = |damaged: &[u16]| is_above(damaged, &wanted) || is_above(&wanted, damaged);
        match self.keys.iter().find(|(damaged, _)| near(damaged)) {
            None => Ok(()),
            Some((_, finding)) => Err(in_damage(key, finding)),
        }
    }

    /// Refuses an edit of the subkeys list of the key at `key` where that list is damaged.
    pub(super) fn spare_list(&self, key: CellOffset) -> Result<(), EditError> {
        match self.lists.get(&key) {
            None => Ok(()),
            Some(finding) => Err(EditError::ListInDamage(Box::new(finding.clone()))),
        }
    }
}

fn in_damage(key: String, finding: &Finding) -> EditError {
    let finding = Box::new(finding.clone());
    EditError::InDamage { key, finding }
}

fn text(path: &[Name]) -> String {
    let names: Vec<String> = path.iter().map(Name::to_text).collect();
    format!("\\{}", names.join("\\"))
}

fn folded(path: &str) -> Vec<u16> {
    let path = path.trim_end_matches('\\');
    path.encode_utf16().map(upcase).collect()
}

/// Whether `key` is `above`, or somewhere below it.
fn is_above(above: &[u16], key: &[u16]) -> bool {
    let rest = key.strip_prefix(above);
    rest.is_some_and(|rest| rest.first().is_none_or(|unit| *unit == u16::from(b'\\')))
}
