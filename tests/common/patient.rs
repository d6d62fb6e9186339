// SPDX-License-Identifier: GPL-3.0-or-later
//! A hive whose bytes can be changed at places that are found by structure.

use crate::fields::{base_block_field, key_node_field, key_security_field, key_value_field};
use hivemend::regf::{self, CellOffset, Hive, Name, Record};

use crate::workbench::path;

/// A hive's bytes. Fields are named by their place in the payload of their cell.
pub(crate) struct Patient {
    pub(crate) image: Vec<u8>,
}

impl Patient {
    pub(crate) fn new(image: Vec<u8>) -> Self {
        Self { image }
    }

    fn hive(&self) -> Hive<'_> {
        Hive::open(&self.image).unwrap()
    }

    pub(crate) fn key(&self, key: &str) -> CellOffset {
        let found = self.hive().find(&path(key)).unwrap();
        found.unwrap_or_else(|| panic!("no key {key}")).at()
    }

    pub(crate) fn subkeys(&self, key: &str) -> Vec<CellOffset> {
        let hive = self.hive();
        let key = hive.key(self.key(key)).unwrap();
        hive.subkeys(&key).unwrap()
    }

    pub(crate) fn value(&self, key: &str, name: &str) -> CellOffset {
        let hive = self.hive();
        let key = hive.key(self.key(key)).unwrap();
        let found = hive.find_value(&key, &Name::from(name)).unwrap();
        found.unwrap_or_else(|| panic!("no value {name}")).at()
    }

    /// The subkeys list of `key`: a leaf or an index root.
    pub(crate) fn list(&self, key: &str) -> CellOffset {
        CellOffset(self.u32(self.key(key), key_node_field::SUBKEYS_LIST))
    }

    pub(crate) fn values_list(&self, key: &str) -> CellOffset {
        CellOffset(self.u32(self.key(key), key_node_field::VALUES_LIST))
    }

    pub(crate) fn data(&self, key: &str, value: &str) -> CellOffset {
        CellOffset(self.u32(self.value(key, value), key_value_field::DATA_OFFSET))
    }

    /// The list of the segments of the value `big` of the key `F\Big`.
    pub(crate) fn segments_list(&self) -> CellOffset {
        CellOffset(self.u32(self.data("F\\Big", "big"), 4))
    }

    /// The root's security record.
    pub(crate) fn security(&self) -> CellOffset {
        CellOffset(self.u32(self.key(""), key_node_field::SECURITY))
    }

    pub(crate) fn second_security(&self) -> CellOffset {
        CellOffset(self.u32(self.security(), key_security_field::FLINK))
    }

    /// Where the part of the root's descriptor begins whose offset stands at `field` of it.
    pub(crate) fn descriptor_part(&self, field: usize) -> usize {
        let descriptor = key_security_field::DESCRIPTOR;
        let offset = self.u32(self.security(), descriptor + field);
        descriptor + usize::try_from(offset).unwrap()
    }

    pub(crate) fn payload(&self, cell: CellOffset) -> Vec<u8> {
        self.hive().cell(cell, Record::Cell).unwrap().into_owned()
    }

    /// A place in the payload of `cell` as one in the file.
    fn place(cell: CellOffset, field: usize) -> usize {
        usize::try_from(cell.in_file().0).unwrap() + 4 + field
    }

    pub(crate) fn u32(&self, cell: CellOffset, field: usize) -> u32 {
        let at = Self::place(cell, field);
        u32::from_le_bytes(self.image[at..at + 4].try_into().unwrap())
    }

    pub(crate) fn put(&mut self, cell: CellOffset, field: usize, bytes: &[u8]) {
        let at = Self::place(cell, field);
        self.image[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn put_u16(&mut self, cell: CellOffset, field: usize, number: u16) {
        self.put(cell, field, &number.to_le_bytes());
    }

    pub(crate) fn put_u32(&mut self, cell: CellOffset, field: usize, number: u32) {
        self.put(cell, field, &number.to_le_bytes());
    }

    /// Adds to a field, and wraps around.
    pub(crate) fn add(&mut self, cell: CellOffset, field: usize, number: u32) {
        let sum = self.u32(cell, field).wrapping_add(number);
        self.put_u32(cell, field, sum);
    }

    /// Sets bits of a 16-bit field.
    pub(crate) fn or_u16(&mut self, cell: CellOffset, field: usize, bits: u16) {
        let [low, high] = bits.to_le_bytes();
        let at = Self::place(cell, field);
        self.image[at] |= low;
        self.image[at + 1] |= high;
    }

    /// Exchanges two elements of eight bytes.
    pub(crate) fn exchange(&mut self, cell: CellOffset, one: usize, other: usize) {
        let at = |field| Self::place(cell, field);
        for byte in 0..8 {
            self.image.swap(at(one) + byte, at(other) + byte);
        }
    }

    /// Makes the hashes in the leaf of the key `key` those of its subkeys' names.
    pub(crate) fn rehash(&mut self, key: &str) {
        let list = self.list(key);
        for (place, subkey) in self.subkeys(key).into_iter().enumerate() {
            let hash = self.hive().key(subkey).unwrap().name().hash();
            self.put_u32(list, 8 + 8 * place, hash);
        }
    }

    /// Gives a key another name of the same length, and its parent's leaf the hash of it.
    pub(crate) fn rename(&mut self, key: &str, name: &[u8]) {
        let (parent, _) = key.rsplit_once('\\').unwrap();
        self.put(self.key(key), key_node_field::NAME, name);
        self.rehash(parent);
    }

    pub(crate) fn size(&self, cell: CellOffset) -> i32 {
        let at = Self::place(cell, 0) - 4;
        i32::from_le_bytes(self.image[at..at + 4].try_into().unwrap())
    }

    pub(crate) fn set_size(&mut self, cell: CellOffset, size: i32) {
        let at = Self::place(cell, 0) - 4;
        self.image[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }

    /// Marks an allocated cell as free.
    pub(crate) fn free(&mut self, cell: CellOffset) {
        self.set_size(cell, -self.size(cell));
    }

    /// Sets a field of the base block and makes the checksum right.
    pub(crate) fn header(&mut self, at: usize, number: u32) {
        self.image[at..at + 4].copy_from_slice(&number.to_le_bytes());
        let sum = regf::checksum(&self.image).unwrap();
        self.image[508..512].copy_from_slice(&sum.to_le_bytes());
    }

    pub(crate) fn bins_size(&self) -> u32 {
        let field = &self.image[base_block_field::BINS_SIZE..][..4];
        u32::from_le_bytes(field.try_into().unwrap())
    }

    /// Appends a bin with an allocated cell that holds `payload`.
    pub(crate) fn append(&mut self, payload: &[u8]) -> CellOffset {
        let start = self.bins_size();
        let cell = (payload.len() + 4).next_multiple_of(8);
        let size = (32 + cell + 8).next_multiple_of(4096);
        let mut bin = vec![0; size];
        let number = |number: usize| i32::try_from(number).unwrap();
        bin[..4].copy_from_slice(b"hbin");
        bin[4..8].copy_from_slice(&start.to_le_bytes());
        bin[8..12].copy_from_slice(&number(size).to_le_bytes());
        bin[32..36].copy_from_slice(&(-number(cell)).to_le_bytes());
        bin[36..36 + payload.len()].copy_from_slice(payload);
        let free = number(size - 32 - cell);
        bin[32 + cell..36 + cell].copy_from_slice(&free.to_le_bytes());
        self.image.extend(bin);
        let bins = start + u32::try_from(size).unwrap();
        self.header(base_block_field::BINS_SIZE, bins);
        CellOffset(start + 32)
    }
}
