// SPDX-License-Identifier: GPL-3.0-or-later
//! The options of REG ADD and REG DELETE.

use super::word::Word;

/// What stands behind the key.
#[derive(Default)]
pub(super) struct RegOptions {
    pub(super) name: Option<Word>,
    pub(super) is_unnamed: bool,
    pub(super) is_all: bool,
    pub(super) kind: Option<Word>,
    pub(super) separator: Option<Word>,
    pub(super) data: Option<Word>,
    pub(super) is_32_bit: bool,
}

/// What is wrong, and what to do.
pub(super) type Fault = (String, &'static str);

/// Reads the options; where `is_prose`, the command ends at the first word that is none.
///
/// # Errors
///
/// What reg.exe would refuse.
pub(super) fn options(words: &[Word], is_prose: bool) -> Result<RegOptions, Fault> {
    let mut options = RegOptions::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let bare = word.text.trim_end_matches(['.', ',', ';']);
        let bare = if is_prose { bare } else { word.text.as_str() };
        let lower = bare.to_ascii_lowercase();
        let option = lower.strip_prefix(['/', '-']).unwrap_or_default();
        let mut given = |what: &'static str| {
            let given = words.next().cloned();
            given.ok_or_else(|| (format!("nothing stands behind {what}"), "add it"))
        };
        match option {
            "v" => options.name = Some(given("/v")?),
            "t" => options.kind = Some(given("/t")?),
            "d" => options.data = Some(given("/d")?),
            "s" => options.separator = Some(given("/s")?),
            "ve" => options.is_unnamed = true,
            "va" => options.is_all = true,
            "f" | "y" | "reg:64" => {}
            "reg:32" => options.is_32_bit = true,
            _ if is_prose => break,
            _ => {
                let shown: String = word.text.chars().take(60).collect();
                let message = format!("`{}` is no option of reg", crate::text::escape(&shown));
                return Err((message, "put text with blanks in double quotes"));
            }
        }
        if is_prose && bare.len() < word.text.len() {
            break;
        }
    }
    Ok(options)
}
