// SPDX-License-Identifier: GPL-3.0-or-later
//! What a check found, and what it walked over.

use std::collections::BTreeMap;
use std::fmt;

use super::codes::{FindingCode, SECURITY_CODES, SPACE_CODES};
use super::severity::Severity;
use crate::regf::{CellOffset, FileOffset};
use crate::text::Foreign;

/// How many findings of one code a report holds; behind that they are only counted. Of each code,
/// so that no flood of harmless findings can hide an error.
const FINDINGS_LIMIT: u64 = 1_000;
/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Its permanent name.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where the structure concerned begins.
    pub at: FileOffset,
    /// The key concerned, where one is known; its end, where the path is very long.
    pub key: Option<Foreign>,
    /// What is there.
    pub found: String,
    /// What would be there in a sound hive.
    pub expected: String,
    /// The key whose subkeys list it is about, where `key` is only one in that list.
    pub list: Option<CellOffset>,
}

impl Finding {
    /// Whether it leaves it open which bytes of the bins are in use, so that no cell can safely be
    /// taken or freed.
    pub fn is_about_space(&self) -> bool {
        SPACE_CODES.iter().any(|code| code.name == self.code)
    }

    /// Whether it is about a key security record, which keys share.
    pub fn is_about_security(&self) -> bool {
        SECURITY_CODES.iter().any(|code| code.name == self.code)
    }

    /// What it is and the key that it is in.
    fn place(&self) -> (&'static str, Option<&str>) {
        (self.code, self.key.as_ref().map(Foreign::raw))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.severity, self.code, self.at)?;
        if let Some(key) = &self.key {
            write!(f, " in {key}")?;
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)
    }
}

/// What a check found, and what it walked over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The findings in the order they were met, at most 1,000 of each code.
    pub findings: Vec<Finding>,
    /// How often each code was found, beyond that limit too.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many findings are errors.
    pub errors: u64,
    /// How many findings are warnings.
    pub warnings: u64,
    /// How many findings are notes.
    pub notes: u64,
    /// Keys reached.
    pub keys: u64,
    /// Values reached.
    pub values: u64,
    /// Keys that are in use and that nothing leads to.
    pub unreached_keys: u64,
    /// Values that are in use and that nothing leads to.
    pub unreached_values: u64,
    /// Where most of these keys are, as far as their parents can be followed: two levels of their paths,
    /// and how many lie there.
    pub unreached: Vec<(Foreign, u64)>,
}

impl Report {
    /// Whether Windows would take the hive as it is.
    pub fn is_sound(&self) -> bool {
        self.errors == 0
    }

    /// The first finding, of any severity, that `earlier` does not have: one of a code that this
    /// report has more often, or more often in this key. Where it is in the file does not matter,
    /// for an edit may move what is damaged.
    pub fn first_new_since(&self, earlier: &Self) -> Option<&Finding> {
        let mut left: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
        for finding in &earlier.findings {
            let count = left.entry(finding.place()).or_default();
            *count = count.saturating_add(1);
        }
        let count = |report: &Self, code| report.counts.get(code).copied().unwrap_or(0);
        self.findings.iter().find(|finding| {
            let before = count(earlier, finding.code);
            if count(self, finding.code) > before {
                return true;
            }
            let is_known = left.get_mut(&finding.place()).is_some_and(|left| {
                let known = *left > 0;
                *left = left.saturating_sub(1);
                known
            });
            // Of a flood only the first are known one by one.
            !is_known && before <= FINDINGS_LIMIT
        })
    }

    /// Whether every error is among the findings, rather than only counted.
    pub fn has_every_error(&self) -> bool {
        let errors = self.findings.iter();
        let errors = errors.filter(|finding| finding.severity == Severity::Error);
        u64::try_from(errors.count()) == Ok(self.errors)
    }

    /// Whether another finding of this code would only be counted.
    pub(super) fn is_full(&self, code: FindingCode) -> bool {
        let count = self.counts.get(code.name).copied().unwrap_or(0);
        count >= FINDINGS_LIMIT
    }

    /// The first finding that is an error.
    pub fn first_error(&self) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|finding| finding.severity == Severity::Error)
    }
}

/// Adds a finding.
pub(super) fn add(
    report: &mut Report,
    code: FindingCode,
    at: FileOffset,
    key: Option<String>,
    found: impl fmt::Display,
    expected: &str,
) {
    let is_full = report.is_full(code);
    let count = report.counts.entry(code.name).or_default();
    *count = count.saturating_add(1);
    let total = match code.severity {
        Severity::Error => &mut report.errors,
        Severity::Warning => &mut report.warnings,
        Severity::Note => &mut report.notes,
    };
    *total = total.saturating_add(1);
    if !is_full {
        report.findings.push(Finding {
            code: code.name,
            severity: code.severity,
            at,
            key: key.map(Foreign::from),
            found: found.to_string(),
            expected: expected.to_owned(),
            list: None,
        });
    }
}
