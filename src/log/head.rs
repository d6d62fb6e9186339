// SPDX-License-Identifier: GPL-3.0-or-later
//! The base blocks: whether the hive needs its logs, and whether a log is one of this hive's.

use std::borrow::Cow;

use super::log_file::{LogFile, LogFormat};
use super::report::{Finding, HiveState};
use super::sequence::is_before;
use crate::regf::structures::{BaseBlockHead, HiveBinHeader, read};
use crate::regf::{
    BASE_BLOCK_SIZE, BaseBlock, CellOffset, Fault, FileOffset, HIVE_BIN_UNIT, HiveBin, HiveBytes,
    Record, RegfError, upcase,
};

/// Bytes of a base block that its checksum guards, and that every log has a copy of.
const GUARDED: usize = size_of::<BaseBlockHead>();

/// The primary file, as far as recovery must know it.
pub(super) struct HiveHead {
    pub(super) state: HiveState,
    /// The base block and all of its fields, unless they are bad.
    pub(super) base: Option<(BaseBlock, BaseBlockHead)>,
    /// When the last write to the primary file was begun (FILETIME).
    pub(super) time: u64,
}

impl HiveHead {
    /// Reads the base block and, where it is bad, the first bin.
    ///
    /// Spec: regf, *Dirty state of a hive*.
    pub(super) fn read(primary: &dyn HiveBytes) -> Result<Self, RegfError> {
        let (base, head) = match guarded(primary) {
            Ok(sound) => sound,
            Err(error) => return Self::without_base(primary, error),
        };
        base.validate(u64::MAX)?;
        let state = if base.is_clean() {
            HiveState::Clean
        } else {
            let (primary, secondary) = (base.primary_sequence, base.secondary_sequence);
            HiveState::Dirty { primary, secondary }
        };
        Ok(Self {
            state,
            time: base.last_written,
            base: Some((base, head)),
        })
    }

    /// A file whose base block is bad is still a hive where a bin stands behind it.
    fn without_base(primary: &dyn HiveBytes, error: RegfError) -> Result<Self, RegfError> {
        let bin = primary.read(FileOffset(BASE_BLOCK_SIZE), size_of::<HiveBinHeader>());
        let bin = bin.map_err(|_| error.clone())?;
        let any_size = u32::MAX.saturating_sub(HIVE_BIN_UNIT.saturating_sub(1));
        HiveBin::parse(&bin, CellOffset(0), any_size).map_err(|_| error.clone())?;
        Ok(Self {
            state: HiveState::BadBaseBlock(error),
            base: None,
            time: read::<HiveBinHeader>(&bin).map_or(0, |bin| bin.last_written.get()),
        })
    }
}

/// The names of those `logs` that were begun after a clean hive was last written, as their base
/// blocks say: it is an older copy than they are, as after a hive was put back from a backup.
///
/// Windows copies the time of the last write into the logs, and writes the hive last.
pub fn newer_than_hive<'l>(primary: &dyn HiveBytes, logs: &'l [LogFile<'_>]) -> Vec<&'l str> {
    let Ok(hive) = HiveHead::read(primary) else {
        return Vec::new();
    };
    if hive.state != HiveState::Clean {
        return Vec::new();
    }
    let is_newer = |log: &&LogFile<'_>| {
        LogHead::read(log, &hive).is_ok_and(|head| head.base.last_written > hive.time)
    };
    let newer = logs.iter().filter(is_newer);
    newer.map(|log| log.name.as_str()).collect()
}

/// The base block at the beginning of a file, where its signature and checksum are right.
fn guarded(file: &dyn HiveBytes) -> Result<(BaseBlock, BaseBlockHead), RegfError> {
    let head = file
        .read(FileOffset(0), GUARDED)
        .map_err(|error| RegfError {
            record: Record::BaseBlock,
            ..error
        })?;
    let (base, fields) = BaseBlock::with_head(&head)?;
    let (found, expected) = (base.stored_checksum, base.checksum);
    if found != expected {
        return Err(fault(Fault::BadChecksum { found, expected }));
    }
    Ok((base, fields))
}

/// The base block of a valid log.
pub(super) struct LogHead {
    pub(super) base: BaseBlock,
    /// All of its fields, which can replace a bad base block.
    pub(super) fields: BaseBlockHead,
    pub(super) format: LogFormat,
}

impl LogHead {
    /// The base block of a log that can be used with `hive`, or why it cannot.
    ///
    /// Spec: regf, *Format of transaction log files > Base block*, note 2.
    pub(super) fn read(log: &LogFile<'_>, hive: &HiveHead) -> Result<Self, Finding> {
        if is_empty(log.bytes) {
            return Err(Finding::Empty);
        }
        let (base, fields) = guarded(log.bytes).map_err(Finding::Invalid)?;
        let format = format_of(&base).map_err(|fault| Finding::Invalid(self::fault(fault)))?;
        let (primary, secondary) = (base.primary_sequence, base.secondary_sequence);
        if primary != secondary {
            return Err(Finding::HalfWritten { primary, secondary });
        }
        if let Some(field) = other_hive(&base, &fields, hive) {
            return Err(Finding::OtherHive { field });
        }
        Ok(Self {
            base,
            fields,
            format,
        })
    }

    /// Whether Windows would look for something to apply in this log, as its base block says.
    pub(super) fn may_apply(&self, hive: &HiveHead) -> bool {
        let Some((base, _)) = &hive.base else {
            return true;
        };
        match self.format {
            LogFormat::New => !is_before(self.base.primary_sequence, base.secondary_sequence),
            LogFormat::Old => self.base.last_written == hive.time,
        }
    }

    /// The greatest sequence number that a log's base block shows, whatever else is wrong with it.
    pub(super) fn sequence(log: &LogFile<'_>) -> Option<u32> {
        let (base, _) = guarded(log.bytes).ok()?;
        Some(base.primary_sequence.max(base.secondary_sequence))
    }
}

fn is_empty(log: &dyn HiveBytes) -> bool {
    let zeros = |head: Cow<'_, [u8]>| head.iter().all(|byte| *byte == 0);
    log.size() == 0 || log.read(FileOffset(0), GUARDED).is_ok_and(zeros)
}

/// The format of a log with this base block, where it is one that can be read.
fn format_of(base: &BaseBlock) -> Result<LogFormat, Fault> {
    let format = match base.file_type {
        1 | 2 => LogFormat::Old,
        6 => LogFormat::New,
        other => return Err(bad_field("file type", other)),
    };
    let as_primary = BaseBlock {
        file_type: 0,
        ..*base
    };
    as_primary.validate(u64::MAX).map_err(|error| error.fault)?;
    // Sectors of 4096 bytes shift the parts of an old log; a new one always has them at 512.
    if format == LogFormat::Old && !matches!(base.clustering_factor, 1 | 8) {
        return Err(bad_field("clustering factor", base.clustering_factor));
    }
    Ok(format)
}

/// What shows that a log does not belong to the hive. A bad base block shows nothing.
///
/// Windows writes the log's base block and that of the hive from the same bytes in memory.
fn other_hive(log: &BaseBlock, fields: &BaseBlockHead, hive: &HiveHead) -> Option<&'static str> {
    let (base, own_fields) = hive.base.as_ref()?;
    if base.minor != log.minor {
        return Some("format version");
    }
    let (own, other) = (file_name(own_fields), file_name(fields));
    let named = !own.is_empty() && !other.is_empty();
    (named && own != other).then_some("file name")
}

/// The last part of the path in a base block, upper-cased. The path is cut at its front.
fn file_name(head: &BaseBlockHead) -> Vec<u16> {
    let units = head.file_name.iter().map(|unit| unit.get());
    let path: Vec<u16> = units.take_while(|unit| *unit != 0).map(upcase).collect();
    let last = path.rsplit(|unit| *unit == u16::from(b'\\')).next();
    last.unwrap_or(&[]).to_vec()
}

fn fault(fault: Fault) -> RegfError {
    RegfError::new(FileOffset(0), Record::BaseBlock, fault)
}

fn bad_field(field: &'static str, found: u32) -> Fault {
    let found = u64::from(found);
    Fault::BadField { field, found }
}
