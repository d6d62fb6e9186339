// SPDX-License-Identifier: GPL-3.0-or-later
//! Subkeys lists: index leaf, fast leaf, hash leaf, and the index root above them.

use super::key_node::{check_length, whole};
use super::structures::{HintedElement, ListHeader, Offset, listed};
use super::{CellOffset, Fault, Name, Record, RegfError, upcase};
use zerocopy::IntoBytes;

/// The kinds of subkeys list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `li`: offsets only.
    IndexLeaf,
    /// `lf`: offsets and the first four characters of each name.
    FastLeaf,
    /// `lh`: offsets and a hash of each name.
    HashLeaf,
    /// `ri`: offsets of leaves.
    IndexRoot,
}

impl ListKind {
    /// The two bytes that such a list begins with.
    pub fn signature(self) -> &'static [u8; 2] {
        match self {
            Self::IndexLeaf => b"li",
            Self::FastLeaf => b"lf",
            Self::HashLeaf => b"lh",
            Self::IndexRoot => b"ri",
        }
    }

    /// Bytes of an element.
    pub fn element_size(self) -> usize {
        match self {
            Self::IndexLeaf | Self::IndexRoot => size_of::<Offset>(),
            Self::FastLeaf | Self::HashLeaf => size_of::<HintedElement>(),
        }
    }

    /// Whether an element of such a list, with this beside its cell, may lead to a key called `name`,
    /// whose hash is `hash`.
    pub(super) fn may_be(self, extra: [u8; 4], name: &Name, hash: u32) -> bool {
        match self {
            Self::HashLeaf => u32::from_le_bytes(extra) == hash,
            Self::FastLeaf => hint_may_match(extra, name.hint()),
            Self::IndexLeaf | Self::IndexRoot => true,
        }
    }

    /// Bytes of a list of `count` elements.
    pub(crate) fn list_size(self, count: usize) -> usize {
        let elements = count.saturating_mul(self.element_size());
        size_of::<ListHeader>().saturating_add(elements)
    }

    /// The header of a list of `count` elements; nothing where that is more than it can count.
    pub(crate) fn header(self, count: usize) -> Option<ListHeader> {
        let signature = *self.signature();
        let count = u16::try_from(count).ok()?.into();
        Some(ListHeader { signature, count })
    }

    /// Appends an element to the list that `bytes` are: `cell` and, in a leaf that has such, what
    /// stands beside it.
    pub(crate) fn push_element(self, bytes: &mut Vec<u8>, cell: CellOffset, extra: [u8; 4]) {
        let cell = Offset::from(cell);
        match self {
            Self::IndexLeaf | Self::IndexRoot => bytes.extend_from_slice(cell.as_bytes()),
            Self::FastLeaf | Self::HashLeaf => {
                bytes.extend_from_slice(HintedElement { cell, extra }.as_bytes());
            }
        }
    }

    /// The kind of a list that begins with `signature`.
    pub(crate) fn from_signature(signature: [u8; 2]) -> Option<Self> {
        match &signature {
            b"li" => Some(Self::IndexLeaf),
            b"lf" => Some(Self::FastLeaf),
            b"lh" => Some(Self::HashLeaf),
            b"ri" => Some(Self::IndexRoot),
            _ => None,
        }
    }
}

/// A subkeys list in a cell's payload.
///
/// Spec: regf, *Index leaf*, *Fast leaf*, *Hash leaf*, *Index root*.
#[derive(Clone, Copy, Debug)]
pub struct SubkeysList<'a> {
    /// Its kind.
    pub kind: ListKind,
    /// Of a list whose elements have hints or hashes; none in the others.
    hinted: &'a [HintedElement],
    /// Of the others.
    plain: &'a [Offset],
}

impl<'a> SubkeysList<'a> {
    /// Reads the list in the cell at `at`, whose payload is `bytes`.
    ///
    /// # Errors
    ///
    /// [`Fault::BadSignature`], or [`Fault::Truncated`] where the elements leave the cell.
    pub fn parse(at: CellOffset, bytes: &'a [u8]) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), Record::SubkeysList, fault);
        let header: ListHeader = whole(bytes).map_err(error)?;
        let Some(kind) = ListKind::from_signature(header.signature) else {
            let [first, second] = header.signature;
            let found = [first, second, b' ', b' '];
            let expected = "lh\", \"lf\", \"li\" or \"ri";
            return Err(error(Fault::BadSignature { found, expected }));
        };
        let end = kind.list_size(usize::from(header.count.get()));
        check_length(bytes, end).map_err(error)?;
        let elements = bytes.get(size_of::<ListHeader>()..end).unwrap_or(&[]);
        Ok(Self::of(kind, elements))
    }

    /// A list of which only the elements are to be believed: all whole ones in `elements`.
    pub(crate) fn of(kind: ListKind, elements: &'a [u8]) -> Self {
        let (hinted, plain) = match kind {
            ListKind::FastLeaf | ListKind::HashLeaf => (listed(elements), &[][..]),
            ListKind::IndexLeaf | ListKind::IndexRoot => (&[][..], listed(elements)),
        };
        Self {
            kind,
            hinted,
            plain,
        }
    }

    /// How many elements it has.
    pub fn len(self) -> usize {
        self.hinted.len().saturating_add(self.plain.len())
    }

    /// Whether it has no element.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The cell that the element at `index` leads to.
    pub fn cell(self, index: usize) -> Option<CellOffset> {
        let hinted = self.hinted.get(index).map(|element| element.cell);
        let cell = hinted.or_else(|| self.plain.get(index).copied())?;
        Some(cell.get())
    }

    /// The cells that the elements lead to: key nodes, or leaves for an index root.
    pub fn cells(self) -> impl Iterator<Item = CellOffset> + 'a {
        self.elements().map(|(cell, _)| cell)
    }

    /// The cells with what stands beside them: a hint, a hash, or zero.
    pub fn elements(self) -> impl Iterator<Item = (CellOffset, [u8; 4])> + 'a {
        let hinted = self.hinted.iter();
        let hinted = hinted.map(|element| (element.cell.get(), element.extra));
        hinted.chain(self.plain.iter().map(|cell| (cell.get(), [0; 4])))
    }

    /// The cells of the elements that may lead to a key called `name`, whose hash is `hash`.
    ///
    /// A list may have thousands of elements, and a hash tells nearly all of them apart.
    pub fn candidates(self, name: &Name, hash: u32) -> impl Iterator<Item = CellOffset> {
        let wanted = hash.to_le_bytes();
        let (hashed, other) = match self.kind {
            ListKind::HashLeaf => (self.hinted, None),
            _ => (&[][..], Some(self.elements())),
        };
        let hashed = hashed.iter();
        let hashed = hashed.filter(move |element| element.extra == wanted);
        let hashed = hashed.map(|element| element.cell.get());
        let other = other.into_iter().flatten();
        let other = other.filter(move |(_, extra)| self.may_be(*extra, name, hash));
        hashed.chain(other.map(|(cell, _)| cell))
    }

    /// Whether an element with this hint or hash may lead to a key called `name`.
    pub fn may_be(self, extra: [u8; 4], name: &Name, hash: u32) -> bool {
        self.kind.may_be(extra, name, hash)
    }
}

/// Only ASCII characters rule a key out: others were written in more than one way.
fn hint_may_match(found: [u8; 4], wanted: [u8; 4]) -> bool {
    found.iter().zip(wanted).all(|(&found, wanted)| {
        let judged = found.is_ascii() && wanted.is_ascii() && found != 0 && wanted != 0;
        !judged || upcase(u16::from(found)) == upcase(u16::from(wanted))
    })
}

/// Fails where a leaf stands where only an index root may, or the other way round.
pub(super) fn expect_leaf(at: CellOffset, list: SubkeysList<'_>) -> Result<(), RegfError> {
    if list.kind != ListKind::IndexRoot {
        return Ok(());
    }
    let (found, expected) = (*b"ri  ", "lh\", \"lf\" or \"li");
    let fault = Fault::BadSignature { found, expected };
    Err(RegfError::new(at.in_file(), Record::SubkeysList, fault))
}
