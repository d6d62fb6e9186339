// SPDX-License-Identifier: GPL-3.0-or-later
//! Files that are damaged: by their header no hive, though a hive's bins follow, or not to be read whole.

use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::DiskError;
use super::layout::{FIRST_BIN, FIRST_BIN_START, LARGEST_HIVE, LOG_SIGNATURE};
use super::pages::Pages;
use super::plain_file::open_file;
use crate::disk::system;

/// Reads a file whose header is damaged beyond recognition; `None` where it is no hive at all.
///
/// # Errors
///
/// [`DiskError::Io`] where it cannot be read.
pub fn read_suspect(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let failed = |error| DiskError::io("read", path, error);
    let file = system::open_plain(path).map_err(|e| DiskError::io("open", path, e))?;
    let mut content = Vec::new();
    let head = u64::try_from(FIRST_BIN.end).unwrap_or(u64::MAX);
    let mut file = file.take(head);
    file.read_to_end(&mut content).map_err(failed)?;
    let is_log = matches!(content.get(LOG_SIGNATURE), Some(b"DIRT" | b"HvLE"));
    if is_log || content.get(FIRST_BIN) != Some(FIRST_BIN_START) {
        return Ok(None);
    }
    file.set_limit(LARGEST_HIVE.saturating_sub(head));
    file.read_to_end(&mut content).map_err(failed)?;
    Ok(Some(content))
}

/// A file that was read around what the disk does not give.
#[derive(Debug)]
pub struct ReadAround {
    /// Its bytes, zeros where it could not be read.
    pub content: Vec<u8>,
    /// SHA-256 of `content`.
    pub sha256: [u8; 32],
    /// What could not be read, in bytes of the file.
    pub unreadable: Vec<Range<u64>>,
}

/// Bytes read at once, and what is tried alone where that fails.
const PIECES: [usize; 3] = [1 << 20, 4096, 512];

/// Reads a plain file, whatever it is; what cannot be read counts as zeros.
///
/// # Errors
///
/// [`DiskError::NotAFile`], and [`DiskError::Io`] where it cannot be opened, is larger than a hive can
/// be, or nothing of it can be read.
pub fn read_around(path: &Path) -> Result<ReadAround, DiskError> {
    let file = open_file(path)?;
    let size = file
        .metadata()
        .map_err(|e| DiskError::io("look at", path, e))?
        .len();
    let too_large = || DiskError::io("read", path, io::ErrorKind::FileTooLarge.into());
    let length = usize::try_from(size).ok().filter(|_| size <= LARGEST_HIVE);
    let mut content = vec![0; length.ok_or_else(too_large)?];
    let pages = Pages::new(file, size);
    let mut unreadable = Vec::new();
    let mut first = None;
    read_pieces(&pages, 0, &mut content, &PIECES, &mut |range, error| {
        first.get_or_insert(error);
        note(&mut unreadable, range);
    });
    let all = unreadable
        .iter()
        .map(|range: &Range<u64>| range.end.saturating_sub(range.start));
    match first {
        Some(error) if size > 0 && all.sum::<u64>() >= size => {
            Err(DiskError::io("read", path, error))
        }
        _ => Ok(ReadAround {
            sha256: Sha256::digest(&content).into(),
            content,
            unreadable,
        }),
    }
}

fn read_pieces(
    pages: &Pages<std::fs::File>,
    start: u64,
    to: &mut [u8],
    pieces: &[usize],
    failed: &mut impl FnMut(Range<u64>, io::Error),
) {
    let Some((piece, smaller)) = pieces.split_first() else {
        return;
    };
    let mut at = start;
    for part in to.chunks_mut((*piece).max(1)) {
        let end = at.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        if let Err(error) = pages.fill(at, part) {
            part.fill(0);
            match smaller {
                [] => failed(at..end, error),
                _ => read_pieces(pages, at, part, smaller, failed),
            }
        }
        at = end;
    }
}

fn note(ranges: &mut Vec<Range<u64>>, new: Range<u64>) {
    match ranges.last_mut().filter(|last| last.end == new.start) {
        Some(last) => last.end = new.end,
        None => ranges.push(new),
    }
}
