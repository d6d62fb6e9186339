// SPDX-License-Identifier: GPL-3.0-or-later
//! Which logs are applied, in which order, and what becomes of the base block.
//!
//! Spec: regf, *Dirty state of a hive*, *Multiple transaction log files*.

use std::cmp::Reverse;

use thiserror::Error;

use super::bins::{Bins, dummy};
use super::head::{HiveHead, LogHead};
use super::log_file::{LogFile, LogFormat};
use super::new_format::{Replay, Replayed, newest, replay};
use super::old_format;
use super::pages::Pages;
use super::recovered::Recovered;
use super::report::{Applied, Finding, HiveState, LogReport, NotUsed, Report};
use super::sequence::is_before;
use crate::regf::structures::{BaseBlockHead, read};
use crate::regf::{
    BASE_BLOCK_SIZE, HiveBytes, RegfError, TRANSACTIONS_PENDING, checksum, longest_log,
};
use zerocopy::IntoBytes;

/// Why there is no hive to work on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogError {
    /// It is no primary file of a supported version, whatever its logs hold.
    #[error("no hive: {0}")]
    NotAHive(RegfError),
    /// The hive is dirty and none of its logs applies. The primary file as it is lacks what was
    /// written last, and may be half-way between two states.
    #[error("{0}")]
    NotRecoverable(Box<Report>),
}

/// Recovers the hive in `primary` from its `logs`, in whatever order they are given, as Windows
/// does when it loads the hive. A clean hive comes back as it is, and its logs are ignored.
///
/// Where several logs of the old format apply alike, the one given first is used.
///
/// # Errors
///
/// [`LogError::NotAHive`] where the primary file is none, [`LogError::NotRecoverable`] where it is
/// dirty and no log applies; its report says what was found in each.
pub fn recover<'a>(
    primary: &'a dyn HiveBytes,
    logs: &[LogFile<'_>],
) -> Result<Recovered<'a>, LogError> {
    let hive = HiveHead::read(primary).map_err(LogError::NotAHive)?;
    let mut recovery = Recovery::new(primary, hive, logs);
    if recovery.report.state == HiveState::Clean {
        return Ok(recovery.into_clean());
    }
    if recovery.needs_what_is_not_read {
        return Err(LogError::NotRecoverable(Box::new(recovery.report)));
    }
    let done = match recovery.logs_to_use() {
        (LogFormat::New, group) => recovery.apply_new(group),
        (LogFormat::Old, group) => recovery.apply_old(&group),
    };
    match done {
        Some(done) => recovery.finish(done),
        None => Err(LogError::NotRecoverable(Box::new(recovery.report))),
    }
}

/// Marks a primary file that cannot be recovered as completely written, as it is.
///
/// What its last writes changed is lost by this: only ever for somebody who said so in words.
pub fn mark_clean(image: &mut [u8]) {
    let Some(mut head) = read::<BaseBlockHead>(image) else {
        return;
    };
    let last = head
        .primary_sequence
        .get()
        .max(head.secondary_sequence.get());
    head.primary_sequence.set(last);
    head.secondary_sequence.set(last);
    head.checksum.set(checksum(head.as_bytes()).unwrap_or(0));
    // What was read there can be written there.
    let _ = head.write_to_prefix(image);
}

/// A recovery under way; `heads` and the report's logs are in the order of `logs`.
struct Recovery<'a, 'l> {
    primary: &'a dyn HiveBytes,
    hive: HiveHead,
    logs: &'l [LogFile<'l>],
    heads: Vec<Option<LogHead>>,
    /// Whether a log that is too long to be read begins as one that Windows would apply.
    needs_what_is_not_read: bool,
    report: Report,
}

/// What the logs bring.
struct Done {
    pages: Pages,
    /// The base block before its fields are set.
    base: BaseBlockHead,
    sequence: u32,
    bins_size: u32,
    flags: u32,
    applied: Applied,
}

impl<'a, 'l> Recovery<'a, 'l> {
    fn new(primary: &'a dyn HiveBytes, hive: HiveHead, logs: &'l [LogFile<'l>]) -> Self {
        let mut report = Report::new(hive.state.clone());
        let mut heads = Vec::new();
        let mut needs_what_is_not_read = false;
        let unused = match hive.state {
            HiveState::Clean => NotUsed::HiveIsClean,
            _ => NotUsed::OtherLogs,
        };
        let longest = longest_log(primary.size());
        for log in logs {
            let head = LogHead::read(log, &hive);
            let format = head.as_ref().ok().map(|head| head.format);
            let mut seen = LogHead::sequence(log);
            if format != Some(LogFormat::Old) {
                seen = seen.max(newest(log, longest));
            }
            let size = log.bytes.size();
            let (head, finding) = match head {
                head if size > longest => {
                    needs_what_is_not_read |= head.is_ok_and(|head| head.may_apply(&hive));
                    (None, Finding::TooLong { size, longest })
                }
                Ok(head) => (Some(head), Finding::NotUsed(unused)),
                Err(finding) => (None, finding),
            };
            heads.push(head);
            report.logs.push(LogReport {
                name: log.name.clone(),
                format,
                finding,
                newest: seen,
            });
        }
        Self {
            primary,
            hive,
            logs,
            heads,
            needs_what_is_not_read,
            report,
        }
    }

    fn into_clean(self) -> Recovered<'a> {
        Recovered {
            primary: self.primary,
            pages: Pages::default(),
            size: self.primary.size(),
            report: self.report,
        }
    }

    /// The logs of the scheme in use: the new format before the old one, and LOG1 and LOG2 before
    /// LOG, which beside them is a left-over. Old logs tell themselves whether they apply.
    fn logs_to_use(&mut self) -> (LogFormat, Vec<usize>) {
        let of = |format: LogFormat, single: bool| -> Vec<usize> {
            let all = self.logs.iter().zip(&self.heads).enumerate();
            let of_format = all.filter(|(_, (log, head))| {
                is_single(&log.name) == single
                    && head.as_ref().is_some_and(|head| head.format == format)
            });
            of_format.map(|(index, _)| index).collect()
        };
        let new = [of(LogFormat::New, false), of(LogFormat::New, true)];
        let group = match new.into_iter().find(|group| !group.is_empty()) {
            Some(group) => (LogFormat::New, group),
            None => {
                let mut group = of(LogFormat::Old, false);
                group.extend(of(LogFormat::Old, true));
                (LogFormat::Old, group)
            }
        };
        for &index in &group.1 {
            self.set_finding(index, Finding::NotUsed(NotUsed::OtherLog));
        }
        group
    }

    fn apply_new(&mut self, mut group: Vec<usize>) -> Option<Done> {
        let Some(base) = self.hive.base.as_ref().map(|(base, _)| *base) else {
            return self.apply_newest(group);
        };
        let held = base.secondary_sequence;
        group.retain(|&index| {
            let log = self.sequence(index);
            if is_before(log, held) {
                self.set_finding(index, Finding::Older { log, hive: held });
            }
            !is_before(log, held)
        });
        self.sort_by_sequence(&mut group);
        self.chain(&group)
    }

    /// Behind a bad base block it is unknown what the hive holds. Windows applies the log with the
    /// latest entries only; the log whose entries lead up to it does no harm where the hive has
    /// them already, and saves the hive where it does not.
    fn apply_newest(&mut self, mut group: Vec<usize>) -> Option<Done> {
        self.sort_by_sequence(&mut group);
        let newest = *group.last()?;
        let pair = group.len().saturating_sub(2);
        let pair = group.get(pair..).unwrap_or(&[]);
        let done = self.chain(pair);
        let leads_up = !matches!(self.finding(newest), Some(Finding::Gap { .. }));
        if leads_up {
            return done;
        }
        for &index in pair {
            self.set_finding(index, Finding::NotUsed(NotUsed::OtherLog));
        }
        self.chain(&[newest])
    }

    /// Sequence numbers begin again at 0, so they are put in order around one of them.
    fn sort_by_sequence(&self, group: &mut [usize]) {
        let Some(&middle) = group.first() else {
            return;
        };
        let middle = self.sequence(middle).wrapping_sub(1 << 31);
        group.sort_by_key(|&index| self.sequence(index).wrapping_sub(middle));
    }

    /// Applies logs one behind the other, as long as each begins with the number that is due.
    fn chain(&mut self, order: &[usize]) -> Option<Done> {
        let mut state = Replay::default();
        let mut applied: Option<Applied> = None;
        let mut due: Option<u32> = None;
        for &index in order {
            let (log, found) = (self.logs.get(index)?, self.sequence(index));
            if let Some(expected) = due.filter(|due| *due != found) {
                self.set_finding(index, Finding::Gap { expected, found });
                break;
            }
            let Replayed { count, range, stop } = replay(log, found, &mut state);
            self.set_finding(index, Finding::Entries { count, range, stop });
            due = Some(range.map_or(found, |(_, last)| last.wrapping_add(1)));
            let Some((first, last)) = range else {
                continue;
            };
            let so_far = applied.get_or_insert(Applied {
                format: LogFormat::New,
                logs: Vec::new(),
                count: 0,
                first,
                last,
            });
            so_far.logs.push(log.name.clone());
            so_far.count = so_far.count.saturating_add(count);
            so_far.last = last;
        }
        let applied = applied?;
        Some(Done {
            base: self.base_block(*order.last()?)?,
            sequence: applied.last,
            bins_size: state.bins_size,
            flags: state.flags,
            pages: state.pages,
            applied,
        })
    }

    /// Applies the first old log that can be: one that was made for the interrupted write or,
    /// where a bad base block hides which that was, one that is newer than the first bin.
    fn apply_old(&mut self, group: &[usize]) -> Option<Done> {
        let hive = self.hive.time;
        let may_be_newer = self.hive.base.is_none();
        let mut fitting = Vec::new();
        for &index in group {
            let log = self.head(index)?.base.last_written;
            if log == hive || (may_be_newer && log > hive) {
                fitting.push((log != hive, Reverse(log), index));
            } else {
                self.set_finding(index, Finding::OtherWrite { log, hive });
            }
        }
        fitting.sort();
        for (_, _, index) in fitting {
            match self.old_pages(index) {
                Ok(done) => return Some(done),
                Err(finding) => self.set_finding(index, finding),
            }
        }
        None
    }

    /// Windows keeps what it has applied when it comes to a bad bin. An old log is one state of
    /// the hive, so here it is all or nothing.
    fn old_pages(&mut self, index: usize) -> Result<Done, Finding> {
        let missing = Finding::NotUsed(NotUsed::OtherLog);
        let (Some(log), Some(head)) = (self.logs.get(index), self.head(index)) else {
            return Err(missing);
        };
        let (pages, count) = old_format::pages(log, head)?;
        let bins = Bins {
            primary: self.primary,
            pages: &pages,
            size: head.base.bins_size,
        };
        if let Some((_, error)) = bins.invalid().into_iter().next().or(bins.hole()) {
            return Err(Finding::Invalid(error));
        }
        let (head, log) = (head.base, log.name.clone());
        let base = self.base_block(index).ok_or(missing)?;
        let begun = self
            .hive
            .base
            .as_ref()
            .map_or(0, |(b, _)| b.primary_sequence);
        let sequence = head.primary_sequence.max(begun);
        let flags = base.flags.get();
        self.set_finding(index, Finding::Pages { count });
        Ok(Done {
            pages,
            base,
            sequence,
            bins_size: head.bins_size,
            flags,
            applied: Applied {
                format: LogFormat::Old,
                logs: vec![log],
                count,
                first: head.primary_sequence,
                last: head.primary_sequence,
            },
        })
    }

    /// The hive's own base block or, where it is bad, the copy in the log at `index`.
    fn base_block(&mut self, index: usize) -> Option<BaseBlockHead> {
        if let Some((_, fields)) = &self.hive.base {
            return Some(fields.clone());
        }
        let fields = self.head(index)?.fields.clone();
        self.report.base_block_from = self.logs.get(index).map(|log| log.name.clone());
        Some(fields)
    }

    fn finish(mut self, mut done: Done) -> Result<Recovered<'a>, LogError> {
        let (primary, size) = (self.primary, done.bins_size);
        let pages = &done.pages;
        let bins = Bins {
            primary,
            pages,
            size,
        };
        if let Some((_, hole)) = bins.hole() {
            self.report.obstacle = Some(hole);
            return Err(LogError::NotRecoverable(Box::new(self.report)));
        }
        for (at, _) in bins.invalid() {
            self.report.dummy_bins.push(at);
        }
        for &at in &self.report.dummy_bins {
            done.pages.put(at.in_file().0, &dummy(at));
        }
        self.seal(&mut done);
        let end = BASE_BLOCK_SIZE.saturating_add(u64::from(size));
        self.report.applied = Some(done.applied);
        Ok(Recovered {
            primary,
            pages: done.pages,
            size: primary.size().max(end),
            report: self.report,
        })
    }

    /// Lays the base block over the file, as of a completely written hive.
    fn seal(&self, done: &mut Done) {
        let base = &mut done.base;
        base.primary_sequence.set(done.sequence);
        base.secondary_sequence.set(done.sequence);
        base.file_type.set(0);
        base.bins_size.set(done.bins_size);
        // The one flag that a log entry brings along.
        let pending = done.flags & TRANSACTIONS_PENDING;
        let flags = base.flags.get() & !TRANSACTIONS_PENDING | pending;
        base.flags.set(flags);
        base.checksum.set(checksum(base.as_bytes()).unwrap_or(0));
        let mut bytes = base.as_bytes().to_vec();
        if self.hive.base.is_none() {
            // Nothing of a block that failed its checksum is kept, not even what it does not guard.
            let whole = usize::try_from(BASE_BLOCK_SIZE).unwrap_or(bytes.len());
            bytes.resize(whole, 0);
        }
        done.pages.put(0, &bytes);
    }

    fn head(&self, index: usize) -> Option<&LogHead> {
        self.heads.get(index)?.as_ref()
    }

    /// The sequence number that the log's first entry must have.
    fn sequence(&self, index: usize) -> u32 {
        self.head(index)
            .map_or(0, |head| head.base.primary_sequence)
    }

    fn finding(&self, index: usize) -> Option<&Finding> {
        Some(&self.report.logs.get(index)?.finding)
    }

    fn set_finding(&mut self, index: usize, finding: Finding) {
        if let Some(log) = self.report.logs.get_mut(index) {
            log.finding = finding;
        }
    }
}

/// Whether a log is the only one of its hive: `SYSTEM.LOG`, not `SYSTEM.LOG1`.
fn is_single(name: &str) -> bool {
    let ending = name.rsplit('.').next();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("log"))
}
