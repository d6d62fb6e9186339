// SPDX-License-Identifier: GPL-3.0-or-later
//! What may be written and what stays, at each edge.

use super::*;

/// A base block and one bin of a page, with one cell in use of 24 bytes and a free one behind it.
fn bytes() -> Vec<u8> {
    let mut bytes = vec![0; 8192];
    let mut put = |at: usize, field: u32| bytes[at..at + 4].copy_from_slice(&field.to_le_bytes());
    put(40, 4096);
    put(4096 + 8, 4096);
    put(4096 + 32, (-24_i32).cast_unsigned());
    put(4096 + 56, 4096 - 56);
    bytes
}

fn frozen(reach: &[(u32, u32)]) -> Image {
    let reach = reach.iter().map(|&(start, end)| Overreach {
        from: FileOffset(u64::from(start)),
        start: CellOffset(start),
        end: CellOffset(end),
    });
    Image::new(bytes(), reach.collect())
}

#[test]
fn what_stays_ends_where_it_ends() {
    // Given in any order: one within another, two that touch, and a gap.
    let image = frozen(&[(200, 240), (100, 180), (120, 140), (240, 260)]);
    for at in 90..270 {
        let stays = (100..180).contains(&at) || (200..260).contains(&at);
        assert_eq!(image.is_writable(at, 1), !stays, "{at}");
    }
    for (start, size, is_writable) in [
        (90, 10, true),
        (90, 11, false),
        (180, 20, true),
        (180, 21, false),
        (179, 21, false),
        (260, 100, true),
        (259, 100, false),
        (0, 1000, false),
    ] {
        assert_eq!(image.is_writable(start, size), is_writable, "{start}");
    }
}

#[test]
fn nothing_is_written_beyond_a_cell() {
    let mut image = frozen(&[]);
    let cell = CellOffset(32);
    assert_eq!(image.capacity(cell).unwrap(), 20);
    image.put(cell, 0, &[1; 20]).unwrap();
    image.put(cell, 16, &[2; 4]).unwrap();
    for (field, size) in [(0, 21), (17, 4), (20, 1), (24, 1)] {
        let refused = image.put(cell, field, &vec![3; size]);
        match refused {
            Err(EditError::Regf(error)) => {
                let fault = Fault::Truncated { need: 1, have: 0 };
                assert_eq!((error.at, error.fault), (cell.in_file(), fault));
            }
            other => panic!("{size} bytes at {field}: {other:?}"),
        }
    }
    assert_eq!(image.cell_size(CellOffset(56)).unwrap(), 4096 - 56);
}

#[test]
fn a_new_bin_holds_nothing_of_what_stood_behind_the_last() {
    for behind in [0, 100, 4096, 10_000] {
        let mut image = frozen(&[]);
        image.bytes.resize(8192 + behind, 0xEE);
        assert_eq!(image.append_bin(4096).unwrap(), CellOffset(4096));
        let bin = &image.bytes()[8192..12_288];
        assert_eq!(&bin[..4], b"hbin");
        assert_eq!((u32_at(bin, 4), u32_at(bin, 8)), (Some(4096), Some(4096)));
        assert!(bin[12..].iter().all(|byte| *byte == 0), "{behind}");
        assert_eq!(image.bins_size(), 8192);
        let rest = image.bytes().get(12_288..).unwrap();
        assert!(rest.iter().all(|byte| *byte == 0xEE));
    }
}
