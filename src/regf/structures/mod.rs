// SPDX-License-Identifier: GPL-3.0-or-later
//! The structures of the specification, byte for byte as they are on disk, each declared once.
//!
//! Who reads takes a whole structure out of the bytes; who writes puts one back, or one [`Field`] of
//! it. Nothing else in the house knows where a field stands. What follows a structure in its cell (a
//! name, a descriptor, elements) is not part of it.
//!
//! Spec: regf, *Format of primary files*.

mod base_block;
mod big_data;
mod hive_bin;
mod key_node;
mod key_security;
mod key_value;
mod subkeys_list;

pub use base_block::BaseBlockHead;
pub use big_data::BigDataRecord;
pub use hive_bin::HiveBinHeader;
pub use key_node::KeyNodeHeader;
pub use key_security::KeySecurityHeader;
pub use key_value::KeyValueHeader;
pub use subkeys_list::{HintedElement, ListHeader};

use std::marker::PhantomData;

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::CellOffset;

/// A cell's position as a structure stores it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(transparent)]
pub struct Offset(U32);

impl Offset {
    /// The offset that points nowhere.
    pub const NONE: Self = Self(U32::new(CellOffset::NONE.0));

    /// The position.
    pub fn get(self) -> CellOffset {
        CellOffset(self.0.get())
    }
}

impl From<CellOffset> for Offset {
    fn from(cell: CellOffset) -> Self {
        Self(U32::new(cell.0))
    }
}

/// The structure that `bytes` begin with; nothing where they end before it does.
pub fn read<S: FromBytes>(bytes: &[u8]) -> Option<S> {
    S::read_from_prefix(bytes)
        .ok()
        .map(|(structure, _)| structure)
}

/// The structures that `bytes` are, one behind the other: all that are whole.
pub fn listed<S: FromBytes + Immutable + Unaligned>(bytes: &[u8]) -> &[S] {
    let count = bytes.len().checked_div(size_of::<S>()).unwrap_or(0);
    <[S]>::ref_from_prefix_with_elems(bytes, count).map_or(&[], |(elements, _)| elements)
}

/// A field of the structure `S`, of the type `T`; `field!` makes one of its name.
///
/// For bytes in which the structure may not be whole, and for writing a field and nothing around it.
#[derive(Debug)]
pub struct Field<S, T> {
    offset: usize,
    of: PhantomData<fn(&S) -> &T>,
}

impl<S, T> Clone for Field<S, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, T> Copy for Field<S, T> {}

impl<S, T> Field<S, T> {
    /// The field at `offset`; the function only says of which type it is.
    pub const fn new(offset: usize, _: fn(&S) -> &T) -> Self {
        let of = PhantomData;
        Self { offset, of }
    }

    /// Bytes of the structure in front of it.
    pub fn offset(self) -> usize {
        self.offset
    }
}

impl<S, T: FromBytes> Field<S, T> {
    /// The field in `bytes`, in which the structure begins; nothing where they end before it does.
    pub fn read(self, bytes: &[u8]) -> Option<T> {
        read(bytes.get(self.offset..)?)
    }
}

impl<S, T: IntoBytes + Immutable> Field<S, T> {
    /// Writes the field into `bytes`, in which the structure begins; nothing where they end before it
    /// does.
    pub fn write(self, bytes: &mut [u8], value: impl Into<T>) {
        if let Some(place) = bytes.get_mut(self.offset..) {
            // Nothing is written where the room is too small.
            let _ = value.into().write_to_prefix(place);
        }
    }
}

/// The [`Field`] of that name: `field!(KeyNodeHeader.parent)`.
macro_rules! field {
    ($structure:ident.$name:ident) => {
        $crate::regf::structures::Field::<$structure, _>::new(
            ::std::mem::offset_of!($structure, $name),
            |structure: &$structure| &structure.$name,
        )
    };
}
pub(crate) use field;
