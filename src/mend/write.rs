// SPDX-License-Identifier: GPL-3.0-or-later
//! A fresh hive from what was saved.
//!
//! Nothing of the damaged one's structure is taken over, so that nothing in it can lead into damage. What
//! nodes hold besides structure stays as it was: times, flags, access bits.

use super::bins::{Bins, HEADER, UNIT, usize_of};
use super::error::MendError;
use super::model::{Bytes, Data, Origin, ROOT, Tree, Value};
use crate::regf::structures::{
    BigDataRecord, Field, HiveBinHeader, KeyNodeHeader, KeySecurityHeader, KeyValueHeader, Offset,
};
use crate::regf::{
    CellOffset, DATA_SEGMENT_SIZE, INLINE_DATA, ListKind, field, key_flags, needs_big_data,
    value_flags,
};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// The most elements of a hash leaf or an index leaf, and of a fast leaf.
const LEAF_LIMIT: usize = 1012;
const FAST_LEAF_LIMIT: usize = 507;
/// Bins with room left that are kept open for smaller cells.
const OPEN_BINS: usize = 12;
/// What a key with no flags, below the root, may not have in a file.
const ROOT_ONLY: u16 = key_flags::HIVE_ENTRY | key_flags::NO_DELETE;

/// Bins under construction.
struct Writer {
    bytes: Vec<u8>,
    /// Where there is room left: its beginning and end.
    open: Vec<(usize, usize)>,
    time: U64,
}

/// The bins of a fresh hive, and where its root is.
pub(super) struct Written {
    pub(super) bins: Vec<u8>,
    pub(super) root: u32,
}

/// Writes `tree`, whose bytes stand in `bins`, for version 1.`minor`.
pub(super) fn write(tree: &Tree, bins: &Bins, minor: u32) -> Result<Written, MendError> {
    let time = field!(HiveBinHeader.last_written).read(&bins.bytes);
    let mut writer = Writer {
        bytes: Vec::with_capacity(bins.size()),
        open: Vec::new(),
        time: time.unwrap_or(U64::ZERO),
    };
    let mut nodes = vec![CellOffset::NONE.0; tree.keys.len()];
    let order = depth_first(tree);
    let mut lists = Vec::new();
    let mut uses = vec![0_u32; tree.descriptors.len()];
    for &index in &order {
        let Some(key) = tree.keys.get(index) else {
            continue;
        };
        if let Some(count) = uses.get_mut(key.security) {
            *count = count.saturating_add(1);
        }
        let node = writer.put(&[key.head.as_bytes(), &key.name].concat())?;
        if let Some(place) = nodes.get_mut(index) {
            *place = node;
        }
        if !key.children.is_empty() {
            let children = sorted(tree, &key.children);
            lists.push((
                index,
                reserve_lists(&mut writer, children.len(), minor)?,
                children,
            ));
        }
        let class = match key.class.len() {
            0 => CellOffset::NONE.0,
            _ => writer.put(key.class.of(bins))?,
        };
        let values = write_values(&mut writer, &key.values, bins, minor)?;
        let parent = nodes.get(key.parent).copied().unwrap_or(CellOffset::NONE.0);
        finish_node(&mut writer, tree, index, node, (parent, class, values));
    }
    let securities = write_security(&mut writer, tree, &uses)?;
    for (index, key) in tree.keys.iter().enumerate() {
        let node = nodes.get(index).copied().unwrap_or(CellOffset::NONE.0);
        let security = securities
            .get(key.security)
            .copied()
            .unwrap_or(CellOffset::NONE.0);
        writer.set(node, field!(KeyNodeHeader.security), CellOffset(security));
    }
    for (index, list, children) in lists {
        let at = fill_lists(&mut writer, tree, &nodes, &list, &children);
        let node = nodes.get(index).copied().unwrap_or(CellOffset::NONE.0);
        writer.set(node, field!(KeyNodeHeader.subkeys_list), CellOffset(at));
    }
    Ok(Written {
        bins: writer.close(),
        root: nodes.get(ROOT).copied().unwrap_or(CellOffset::NONE.0),
    })
}

fn depth_first(tree: &Tree) -> Vec<usize> {
    let mut order = Vec::with_capacity(tree.keys.len());
    let mut waiting = vec![ROOT];
    while let Some(index) = waiting.pop() {
        let Some(key) = tree.keys.get(index) else {
            continue;
        };
        order.push(index);
        waiting.extend(sorted(tree, &key.children).into_iter().rev());
    }
    order
}

fn sorted(tree: &Tree, children: &[usize]) -> Vec<usize> {
    let mut sorted = children.to_vec();
    sorted.sort_by(
        |one, other| match (tree.keys.get(*one), tree.keys.get(*other)) {
            (Some(one), Some(other)) => one.stored_name().order(other.stored_name()),
            _ => one.cmp(other),
        },
    );
    sorted
}

/// Cells of a subkeys list that is still to be filled.
struct Lists {
    kind: ListKind,
    /// Each leaf, and how many elements it has.
    leaves: Vec<(u32, usize)>,
    root: Option<u32>,
}

fn reserve_lists(writer: &mut Writer, count: usize, minor: u32) -> Result<Lists, MendError> {
    let (kind, limit) = match minor {
        5.. => (ListKind::HashLeaf, LEAF_LIMIT),
        _ if count <= FAST_LEAF_LIMIT => (ListKind::FastLeaf, FAST_LEAF_LIMIT),
        _ => (ListKind::IndexLeaf, LEAF_LIMIT),
    };
    let number = count.div_ceil(limit).max(1);
    let each = count.div_ceil(number);
    let mut leaves = Vec::new();
    let mut left = count;
    while left > 0 {
        let here = left.min(each);
        leaves.push((writer.put(&vec![0; kind.list_size(here)])?, here));
        left = left.saturating_sub(here);
    }
    let root = match leaves.len() {
        0 | 1 => None,
        count => Some(writer.put(&vec![0; ListKind::IndexRoot.list_size(count)])?),
    };
    Ok(Lists { kind, leaves, root })
}

fn fill_lists(
    writer: &mut Writer,
    tree: &Tree,
    nodes: &[u32],
    lists: &Lists,
    children: &[usize],
) -> u32 {
    let mut children = children.iter();
    for (leaf, count) in &lists.leaves {
        let mut payload = header(lists.kind, *count);
        for index in children.by_ref().take(*count) {
            let Some(key) = tree.keys.get(*index) else {
                continue;
            };
            let node = nodes.get(*index).copied().unwrap_or(CellOffset::NONE.0);
            let extra = match lists.kind {
                ListKind::HashLeaf => key.stored_name().hash().to_le_bytes(),
                ListKind::FastLeaf => key.stored_name().hint(),
                ListKind::IndexLeaf | ListKind::IndexRoot => [0; 4],
            };
            lists
                .kind
                .push_element(&mut payload, CellOffset(node), extra);
        }
        writer.fill(*leaf, &payload);
    }
    match lists.root {
        None => lists
            .leaves
            .first()
            .map_or(CellOffset::NONE.0, |(leaf, _)| *leaf),
        Some(root) => {
            let kind = ListKind::IndexRoot;
            let mut payload = header(kind, lists.leaves.len());
            for (leaf, _) in &lists.leaves {
                kind.push_element(&mut payload, CellOffset(*leaf), [0; 4]);
            }
            writer.fill(root, &payload);
            root
        }
    }
}

/// The header of a list of `count` elements, which is never more than the limit of a list.
fn header(kind: ListKind, count: usize) -> Vec<u8> {
    let count = count.min(usize::from(u16::MAX));
    let header = kind.header(count);
    header.map_or(Vec::new(), |header| header.as_bytes().to_vec())
}

fn write_values(
    writer: &mut Writer,
    values: &[Value],
    bins: &Bins,
    minor: u32,
) -> Result<u32, MendError> {
    if values.is_empty() {
        return Ok(CellOffset::NONE.0);
    }
    let list = writer.put(&vec![0; values.len().saturating_mul(size_of::<Offset>())])?;
    let mut elements: Vec<Offset> = Vec::new();
    for value in values {
        let name = value.name.of(bins);
        let header = KeyValueHeader {
            signature: KeyValueHeader::SIGNATURE,
            name_length: u16::try_from(name.len()).unwrap_or(u16::MAX).into(),
            data_size: U32::ZERO,
            data_offset: [0; 4],
            data_type: value.kind.into(),
            flags: value.flags.into(),
            spare: value.spare.into(),
        };
        let at = writer.put(&[header.as_bytes(), name].concat())?;
        let (size, offset) = write_data(writer, &value.data, bins, minor)?;
        writer.set(at, field!(KeyValueHeader.data_size), size);
        writer.set(at, field!(KeyValueHeader.data_offset), offset);
        elements.push(CellOffset(at).into());
    }
    writer.fill(list, elements.as_bytes());
    Ok(list)
}

/// The fields of a value that say how much data it has and where.
fn write_data(
    writer: &mut Writer,
    data: &Data,
    bins: &Bins,
    minor: u32,
) -> Result<(u32, [u8; 4]), MendError> {
    match data {
        Data::Inline(field, size) => Ok((size | INLINE_DATA, *field)),
        Data::Empty(size, offset) => Ok((*size, offset.to_le_bytes())),
        Data::Cell(Bytes::In { start, length })
            if !needs_big_data(minor, u32::try_from(*length).unwrap_or(u32::MAX)) =>
        {
            let size = u32::try_from(*length).map_err(|_| MendError::TooLarge)?;
            let at = writer.put(bins.slice(*start, *length))?;
            Ok((size, at.to_le_bytes()))
        }
        data => {
            let bytes = data.bytes(bins);
            let size = u32::try_from(bytes.len()).map_err(|_| MendError::TooLarge)?;
            let at = match needs_big_data(minor, size) {
                false => writer.put(&bytes)?,
                true => write_segments(writer, &bytes)?,
            };
            Ok((size, at.to_le_bytes()))
        }
    }
}

fn write_segments(writer: &mut Writer, bytes: &[u8]) -> Result<u32, MendError> {
    let each = usize_of(DATA_SEGMENT_SIZE);
    let count = bytes.len().div_ceil(each);
    let record = BigDataRecord {
        signature: BigDataRecord::SIGNATURE,
        segment_count: u16::try_from(count)
            .map_err(|_| MendError::TooLarge)?
            .into(),
        segments_list: CellOffset(0).into(),
    };
    let at = writer.put(record.as_bytes())?;
    let list = writer.put(&vec![0; count.saturating_mul(size_of::<Offset>())])?;
    let mut elements: Vec<Offset> = Vec::new();
    for part in bytes.chunks(each) {
        let mut payload = part.to_vec();
        payload.resize(each, 0);
        elements.push(CellOffset(writer.put(&payload)?).into());
    }
    writer.fill(list, elements.as_bytes());
    writer.set(at, field!(BigDataRecord.segments_list), CellOffset(list));
    Ok(at)
}

fn finish_node(
    writer: &mut Writer,
    tree: &Tree,
    index: usize,
    node: u32,
    (parent, class, values): (u32, u32, u32),
) {
    let Some(key) = tree.keys.get(index) else {
        return;
    };
    let mut head = key.head.clone();
    head.signature = KeyNodeHeader::SIGNATURE;
    let mut flags = head.flags.get();
    flags &= !(key_flags::VOLATILE | key_flags::HIVE_EXIT | ROOT_ONLY | key_flags::COMP_NAME);
    if key.is_narrow {
        flags |= key_flags::COMP_NAME;
    }
    if index == ROOT {
        flags |= ROOT_ONLY;
    }
    head.flags.set(flags);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    if index != ROOT || key.origin != Origin::Node {
        head.parent = CellOffset(parent).into();
    }
    head.subkey_count.set(count(key.children.len()));
    head.volatile_subkey_count.set(0);
    head.subkeys_list = Offset::NONE;
    head.volatile_subkeys_list = Offset::NONE;
    if flags & key_flags::PREDEF_HANDLE == 0 {
        head.value_count.set(count(key.values.len()));
    }
    head.values_list = CellOffset(values).into();
    head.class_name = CellOffset(class).into();
    let names = key
        .values
        .iter()
        .map(|value| match value.flags & value_flags::COMP_NAME {
            0 => value.name.len(),
            _ => value.name.len().saturating_mul(2),
        });
    head.largest_value_name.set(count(names.max().unwrap_or(0)));
    let data = key.values.iter().map(|value| value.data.len());
    head.largest_value_data.set(count(data.max().unwrap_or(0)));
    let below = || {
        key.children
            .iter()
            .filter_map(|child| tree.keys.get(*child))
    };
    let classes = below().map(|child| child.class.len()).max().unwrap_or(0);
    head.largest_subkey_class.set(count(classes));
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let names = below().map(|child| child.stored_name().utf16_size()).max();
    head.largest_subkey_name.set(short(names.unwrap_or(0)));
    head.name_length.set(short(key.name.len()));
    head.class_name_length.set(short(key.class.len()));
    writer.fill(node, head.as_bytes());
}

/// The ring of records, one for each descriptor that is used.
fn write_security(writer: &mut Writer, tree: &Tree, uses: &[u32]) -> Result<Vec<u32>, MendError> {
    let mut places = vec![CellOffset::NONE.0; tree.descriptors.len()];
    let mut ring = Vec::new();
    for ((descriptor, count), place) in tree.descriptors.iter().zip(uses).zip(&mut places) {
        if *count == 0 {
            continue;
        }
        let header = KeySecurityHeader {
            signature: KeySecurityHeader::SIGNATURE,
            reserved: [0; 2],
            flink: CellOffset(0).into(),
            blink: CellOffset(0).into(),
            reference_count: (*count).into(),
            descriptor_size: u32::try_from(descriptor.len()).unwrap_or(0).into(),
        };
        *place = writer.put(&[header.as_bytes(), descriptor].concat())?;
        ring.push(*place);
    }
    let next = ring.iter().cycle().skip(1);
    for (at, next) in ring.iter().zip(next) {
        writer.set(*at, field!(KeySecurityHeader.flink), CellOffset(*next));
        writer.set(*next, field!(KeySecurityHeader.blink), CellOffset(*at));
    }
    Ok(places)
}

impl Writer {
    /// Puts a cell with this payload somewhere.
    fn put(&mut self, payload: &[u8]) -> Result<u32, MendError> {
        let total = payload.len().saturating_add(4).next_multiple_of(8);
        let place = self
            .open
            .iter()
            .position(|(at, end)| end.saturating_sub(*at) >= total);
        let (at, end) = match place {
            Some(place) => self.open.remove(place),
            None => self.new_bin(total)?,
        };
        let behind = at.saturating_add(total);
        if behind < end {
            self.open.push((behind, end));
        }
        if self.open.len() > OPEN_BINS {
            // The least of them is given up.
            let least = self
                .open
                .iter()
                .enumerate()
                .min_by_key(|(_, (at, end))| end.saturating_sub(*at));
            if let Some((place, _)) = least {
                let (at, end) = self.open.remove(place);
                self.free(at, end);
            }
        }
        let size = i32::try_from(total).map_err(|_| MendError::TooLarge)?;
        put(&mut self.bytes, at, &size.wrapping_neg().to_le_bytes());
        put(&mut self.bytes, at.saturating_add(4), payload);
        u32::try_from(at).map_err(|_| MendError::TooLarge)
    }

    fn new_bin(&mut self, total: usize) -> Result<(usize, usize), MendError> {
        let start = self.bytes.len();
        let size = total.saturating_add(HEADER).next_multiple_of(UNIT);
        let end = start.saturating_add(size);
        let number = |number: usize| u32::try_from(number).map_err(|_| MendError::TooLarge);
        let (offset, length) = (number(start)?, number(size)?);
        number(end)?;
        self.bytes.resize(end, 0);
        let mut header = HiveBinHeader::new(offset, length);
        if start == 0 {
            header.last_written = self.time;
        }
        put(&mut self.bytes, start, header.as_bytes());
        Ok((start.saturating_add(HEADER), end))
    }

    fn free(&mut self, at: usize, end: usize) {
        let size = i32::try_from(end.saturating_sub(at)).unwrap_or(0);
        put(&mut self.bytes, at, &size.to_le_bytes());
    }

    /// Writes what the payload of the cell at `at` begins with.
    fn fill(&mut self, at: u32, bytes: &[u8]) {
        put(&mut self.bytes, usize_of(at).saturating_add(4), bytes);
    }

    /// Writes a field of the structure in the cell at `at`.
    fn set<S, T: IntoBytes + Immutable>(
        &mut self,
        at: u32,
        field: Field<S, T>,
        value: impl Into<T>,
    ) {
        if let Some(payload) = self.bytes.get_mut(usize_of(at).saturating_add(4)..) {
            field.write(payload, value);
        }
    }

    fn close(mut self) -> Vec<u8> {
        for (at, end) in std::mem::take(&mut self.open) {
            self.free(at, end);
        }
        self.bytes
    }
}

/// Writes `bytes` at `at`, if they have room there.
fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = to.get_mut(at..at.saturating_add(bytes.len())) {
        place.copy_from_slice(bytes);
    }
}
