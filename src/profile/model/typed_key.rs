// SPDX-License-Identifier: GPL-3.0-or-later
//! Keys as people have them: typed, or pasted from regedit in its own language.
//!
//! Profiles are read by others and are written strictly; a word of a command line is not.

use super::key_path::{HiveName, KeyPath, KeyPathError, MACHINE};
use super::other_roots;

/// What a backslash is in fonts for Japanese and Korean.
const BACKSLASHES: [char; 4] = ['\u{a5}', '\u{ffe5}', '\u{20a9}', '\u{ffe6}'];

impl KeyPath {
    /// Reads a key as somebody typed it. Beside what a profile may say, the hive's name may stand
    /// first (`SYSTEM\Select`), anything in front of `HKEY_LOCAL_MACHINE` (regedit says `Computer` in
    /// its own language), brackets around it, a backslash behind it, and `¥` for each backslash.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what to write instead.
    pub fn from_typed(text: &str) -> Result<Self, KeyPathError> {
        let text = text.trim_start();
        let text = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .filter(|rest| !rest.starts_with('-'))
            .unwrap_or(text);
        let text = match text.contains('\\') {
            true => text.to_owned(),
            false => text.replace(BACKSLASHES, "\\"),
        };
        let text = text.strip_suffix('\\').unwrap_or(&text);
        let text = from_machine(text);
        match is_hive(first_of(text)) {
            true => format!("HKLM\\{text}").parse(),
            false => text.parse(),
        }
    }
}

/// Takes away the one name that may stand in front of a registry's root.
fn from_machine(text: &str) -> &str {
    let Some((first, rest)) = text.split_once('\\') else {
        return text;
    };
    let is_named = !is_hive(first) && !is_root(first);
    if is_named && is_root(first_of(rest)) {
        rest
    } else {
        text
    }
}

fn first_of(text: &str) -> &str {
    text.split('\\').next().unwrap_or_default()
}

fn is_hive(name: &str) -> bool {
    let mut hives = HiveName::ALL.iter();
    hives.any(|hive| name.eq_ignore_ascii_case(hive.as_str()))
}

fn is_root(name: &str) -> bool {
    let mut machine = MACHINE.iter();
    machine.any(|known| name.eq_ignore_ascii_case(known))
        || other_roots::hint(name, false).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_have_them() {
        let want: KeyPath = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
            .parse()
            .unwrap();
        for text in [
            r"SYSTEM\CurrentControlSet\Control\Lsa",
            r"system\CurrentControlSet\Control\Lsa\",
            r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa]",
            r" HKLM\SYSTEM\CurrentControlSet\Control\Lsa",
            r"Ordinateur\HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            r"Este equipo\HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            r"Компьютер\HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            r"Microsoft.PowerShell.Core\Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa",
            "コンピューター¥HKEY_LOCAL_MACHINE¥SYSTEM¥CurrentControlSet¥Control¥Lsa",
            "HKLM￥SYSTEM￥CurrentControlSet￥Control￥Lsa",
        ] {
            assert!(
                KeyPath::from_typed(text).unwrap().is_same_key(&want),
                "{text}"
            );
        }
        let yen = KeyPath::from_typed(r"SOFTWARE\Acme\10¥").unwrap();
        assert_eq!(yen.segments, ["Acme", "10¥"], "a name may have one");
    }

    #[test]
    fn what_is_elsewhere_is_said_to_be_there() {
        for (text, hint) in [
            (r"HKCU\Software\Acme", "NTUSER.DAT"),
            (r"HKEY_CURRENT_USER\Software\Acme", "NTUSER.DAT"),
            (r"Arbeitsplatz\HKEY_USERS\.DEFAULT", "DEFAULT beside SYSTEM"),
            (r"HKCR\.txt", r"HKLM\SOFTWARE\Classes"),
            (r"HKEY_CURRENT_CONFIG\Software", "Hardware Profiles"),
            (r"HKLM\HARDWARE\DESCRIPTION", "on no disk"),
            (r"HKLM\SAM\SAM", "hive of its own"),
        ] {
            let error = KeyPath::from_typed(text).unwrap_err();
            assert!(error.hint.contains(hint), "{text}: {error}");
        }
    }
}
