// SPDX-License-Identifier: GPL-3.0-or-later
//! Subkeys lists: index leaf, fast leaf, hash leaf, and the index root above them.

use super::bytes::{u16_at, u32_at};
use super::key_node::check_length;
use super::{CellOffset, Fault, Name, Record, RegfError, upcase};

/// Bytes of a subkeys list in front of its elements.
pub const LIST_HEADER_SIZE: usize = 4;

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
            Self::IndexLeaf | Self::IndexRoot => 4,
            Self::FastLeaf | Self::HashLeaf => 8,
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

    fn from_signature(signature: [u8; 2]) -> Option<Self> {
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
    elements: &'a [u8],
}

impl<'a> SubkeysList<'a> {
    /// Reads the list in the cell at `at`, whose payload is `bytes`.
    ///
    /// # Errors
    ///
    /// [`Fault::BadSignature`], or [`Fault::Truncated`] where the elements leave the cell.
    pub fn parse(at: CellOffset, bytes: &'a [u8]) -> Result<Self, RegfError> {
        let error = |fault| RegfError::new(at.in_file(), Record::SubkeysList, fault);
        check_length(bytes, LIST_HEADER_SIZE).map_err(error)?;
        let found = [bytes.first(), bytes.get(1)].map(|byte| byte.copied().unwrap_or(0));
        let Some(kind) = ListKind::from_signature(found) else {
            let [first, second] = found;
            let found = [first, second, b' ', b' '];
            let expected = "lh\", \"lf\", \"li\" or \"ri";
            return Err(error(Fault::BadSignature { found, expected }));
        };
        let count = usize::from(u16_at(bytes, 2).unwrap_or(0));
        let end = LIST_HEADER_SIZE.saturating_add(count.saturating_mul(kind.element_size()));
        check_length(bytes, end).map_err(error)?;
        let elements = bytes.get(LIST_HEADER_SIZE..end).unwrap_or(&[]);
        Ok(Self { kind, elements })
    }

    /// How many elements it has.
    pub fn len(self) -> usize {
        self.elements
            .len()
            .checked_div(self.kind.element_size())
            .unwrap_or(0)
    }

    /// Whether it has no element.
    pub fn is_empty(self) -> bool {
        self.elements.is_empty()
    }

    /// The cell that the element at `index` leads to.
    pub fn cell(self, index: usize) -> Option<CellOffset> {
        let size = self.kind.element_size();
        let start = index.checked_mul(size)?;
        Some(CellOffset(u32_at(self.elements, start)?))
    }

    /// The cells that the elements lead to: key nodes, or leaves for an index root.
    pub fn cells(self) -> impl Iterator<Item = CellOffset> + 'a {
        self.elements().map(|(cell, _)| cell)
    }

    /// The cells with what stands beside them: a hint, a hash, or zero.
    pub fn elements(self) -> impl Iterator<Item = (CellOffset, [u8; 4])> + 'a {
        let elements = self.elements.chunks_exact(self.kind.element_size());
        elements.map(|element| {
            let cell = CellOffset(u32_at(element, 0).unwrap_or(CellOffset::NONE.0));
            let extra = u32_at(element, 4).unwrap_or(0).to_le_bytes();
            (cell, extra)
        })
    }

    /// The cells of the elements that may lead to a key called `name`, whose hash is `hash`.
    ///
    /// A list may have thousands of elements, and a hash tells nearly all of them apart.
    pub fn candidates(self, name: &Name, hash: u32) -> impl Iterator<Item = CellOffset> {
        let wanted = hash.to_le_bytes();
        let (hashed, other) = match self.kind {
            ListKind::HashLeaf => (self.elements, None),
            _ => (&[][..], Some(self.elements())),
        };
        let hashed = hashed.as_chunks::<8>().0.iter();
        let hashed = hashed.filter(move |&&[_, _, _, _, e, f, g, h]| [e, f, g, h] == wanted);
        let hashed = hashed.map(|&[a, b, c, d, ..]| CellOffset(u32::from_le_bytes([a, b, c, d])));
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
