// SPDX-License-Identifier: GPL-3.0-or-later
//! Where a hive is damaged that is edited all the same.

use super::EditError;
use crate::regf::{Finding, Name, Report, Severity, upcase};

/// The errors in a hive.
#[derive(Default)]
pub(super) struct Damage {
    /// Those in a key, with its upper-cased path.
    keys: Vec<(Vec<u16>, Finding)>,
    /// One in the key security records, which every new or deleted key has to do with.
    security: Option<Finding>,
}

impl Damage {
    /// The damage that a check has found.
    ///
    /// # Errors
    ///
    /// [`EditError::Unsafe`] where no edit is safe.
    pub(super) fn of(report: &Report) -> Result<Self, EditError> {
        let mut damage = Self::default();
        let errors = report.findings.iter();
        for error in errors.filter(|finding| finding.severity == Severity::Error) {
            match &error.key {
                // Of what is only counted nobody can say what must be left alone.
                _ if error.is_about_space() || !report.has_every_error() => {
                    return Err(EditError::Unsafe(Box::new(error.clone())));
                }
                _ if error.is_about_security() => damage.security = Some(error.clone()),
                Some(key) => damage.keys.push((folded(key.raw()), error.clone())),
                None => return Err(EditError::Unsafe(Box::new(error.clone()))),
            }
        }
        Ok(damage)
    }

    pub(super) fn is_none(&self) -> bool {
        self.keys.is_empty() && self.security.is_none()
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
