// SPDX-License-Identifier: GPL-3.0-or-later
//! What mending did or would do, for people: the verdict, what is lost, what was put right.

use std::collections::BTreeMap;
use std::ops::Range;

use super::style::{BOLD, DIM, GONE, GOOD, WARN};
use super::{CommandLine, styled};
use crate::mend::{Essential, Fix, Loss, LostKind, MendReport, Outcome, PageMove};
use crate::text::{Foreign, Text, escape};

/// How many lines of one kind are shown unless more is asked for.
const SHOWN: usize = 8;

/// A hive that was looked at to be mended.
#[derive(Debug)]
pub struct MendedHive {
    /// What it is called: `SYSTEM`.
    pub name: String,
    /// Its file.
    pub path: Foreign,
    /// What recovery from its logs came to, where it was dirty.
    pub recovery: Option<String>,
    /// Whether it was dirty and no log applied: what its last writes changed is lost.
    pub is_unrecovered: bool,
    /// What of the file could not be read.
    pub unreadable: Vec<Range<u64>>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the result lacks that Windows cannot start without.
    pub essential: Vec<Essential>,
}

impl MendedHive {
    /// Whether something that was in the hive is not in the result.
    pub fn has_loss(&self) -> bool {
        let is_lossless = match &self.outcome {
            Outcome::Sound(_) => true,
            Outcome::Mended(mended) => mended.report.is_lossless(),
        };
        !is_lossless || self.is_unrecovered || !self.unreadable.is_empty()
    }
}

/// A hive that was looked at, as text; `full` shows each loss and repair.
pub fn mend_text(hive: &MendedHive, full: bool) -> Text {
    let mut text = Text::new();
    text.line(format_args!("{} ({})", styled(BOLD, &hive.name), hive.path));
    if let Some(recovery) = &hive.recovery {
        text.line(format_args!("  {}", escape(recovery)));
    }
    if hive.is_unrecovered {
        text.line(format_args!(
            "  {WARN}not recovered:{WARN:#} what its last writes changed is lost with its logs"
        ));
    }
    write_unreadable(&mut text, &hive.unreadable);
    let mended = match &hive.outcome {
        Outcome::Sound(report) => {
            let (keys, values) = (report.keys, report.values);
            text.line(format_args!(
                "  {GOOD}sound{GOOD:#}: {keys} keys, {values} values; nothing is to be mended"
            ));
            if hive.recovery.is_some() {
                let command = CommandLine::for_hive(&hive.path).of("recover", &[]);
                text.line(format_args!(
                    "  what its logs hold is written into it by: {}",
                    escape(&command)
                ));
            }
            return text;
        }
        Outcome::Mended(mended) => mended,
    };
    let report = &mended.report;
    write_verdict(&mut text, hive, report, mended.before.errors);
    write_losses(&mut text, report, full);
    write_kept(&mut text, report, full);
    write_repairs(&mut text, report, full);
    let how = match report.is_in_place {
        true => "only what is wrong is overwritten",
        false => "a fresh hive is written from what was saved",
    };
    text.line(format_args!("  {DIM}{how}{DIM:#}"));
    text
}

fn write_unreadable(text: &mut Text, unreadable: &[Range<u64>]) {
    for range in unreadable.iter().take(SHOWN) {
        text.line(format_args!(
            "  {WARN}not readable:{WARN:#} bytes {:#x} to {:#x}; they count as zeros",
            range.start, range.end
        ));
    }
    if unreadable.len() > SHOWN {
        let more = unreadable.len().saturating_sub(SHOWN);
        text.line(format_args!("  and {more} more such places"));
    }
}

fn write_verdict(text: &mut Text, hive: &MendedHive, report: &MendReport, errors: u64) {
    let (keys, values) = (report.keys, report.values);
    let errors = count(errors, "error");
    let verdict = match report.is_lossless() {
        true => format!("{GOOD}can be mended without loss{GOOD:#}"),
        false => format!("{WARN}can be mended, with loss{WARN:#}"),
    };
    text.line(format_args!(
        "  {verdict}: {errors} now; {keys} keys and {values} values are kept"
    ));
    for essential in &hive.essential {
        text.line(format_args!(
            "  {GONE}Windows cannot start without it:{GONE:#} {} is lost",
            essential_text(*essential)
        ));
    }
}

fn essential_text(essential: Essential) -> &'static str {
    match essential {
        Essential::Select => "Select, which says what the current control set is,",
        Essential::ControlSet => "the current control set",
        Essential::Services => "the current control set's Services",
        Essential::Control => "the current control set's Control",
        Essential::CurrentVersion => "Microsoft\\Windows NT\\CurrentVersion",
    }
}

fn write_losses(text: &mut Text, report: &MendReport, full: bool) {
    if report.is_lossless() {
        return;
    }
    for (kind, what) in [
        (LostKind::Key, "key"),
        (LostKind::Value, "value"),
        (LostKind::Node, "key without its values"),
        (LostKind::Class, "class name"),
        (LostKind::Security, "security descriptor"),
    ] {
        let losses: Vec<&Loss> = report.losses.iter().filter(|l| l.what == kind).collect();
        if losses.is_empty() {
            continue;
        }
        let (number, _) = report.lost(kind);
        let number = match kind {
            LostKind::Node => u64::try_from(losses.len()).unwrap_or(0),
            _ => number,
        };
        let more = match kind {
            LostKind::Key => ", each with all that was below it",
            LostKind::Node => ": the key above gives its permissions",
            LostKind::Security => ": those of the key above are used",
            _ => "",
        };
        text.line(format_args!(
            "  {GONE}lost{GONE:#} {}{more}",
            count(number, what)
        ));
        for (area, number) in areas(&losses) {
            text.line(format_args!("    {number} below {area}"));
        }
        let limit = if full { losses.len() } else { SHOWN };
        for loss in losses.iter().take(limit) {
            text.line(format_args!("    {}", loss_text(loss)));
        }
        rest(text, losses.len(), limit);
    }
    if report.orphans > 0 {
        text.line(format_args!(
            "  {GONE}without a place{GONE:#} {}: with -o FILE they are written to FILE.orphans, a hive \
             of their own",
            count(report.orphans, "key")
        ));
    }
}

fn loss_text(loss: &Loss) -> String {
    let number = match loss.count {
        Some(1) | None => String::new(),
        Some(number) => format!("{number} of "),
    };
    match (&loss.name, loss.what) {
        (Some(name), LostKind::Key) => format!("{}\\{name}", root_less(&loss.key)),
        (Some(name), _) if name.is_empty() => format!("the default value of {}", loss.key),
        (Some(name), _) => format!("{name} of {}", loss.key),
        (None, LostKind::Key) => format!("{number}the subkeys of {}, name unknown", loss.key),
        (None, LostKind::Value) => format!("{number}the values of {}, name unknown", loss.key),
        (None, _) => loss.key.to_string(),
    }
}

fn root_less(key: &Foreign) -> String {
    match key.raw() {
        "\\" => String::new(),
        _ => key.to_string(),
    }
}

/// What of the losses lies where it matters most.
fn areas(losses: &[&Loss]) -> BTreeMap<&'static str, u64> {
    const AREAS: [&str; 7] = [
        "Services", "Control", "Select", "Setup", "Policies", "SAM", "Enum",
    ];
    let mut found = BTreeMap::new();
    for loss in losses {
        let mut path: Vec<&str> = loss.key.raw().split('\\').collect();
        path.extend(loss.name.as_ref().map(Foreign::raw));
        let area = AREAS
            .iter()
            .find(|area| path.iter().any(|name| name.eq_ignore_ascii_case(area)));
        if let Some(area) = area {
            let number = found.entry(*area).or_insert(0_u64);
            *number = number.saturating_add(loss.count.unwrap_or(1));
        }
    }
    found
}

fn write_kept(text: &mut Text, report: &MendReport, full: bool) {
    if !report.filled.is_empty() {
        let proven = report
            .filled
            .iter()
            .filter(|filled| filled.is_proven)
            .count();
        let other = report.filled.len().saturating_sub(proven);
        text.line(format_args!(
            "  from donors: {proven} proven to be what was lost, {other} as they were in the donor"
        ));
        let limit = if full { report.filled.len() } else { SHOWN };
        for filled in report.filled.iter().take(limit) {
            let mark = if filled.is_proven {
                "proven"
            } else {
                "as it was"
            };
            match &filled.value {
                Some(value) => text.line(format_args!("    {value} of {} ({mark})", filled.key)),
                None => text.line(format_args!("    {} ({mark})", filled.key)),
            }
        }
        rest(text, report.filled.len(), limit);
    }
    if !report.suspects.is_empty() {
        text.line(format_args!(
            "  {WARN}suspect{WARN:#} {}: kept as found, beside destroyed bytes or among what nothing bears out",
            count(u64::try_from(report.suspects.len()).unwrap_or(0), "value")
        ));
        let limit = if full { report.suspects.len() } else { SHOWN };
        for (key, value) in report.suspects.iter().take(limit) {
            text.line(format_args!("    {value} of {key}"));
        }
        rest(text, report.suspects.len(), limit);
    }
}

fn write_repairs(text: &mut Text, report: &MendReport, full: bool) {
    for moved in report
        .moves
        .iter()
        .take(if full { usize::MAX } else { SHOWN })
    {
        match moved {
            PageMove::Exchanged(one, other) => text.line(format_args!(
                "  put back: the pages at {:#x} and {:#x} were exchanged",
                in_file(*one),
                in_file(*other)
            )),
            PageMove::Copy(page, original) => text.line(format_args!(
                "  not used: the page at {:#x} belongs to {:#x}",
                in_file(*page),
                in_file(*original)
            )),
        }
    }
    let mut kinds: BTreeMap<Fix, u64> = BTreeMap::new();
    for repair in &report.repairs {
        let number = kinds.entry(repair.what).or_default();
        *number = number.saturating_add(repair.count);
    }
    for (what, number) in kinds {
        text.line(format_args!("  put right: {}", fix_text(what, number)));
        if full {
            for repair in report.repairs.iter().filter(|repair| repair.what == what) {
                text.line(format_args!("    {}", repair.key));
            }
        }
    }
}

fn in_file(at: u32) -> u64 {
    crate::regf::CellOffset(at).in_file().0
}

fn fix_text(fix: Fix, number: u64) -> String {
    match fix {
        Fix::Root => "the root key was found again".to_owned(),
        Fix::RootMade => "the root key's node was made anew".to_owned(),
        Fix::Element => count(number, "reference to a key"),
        Fix::List => format!("{} made anew", count(number, "subkeys list")),
        Fix::Name => format!("{} with a turned bit", count(number, "key name")),
        Fix::Named => format!("{} named by proof", count(number, "lost key")),
        Fix::Values => count(number, "values list"),
        Fix::Value => count(number, "value or flag"),
        Fix::Class => count(number, "class name"),
        Fix::Security => format!("{} to a descriptor", count(number, "reference")),
    }
}

fn rest(text: &mut Text, all: usize, shown: usize) {
    let more = all.saturating_sub(shown);
    if more > 0 {
        text.line(format_args!(
            "    {DIM}and {more} more; --verbose shows them{DIM:#}"
        ));
    }
}

fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => match what.split_once(' ') {
            Some(("key", rest)) => format!("{number} keys {rest}"),
            _ => format!("{number} {what}s"),
        },
    }
}
