// SPDX-License-Identifier: GPL-3.0-or-later
//! The structural check of a whole hive in memory.
//!
//! Each allocated cell is claimed by exactly one reference, so that a cell that nothing leads to
//! is found as well as one that two things lead to. The walk goes on behind damage.

mod base;
mod cells;
mod checker;
mod codes;
mod descriptor;
mod names;
mod reach;
mod report;
mod ring;
mod security;
mod severity;
mod subkeys;
mod tree;
mod values;

pub use self::codes::{FINDING_CODES, FindingCode};
pub(crate) use self::reach::Overreach;
pub use self::report::{Finding, Report};
pub use self::severity::Severity;

use self::cells::CellMap;
use self::checker::Checker;
use self::ring::Ring;

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
        security: Ring::default(),
        name_marks: Vec::new(),
        uncounted: Vec::new(),
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
    checker.find_uncounted_values();
    checker.find_leaked_cells();
    Ok(checker)
}
