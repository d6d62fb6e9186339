// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive's file with its transaction logs, and the hive as Windows would see it.

use std::path::{Path, PathBuf};

use super::args::WritingArgs;
use super::failure::Failure;
use crate::disk::{HiveFile, HiveState, LogFile, LogMisfit, shown};
use crate::log::{self, LogError, Recovered};
use crate::machine::{Condition, Recovery};
use crate::regf::HiveBytes;
use crate::text::{Foreign, escape};

const ADVICE: &str = "Its newest data is in its transaction logs. Find the logs that belong to it \
    (SYSTEM.LOG1, SYSTEM.LOG2), or start that Windows once and shut it down; or go on without \
    what they hold, with --accept-unrecovered.";

const TOO_LONG_ADVICE: &str = "A file of that size is no log that Windows wrote for this hive, but it \
    begins as one, and Windows would apply what it holds. Keep it elsewhere and run this again: then \
    the hive is recovered from its other logs, or go on without them, with --accept-unrecovered.";

const NEWER_ADVICE: &str = "It seems to be an older copy that was put here, and what Windows wrote \
    since then is missing from it. Find the hive that belongs to these logs; or go on with this one, \
    with --accept-newer-logs.";

/// A hive's file and logs, open but not read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) file: HiveFile,
    logs: Vec<(String, LogFile)>,
    /// Those of the logs that cannot be logs of this hive.
    misfits: Vec<LogMisfit>,
}

/// The hive as it is to be seen, read page by page.
pub(super) struct View<'a> {
    bytes: Bytes<'a>,
    pub(super) condition: Condition,
}

enum Bytes<'a> {
    AsIs(&'a HiveFile),
    Recovered(Box<Recovered<'a>>),
}

impl View<'_> {
    pub(super) fn bytes(&self) -> &dyn HiveBytes {
        match &self.bytes {
            Bytes::AsIs(file) => *file,
            Bytes::Recovered(recovered) => recovered.as_ref(),
        }
    }
}

/// The hive as it is to be seen, in memory.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    /// The recovered image, marked as completely written.
    pub(super) content: Vec<u8>,
    /// SHA-256 of the file on the disk.
    pub(super) disk_sha256: [u8; 32],
    pub(super) condition: Condition,
    /// The greatest sequence number in any log.
    pub(super) last_sequence: u32,
    /// Whether it may be edited although it is damaged.
    pub(super) accept_damage: bool,
}

impl Source {
    pub(super) fn open(path: &Path, logs: &[PathBuf]) -> Result<Self, Failure> {
        let file = HiveFile::open(path)?;
        let mut opened = Vec::new();
        let mut misfits = Vec::new();
        for log in logs {
            let name = log.file_name().unwrap_or_default().to_string_lossy();
            let bytes = LogFile::open(log)?;
            misfits.extend(bytes.misfit(log, file.identity().size));
            opened.push((name.into_owned(), bytes));
        }
        Ok(Self {
            path: path.to_path_buf(),
            file,
            logs: opened,
            misfits,
        })
    }

    /// The hive page by page; its logs are only read where it needs them.
    pub(super) fn view(&self, accept_unrecovered: bool) -> Result<View<'_>, Failure> {
        let as_is = |condition| View {
            bytes: Bytes::AsIs(&self.file),
            condition,
        };
        let is_whole = self.file.base_block().validate(self.file.size()).is_ok();
        if is_whole && self.file.state() == HiveState::Clean {
            return Ok(as_is(Condition::Clean));
        }
        match log::recover(&self.file, &self.log_files()) {
            Ok(recovered) => Ok(View {
                condition: condition_of(recovered.report()),
                bytes: Bytes::Recovered(Box::new(recovered)),
            }),
            Err(LogError::NotRecoverable(_)) if accept_unrecovered => {
                Ok(as_is(Condition::Unrecovered))
            }
            Err(error) => Err(self.refuse(&error)),
        }
    }

    /// The logs that were begun after the hive, which is clean, was last written.
    pub(super) fn newer_logs(&self) -> Vec<String> {
        let logs = self.log_files();
        let newer = log::newer_than_hive(&self.file, &logs);
        newer.into_iter().map(escape).collect()
    }

    /// Files that have the names of the hive's logs and cannot be its logs.
    pub(super) fn misfits(&self) -> &[LogMisfit] {
        &self.misfits
    }

    /// The whole hive, which is to be edited and published.
    pub(super) fn load_to_write(self, writing: &WritingArgs) -> Result<Loaded, Failure> {
        if !writing.risk.accept_newer_logs {
            self.guard()?;
        }
        let mut loaded = self.load(writing.unrecovered.accept_unrecovered)?;
        loaded.accept_damage = writing.risk.accept_damage;
        Ok(loaded)
    }

    /// Refuses a hive that is an older copy than its logs.
    fn guard(&self) -> Result<(), Failure> {
        let newer = self.newer_logs();
        if newer.is_empty() {
            return Ok(());
        }
        let path = shown(&self.path);
        let message = format!("{path} is clean, but older than {}", newer.join(", "));
        Err(Failure::refused(message).advising(NEWER_ADVICE))
    }

    /// The whole hive, read once.
    pub(super) fn load(self, accept_unrecovered: bool) -> Result<Loaded, Failure> {
        let whole = self.file.read_whole()?;
        let recovered = log::recover(&whole.content, &self.log_files());
        let (recovered, condition, last_sequence) = match recovered {
            Ok(recovered) if recovered.was_clean() => {
                (None, Condition::Clean, recovered.report().last_sequence())
            }
            Ok(recovered) => {
                let image = recovered.to_vec();
                let image = image
                    .map_err(|error| Failure::failed(format!("{}: {error}", shown(&self.path))))?;
                let report = recovered.report();
                (Some(image), condition_of(report), report.last_sequence())
            }
            Err(LogError::NotRecoverable(report)) if accept_unrecovered => {
                let mut image = whole.content.clone();
                log::mark_clean(&mut image);
                (Some(image), Condition::Unrecovered, report.last_sequence())
            }
            Err(error) => return Err(self.refuse(&error)),
        };
        Ok(Loaded {
            path: self.path,
            content: recovered.unwrap_or(whole.content),
            disk_sha256: whole.sha256,
            condition,
            last_sequence,
            accept_damage: false,
        })
    }

    fn log_files(&self) -> Vec<log::LogFile<'_>> {
        let logs = self.logs.iter().map(|(name, bytes)| log::LogFile {
            name: name.clone(),
            bytes,
        });
        logs.collect()
    }

    fn refuse(&self, error: &LogError) -> Failure {
        let message = format!("{}: {error}", shown(&self.path));
        match error {
            LogError::NotRecoverable(report) if report.has_too_long_log() => {
                Failure::refused(message).advising(TOO_LONG_ADVICE)
            }
            LogError::NotRecoverable(_) => Failure::refused(message).advising(ADVICE),
            LogError::NotAHive(_) => Failure::refused(message),
        }
    }
}

fn condition_of(report: &log::Report) -> Condition {
    match &report.applied {
        None => Condition::Clean,
        Some(applied) => Condition::Recovered(Recovery {
            entries: applied.count,
            logs: applied.logs.iter().map(Foreign::from).collect(),
            first: applied.first,
            last: applied.last,
            text: report.to_string(),
        }),
    }
}
