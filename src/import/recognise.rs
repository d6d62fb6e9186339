// SPDX-License-Identifier: GPL-3.0-or-later
//! Which language a file is in, by what stands in it.

use super::decode::{CodePage, decode};

/// A language that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A `.reg` file.
    Reg,
    /// Command lines, by themselves or in an article.
    Commands,
    /// A document of Desired State Configuration, version 3.
    Dsc,
    /// `Registry.pol`.
    Policy,
}

impl Format {
    /// What a file in it is, with an article.
    pub fn what(self) -> &'static str {
        match self {
            Self::Reg => "a .reg file",
            Self::Commands => "command lines",
            Self::Dsc => "a DSC document",
            Self::Policy => "a Registry.pol",
        }
    }
}

/// What the first line of a `.reg` file says.
pub(super) const HEADERS: [&str; 2] = ["Windows Registry Editor Version 5.00", "REGEDIT4"];

/// The language that a file is in; `None` for a profile, a plan, a hive and whatever else.
pub fn recognise(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"PReg") {
        return Some(Format::Policy);
    }
    if bytes.starts_with(b"regf") {
        return None;
    }
    of_text(&decode(bytes, CodePage::default())?)
}

fn of_text(text: &str) -> Option<Format> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if HEADERS
        .iter()
        .any(|header| first.eq_ignore_ascii_case(header))
    {
        return Some(Format::Reg);
    }
    let lower = text.to_ascii_lowercase();
    let has = |word: &str| lower.contains(word);
    if has("hivemend.profile/") || has("hivemend.plan/") {
        return None;
    }
    let is_dsc = has("aka.ms/dsc/schemas") || has("microsoft.windows/registry");
    if is_dsc && has("resources") || has("registryentries") && has("keypath") {
        return Some(Format::Dsc);
    }
    let commands = [
        "itemproperty",
        "new-item",
        "remove-item",
        "set-item",
        "win32.registry]::",
    ];
    let is_command = commands.iter().any(|command| has(command))
        || has_reg(&lower)
        || lower.lines().any(is_short)
        || lower
            .lines()
            .any(|line| line.contains("start-process") && line.contains("reg"));
    // The last ones are keys that variables of cmd.exe have.
    let root = [
        "hklm",
        "hkey_",
        "hkcu",
        "hkcr",
        "hku",
        "hkcc",
        "reg add %",
        "reg add \"%",
        "reg delete %",
        "reg delete \"%",
    ];
    let is_about_keys = root.iter().any(|root| has(root));
    (is_command && is_about_keys).then_some(Format::Commands)
}

/// Whether a line is a command of PowerShell by its short name, about a key.
fn is_short(line: &str) -> bool {
    const SHORT: [&str; 12] = [
        "sp", "rp", "ni", "ri", "si", "del", "rm", "rd", "rmdir", "erase", "md", "mkdir",
    ];
    let bare = line.rsplit("> ").next().unwrap_or_default().trim();
    let mut words = bare.split([' ', '\t']);
    let is_name = words.next().is_some_and(|word| SHORT.contains(&word));
    is_name && (bare.contains("hk") && bare.contains(":\\") || bare.contains("registry::"))
}

/// Whether `reg add` or `reg delete` stands in it.
fn has_reg(lower: &str) -> bool {
    lower.match_indices("reg").any(|(at, _)| {
        let rest = lower.get(at.saturating_add(3)..).unwrap_or_default();
        let rest = rest.strip_prefix(".exe").unwrap_or(rest);
        // The end of its path in quotes, or its arguments apart: `Start-Process reg -ArgumentList 'add ...'`.
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        if rest.trim_start().starts_with("-arg")
            || rest.starts_with(" 'add")
            || rest.starts_with(" \"add")
        {
            return true;
        }
        let verb = rest.trim_start_matches([' ', '\t']);
        verb.len() < rest.len() && (verb.starts_with("add ") || verb.starts_with("delete "))
    })
}
