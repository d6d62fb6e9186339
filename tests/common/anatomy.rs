// SPDX-License-Identifier: GPL-3.0-or-later
//! What each byte of a hive is: a map from places in the file to the structures they belong to.

use std::collections::BTreeMap;
use std::fmt;

use crate::fields::{key_node_field, key_security_field, key_value_field};
use hivemend::regf::{BigData, CellOffset, Hive, HiveBin, KeyNode, Record, needs_big_data};

/// A structure, or a field of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Base(&'static str),
    Bin,
    /// The size field of a free cell.
    FreeSize,
    /// The rest of a free cell.
    Free,
    Key {
        key: String,
        field: &'static str,
    },
    Value {
        key: String,
        name: String,
        field: &'static str,
    },
    /// A values list.
    List {
        key: String,
    },
    /// A subkeys list.
    Subkeys {
        key: String,
    },
    /// Data in a cell or cells of its own.
    Data {
        key: String,
        name: String,
    },
    Class {
        key: String,
    },
    Security {
        field: &'static str,
    },
    /// Behind the last bin.
    Behind,
    /// An allocated cell that nothing leads to.
    Unknown,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base(field) => f.write_str(field),
            Self::Bin => f.write_str("hive bin header"),
            Self::FreeSize => f.write_str("size of a free cell"),
            Self::Free => f.write_str("free cell"),
            Self::Key { key, field } if key.is_empty() => write!(f, "{field} of the root"),
            Self::Key { key, field } => write!(f, "{field} of key {key}"),
            Self::Value { key, name, field } => write!(f, "{field} of value {name} of key {key}"),
            Self::List { key } => write!(f, "values list of key {key}"),
            Self::Subkeys { key } => write!(f, "subkeys list of key {key}"),
            Self::Data { key, name } => write!(f, "data of value {name} of key {key}"),
            Self::Class { key } => write!(f, "class name of key {key}"),
            Self::Security { field } => write!(f, "{field} of a security record"),
            Self::Behind => f.write_str("behind the last bin"),
            Self::Unknown => f.write_str("a cell that nothing leads to"),
        }
    }
}

/// The map of one hive.
pub(crate) struct Anatomy {
    parts: BTreeMap<usize, Part>,
    /// Sizes of the free cells, by their places in the file.
    pub(crate) free_cells: BTreeMap<usize, usize>,
    /// Sizes of the cells in use.
    pub(crate) used_cells: BTreeMap<usize, usize>,
}

const KEY_FIELDS: &[(usize, &str)] = &[
    (0, "key node"),
    (key_node_field::LAST_WRITTEN, "last written"),
    (key_node_field::ACCESS_BITS, "key node"),
    (key_node_field::SUBKEY_COUNT, "subkey count"),
    (key_node_field::VOLATILE_SUBKEY_COUNT, "key node"),
    (key_node_field::SUBKEYS_LIST, "subkeys list"),
    (key_node_field::VOLATILE_SUBKEYS_LIST, "key node"),
    (key_node_field::VALUE_COUNT, "value count"),
    (key_node_field::VALUES_LIST, "values list"),
    (key_node_field::SECURITY, "key node"),
    (key_node_field::LARGEST_SUBKEY_NAME, "largest subkey name"),
    (key_node_field::VIRTUALIZATION_AND_USER_FLAGS, "key node"),
    (key_node_field::LARGEST_VALUE_NAME, "largest value name"),
    (key_node_field::LARGEST_VALUE_DATA, "largest value data"),
    (key_node_field::LARGEST_VALUE_DATA + 4, "key node"),
];

const VALUE_FIELDS: &[(usize, &str)] = &[
    (0, "key value"),
    (key_value_field::DATA_SIZE, "data size"),
    (key_value_field::DATA_OFFSET, "data field"),
    (key_value_field::DATA_TYPE, "type"),
    (key_value_field::FLAGS, "key value"),
];

impl Anatomy {
    pub(crate) fn of(image: &Vec<u8>) -> Self {
        let hive = Hive::open(image).unwrap();
        let mut anatomy = Self {
            parts: BTreeMap::new(),
            free_cells: BTreeMap::new(),
            used_cells: BTreeMap::new(),
        };
        anatomy.base_block();
        anatomy.bins(image, hive.base().bins_size);
        anatomy.security(&hive);
        let mut waiting = vec![(hive.base().root, String::new())];
        while let Some((at, path)) = waiting.pop() {
            let node = hive.key(at).unwrap();
            anatomy.key(&hive, &node, &path);
            for subkey in hive.subkeys(&node).unwrap() {
                let name = hive.key(subkey).unwrap().name().to_name();
                let below = match path.is_empty() {
                    true => name.to_string(),
                    false => format!("{path}\\{name}"),
                };
                waiting.push((subkey, below));
            }
        }
        anatomy
    }

    /// The part that the byte at `at` of the file belongs to.
    pub(crate) fn part_at(&self, at: usize) -> &Part {
        self.parts.range(..=at).next_back().unwrap().1
    }

    /// Where that part begins.
    pub(crate) fn start_of_part_at(&self, at: usize) -> usize {
        *self.parts.range(..=at).next_back().unwrap().0
    }

    fn base_block(&mut self) {
        let fields = [
            (0, "the base block"),
            (4, "the primary sequence number"),
            (8, "the secondary sequence number"),
            (12, "the base block"),
            (40, "the hive bins data size"),
            (44, "the base block"),
            (508, "the checksum"),
            (512, "the base block"),
        ];
        let parts = fields.map(|(at, field)| (at, Part::Base(field)));
        self.parts.extend(parts);
    }

    fn bins(&mut self, image: &[u8], bins_size: u32) {
        let mut start = 0;
        while start < bins_size {
            let from = in_file(CellOffset(start));
            let bin = HiveBin::parse(image.get(from..).unwrap(), CellOffset(start), bins_size);
            let bin = bin.unwrap();
            self.parts.insert(from, Part::Bin);
            let mut at = from + 32;
            while at < in_file(CellOffset(bin.end())) {
                let size = image.get(at..at + 4).unwrap().try_into().unwrap();
                let size = i32::from_le_bytes(size);
                let total = usize::try_from(size.unsigned_abs()).unwrap();
                if size > 0 {
                    self.free_cells.insert(at, total);
                    self.parts.insert(at, Part::FreeSize);
                    self.parts.insert(at + 4, Part::Free);
                } else {
                    self.used_cells.insert(at, total);
                    self.parts.insert(at, Part::Unknown);
                }
                at += total;
            }
            start = bin.end();
        }
        self.parts
            .insert(in_file(CellOffset(bins_size)), Part::Behind);
    }

    fn security(&mut self, hive: &Hive<'_>) {
        let first = hive.root().unwrap().security();
        let mut at = first;
        loop {
            let part = |field| Part::Security { field };
            let start = in_file(at);
            let field = start + 4 + key_security_field::REFERENCE_COUNT;
            self.parts.insert(start, part("links"));
            self.parts.insert(field, part("reference count"));
            self.parts.insert(field + 4, part("descriptor"));
            at = hive.security(at).unwrap().flink();
            if at == first {
                return;
            }
        }
    }

    fn whole(&mut self, at: CellOffset, part: Part) {
        self.parts.insert(in_file(at), part);
    }

    fn key(&mut self, hive: &Hive<'_>, node: &KeyNode<'_>, path: &str) {
        let key = || path.to_owned();
        for &(field, name) in KEY_FIELDS {
            let place = if field == 0 { 0 } else { field + 4 };
            let part = Part::Key {
                key: key(),
                field: name,
            };
            self.parts.insert(in_file(node.at()) + place, part);
        }
        if node.class_name_length() > 0 && !node.class_name().is_none() {
            self.whole(node.class_name(), Part::Class { key: key() });
        }
        if node.subkey_count() > 0 {
            self.whole(node.subkeys_list(), Part::Subkeys { key: key() });
            for leaf in hive.leaves(node).unwrap() {
                self.whole(leaf, Part::Subkeys { key: key() });
            }
        }
        let values = hive.values(node).unwrap();
        if !values.is_empty() {
            self.whole(node.values_list(), Part::List { key: key() });
        }
        for at in values {
            self.value(hive, at, path);
        }
    }

    fn value(&mut self, hive: &Hive<'_>, at: CellOffset, path: &str) {
        let value = hive.value(at).unwrap();
        let (key, name) = (path.to_owned(), value.name().to_name().to_string());
        for &(field, what) in VALUE_FIELDS {
            let place = if field == 0 { 0 } else { field + 4 };
            let part = Part::Value {
                key: key.clone(),
                name: name.clone(),
                field: what,
            };
            self.parts.insert(in_file(at) + place, part);
        }
        if value.is_inline() || value.data_size() == 0 {
            return;
        }
        let data = Part::Data { key, name };
        let first = value.data_offset();
        self.whole(first, data.clone());
        if !needs_big_data(hive.base().minor, value.data_size()) {
            return;
        }
        let bytes = hive.cell(first, Record::BigData).unwrap();
        let record = BigData::parse(first, &bytes).unwrap();
        let list = record.segments_list;
        self.whole(list, data.clone());
        let list = hive.cell(list, Record::SegmentsList).unwrap();
        let segments = list.chunks_exact(4).take(usize::from(record.segment_count));
        for at in segments {
            let at = u32::from_le_bytes(at.try_into().unwrap());
            self.whole(CellOffset(at), data.clone());
        }
    }
}

fn in_file(at: CellOffset) -> usize {
    usize::try_from(at.in_file().0).unwrap()
}
