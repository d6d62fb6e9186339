// SPDX-License-Identifier: GPL-3.0-or-later
//! The base block, each field by a rule of its own, and how much of the file is bins.

use super::codes::*;
use super::report::{Report, add};
use crate::regf::structures::{self, BaseBlockHead};
use crate::regf::{BASE_BLOCK_SIZE, BaseBlock, FileOffset, HIVE_BIN_UNIT, TRANSACTIONS_PENDING};
use crate::text::quoted;
use zerocopy::IntoBytes;

/// Judges the base block of `image` and gives its fields, if there are enough bytes for them.
///
/// The version comes back as one that the walk knows, however wrong the stored one is.
pub(super) fn check_base_block(image: &[u8], report: &mut Report) -> Option<BaseBlock> {
    let size = u64::try_from(image.len()).unwrap_or(u64::MAX);
    if size < BASE_BLOCK_SIZE {
        let expected = format!("a base block of {BASE_BLOCK_SIZE} bytes");
        find(
            report,
            BASE_BLOCK_TRUNCATED,
            format!("{size} bytes"),
            &expected,
        );
    }
    let mut head: BaseBlockHead = structures::read(image)?;
    if head.signature != BaseBlockHead::SIGNATURE {
        let found = format!("\"{}\"", head.signature.escape_ascii());
        find(report, BASE_BLOCK_SIGNATURE, found, "\"regf\"");
        head.signature = BaseBlockHead::SIGNATURE; // to go on with the other fields
    }
    let mut base = BaseBlock::parse(head.as_bytes()).ok()?;
    check_kind(&base, report);
    check_write(&base, report);
    check_file_name(&head, report);
    check_size(&base, size, report);
    base.minor = base.minor.clamp(3, 6);
    Some(base)
}

fn check_kind(base: &BaseBlock, report: &mut Report) {
    if base.major != 1 || !(3..=6).contains(&base.minor) {
        let found = format!("version {}.{}", base.major, base.minor);
        find(report, BASE_BLOCK_VERSION, found, "1.3, 1.4, 1.5 or 1.6");
    }
    if base.file_type != 0 {
        let found = format!("file type {}", base.file_type);
        find(report, BASE_BLOCK_FILE_TYPE, found, "0, a primary file");
    }
    if base.file_format != 1 {
        let found = format!("file format {}", base.file_format);
        find(
            report,
            BASE_BLOCK_FILE_FORMAT,
            found,
            "1, direct memory load",
        );
    }
    if !matches!(base.clustering_factor, 1 | 2 | 4 | 8) {
        let found = format!("clustering factor {}", base.clustering_factor);
        let expected = "1, 2, 4 or 8 sectors of 512 bytes";
        find(report, BASE_BLOCK_CLUSTERING_FACTOR, found, expected);
    }
}

fn check_write(base: &BaseBlock, report: &mut Report) {
    if base.stored_checksum != base.checksum {
        let found = format!("checksum {:#010x}", base.stored_checksum);
        let expected = format!("{:#010x}", base.checksum);
        find(report, BASE_BLOCK_CHECKSUM, found, &expected);
    }
    let (primary, secondary) = (base.primary_sequence, base.secondary_sequence);
    if primary != secondary {
        let found = format!("sequence numbers {primary} and {secondary}");
        let expected = "equal numbers: the last write is complete";
        find(report, SEQUENCE_NUMBERS, found, expected);
    }
    if base.flags & TRANSACTIONS_PENDING != 0 {
        let found = format!("flags {:#010x}", base.flags);
        let expected = "bit 0 clear: no kernel transactions are pending or expected";
        find(report, BASE_BLOCK_TRANSACTIONS, found, expected);
    }
}

/// The end of the path that the hive had; its first unit may be half of a cut-off pair.
fn check_file_name(head: &BaseBlockHead, report: &mut Report) {
    let units = head.file_name.iter().map(|unit| unit.get());
    let units: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
    let mut characters = char::decode_utf16(units.iter().copied()).enumerate();
    let is_odd = characters.any(|(place, character)| match character {
        Ok(character) => character.is_control(),
        Err(_) => place > 0,
    });
    if is_odd {
        let found = quoted(&String::from_utf16_lossy(&units));
        find(
            report,
            BASE_BLOCK_FILE_NAME,
            found,
            "the end of a path, or nothing",
        );
    }
}

fn check_size(base: &BaseBlock, size: u64, report: &mut Report) {
    if base.bins_size == 0 || !base.bins_size.is_multiple_of(HIVE_BIN_UNIT) {
        let found = format!("bins size {}", base.bins_size);
        find(report, BASE_BLOCK_BINS_SIZE, found, "a multiple of 4096");
    }
    let end = u64::from(base.bins_size).saturating_add(BASE_BLOCK_SIZE);
    if size < end {
        let expected = format!("{end}, the base block and all bins");
        let at = FileOffset(size);
        add(
            report,
            FILE_TRUNCATED,
            at,
            None,
            format!("{size} bytes"),
            &expected,
        );
    }
    if size > end && base.bins_size != 0 {
        let found = format!("{} bytes", size.saturating_sub(end));
        let expected = "nothing behind the last hive bin";
        add(report, REMNANT_TAIL, FileOffset(end), None, found, expected);
    }
}

/// The bins that are there; what the base block says of their size is not trusted.
pub(super) fn bins<'a>(image: &'a [u8], base: &BaseBlock) -> &'a [u8] {
    let start = usize::try_from(BASE_BLOCK_SIZE).unwrap_or(usize::MAX);
    let rest = image.get(start..).unwrap_or(&[]);
    let unit = usize::try_from(HIVE_BIN_UNIT).unwrap_or(usize::MAX);
    let size = usize::try_from(base.bins_size).unwrap_or(usize::MAX);
    let size = match size {
        0 => super::cells::size_of_bins(rest),
        size => size.saturating_sub(size.checked_rem(unit).unwrap_or(0)),
    };
    rest.get(..size).unwrap_or(rest)
}

fn find(report: &mut Report, code: FindingCode, found: String, expected: &str) {
    add(report, code, FileOffset(0), None, found, expected);
}
