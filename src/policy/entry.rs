// SPDX-License-Identifier: GPL-3.0-or-later
//! An entry of the file: a key, and what is done to it.

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEntry {
    /// Where it begins, in bytes from the start of the file.
    pub at: u64,
    /// The key below `HKEY_LOCAL_MACHINE`, as it is spelled; invalid UTF-16 as U+FFFD.
    pub key: String,
    /// What is done.
    pub action: PolicyAction,
}

/// What an entry does to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyAction {
    /// Makes the key, and no value.
    CreateKey,
    /// Sets a value.
    Set {
        /// Its name; empty for the default value.
        name: String,
        /// Its type, as in the registry.
        kind: u32,
        /// Its data, as stored.
        data: Vec<u8>,
    },
    /// Sets a value where there is none of that name (`**soft.`).
    SetIfAbsent {
        /// Its name.
        name: String,
        /// Its type.
        kind: u32,
        /// Its data.
        data: Vec<u8>,
    },
    /// Deletes a value (`**del.`).
    Delete {
        /// Its name.
        name: String,
    },
    /// Deletes the values of a list (`**DeleteValues`).
    DeleteValues(NameList),
    /// Deletes every value of the key, and no subkey (`**delvals.`).
    DeleteAllValues,
    /// Deletes the subkeys of a list with all that is in them (`**DeleteKeys`).
    DeleteKeys(NameList),
    /// Gives the key a protected security descriptor, or the inherited one (`**SecureKey`).
    SecureKey {
        /// Whether it is to be protected.
        secure: bool,
    },
    /// A control code without effect: a comment, or one that Windows does not know and skips.
    Ignored {
        /// The value name with its code.
        code: String,
    },
}

/// Names separated by semicolons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameList(String);

impl NameList {
    /// The names; empty ones are left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.0.split(';').map(str::trim);
        names.filter(|name| !name.is_empty())
    }
}

impl PolicyAction {
    /// What a value name, type and data say; every name that begins with `**` is a control code.
    pub(super) fn new(name: String, kind: u32, data: &[u8]) -> Self {
        if !name.starts_with("**") {
            return Self::plain(name, kind, data);
        }
        if let Some(name) = after(&name, "**del.") {
            let name = name.to_owned();
            return Self::Delete { name };
        }
        if let Some(name) = after(&name, "**soft.") {
            let (name, data) = (name.to_owned(), data.to_vec());
            return Self::SetIfAbsent { name, kind, data };
        }
        if let Some(rest) = after(&name, "**DeleteValues") {
            return Self::DeleteValues(list(rest, data));
        }
        if let Some(rest) = after(&name, "**DeleteKeys") {
            return Self::DeleteKeys(list(rest, data));
        }
        if let Some("" | ".") = after(&name, "**delvals") {
            return Self::DeleteAllValues;
        }
        if let Some(rest) = after(&name, "**SecureKey") {
            let secure = rest.trim() == "=1" || is_number_above_zero(kind, data);
            return Self::SecureKey { secure };
        }
        Self::Ignored { code: name }
    }

    /// Without a name and a type there is only the key. Type 0 with data is a value of that type.
    fn plain(name: String, kind: u32, data: &[u8]) -> Self {
        if kind == 0 && data.is_empty() {
            return Self::CreateKey;
        }
        let data = data.to_vec();
        Self::Set { name, kind, data }
    }
}

/// What follows `code` in `name`, whatever the case.
fn after<'a>(name: &'a str, code: &str) -> Option<&'a str> {
    let (head, rest) = name.split_at_checked(code.len())?;
    head.eq_ignore_ascii_case(code).then_some(rest)
}

/// The list in the data, and the one that older editors put behind the code.
fn list(behind_code: &str, data: &[u8]) -> NameList {
    let units = data.as_chunks().0.iter();
    let units = units.map(|unit| u16::from_le_bytes(*unit));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    let names = String::from_utf16_lossy(&units);
    NameList(format!("{behind_code};{names}"))
}

fn is_number_above_zero(kind: u32, data: &[u8]) -> bool {
    kind == 4 && data.iter().any(|byte| *byte != 0)
}
