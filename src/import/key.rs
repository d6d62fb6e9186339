// SPDX-License-Identifier: GPL-3.0-or-later
//! A key as it is written, and the key of a profile that is meant.

use super::mistake::MistakeKind;
use super::mounts::Mounts;
use crate::profile::{HiveName, KeyPath};

/// A key that is known.
pub(super) struct Resolved {
    pub(super) path: KeyPath,
    /// What is wrong with how it is written.
    pub(super) mistakes: Vec<MistakeKind>,
}

/// What is wrong, and what to do.
pub(super) type Refusal = (String, String);

/// How a key came into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// By a program: a blank in it is meant.
    ByProgram,
    /// By somebody who typed it.
    ByHand,
}

const MACHINE: [&str; 3] = ["HKLM", "HKEY_LOCAL_MACHINE", "HKLM:"];
const USERS: [&str; 3] = ["HKU", "HKEY_USERS", "HKU:"];
const PROVIDERS: [&str; 2] = ["Microsoft.PowerShell.Core\\Registry::", "Registry::"];

/// Finds the key that `text` means.
///
/// # Errors
///
/// Where it is in no hive that a profile speaks of, or no key at all.
pub(super) fn resolve(text: &str, mounts: &Mounts, written: Written) -> Result<Resolved, Refusal> {
    let bare = without_provider(text);
    let bare = bare.strip_suffix('\\').unwrap_or(bare);
    let mut names: Vec<&str> = bare.split('\\').collect();
    let mut mistakes = Vec::new();
    if written == Written::ByHand {
        let trimmed: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        if trimmed != names {
            mistakes.push(MistakeKind::BlankAtKey);
            names = trimmed;
        }
    }
    let is = |name: Option<&&str>, known: &[&str]| {
        name.is_some_and(|name| known.iter().any(|known| known.eq_ignore_ascii_case(name)))
    };
    let root = names.first();
    let second = names.get(1);
    let mounted = second.and_then(|name| mounts.hive(name));
    let is_mounted = is(root, &MACHINE) || is(root, &USERS);
    let spelled = match mounted.filter(|_| is_mounted) {
        Some(hive) => {
            if hive == HiveName::System && is(names.get(2), &["CurrentControlSet"]) {
                mistakes.push(MistakeKind::NoCurrentControlSet);
            }
            let rest = names.get(2..).unwrap_or_default();
            let mut spelled = format!("HKLM\\{hive}");
            for name in rest {
                spelled.push('\\');
                spelled.push_str(name);
            }
            spelled
        }
        None => {
            let looks_mounted = is(root, &MACHINE) && names.get(2).is_some_and(|n| is_of_system(n));
            if let Some(name) = second.filter(|_| looks_mounted && !is(second, &["SYSTEM"])) {
                let message = format!("`{name}` is no hive that is known here");
                let hint = format!("where SYSTEM was loaded as {name}, say --system-mount {name}");
                return Err((message, hint));
            }
            names.join("\\")
        }
    };
    let path: KeyPath = spelled
        .parse()
        .map_err(|error: crate::profile::KeyPathError| (error.message, error.hint))?;
    if path.wildcards() > 0 {
        let message = format!("`{bare}`: a profile takes this name for every key at its place");
        return Err((message, "leave this key out, or edit it by hand".to_owned()));
    }
    Ok(Resolved { path, mistakes })
}

fn without_provider(text: &str) -> &str {
    for provider in PROVIDERS {
        let head = text.get(..provider.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(provider)) {
            return text.get(provider.len()..).unwrap_or_default();
        }
    }
    text
}

/// Whether this is the name of a key right below SYSTEM.
fn is_of_system(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper.starts_with("CONTROLSET") || upper == "CURRENTCONTROLSET" || upper == "SELECT"
}

/// Whether a word begins as a key does.
pub(super) fn begins_as_key(word: &str) -> bool {
    const ROOTS: [&str; 11] = [
        "HKLM",
        "HKCU",
        "HKCR",
        "HKU",
        "HKCC",
        "HKEY_",
        "REGISTRY::",
        "MICROSOFT.POWERSHELL.CORE",
        "COMPUTER\\HK",
        "\\\\",
        "HKPD",
    ];
    let upper: String = word.trim_start().chars().take(32).collect();
    let upper = upper.to_ascii_uppercase();
    ROOTS.iter().any(|root| upper.starts_with(root))
}
