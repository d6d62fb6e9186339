// SPDX-License-Identifier: GPL-3.0-or-later
//! What a hibernation file says.

/// What a hibernation file says of its Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hibernation {
    /// Its memory waits to be restored at the next start; Fast Startup leaves the same.
    Asleep,
    /// A start from the file began and did not end.
    Waking,
    /// It was started from the file, and has not been shut down since.
    Awake,
}

impl Hibernation {
    /// What was seen, for a sentence.
    pub fn seen(self) -> &'static str {
        match self {
            Self::Asleep => "this Windows is hibernated, or was shut down with Fast Startup",
            Self::Waking => "this Windows was cut short while it woke from hibernation",
            Self::Awake => "this Windows woke from hibernation and was not shut down since",
        }
    }

    /// From the first bytes of the file; all zero where there is no image in it.
    ///
    /// Windows 2000 to 7 write `hibr`, `wake`, `rstr`; 8 and later write capitals.
    pub(super) fn from_signature(signature: [u8; 4]) -> Option<Self> {
        match &signature.map(|byte| byte.to_ascii_uppercase()) {
            b"HIBR" | b"LINK" => Some(Self::Asleep),
            b"RSTR" => Some(Self::Waking),
            b"WAKE" => Some(Self::Awake),
            _ => None,
        }
    }
}
