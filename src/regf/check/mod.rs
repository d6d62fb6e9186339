// SPDX-License-Identifier: GPL-3.0-or-later
//! The structural check of a whole hive in memory.
//!
//! Each allocated cell is claimed by exactly one reference, so that a cell that nothing leads to
//! is found as well as one that two things lead to. The walk goes on behind damage.

mod base;
mod cells;
mod codes;
mod descriptor;
mod names;
mod reach;
mod security;
mod subkeys;
mod tree;
mod values;

use std::collections::BTreeMap;
use std::fmt;

pub use self::codes::{FINDING_CODES, FindingCode};
pub(crate) use self::reach::Overreach;

use self::cells::{CellMap, Refusal};
use self::codes::*;
use super::{BaseBlock, CellOffset, FileOffset, KEY_DEPTH_LIMIT, KeyNode};
use crate::text::Foreign;

/// How many findings of one code a report holds; behind that they are only counted. Of each code,
/// so that no flood of harmless findings can hide an error.
const FINDINGS_LIMIT: u64 = 1_000;
/// How many places of keys that nothing leads to a report names.
const UNREACHED_PLACES: usize = 5;
/// How many of these keys are followed upwards.
const UNREACHED_FOLLOWED: u64 = 100_000;
/// The most bytes of a key's path that a finding carries.
const PATH_LIMIT: usize = 1024;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing, harmless.
    Note,
    /// Not as Windows leaves it, but nothing is lost by it.
    Warning,
    /// Windows would refuse the hive or lose something.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

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
    fn is_full(&self, code: FindingCode) -> bool {
        let count = self.counts.get(code.name).copied().unwrap_or(0);
        count >= FINDINGS_LIMIT
    }

    /// The first finding that is an error.
    pub fn first_error(&self) -> Option<&Finding> {
        let mut findings = self.findings.iter();
        findings.find(|finding| finding.severity == Severity::Error)
    }
}

/// Checks a whole primary file.
///
/// Spec: regf, *Format of primary files*. Reads each byte of the bins a bounded number of times;
/// memory is a thirtieth of the image, the lists of what is being walked, and the findings.
pub fn check(image: &[u8]) -> Report {
    match checked(image) {
        Ok(checker) => checker.report,
        Err(report) => *report,
    }
}

/// As [`check`], for a hive that is to be edited though it is damaged: also what the damaged
/// references in it may reach outside of the cells that they should lead to. `None` where that is
/// too much to be known, or the damage leaves it open which bytes are in use at all.
///
/// A sound hive has none, and costs no more than its check.
pub(crate) fn check_reach(image: &[u8]) -> (Report, Option<Vec<Overreach>>) {
    let checker = match checked(image) {
        Ok(checker) => checker,
        Err(report) => return (*report, None),
    };
    let report = &checker.report;
    let reach = match report.findings.iter().any(Finding::is_about_space) {
        _ if report.is_sound() => Some(Vec::new()),
        false if report.has_every_error() => checker.overreaches(),
        _ => None,
    };
    (checker.report, reach)
}

/// The whole walk; only the findings where there is no base block to begin at.
fn checked(image: &[u8]) -> Result<Checker<'_>, Box<Report>> {
    let mut report = Report::default();
    let Some(base) = base::check_base_block(image, &mut report) else {
        return Err(Box::new(report));
    };
    let bins = base::bins(image, &base);
    let cells = CellMap::read(bins, &mut report);
    let mut checker = Checker {
        base,
        bins,
        cells,
        security: security::Ring::default(),
        name_marks: Vec::new(),
        report,
    };
    let roots = checker.find_roots();
    for &root in &roots {
        checker.check_security_ring(root);
    }
    for &root in &roots {
        checker.check_tree(root);
    }
    checker.check_security_counts();
    checker.find_leaked_cells();
    Ok(checker)
}

struct Checker<'a> {
    base: BaseBlock,
    bins: &'a [u8],
    cells: CellMap,
    security: security::Ring,
    name_marks: Vec<u64>,
    report: Report,
}

impl<'a> Checker<'a> {
    /// Marks the cell at `at` as used by `owner` and gives its payload, or says what is wrong.
    fn claim(&mut self, at: CellOffset, what: &str, owner: CellOffset) -> Option<&'a [u8]> {
        match self.cells.claim(self.bins, at) {
            Ok(payload) => Some(payload),
            Err(refusal) => {
                self.find_refusal(refusal, refusal.code(), at, what, owner);
                None
            }
        }
    }

    fn find_refusal(
        &mut self,
        refusal: Refusal,
        code: FindingCode,
        at: CellOffset,
        what: &str,
        owner: CellOffset,
    ) {
        let found = format!("{what} at {:#010x}, {}", at.0, refusal.found());
        self.find(code, owner, found, "an allocated cell of its own");
    }

    /// The key node in the cell at `at`, whether claimed or not.
    fn node(&self, at: CellOffset) -> Option<KeyNode<'a>> {
        let payload = self.cells.payload(self.bins, at)?;
        KeyNode::parse(at, self.base.minor, payload.into()).ok()
    }

    /// Adds a finding about the structure in the cell `at`, in or of the key that stands there.
    fn find(
        &mut self,
        code: FindingCode,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        self.find_in(code, at, at, found, expected);
    }

    /// Adds a finding about a structure of the key whose node is at `key`.
    fn find_in(
        &mut self,
        code: FindingCode,
        key: CellOffset,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        let key = match self.report.is_full(code) {
            true => None,
            false => self.path_of(key),
        };
        add(&mut self.report, code, at.in_file(), key, found, expected);
    }

    /// Adds a finding about the element for the key at `key` in the subkeys list of the key `list`.
    fn find_in_list(
        &mut self,
        code: FindingCode,
        list: CellOffset,
        key: CellOffset,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        let count = self.report.findings.len();
        self.find_in(code, key, at, found, expected);
        if let Some(finding) = self.report.findings.get_mut(count) {
            finding.list = Some(list);
        }
    }

    /// The path of the key node at `at`, as far up as parents can be followed.
    fn path_of(&self, at: CellOffset) -> Option<String> {
        let mut node = self.node(at)?;
        let mut names: Vec<String> = Vec::new();
        let mut length = 0_usize;
        for _ in 0..KEY_DEPTH_LIMIT {
            if node.at() == self.base.root {
                break;
            }
            let name = node.name().to_name().to_text();
            length = length.saturating_add(name.len());
            if length > PATH_LIMIT {
                names.push("...".to_owned());
                break;
            }
            names.push(name);
            match self.node(node.parent()) {
                Some(parent) => node = parent,
                None => break,
            }
        }
        names.reverse();
        Some(format!("\\{}", names.join("\\")))
    }

    fn find_leaked_cells(&mut self) {
        if self.report.keys == 0 {
            return; // no tree was walked, so that everything would count as leaked
        }
        let mut from = CellOffset(0);
        let mut places: BTreeMap<String, u64> = BTreeMap::new();
        while let Some(at) = self.cells.next_unclaimed(from) {
            self.count_unreached(at, &mut places);
            let payload = self.cells.payload(self.bins, at).unwrap_or(&[]);
            let kind = kind_of(payload);
            let found = format!("{} bytes{kind} that nothing refers to", payload.len());
            let expected = "a reference to the cell, or a free cell";
            add(
                &mut self.report,
                CELL_LEAKED,
                at.in_file(),
                None,
                found,
                expected,
            );
            from = CellOffset(at.0.saturating_add(8));
        }
        let mut places: Vec<(String, u64)> = places.into_iter().collect();
        places.sort_by(|(a, one), (b, other)| other.cmp(one).then_with(|| a.cmp(b)));
        places.truncate(UNREACHED_PLACES);
        let places = places.into_iter();
        self.report.unreached = places.map(|(path, count)| (path.into(), count)).collect();
    }

    fn count_unreached(&mut self, at: CellOffset, places: &mut BTreeMap<String, u64>) {
        let payload = self.cells.payload(self.bins, at).unwrap_or(&[]);
        match payload {
            [b'v', b'k', ..] => {
                let count = &mut self.report.unreached_values;
                *count = count.saturating_add(1);
            }
            [b'n', b'k', ..] => {
                let count = &mut self.report.unreached_keys;
                *count = count.saturating_add(1);
                if *count > UNREACHED_FOLLOWED {
                    return;
                }
                let path = self.path_of(at).unwrap_or_default();
                let place: Vec<&str> = path.split('\\').take(3).collect();
                let count = places.entry(place.join("\\")).or_default();
                *count = count.saturating_add(1);
            }
            _ => {}
        }
    }
}

/// What the cell with this payload seems to be.
fn kind_of(payload: &[u8]) -> &'static str {
    match payload {
        [b'n', b'k', ..] => " (a key node)",
        [b'v', b'k', ..] => " (a key value)",
        [b's', b'k', ..] => " (a key security record)",
        [b'l', b'f' | b'h' | b'i', ..] | [b'r', b'i', ..] => " (a subkeys list)",
        [b'd', b'b', ..] => " (a big data record)",
        _ => "",
    }
}

fn add(
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
