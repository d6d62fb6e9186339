// SPDX-License-Identifier: GPL-3.0-or-later
//! From bytes to text: UTF-8, UTF-16 or a code page.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A code page of Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePage(&'static Encoding);

impl Default for CodePage {
    /// 1252, Western Europe.
    fn default() -> Self {
        Self(WINDOWS_1252)
    }
}

/// The code pages that are known, by their numbers in Windows.
const PAGES: [(&str, &str); 17] = [
    ("1250", "windows-1250"),
    ("1251", "windows-1251"),
    ("1252", "windows-1252"),
    ("1253", "windows-1253"),
    ("1254", "windows-1254"),
    ("1255", "windows-1255"),
    ("1256", "windows-1256"),
    ("1257", "windows-1257"),
    ("1258", "windows-1258"),
    ("65001", "utf-8"),
    ("866", "ibm866"),
    ("874", "windows-874"),
    ("932", "shift_jis"),
    ("936", "gbk"),
    ("949", "euc-kr"),
    ("950", "big5"),
    ("54936", "gb18030"),
];

impl CodePage {
    /// The code page of this number, as in `1252`, `cp932` or `windows-1251`.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let number = text
            .strip_prefix("windows-")
            .or_else(|| text.strip_prefix("cp"))
            .unwrap_or(&text);
        let mut pages = PAGES.iter();
        let (_, label) = pages.find(|(known, label)| *known == number || *label == text)?;
        Encoding::for_label(label.as_bytes()).map(Self)
    }

    /// The numbers that [`of`](Self::of) knows.
    pub fn known() -> Vec<&'static str> {
        PAGES.iter().map(|(number, _)| *number).collect()
    }

    /// The text of bytes in this code page; `None` where they are not text in it.
    pub(super) fn text(self, bytes: &[u8]) -> Option<String> {
        let text = self
            .0
            .decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(text.into_owned())
    }
}

/// The text of a file without its byte order mark; `None` where it is none.
///
/// Without a mark it is UTF-16 where every other byte at the start is zero, else UTF-8, else text in
/// the code page. A file in the oldest format of `.reg` is in the code page, whatever it looks like.
pub(super) fn decode(bytes: &[u8], page: CodePage) -> Option<String> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(length..).unwrap_or_default();
        return CodePage(encoding).text(rest);
    }
    let is_zero = |at: usize| bytes.get(at) == Some(&0);
    if is_zero(1) && is_zero(3) {
        return CodePage(UTF_16LE).text(bytes);
    }
    if is_zero(0) && is_zero(2) {
        return CodePage(UTF_16BE).text(bytes);
    }
    if bytes.trim_ascii_start().starts_with(b"REGEDIT4") {
        return page.text(bytes);
    }
    CodePage(UTF_8).text(bytes).or_else(|| page.text(bytes))
}
