// SPDX-License-Identifier: GPL-3.0-or-later
//! A fresh hive from what was saved.
//!
//! Nothing of the damaged one's structure is taken over, so that nothing in it can lead into damage. What
//! nodes hold besides structure stays as it was: times, flags, access bits.

use super::bins::{Bins, HEADER, UNIT, usize_of};
use super::error::MendError;
use super::model::{Bytes, Data, Origin, ROOT, Tree, Value};
use crate::regf::{
    CellOffset, DATA_SEGMENT_SIZE, INLINE_DATA, KEY_NODE_HEADER_SIZE, KEY_VALUE_HEADER_SIZE,
    ListKind, key_flags, key_node_field, key_value_field, needs_big_data, value_flags,
};

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
    time: [u8; 8],
}

/// The bins of a fresh hive, and where its root is.
pub(super) struct Written {
    pub(super) bins: Vec<u8>,
    pub(super) root: u32,
}

/// Writes `tree`, whose bytes stand in `bins`, for version 1.`minor`.
pub(super) fn write(tree: &Tree, bins: &Bins, minor: u32) -> Result<Written, MendError> {
    let mut time = [0; 8];
    time.copy_from_slice(bins.bytes.get(20..28).unwrap_or(&[0; 8]));
    let mut writer = Writer {
        bytes: Vec::with_capacity(bins.size()),
        open: Vec::new(),
        time,
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
        let mut payload = key.head.to_vec();
        payload.extend_from_slice(&key.name);
        let node = writer.put(&payload)?;
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
        writer.set(node, key_node_field::SECURITY, &security.to_le_bytes());
    }
    for (index, list, children) in lists {
        let at = fill_lists(&mut writer, tree, &nodes, &list, &children);
        let node = nodes.get(index).copied().unwrap_or(CellOffset::NONE.0);
        writer.set(node, key_node_field::SUBKEYS_LIST, &at.to_le_bytes());
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
        let size = here.saturating_mul(kind.element_size()).saturating_add(4);
        leaves.push((writer.put(&vec![0; size])?, here));
        left = left.saturating_sub(here);
    }
    let root = match leaves.len() {
        0 | 1 => None,
        count => Some(writer.put(&vec![0; count.saturating_mul(4).saturating_add(4)])?),
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
    let mut roots = Vec::new();
    for (leaf, count) in &lists.leaves {
        let mut payload = header(lists.kind, *count);
        for index in children.by_ref().take(*count) {
            let Some(key) = tree.keys.get(*index) else {
                continue;
            };
            let node = nodes.get(*index).copied().unwrap_or(CellOffset::NONE.0);
            payload.extend(node.to_le_bytes());
            match lists.kind {
                ListKind::HashLeaf => payload.extend(key.stored_name().hash().to_le_bytes()),
                ListKind::FastLeaf => payload.extend(key.stored_name().hint()),
                _ => {}
            }
        }
        writer.set(*leaf, 0, &payload);
        roots.extend(leaf.to_le_bytes());
    }
    match lists.root {
        None => lists
            .leaves
            .first()
            .map_or(CellOffset::NONE.0, |(leaf, _)| *leaf),
        Some(root) => {
            let mut payload = header(ListKind::IndexRoot, lists.leaves.len());
            payload.extend(roots);
            writer.set(root, 0, &payload);
            root
        }
    }
}

fn header(kind: ListKind, count: usize) -> Vec<u8> {
    let mut payload = kind.signature().to_vec();
    payload.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
    payload
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
    let list = writer.put(&vec![0; values.len().saturating_mul(4)])?;
    let mut elements = Vec::new();
    for value in values {
        let name = value.name.of(bins);
        let mut payload = vec![0; KEY_VALUE_HEADER_SIZE];
        put(&mut payload, 0, b"vk");
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        put(
            &mut payload,
            key_value_field::NAME_LENGTH,
            &length.to_le_bytes(),
        );
        put(
            &mut payload,
            key_value_field::DATA_TYPE,
            &value.kind.to_le_bytes(),
        );
        put(
            &mut payload,
            key_value_field::FLAGS,
            &value.flags.to_le_bytes(),
        );
        let spare = key_value_field::FLAGS.saturating_add(2);
        put(&mut payload, spare, &value.spare.to_le_bytes());
        payload.extend_from_slice(name);
        let at = writer.put(&payload)?;
        let (size, offset) = write_data(writer, &value.data, bins, minor)?;
        writer.set(at, key_value_field::DATA_SIZE, &size.to_le_bytes());
        writer.set(at, key_value_field::DATA_OFFSET, &offset.to_le_bytes());
        elements.extend(at.to_le_bytes());
    }
    writer.set(list, 0, &elements);
    Ok(list)
}

/// The fields of a value that say how much data it has and where.
fn write_data(
    writer: &mut Writer,
    data: &Data,
    bins: &Bins,
    minor: u32,
) -> Result<(u32, u32), MendError> {
    match data {
        Data::Inline(field, size) => Ok((size | INLINE_DATA, u32::from_le_bytes(*field))),
        Data::Empty(size, offset) => Ok((*size, *offset)),
        Data::Cell(Bytes::In { start, length })
            if !needs_big_data(minor, u32::try_from(*length).unwrap_or(u32::MAX)) =>
        {
            let size = u32::try_from(*length).map_err(|_| MendError::TooLarge)?;
            Ok((size, writer.put(bins.slice(*start, *length))?))
        }
        data => {
            let bytes = data.bytes(bins);
            let size = u32::try_from(bytes.len()).map_err(|_| MendError::TooLarge)?;
            match needs_big_data(minor, size) {
                false => Ok((size, writer.put(&bytes)?)),
                true => Ok((size, write_segments(writer, &bytes)?)),
            }
        }
    }
}

fn write_segments(writer: &mut Writer, bytes: &[u8]) -> Result<u32, MendError> {
    let each = usize_of(DATA_SEGMENT_SIZE);
    let count = bytes.len().div_ceil(each);
    let mut record = b"db".to_vec();
    record.extend(
        u16::try_from(count)
            .map_err(|_| MendError::TooLarge)?
            .to_le_bytes(),
    );
    record.extend([0; 4]);
    let at = writer.put(&record)?;
    let list = writer.put(&vec![0; count.saturating_mul(4)])?;
    let mut elements = Vec::new();
    for part in bytes.chunks(each) {
        let mut payload = part.to_vec();
        payload.resize(each, 0);
        elements.extend(writer.put(&payload)?.to_le_bytes());
    }
    writer.set(list, 0, &elements);
    writer.set(at, 4, &list.to_le_bytes());
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
    let mut head = key.head.to_vec();
    put(&mut head, 0, b"nk");
    let mut flags = key.word(key_node_field::FLAGS);
    flags &= !(key_flags::VOLATILE | key_flags::HIVE_EXIT | ROOT_ONLY | key_flags::COMP_NAME);
    if key.is_narrow {
        flags |= key_flags::COMP_NAME;
    }
    if index == ROOT {
        flags |= ROOT_ONLY;
    }
    let is_handle = flags & key_flags::PREDEF_HANDLE != 0;
    put(&mut head, key_node_field::FLAGS, &flags.to_le_bytes());
    let mut long = |field, value: u32| put(&mut head, field, &value.to_le_bytes());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    if index != ROOT || key.origin != Origin::Node {
        long(key_node_field::PARENT, parent);
    }
    long(key_node_field::SUBKEY_COUNT, count(key.children.len()));
    long(key_node_field::VOLATILE_SUBKEY_COUNT, 0);
    long(key_node_field::SUBKEYS_LIST, CellOffset::NONE.0);
    long(key_node_field::VOLATILE_SUBKEYS_LIST, CellOffset::NONE.0);
    if !is_handle {
        long(key_node_field::VALUE_COUNT, count(key.values.len()));
    }
    long(key_node_field::VALUES_LIST, values);
    long(key_node_field::CLASS_NAME, class);
    let names = key
        .values
        .iter()
        .map(|value| match value.flags & value_flags::COMP_NAME {
            0 => value.name.len(),
            _ => value.name.len().saturating_mul(2),
        });
    long(
        key_node_field::LARGEST_VALUE_NAME,
        count(names.max().unwrap_or(0)),
    );
    let data = key.values.iter().map(|value| value.data.len());
    long(
        key_node_field::LARGEST_VALUE_DATA,
        count(data.max().unwrap_or(0)),
    );
    let below = || {
        key.children
            .iter()
            .filter_map(|child| tree.keys.get(*child))
    };
    let classes = below().map(|child| child.class.len()).max().unwrap_or(0);
    long(key_node_field::LARGEST_SUBKEY_CLASS, count(classes));
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
    let names = below().map(|child| child.stored_name().utf16_size()).max();
    put(
        &mut head,
        key_node_field::LARGEST_SUBKEY_NAME,
        &short(names.unwrap_or(0)),
    );
    put(
        &mut head,
        key_node_field::NAME_LENGTH,
        &short(key.name.len()),
    );
    put(
        &mut head,
        key_node_field::CLASS_NAME_LENGTH,
        &short(key.class.len()),
    );
    writer.set(node, 0, &head);
}

/// The ring of records, one for each descriptor that is used.
fn write_security(writer: &mut Writer, tree: &Tree, uses: &[u32]) -> Result<Vec<u32>, MendError> {
    let mut places = vec![CellOffset::NONE.0; tree.descriptors.len()];
    let mut ring = Vec::new();
    for ((descriptor, count), place) in tree.descriptors.iter().zip(uses).zip(&mut places) {
        if *count == 0 {
            continue;
        }
        let mut payload = b"sk\0\0".to_vec();
        payload.extend([0; 8]);
        payload.extend(count.to_le_bytes());
        payload.extend(u32::try_from(descriptor.len()).unwrap_or(0).to_le_bytes());
        payload.extend_from_slice(descriptor);
        *place = writer.put(&payload)?;
        ring.push(*place);
    }
    let next = ring.iter().cycle().skip(1);
    for (at, next) in ring.iter().zip(next) {
        writer.set(
            *at,
            crate::regf::key_security_field::FLINK,
            &next.to_le_bytes(),
        );
        writer.set(
            *next,
            crate::regf::key_security_field::BLINK,
            &at.to_le_bytes(),
        );
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
        put(&mut self.bytes, start, b"hbin");
        put(
            &mut self.bytes,
            start.saturating_add(4),
            &offset.to_le_bytes(),
        );
        put(
            &mut self.bytes,
            start.saturating_add(8),
            &length.to_le_bytes(),
        );
        if start == 0 {
            let time = self.time;
            put(&mut self.bytes, 20, &time);
        }
        Ok((start.saturating_add(HEADER), end))
    }

    fn free(&mut self, at: usize, end: usize) {
        let size = i32::try_from(end.saturating_sub(at)).unwrap_or(0);
        put(&mut self.bytes, at, &size.to_le_bytes());
    }

    /// Writes into the payload of the cell at `at`.
    fn set(&mut self, at: u32, field: usize, bytes: &[u8]) {
        let place = usize_of(at).saturating_add(4).saturating_add(field);
        put(&mut self.bytes, place, bytes);
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

const _: () = assert!(KEY_NODE_HEADER_SIZE == key_node_field::NAME);
