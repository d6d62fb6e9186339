// SPDX-License-Identifier: GPL-3.0-or-later
//! The structural check of a whole hive in memory.
//!
//! Each allocated cell is claimed by exactly one reference, so that a cell that nothing leads to
//! is found as well as one that two things lead to. The walk goes on behind damage.

mod cells;
mod descriptor;
mod security;
mod tree;
mod values;

use std::collections::BTreeMap;
use std::fmt;

use self::cells::CellMap;
use super::{BASE_BLOCK_SIZE, BaseBlock, CellOffset, FileOffset, KEY_DEPTH_LIMIT, KeyNode};

/// How many findings a report holds; behind that they are only counted.
const FINDINGS_LIMIT: usize = 10_000;

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
pub struct Finding {
    /// Its permanent name.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where the structure concerned begins.
    pub at: FileOffset,
    /// The key concerned, where one is known.
    pub key: Option<String>,
    /// What is there.
    pub found: String,
    /// What would be there in a sound hive.
    pub expected: String,
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
pub struct Report {
    /// The findings in the order they were met, at most 10,000 of them.
    pub findings: Vec<Finding>,
    /// How often each code was found, beyond that limit too.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many findings are errors.
    pub errors: u64,
    /// Keys reached.
    pub keys: u64,
    /// Values reached.
    pub values: u64,
}

impl Report {
    /// Whether Windows would take the hive as it is.
    pub fn is_sound(&self) -> bool {
        self.errors == 0
    }

    /// The first finding, of any severity, whose code this report has more often than `earlier`.
    pub fn first_new_since(&self, earlier: &Self) -> Option<&Finding> {
        self.findings.iter().find(|finding| {
            let count = |report: &Self| report.counts.get(finding.code).copied().unwrap_or(0);
            count(self) > count(earlier)
        })
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
/// memory is an eighth of the image and the findings.
pub fn check(image: &[u8]) -> Report {
    let mut checker = match Checker::new(image) {
        Ok(checker) => checker,
        Err(report) => return *report,
    };
    checker.check_security_ring();
    checker.check_tree();
    checker.check_security_counts();
    checker.find_leaked_cells();
    checker.report
}

struct Checker<'a> {
    base: BaseBlock,
    bins: &'a [u8],
    cells: CellMap,
    security: security::Ring,
    name_hashes: Vec<u32>,
    report: Report,
}

impl<'a> Checker<'a> {
    fn new(image: &'a [u8]) -> Result<Self, Box<Report>> {
        let mut report = Report::default();
        let size = u64::try_from(image.len()).unwrap_or(u64::MAX);
        let base = BaseBlock::parse(image).and_then(|base| base.validate(size).map(|()| base));
        let base = match base {
            Ok(base) => base,
            Err(error) => {
                let expected = "the base block of a primary file, version 1.3 to 1.6";
                add(&mut report, BASE_BLOCK, error.at, None, error, expected);
                return Err(Box::new(report));
            }
        };
        check_base_block(&base, size, &mut report);
        let start = usize::try_from(BASE_BLOCK_SIZE).unwrap_or(usize::MAX);
        let bins_size = usize::try_from(base.bins_size).unwrap_or(usize::MAX);
        let end = start.saturating_add(bins_size);
        let bins = image.get(start..end).unwrap_or(&[]);
        let cells = CellMap::read(bins, &mut report);
        Ok(Self {
            base,
            bins,
            cells,
            security: security::Ring::default(),
            name_hashes: Vec::new(),
            report,
        })
    }

    /// Marks the cell at `at` as used by `owner` and gives its payload, or says what is wrong.
    fn claim(&mut self, at: CellOffset, what: &str, owner: CellOffset) -> Option<&'a [u8]> {
        match self.cells.claim(self.bins, at) {
            Ok(payload) => Some(payload),
            Err(code) => {
                let found = format!("{what} at {:#010x}, {}", at.0, code.found());
                self.find(code.code(), owner, found, "an allocated cell of its own");
                None
            }
        }
    }

    /// Adds a finding about the structure in the cell `at`, in or of the key that stands there.
    fn find(&mut self, code: Code, at: CellOffset, found: impl fmt::Display, expected: &str) {
        let key = self.path_of(at);
        add(&mut self.report, code, at.in_file(), key, found, expected);
    }

    /// Adds a finding about a structure of the key whose node is at `key`.
    fn find_in(
        &mut self,
        code: Code,
        key: CellOffset,
        at: CellOffset,
        found: impl fmt::Display,
        expected: &str,
    ) {
        let key = self.path_of(key);
        add(&mut self.report, code, at.in_file(), key, found, expected);
    }

    /// The path of the key node at `at`, as far up as parents can be followed.
    fn path_of(&self, at: CellOffset) -> Option<String> {
        if self.report.findings.len() >= FINDINGS_LIMIT {
            return None;
        }
        let mut names = Vec::new();
        let mut at = at;
        for _ in 0..KEY_DEPTH_LIMIT {
            let node = KeyNode::parse(at, self.cells.payload(self.bins, at)?.into()).ok()?;
            if at == self.base.root {
                break;
            }
            names.push(node.name().to_name().to_string());
            at = node.parent();
        }
        names.reverse();
        Some(format!("\\{}", names.join("\\")))
    }

    fn find_leaked_cells(&mut self) {
        if self.report.keys == 0 {
            return; // no tree was walked, so that everything would count as leaked
        }
        for at in self.cells.unclaimed() {
            let size = self.cells.payload(self.bins, at).map_or(0, <[u8]>::len);
            let found = format!("an allocated cell with {size} bytes that nothing refers to");
            let expected = "a reference to it, or a free cell";
            add(
                &mut self.report,
                CELL_LEAKED,
                at.in_file(),
                None,
                found,
                expected,
            );
        }
    }
}

fn check_base_block(base: &BaseBlock, size: u64, report: &mut Report) {
    let at = FileOffset(0);
    if base.stored_checksum != base.checksum {
        let found = format!("checksum {:#010x}", base.stored_checksum);
        let expected = format!("{:#010x}", base.checksum);
        add(report, BASE_BLOCK_CHECKSUM, at, None, found, &expected);
    }
    if base.primary_sequence != base.secondary_sequence {
        let found = format!(
            "sequence numbers {} and {}",
            base.primary_sequence, base.secondary_sequence
        );
        let expected = "equal numbers: the last write is complete";
        add(report, SEQUENCE_NUMBERS, at, None, found, expected);
    }
    let end = u64::from(base.bins_size).saturating_add(BASE_BLOCK_SIZE);
    if size > end {
        let found = format!("{} bytes", size.saturating_sub(end));
        let expected = "nothing behind the last hive bin";
        add(report, REMNANT_TAIL, FileOffset(end), None, found, expected);
    }
}

fn add(
    report: &mut Report,
    code: Code,
    at: FileOffset,
    key: Option<String>,
    found: impl fmt::Display,
    expected: &str,
) {
    let count = report.counts.entry(code.name).or_default();
    *count = count.saturating_add(1);
    if code.severity == Severity::Error {
        report.errors = report.errors.saturating_add(1);
    }
    if report.findings.len() < FINDINGS_LIMIT {
        report.findings.push(Finding {
            code: code.name,
            severity: code.severity,
            at,
            key,
            found: found.to_string(),
            expected: expected.to_owned(),
        });
    }
}

/// A finding's permanent name and how much it matters.
#[derive(Clone, Copy)]
struct Code {
    name: &'static str,
    severity: Severity,
}

const fn error(name: &'static str) -> Code {
    let severity = Severity::Error;
    Code { name, severity }
}

const fn warning(name: &'static str) -> Code {
    let severity = Severity::Warning;
    Code { name, severity }
}

const fn note(name: &'static str) -> Code {
    let severity = Severity::Note;
    Code { name, severity }
}

const BASE_BLOCK: Code = error("base-block");
const BASE_BLOCK_CHECKSUM: Code = error("base-block-checksum");
const SEQUENCE_NUMBERS: Code = error("sequence-numbers");
const REMNANT_TAIL: Code = note("remnant-tail");
const HIVE_BIN: Code = error("hive-bin");
const CELL_SIZE: Code = error("cell-size");
const CELL_LEAKED: Code = warning("cell-leaked");
const CELL_OUT_OF_RANGE: Code = error("cell-out-of-range");
const CELL_NOT_A_CELL: Code = error("cell-not-a-cell");
const CELL_FREE: Code = error("cell-free");
const CELL_SHARED: Code = error("cell-shared");
const KEY_NODE: Code = error("key-node");
const KEY_NAME: Code = error("key-name");
const KEY_PARENT: Code = error("key-parent");
const KEY_DEPTH: Code = error("key-depth");
const ROOT_FLAGS: Code = error("root-flags");
const SUBKEYS_LIST: Code = error("subkeys-list");
const SUBKEYS_LIST_EMPTY: Code = error("subkeys-list-empty");
const SUBKEYS_LIST_ORDER: Code = error("subkeys-list-order");
const SUBKEYS_LIST_HASH: Code = error("subkeys-list-hash");
const SUBKEYS_LIST_HINT: Code = error("subkeys-list-hint");
const SUBKEYS_LIST_KIND: Code = error("subkeys-list-kind");
const SUBKEY_COUNT: Code = error("subkey-count");
const SUBKEY_DUPLICATE: Code = error("subkey-duplicate");
const LARGEST_SUBKEY_NAME: Code = warning("largest-subkey-name");
const LARGEST_SUBKEY_CLASS: Code = warning("largest-subkey-class");
const CLASS_NAME: Code = error("class-name");
const VALUES_LIST: Code = error("values-list");
const KEY_VALUE: Code = error("key-value");
const VALUE_NAME: Code = error("value-name");
const VALUE_DUPLICATE: Code = error("value-duplicate");
const VALUE_DATA: Code = error("value-data");
const BIG_DATA: Code = error("big-data");
const LARGEST_VALUE_NAME: Code = warning("largest-value-name");
const LARGEST_VALUE_DATA: Code = warning("largest-value-data");
const KEY_SECURITY: Code = error("key-security");
const SECURITY_RING: Code = error("security-ring");
const SECURITY_NOT_IN_RING: Code = error("security-not-in-ring");
const SECURITY_DESCRIPTOR: Code = error("security-descriptor");
const SECURITY_COUNT_LOW: Code = error("security-count-low");
const SECURITY_COUNT_HIGH: Code = warning("security-count-high");
