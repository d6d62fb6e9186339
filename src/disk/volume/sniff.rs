// SPDX-License-Identifier: GPL-3.0-or-later
//! What a file is that was given as a hive.

use std::fmt;

/// What a file is instead of a hive's primary file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAHive {
    /// No bytes at all.
    Empty,
    /// Begins as a hive, but is shorter than a base block; the bytes it has.
    Short(u64),
    /// A text file that regedit exports and imports.
    RegText,
    /// A transaction log.
    Log,
    /// An image of a disk or volume, of the named kind.
    Image(&'static str),
    /// Only zeros: the sectors were lost.
    Zeros,
    /// Something else, which begins with these bytes.
    Unknown([u8; 4]),
}

/// What a file of `size` bytes that begins with `start` is, if not a hive.
pub(super) fn sniff(start: &[u8], size: u64) -> Option<NotAHive> {
    if size == 0 {
        return Some(NotAHive::Empty);
    }
    if start.starts_with(b"regf") {
        return sniff_regf(start, size);
    }
    if is_reg_text(start) {
        return Some(NotAHive::RegText);
    }
    if let Some(kind) = image_kind(start) {
        return Some(NotAHive::Image(kind));
    }
    if start.iter().all(|byte| *byte == 0) {
        return Some(NotAHive::Zeros);
    }
    let mut found = [0; 4];
    found
        .iter_mut()
        .zip(start)
        .for_each(|(to, from)| *to = *from);
    Some(NotAHive::Unknown(found))
}

/// The type field of a base block: 0 in a primary file, 1, 2 and 6 in logs.
const TYPE: std::ops::Range<usize> = 28..32;

fn sniff_regf(start: &[u8], size: u64) -> Option<NotAHive> {
    let kind = start.get(TYPE).and_then(|field| field.first().copied());
    if kind.is_some_and(|kind| matches!(kind, 1 | 2 | 6)) {
        return Some(NotAHive::Log);
    }
    (size < crate::regf::BASE_BLOCK_SIZE).then_some(NotAHive::Short(size))
}

/// Whether this is the first line of a .reg file: UTF-16 with a mark, or bytes.
fn is_reg_text(start: &[u8]) -> bool {
    let text: Vec<u8> = match start.strip_prefix(b"\xff\xfe") {
        Some(wide) => wide.iter().step_by(2).copied().collect(),
        None => start
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(start)
            .to_vec(),
    };
    let text = text.trim_ascii_start();
    text.starts_with(b"Windows Registry Editor") || text.starts_with(b"REGEDIT4")
}

fn image_kind(start: &[u8]) -> Option<&'static str> {
    const MAGICS: [(usize, &[u8], &str); 7] = [
        (3, b"NTFS    ", "an NTFS volume"),
        (0, b"QFI\xfb", "a qcow2 disk"),
        (0, b"vhdxfile", "a VHDX disk"),
        (0, b"conectix", "a VHD disk"),
        (0, b"KDMV", "a VMDK disk"),
        (0, b"MSWIM\0\0\0", "a WIM archive"),
        (510, b"\x55\xaa", "a whole disk"),
    ];
    let has = |at: usize, magic: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(magic));
    let found = MAGICS.iter().find(|(at, magic, _)| has(*at, magic));
    found.map(|(_, _, kind)| *kind)
}

impl fmt::Display for NotAHive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("this file is empty, not a hive"),
            Self::Short(have) => write!(f, "this hive is cut off: only {have} bytes are there"),
            Self::RegText => f.write_str(
                "this is a .reg text file, not a hive; hives have no extension and lie in \
                 Windows\\System32\\config",
            ),
            Self::Log => f.write_str(
                "this is a transaction log (.LOG, .LOG1, .LOG2), not a hive; name the hive beside it",
            ),
            Self::Image(kind) => write!(
                f,
                "this is an image of {kind}, not a hive; attach or mount it and name the folder"
            ),
            Self::Zeros => f.write_str(
                "this file begins with zeros only, not with a hive's header: its content was lost",
            ),
            Self::Unknown(start) => write!(
                f,
                "this is not a hive: it begins with \"{}\", not \"regf\"",
                start.escape_ascii()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        let mut bytes = b"\xff\xfe".to_vec();
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    }

    #[test]
    fn names_what_is_given_by_mistake() {
        let mut disk = vec![0; 512];
        disk[510..].copy_from_slice(b"\x55\xaa");
        let mut log = b"regf".to_vec();
        log.resize(512, 0);
        log[28] = 6;
        let cases: [(&[u8], NotAHive); 8] = [
            (b"", NotAHive::Empty),
            (
                &utf16("Windows Registry Editor Version 5.00\r\n"),
                NotAHive::RegText,
            ),
            (b"REGEDIT4\r\n", NotAHive::RegText),
            (&disk, NotAHive::Image("a whole disk")),
            (b"QFI\xfb....", NotAHive::Image("a qcow2 disk")),
            (&log, NotAHive::Log),
            (b"regf\x01", NotAHive::Short(5)),
            (b"\x1b[2", NotAHive::Unknown(*b"\x1b[2\0")),
        ];
        for (bytes, expected) in cases {
            let size = u64::try_from(bytes.len()).unwrap();
            assert_eq!(sniff(bytes, size), Some(expected));
        }
        assert_eq!(sniff(b"regf", 4096), None);
        assert_eq!(sniff(&[0; 64], 4096), Some(NotAHive::Zeros));
    }
}
