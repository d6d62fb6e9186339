// SPDX-License-Identifier: GPL-3.0-or-later
//! The data of a value, one variant for each registry type.

use std::fmt;

use super::shown::{SHOWN, shown};
use super::upcase::{upcase, upcase_unit};
use crate::text::escape;

/// The registry types that the model looks into.
pub(super) const REG_SZ: u32 = 1;
pub(super) const REG_EXPAND_SZ: u32 = 2;
pub(super) const REG_DWORD: u32 = 4;
pub(super) const REG_MULTI_SZ: u32 = 7;
pub(super) const REG_QWORD: u32 = 11;

/// The data of a value with its registry type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// `REG_NONE`.
    None(Vec<u8>),
    /// `REG_SZ`.
    Sz(String),
    /// `REG_EXPAND_SZ`, with its `%variables%` as they are.
    ExpandSz(String),
    /// `REG_BINARY`.
    Binary(Vec<u8>),
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_DWORD_BIG_ENDIAN`.
    DwordBigEndian(u32),
    /// `REG_LINK`: the full path of another key.
    Link(String),
    /// `REG_MULTI_SZ`; no member is empty.
    MultiSz(Vec<String>),
    /// `REG_RESOURCE_LIST`.
    ResourceList(Vec<u8>),
    /// `REG_FULL_RESOURCE_DESCRIPTOR`.
    FullResourceDescriptor(Vec<u8>),
    /// `REG_RESOURCE_REQUIREMENTS_LIST`.
    ResourceRequirementsList(Vec<u8>),
    /// `REG_QWORD`.
    Qword(u64),
    /// A type that has no name, such as the device property types `0xFFFF0000` and above.
    Other {
        /// The type as stored.
        kind: u32,
        /// The data as stored.
        bytes: Vec<u8>,
    },
}

/// The types' field names in a profile; the position of each is its code.
pub(crate) const TYPE_FIELDS: [&str; 12] = [
    "none",
    "sz",
    "expand-sz",
    "binary",
    "dword",
    "dword-big-endian",
    "link",
    "multi-sz",
    "resource-list",
    "full-resource-descriptor",
    "resource-requirements-list",
    "qword",
];

/// Returns the name that Windows' headers give the type, or `None` if they give none.
pub fn kind_name(kind: u32) -> Option<&'static str> {
    const NAMES: [&str; 12] = [
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTOR",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
    ];
    NAMES.get(usize::try_from(kind).ok()?).copied()
}

/// The type's name, or its number where it has none.
pub(super) fn kind_text(kind: u32) -> String {
    kind_name(kind).map_or_else(|| format!("{kind:#x}"), str::to_owned)
}

impl Data {
    /// Returns the type as it is stored in a hive.
    pub fn kind(&self) -> u32 {
        match self {
            Self::None(_) => 0,
            Self::Sz(_) => 1,
            Self::ExpandSz(_) => 2,
            Self::Binary(_) => 3,
            Self::Dword(_) => 4,
            Self::DwordBigEndian(_) => 5,
            Self::Link(_) => 6,
            Self::MultiSz(_) => 7,
            Self::ResourceList(_) => 8,
            Self::FullResourceDescriptor(_) => 9,
            Self::ResourceRequirementsList(_) => 10,
            Self::Qword(_) => 11,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// Returns the data as it is stored in a hive: numbers in their byte order, text as UTF-16LE
    /// with its terminator.
    ///
    /// A link is stored without a terminator: the kernel takes its length from the value.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Sz(text) | Self::ExpandSz(text) => utf16(&[text.as_str(), "\0"]),
            Self::Link(text) => utf16(&[text]),
            Self::MultiSz(members) => {
                let mut bytes: Vec<u8> = members
                    .iter()
                    .flat_map(|text| utf16(&[text, "\0"]))
                    .collect();
                bytes.extend(utf16(&["\0"]));
                bytes
            }
            Self::Dword(number) => number.to_le_bytes().to_vec(),
            Self::DwordBigEndian(number) => number.to_be_bytes().to_vec(),
            Self::Qword(number) => number.to_le_bytes().to_vec(),
            Self::None(bytes)
            | Self::Binary(bytes)
            | Self::ResourceList(bytes)
            | Self::FullResourceDescriptor(bytes)
            | Self::ResourceRequirementsList(bytes)
            | Self::Other { bytes, .. } => bytes.clone(),
        }
    }

    /// Reads the data of a value as it is stored in a hive; `None` for what a profile cannot say
    /// byte for byte, such as a string without its end.
    pub fn from_stored(kind: u32, bytes: &[u8]) -> Option<Self> {
        let owned = || bytes.to_vec();
        let dword = || <[u8; 4]>::try_from(bytes).ok();
        let data = match kind {
            0 => Self::None(owned()),
            1 => Self::Sz(stored_text(bytes)?),
            2 => Self::ExpandSz(stored_text(bytes)?),
            3 => Self::Binary(owned()),
            4 => Self::Dword(u32::from_le_bytes(dword()?)),
            5 => Self::DwordBigEndian(u32::from_be_bytes(dword()?)),
            6 => Self::Link(text_of(bytes)?),
            7 => Self::MultiSz(stored_texts(bytes)?),
            8 => Self::ResourceList(owned()),
            9 => Self::FullResourceDescriptor(owned()),
            10 => Self::ResourceRequirementsList(owned()),
            11 => Self::Qword(u64::from_le_bytes(bytes.try_into().ok()?)),
            kind => Self::Other {
                kind,
                bytes: owned(),
            },
        };
        (data.bytes() == bytes).then_some(data)
    }

    /// Returns the name of the type's field in a profile; `type` for a type without a name.
    pub fn field(&self) -> &'static str {
        let known = usize::try_from(self.kind())
            .ok()
            .and_then(|kind| TYPE_FIELDS.get(kind));
        known.copied().unwrap_or("type")
    }

    /// Returns the text that the data holds: one member for a string, each of a multi-string.
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::Sz(text) | Self::ExpandSz(text) | Self::Link(text) => std::slice::from_ref(text),
            Self::MultiSz(members) => members,
            _ => &[],
        }
    }
}

/// Whether what is stored is exactly `data`.
pub(super) fn is_same(found: Option<(u32, &[u8])>, data: &Data) -> bool {
    found == Some((data.kind(), data.bytes().as_slice()))
}

/// Whether what is stored is the text of `data` in whatever case; terminators do not matter.
pub(super) fn is_same_text(found: Option<(u32, &[u8])>, data: &Data) -> bool {
    let Some((kind, bytes)) = found else {
        return false;
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    while units.last() == Some(&0) {
        units.pop();
    }
    let folded: Vec<u16> = units.into_iter().map(upcase_unit).collect();
    let wanted = data.texts().first().map(|text| upcase(text));
    kind == data.kind() && rest.is_empty() && Some(folded) == wanted
}

/// UTF-16LE without a NUL in it.
fn text_of(bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let text = String::from_utf16(&units).ok()?;
    (rest.is_empty() && !text.contains('\0')).then_some(text)
}

/// A string with its terminator.
fn stored_text(bytes: &[u8]) -> Option<String> {
    text_of(bytes.strip_suffix(&[0, 0])?)
}

/// Strings with their terminators, and the one of the list.
fn stored_texts(bytes: &[u8]) -> Option<Vec<String>> {
    let (pairs, _) = bytes.strip_suffix(&[0, 0])?.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    if units.is_empty() {
        return Some(Vec::new());
    }
    let members = units.strip_suffix(&[0])?.split(|&unit| unit == 0);
    let texts: Option<Vec<String>> = members.map(|m| String::from_utf16(m).ok()).collect();
    texts.filter(|texts| texts.iter().all(|text| !text.is_empty()))
}

/// Encodes the parts, one behind the other, as UTF-16LE.
fn utf16(parts: &[&str]) -> Vec<u8> {
    let units = parts.iter().flat_map(|part| part.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// As a profile would say it, cut short where it is long, safe for a terminal.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dword(number) | Self::DwordBigEndian(number) => {
                write!(f, "{} {number}", self.field())
            }
            Self::Qword(number) => write!(f, "qword {number}"),
            Self::Sz(text) | Self::ExpandSz(text) | Self::Link(text) => {
                write!(f, "{} \"{}\"", self.field(), shorten(text))
            }
            Self::MultiSz(members) => {
                let all = members.join("\", \"");
                let quote = if members.is_empty() { "" } else { "\"" };
                write!(f, "multi-sz [{quote}{}{quote}]", shorten(&all))
            }
            Self::Other { kind, bytes } => {
                write!(f, "type {kind:#x}, data {}", Hex(bytes))
            }
            Self::None(bytes)
            | Self::Binary(bytes)
            | Self::ResourceList(bytes)
            | Self::FullResourceDescriptor(bytes)
            | Self::ResourceRequirementsList(bytes) => {
                write!(f, "{} {}", self.field(), Hex(bytes))
            }
        }
    }
}

fn shorten(text: &str) -> String {
    escape(&shown(text))
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("(no bytes)");
        }
        for (i, byte) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{byte:02x}", if i == 0 { "" } else { " " })?;
        }
        f.write_str(if self.0.len() > SHOWN { " …" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_stored_as_windows_stores_it() {
        let text = |s: &str| s.to_owned();
        let table = [
            (Data::None(vec![1]), 0, vec![1]),
            (Data::Sz(text("Aé")), 1, vec![0x41, 0, 0xe9, 0, 0, 0]),
            (Data::Sz(text("")), 1, vec![0, 0]),
            (Data::ExpandSz(text("%")), 2, vec![0x25, 0, 0, 0]),
            (Data::Binary(vec![]), 3, vec![]),
            (Data::Dword(0xd3d), 4, vec![0x3d, 0x0d, 0, 0]),
            (Data::DwordBigEndian(0xd3d), 5, vec![0, 0, 0x0d, 0x3d]),
            (Data::Link(text("A")), 6, vec![0x41, 0]),
            (
                Data::MultiSz(vec![text("A"), text("B")]),
                7,
                vec![0x41, 0, 0, 0, 0x42, 0, 0, 0, 0, 0],
            ),
            (Data::MultiSz(vec![]), 7, vec![0, 0]),
            (Data::ResourceList(vec![8]), 8, vec![8]),
            (Data::FullResourceDescriptor(vec![9]), 9, vec![9]),
            (Data::ResourceRequirementsList(vec![10]), 10, vec![10]),
            (Data::Qword(1), 11, vec![1, 0, 0, 0, 0, 0, 0, 0]),
            (
                Data::Other {
                    kind: 0xffff_0012,
                    bytes: vec![7],
                },
                0xffff_0012,
                vec![7],
            ),
        ];
        for (data, kind, bytes) in table {
            assert_eq!((data.kind(), data.bytes()), (kind, bytes.clone()), "{data}");
            assert_eq!(Data::from_stored(kind, &bytes), Some(data));
        }
    }

    #[test]
    fn what_a_profile_cannot_say_is_not_data() {
        let utf16 = |text: &str| super::utf16(&[text]);
        for (kind, bytes) in [
            (1, utf16("a")),
            (1, utf16("a\0b\0")),
            (1, vec![0x61, 0, 0]),
            (1, vec![0, 0xd8, 0, 0]),
            (4, vec![1]),
            (7, utf16("a\0")),
            (7, utf16("\0\0")),
            (7, utf16("a\0\0b\0\0")),
            (11, vec![]),
        ] {
            assert_eq!(Data::from_stored(kind, &bytes), None, "{kind} {bytes:?}");
        }
    }

    #[test]
    fn every_type_field_has_a_name_in_windows() {
        for (code, field) in TYPE_FIELDS.iter().enumerate() {
            let name = kind_name(u32::try_from(code).unwrap()).unwrap();
            assert_eq!(
                name.strip_prefix("REG_").unwrap(),
                field.to_uppercase().replace('-', "_")
            );
        }
        assert_eq!(kind_name(12), None);
    }

    #[test]
    fn display_is_short_and_safe() {
        let long = Data::Sz(format!("\u{1b}[2J{}", "x".repeat(100))).to_string();
        assert!(
            long.starts_with("sz \"\\u{1b}[2Jxxx") && long.ends_with("x…\""),
            "{long}"
        );
        assert_eq!(Data::Binary(vec![1, 255]).to_string(), "binary 01 ff");
    }
}
