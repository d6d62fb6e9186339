// SPDX-License-Identifier: GPL-3.0-or-later
//! Builds group policy files (`Registry.pol`) for tests, as \[MS-GPREG\] 2.2.1 lays them out.

/// The start of a group policy file.
pub(crate) fn header() -> Vec<u8> {
    b"PReg\x01\0\0\0".to_vec()
}

/// `file` and one more entry.
pub(crate) fn entry(mut file: Vec<u8>, key: &str, name: &str, kind: u32, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let fields: [&[u8]; 10] = [
        b"[\0",
        &utf16(key),
        b";\0",
        &utf16(name),
        b";\0",
        &kind.to_le_bytes(),
        b";\0",
        &size.to_le_bytes(),
        b";\0",
        data,
    ];
    fields
        .iter()
        .for_each(|field| file.extend_from_slice(field));
    file.extend_from_slice(b"]\0");
    file
}

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}
