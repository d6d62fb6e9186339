// SPDX-License-Identifier: GPL-3.0-or-later
//! What a structural check found, for people.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::style::{BOLD, DIM, GONE, GOOD, WARN};
use super::{CommandLine, styled};
use crate::regf::{BaseBlock, Finding, Report, Severity};
use crate::text::{Foreign, Text, escape};

/// How many findings of one code are shown unless more is asked for.
const SHOWN: usize = 5;

/// A hive that was to be checked.
#[derive(Clone, Debug)]
pub struct CheckedHive {
    /// Its file, as it was named.
    pub path: Foreign,
    /// What came of it: a check, or why there is none and what to do.
    pub outcome: Result<HiveCheck, (String, String)>,
}

/// What is told of a hive that was checked.
#[derive(Clone, Debug)]
pub struct HiveCheck {
    /// Bytes in the file.
    pub size: u64,
    /// Its base block, if it has one that can be recognised.
    pub base: Option<BaseBlock>,
    /// The transaction logs beside it.
    pub logs: Vec<LogFile>,
    /// What recovery makes of the hive and its logs, in a line.
    pub recovery: String,
    /// What the check finds in the hive once its logs are applied, where it is dirty and they apply.
    pub recovered: Option<Report>,
    /// The target that it is of, or its own file: what `recover` takes.
    pub place: Foreign,
    /// What of the file could not be read, and counted as zeros.
    pub unreadable: Vec<Range<u64>>,
    /// What the check found.
    pub report: Report,
}

/// A transaction log beside a hive.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// Its path.
    pub path: Foreign,
    /// Its size in bytes.
    pub size: u64,
    /// What was found in it, and whether Windows would apply it.
    pub state: String,
}

impl CheckedHive {
    /// A hive that was checked.
    pub fn checked(path: &Path, check: HiveCheck) -> Self {
        let path = Foreign::path(path);
        let outcome = Ok(check);
        Self { path, outcome }
    }

    /// A hive that could not be checked.
    pub fn failed(path: &Path, error: String, advice: String) -> Self {
        let path = Foreign::path(path);
        let outcome = Err((error, advice));
        Self { path, outcome }
    }

    /// Whether the check found an error.
    pub fn has_errors(&self) -> bool {
        let outcome = self.outcome.as_ref();
        outcome.is_ok_and(|check| !check.report.is_sound() || !check.unreadable.is_empty())
    }
}

impl HiveCheck {
    /// Whether it is only dirty: its logs apply, and it is sound once they are.
    pub(super) fn is_recoverable(&self) -> bool {
        self.recovered.as_ref().is_some_and(Report::is_sound)
    }

    /// Whether the primary file is what Windows last wrote, in one word.
    pub(super) fn state(&self) -> &'static str {
        match &self.base {
            None => "damaged",
            Some(base) if base.is_clean() => "clean",
            Some(_) => "dirty",
        }
    }
}

/// A checked hive as text: its state, the findings by code, and how many there are. `brief` leaves
/// all but the last away, `full` shows every finding.
pub fn check_text(hive: &CheckedHive, brief: bool, full: bool) -> Text {
    let mut text = Text::new();
    let path = styled(BOLD, &hive.path);
    let Ok(check) = &hive.outcome else {
        text.line(format_args!("{path}: {WARN}not checked{WARN:#}"));
        return text;
    };
    if brief {
        text.line(format_args!("{path}: {}", verdict(check)));
        return text;
    }
    text.line(&path);
    write_state(&mut text, check);
    // What is wrong without the logs, and right with them, is for who asks for it.
    if full || !check.is_recoverable() {
        for (_, group) in groups(&check.report) {
            write_group(&mut text, &group, &check.report, full);
        }
        write_unreached(&mut text, &hive.path, check);
    }
    text.line(format_args!("  {}", verdict(check)));
    text
}

fn write_state(text: &mut Text, check: &HiveCheck) {
    let version = match &check.base {
        Some(base) => format!("format {}.{}", base.major, base.minor),
        None => "no header of a hive".to_owned(),
    };
    let (keys, values) = (check.report.keys, check.report.values);
    let (state, size) = (check.state(), check.size);
    text.line(format_args!(
        "  {version}, {state}, {size} bytes, {keys} keys, {values} values"
    ));
    if state == "dirty" {
        text.line(format_args!(
            "  {WARN}dirty:{WARN:#} this is the primary file as it is, without its logs"
        ));
        text.line(format_args!("  with its logs: {}", escape(&check.recovery)));
    }
    for range in &check.unreadable {
        text.line(format_args!(
            "  {GONE}not readable:{GONE:#} bytes {:#x} to {:#x}; they count as zeros",
            range.start, range.end
        ));
    }
    for log in &check.logs {
        let name = Path::new(log.path.raw()).file_name().unwrap_or_default();
        let line = format!(
            "{} ({} bytes): {}",
            name.to_string_lossy(),
            log.size,
            log.state
        );
        text.line(format_args!("  log {}", escape(&line)));
    }
}

/// What is there and cannot be reached, in a sum, and what leads to it.
fn write_unreached(text: &mut Text, path: &Foreign, check: &HiveCheck) {
    let report = &check.report;
    if report.is_sound() || check.is_recoverable() {
        return;
    }
    let (keys, values) = (report.unreached_keys, report.unreached_values);
    if keys > 0 || values > 0 {
        text.line(format_args!(
            "  {WARN}cannot be reached:{WARN:#} {keys} keys and {values} values that are still there"
        ));
        for (place, count) in &report.unreached {
            text.line(format_args!("    {count} keys at or below {place}"));
        }
    }
    let command = CommandLine::for_hive(path).of("mend", &["--dry-run"]);
    text.line(format_args!(
        "  what can be had again, and what is lost, says: {}",
        escape(&command)
    ));
}

/// The findings by severity, worst first, then by code.
type Groups<'a> = BTreeMap<(std::cmp::Reverse<Severity>, &'static str), Vec<&'a Finding>>;

fn groups(report: &Report) -> Groups<'_> {
    let mut groups = Groups::new();
    for finding in &report.findings {
        let place = (std::cmp::Reverse(finding.severity), finding.code);
        groups.entry(place).or_default().push(finding);
    }
    groups
}

fn write_group(text: &mut Text, group: &[&Finding], report: &Report, full: bool) {
    let Some(first) = group.first() else {
        return;
    };
    let count = report.counts.get(first.code).copied().unwrap_or(0);
    let style = match first.severity {
        Severity::Error => GONE,
        Severity::Warning => WARN,
        Severity::Note => DIM,
    };
    let (severity, code) = (first.severity, first.code);
    text.line(format_args!(
        "  {style}{severity}{style:#} {code} ({count})"
    ));
    let limit = if full { group.len() } else { SHOWN };
    for finding in group.iter().take(limit) {
        text.line(format_args!("    {}", line(finding)));
    }
    let shown = u64::try_from(limit.min(group.len())).unwrap_or(0);
    let more = count.saturating_sub(shown);
    if more > 0 {
        let hint = if full { "" } else { "; --verbose shows more" };
        text.line(format_args!("    {DIM}and {more} more{hint}{DIM:#}"));
    }
}

fn line(finding: &Finding) -> String {
    let key = finding.key.as_ref();
    let key = key.map_or_else(String::new, |key| format!(" in {key}"));
    let (at, found) = (finding.at, escape(&finding.found));
    format!(
        "{at}{key}: found {found}, expected {}",
        escape(&finding.expected)
    )
}

/// How it stands with the hive, and how many findings there are of each severity.
fn verdict(check: &HiveCheck) -> String {
    let report = &check.report;
    if check.is_recoverable() {
        let command = CommandLine::for_place(&check.place).of("recover", &[]);
        return format!(
            "{WARN}dirty, recoverable{WARN:#}: its logs apply, and it is sound with them: run {}",
            escape(&command)
        );
    }
    let style = if report.is_sound() { GOOD } else { GONE };
    let word = if report.is_sound() {
        "sound"
    } else {
        "damaged"
    };
    let count = |number: u64, what: &str| match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    };
    format!(
        "{style}{word}{style:#}: {}, {}, {}",
        count(report.errors, "error"),
        count(report.warnings, "warning"),
        count(report.notes, "note")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regf::FileOffset;

    fn checked(findings: Vec<Finding>) -> CheckedHive {
        let count = u64::try_from(findings.len()).unwrap();
        let report = Report {
            counts: findings
                .iter()
                .map(|finding| (finding.code, count))
                .collect(),
            errors: count,
            findings,
            ..Report::default()
        };
        let check = HiveCheck {
            size: 8192,
            base: None,
            logs: Vec::new(),
            recovery: String::new(),
            recovered: None,
            place: Foreign::from("a/SYSTEM"),
            unreadable: Vec::new(),
            report,
        };
        CheckedHive::checked(Path::new("a/SYSTEM"), check)
    }

    fn finding(key: &str) -> Finding {
        Finding {
            code: "key-parent",
            severity: Severity::Error,
            at: FileOffset(4132),
            key: Some(Foreign::from(key)),
            found: "parent 1".to_owned(),
            list: None,
            expected: "2".to_owned(),
        }
    }

    #[test]
    fn names_from_the_hive_are_escaped() {
        let text = check_text(
            &checked(vec![finding("\\a\u{1b}[2J\u{202e}b")]),
            false,
            false,
        );
        assert!(text.contains("in \\a\\u{1b}[2J\\u{202e}b: found parent 1, expected 2"));
    }

    #[test]
    fn many_findings_are_shortened_unless_all_are_wanted() {
        let hive = checked(vec![finding("\\a"); 8]);
        let text = check_text(&hive, false, false);
        assert_eq!(text.matches("in \\a").count(), SHOWN);
        assert!(text.contains("and 3 more"), "{text}");
        assert_eq!(check_text(&hive, false, true).matches("in \\a").count(), 8);
        assert_eq!(check_text(&hive, true, false).lines().count(), 1);
    }
}
