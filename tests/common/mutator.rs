// SPDX-License-Identifier: GPL-3.0-or-later
//! Damages hives, the same way for the same number.

use hivemend::regf::checksum;

/// Numbers that look random and come again: xorshift64*.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(number: u64) -> Self {
        let mut dice = Self(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        dice.next();
        dice
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// A number below `end`, 0 where that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }

    pub(crate) fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// An allocated or free cell, by its place in the file.
#[derive(Clone, Copy)]
struct Cell {
    at: usize,
    size: i32,
    kind: [u8; 2],
}

/// Where fields stand behind the size field, and how many bytes they have: offsets of other cells.
const OFFSETS: &[([u8; 2], &[usize])] = &[
    (*b"nk", &[16, 28, 40, 44, 48]),
    (*b"vk", &[8]),
    (*b"sk", &[4, 8]),
    (*b"db", &[4]),
    (*b"lf", &[4, 12]),
    (*b"lh", &[4, 12, 20]),
    (*b"li", &[4, 8]),
    (*b"ri", &[4, 8]),
];

/// The same for lengths and counts.
type Lengths = ([u8; 2], &'static [(usize, usize)]);
const LENGTHS: &[Lengths] = &[
    (*b"nk", &[(20, 4), (36, 4), (72, 2), (74, 2)]),
    (*b"vk", &[(2, 2), (4, 4)]),
    (*b"sk", &[(12, 4), (16, 4)]),
    (*b"db", &[(2, 2)]),
    (*b"lf", &[(2, 2)]),
    (*b"lh", &[(2, 2)]),
    (*b"li", &[(2, 2)]),
    (*b"ri", &[(2, 2)]),
];

/// Damages a sound hive in one to three places. Its base block stays right, so that it is damage
/// in the bins that is met.
pub(crate) fn mutate(image: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(6) / 2 {
        mutate_once(image, dice);
    }
    let sum = checksum(image).unwrap_or(0);
    image[508..512].copy_from_slice(&sum.to_le_bytes());
}

fn mutate_once(image: &mut Vec<u8>, dice: &mut Dice) {
    let cells = cells(image);
    let records: Vec<Cell> = cells.iter().copied().filter(is_record).collect();
    if records.is_empty() {
        return;
    }
    let record = *dice.of(&records);
    match dice.below(16) {
        0 => {
            let at = 4096 + dice.below(image.len() - 4096);
            image[at] ^= 1 << dice.below(8);
        }
        1 => {
            let head = dice.below(80.min(size(record)));
            image[record.at + head] = dice.next().to_le_bytes()[0];
        }
        2 => {
            let head = 4 + 2 * dice.below(38.min(size(record) / 2 - 2));
            let word = *dice.of(&[0, 1, 2, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF]);
            put(image, record.at + head, &u16::to_le_bytes(word));
        }
        3 => resize(image, dice.of(&cells).at, dice),
        4 | 5 => cut(image, *dice.of(&cells), dice),
        6 => {
            let at = field(record, OFFSETS, dice);
            let other = u32::try_from(dice.of(&cells).at - 4096).unwrap();
            let offset = *dice.of(&[other, other, other + 8, u32::MAX, 0x0FFF_0000, 0]);
            put(image, at, &offset.to_le_bytes());
        }
        7..=9 => lengthen(image, record, dice),
        10 | 11 => exchange(image, &records, dice),
        12 => {
            let size = 8 << dice.below(7);
            let at = 4096 + dice.below(image.len() - 4096 - size);
            image[at..at + size].fill(0);
        }
        13 => {
            let from = dice.of(&cells).at;
            let to = 4096 + dice.below(image.len() - 4096 - 64);
            let last = image.len() - 64;
            image.copy_within(from.min(last)..from.min(last) + 64, to.min(last));
        }
        14 if dice.below(4) == 0 => image.truncate(4096 + 8 * dice.below((image.len() - 4096) / 8)),
        _ => {
            // One list of values or segments, which has no signature, or somebody's data.
            let plain: Vec<Cell> = cells.iter().copied().filter(|c| !is_record(c)).collect();
            if let Some(cell) = plain.get(dice.below(plain.len())) {
                let at = cell.at + 4 + 4 * dice.below((size(*cell) - 4) / 4);
                let other = u32::try_from(dice.of(&cells).at - 4096).unwrap();
                put(image, at, &other.to_le_bytes());
            }
        }
    }
}

fn is_record(cell: &Cell) -> bool {
    cell.size < 0 && LENGTHS.iter().any(|(kind, _)| *kind == cell.kind)
}

fn size(cell: Cell) -> usize {
    usize::try_from(cell.size.unsigned_abs()).unwrap()
}

/// All cells, as far as sizes lead from one to the next.
fn cells(image: &[u8]) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut bin = 4096;
    while bin + 32 <= image.len() && &image[bin..bin + 4] == b"hbin" {
        let end = bin + usize::try_from(long(image, bin + 8)).unwrap();
        let mut at = bin + 32;
        while at + 8 <= end.min(image.len()) {
            let size = long(image, at).cast_signed();
            let total = usize::try_from(size.unsigned_abs()).unwrap();
            if total < 8 || at + total > image.len() {
                break;
            }
            let kind = [image[at + 4], image[at + 5]];
            cells.push(Cell { at, size, kind });
            at += total;
        }
        if end <= bin {
            break;
        }
        bin = end;
    }
    cells
}

fn resize(image: &mut [u8], at: usize, dice: &mut Dice) {
    let size = long(image, at).cast_signed();
    let new = match dice.below(6) {
        0 => -size,
        1 => size + 8,
        2 => size - 8,
        3 => size / 16 * 8,
        4 => size.saturating_mul(2),
        _ => 0,
    };
    put(image, at, &new.to_le_bytes());
}

/// Cuts a cell that is in use; the rest becomes a cell of its own, mostly a free one.
fn cut(image: &mut [u8], cell: Cell, dice: &mut Dice) {
    let total = size(cell);
    if cell.size > 0 || total < 24 {
        return;
    }
    let kept = 8 + 8 * dice.below(total / 8 - 2);
    let rest = i32::try_from(total - kept).unwrap();
    let rest = if dice.below(4) == 0 { -rest } else { rest };
    put(
        image,
        cell.at,
        &(-i32::try_from(kept).unwrap()).to_le_bytes(),
    );
    put(image, cell.at + kept, &rest.to_le_bytes());
}

fn field(record: Cell, of: &[([u8; 2], &[usize])], dice: &mut Dice) -> usize {
    let (_, fields) = of.iter().find(|(kind, _)| *kind == record.kind).unwrap();
    record.at + 4 + dice.of(fields)
}

/// Makes a length or count another one, mostly a greater one.
fn lengthen(image: &mut [u8], record: Cell, dice: &mut Dice) {
    let (_, fields) = LENGTHS
        .iter()
        .find(|(kind, _)| *kind == record.kind)
        .unwrap();
    let &(field, width) = dice.of(fields);
    let at = record.at + 4 + field;
    if at + 4 > image.len() {
        return;
    }
    let old = long(image, at);
    let new = match dice.below(7) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_add(16),
        2 => old.wrapping_add(200),
        3 => old.wrapping_mul(3),
        4 => old ^ (1 << dice.below(8 * width)),
        5 => old.wrapping_sub(1),
        _ => 20_000,
    };
    put(image, at, &new.to_le_bytes()[..width]);
}

/// Exchanges two elements of a list, with or without what stands beside them.
fn exchange(image: &mut [u8], records: &[Cell], dice: &mut Dice) {
    let lists: Vec<Cell> = records
        .iter()
        .copied()
        .filter(|cell| matches!(&cell.kind, b"lf" | b"lh" | b"li" | b"ri"))
        .collect();
    let Some(&list) = lists.get(dice.below(lists.len())) else {
        return;
    };
    let step = if matches!(&list.kind, b"lf" | b"lh") {
        8
    } else {
        4
    };
    let count = usize::try_from(long(image, list.at + 4) >> 16).unwrap();
    let count = count.min((size(list) - 8) / step);
    if count < 2 {
        return;
    }
    let one = dice.below(count);
    let other = match dice.below(2) {
        0 => (one + 1) % count,
        _ => dice.below(count),
    };
    let width = if dice.below(4) == 0 { 4 } else { step };
    for byte in 0..width {
        let start = list.at + 8;
        image.swap(start + one * step + byte, start + other * step + byte);
    }
}

fn long(image: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(image[at..at + 4].try_into().unwrap())
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = image.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}
