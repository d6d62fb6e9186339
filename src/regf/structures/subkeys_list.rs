// SPDX-License-Identifier: GPL-3.0-or-later
//! Subkeys lists.

use zerocopy::little_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::Offset;

/// A subkeys list in front of its elements: plain [`Offset`]s in an index leaf (`li`) and an index root
/// (`ri`), [`HintedElement`]s in a fast leaf (`lf`) and a hash leaf (`lh`).
///
/// Spec: regf, *Index leaf*, *Fast leaf*, *Hash leaf*, *Index root*.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct ListHeader {
    /// `li`, `lf`, `lh` or `ri`.
    pub signature: [u8; 2],
    /// How many elements follow.
    pub count: U16,
}

const _: () = assert!(size_of::<ListHeader>() == 4);

/// An element of a fast leaf or a hash leaf.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct HintedElement {
    /// The key node.
    pub cell: Offset,
    /// The first four characters of its name, or the name's hash.
    pub extra: [u8; 4],
}

const _: () = assert!(size_of::<HintedElement>() == 8);
