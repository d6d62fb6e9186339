// SPDX-License-Identifier: GPL-3.0-or-later
//! Commands as they are typed, with the target that was named, to be copied.

use std::sync::OnceLock;

use crate::text::Foreign;

/// How the command that repairs is typed.
#[derive(Clone, Debug, Default)]
pub struct CommandLine {
    /// The words that name the target.
    pub target: Vec<String>,
    /// `NAME=VALUE`, each with the id of the profile that takes it.
    pub settings: Vec<(String, String)>,
    /// The profiles that mend all that blocks, where they can be applied together.
    pub together: Vec<String>,
    /// Where the backups are, where that was said.
    pub backup_dir: Option<String>,
}

/// What names a hive in the place of a target.
const HIVES: [&str; 2] = ["--system", "--software"];
/// Commands that take a hive's file as they take a target.
const TAKE_FILES: [&str; 4] = ["check", "recover", "mend", "donors"];
/// Those of them that take one only.
const TAKE_ONE: [&str; 2] = ["recover", "mend"];
/// Commands that are told where the backups are.
const BACK_UP: [&str; 6] = ["apply", "fix", "recover", "mend", "backups", "restore"];

impl CommandLine {
    /// Commands about a target, or a hive's file where they take either.
    pub(super) fn for_place(place: &Foreign) -> Self {
        Self {
            target: vec![place.raw().to_owned()],
            ..Self::default()
        }
    }

    /// Commands about a target that is filled in where it is known.
    pub fn anywhere() -> Self {
        Self {
            target: vec!["TARGET".to_owned()],
            ..Self::default()
        }
    }

    /// Commands about a hive's file.
    pub(super) fn for_hive(path: &Foreign) -> Self {
        Self {
            target: vec!["--system".to_owned(), path.raw().to_owned()],
            ..Self::default()
        }
    }

    /// `hivemend COMMAND TARGET` and what is typed behind it.
    pub fn of(&self, command: &str, behind: &[&str]) -> String {
        let mut words = vec!["hivemend".to_owned(), command.to_owned()];
        words.push(self.named_for(command));
        words.extend(behind.iter().map(|word| shell_word(word)));
        words.join(" ")
    }

    /// A sentence with the target in place of the word `TARGET` in the commands that it names.
    pub fn in_hint(&self, hint: &str) -> String {
        const PLACEHOLDER: &str = " TARGET";
        let mut told = String::new();
        let mut rest = hint;
        while let Some((before, behind)) = rest.split_once(PLACEHOLDER) {
            told.push_str(before);
            let command = before.rsplit_once("hivemend ");
            let command = command.map_or("", |(_, command)| command);
            let is_command = !command.is_empty() && command.bytes().all(|b| b.is_ascii_lowercase());
            match is_command {
                true => told.push_str(&format!(" {}", self.named_for(command))),
                false => told.push_str(PLACEHOLDER),
            }
            rest = behind;
        }
        told.push_str(rest);
        told
    }

    /// The words that name the target for this command, and its backups where it takes them.
    fn named_for(&self, command: &str) -> String {
        let is_file = TAKE_FILES.contains(&command);
        let words = self.target.iter();
        let words = words.filter(|word| !(is_file && HIVES.contains(&word.as_str())));
        let mut words: Vec<String> = words.map(|word| shell_word(word)).collect();
        if words.len() > 1 && TAKE_ONE.contains(&command) {
            words = vec!["HIVE".to_owned()];
        }
        let folder = self.backup_dir.as_deref();
        if let Some(folder) = folder.filter(|_| BACK_UP.contains(&command)) {
            words.extend(["--backup-dir".to_owned(), shell_word(folder)]);
        }
        words.join(" ")
    }

    /// The command that applies `profiles`; `None` for none.
    pub fn applying(&self, profiles: &[String]) -> Option<String> {
        if profiles.is_empty() {
            return None;
        }
        let mut behind = Vec::new();
        for profile in profiles {
            behind.extend(["-p", profile]);
        }
        let settings = self.settings.iter();
        let ours = settings.filter(|(profile, _)| profiles.contains(profile));
        let mut given: Vec<&String> = Vec::new();
        for (_, setting) in ours.filter(|(_, setting)| !setting.is_empty()) {
            if !given.contains(&setting) {
                behind.extend(["--set", setting]);
                given.push(setting);
            }
        }
        Some(self.of("apply", &behind))
    }

    /// The command that mends all that blocks, where it is not one of the single ones.
    pub(super) fn all_together(&self) -> Option<String> {
        self.applying(&self.together)
    }
}

/// The shell into which commands are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// One of Unix.
    Posix,
    /// cmd.exe.
    Cmd,
    /// Windows PowerShell, or PowerShell.
    PowerShell,
    /// One of the two, and it is not known which.
    Windows,
}

/// The shell of this run, as far as somebody has found it out.
static SHELL: OnceLock<Shell> = OnceLock::new();

/// Says into which shell commands are copied.
pub fn set_shell(shell: Shell) {
    let _ = SHELL.set(shell);
}

fn shell() -> Shell {
    let usual = if cfg!(windows) {
        Shell::Windows
    } else {
        Shell::Posix
    };
    SHELL.get().copied().unwrap_or(usual)
}

/// The word as a shell takes it: in quotes where it needs them.
pub(super) fn shell_word(word: &str) -> String {
    word_for(shell(), word)
}

fn word_for(shell: Shell, word: &str) -> String {
    let plain = match shell {
        Shell::Posix => "-_./:=+,",
        Shell::Cmd | Shell::PowerShell | Shell::Windows => "-_./:=+\\",
    };
    let is_plain = |c: char| c.is_alphanumeric() || plain.contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    match shell {
        Shell::Posix => format!("'{}'", word.replace('\'', "'\\''")),
        Shell::Cmd => for_cmd(word),
        Shell::PowerShell => for_power_shell(word),
        // Double quotes hold a word together in both; what PowerShell would expand in them, it does not
        // in single ones.
        Shell::Windows if word.contains(['$', '`', '\u{201c}', '\u{201d}', '\u{201e}']) => {
            for_power_shell(word)
        }
        Shell::Windows => for_cmd(word),
    }
}

/// In double quotes. cmd.exe puts variables in place of `%name%` even there, but not where a caret
/// outside of the quotes stands in front of the percent sign.
fn for_cmd(word: &str) -> String {
    let quoted = |part: &str| {
        // A backslash in front of a quotation mark would make it part of the name.
        let ending = part.len().saturating_sub(part.trim_end_matches('\\').len());
        let part = part.replace('"', "\\\"");
        format!("\"{part}{}\"", "\\".repeat(ending))
    };
    if word.is_empty() {
        return quoted(word);
    }
    let parts = word.split('%').map(|part| match part.is_empty() {
        true => String::new(),
        false => quoted(part),
    });
    parts.collect::<Vec<_>>().join("^%")
}

/// In single quotes, of which PowerShell knows five.
fn for_power_shell(word: &str) -> String {
    // Windows PowerShell puts a word with blanks into double quotes, and forgets the backslash.
    let word = match word.contains(' ') {
        true => word.trim_end_matches('\\'),
        false => word,
    };
    let mut quoted = String::from("'");
    for c in word.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_target_profiles_and_their_settings() {
        let command = CommandLine {
            target: vec!["/mnt/os disk".to_owned()],
            settings: vec![("rdp-port".to_owned(), "port=3390".to_owned())],
            ..CommandLine::default()
        };
        let line = |profiles: &[&str]| {
            let profiles: Vec<String> = profiles.iter().map(|id| (*id).to_owned()).collect();
            command.applying(&profiles)
        };
        assert_eq!(line(&[]), None);
        let quote = if cfg!(windows) { '"' } else { '\'' };
        let target = format!("hivemend apply {quote}/mnt/os disk{quote}");
        assert_eq!(line(&["a", "b"]), Some(format!("{target} -p a -p b")));
        let port = format!("{target} -p rdp-port --set port=3390");
        assert_eq!(line(&["rdp-port"]), Some(port));
    }

    #[test]
    fn a_hint_names_the_target_as_its_command_takes_it() {
        let command = |target: &[&str]| CommandLine {
            target: target.iter().map(|word| (*word).to_owned()).collect(),
            backup_dir: Some("b".to_owned()),
            ..CommandLine::default()
        };
        let hint = "Look with hivemend check TARGET, or hivemend backups TARGET; THE TARGET stays.";
        let told = command(&["/mnt/d"]).in_hint(hint);
        assert_eq!(
            told,
            "Look with hivemend check /mnt/d, or hivemend backups /mnt/d --backup-dir b; THE TARGET stays."
        );
        let files = command(&["--system", "S", "--software", "T"]);
        assert_eq!(files.of("check", &[]), "hivemend check S T");
        assert_eq!(files.of("mend", &[]), "hivemend mend HIVE --backup-dir b");
        assert_eq!(
            files.of("restore", &["--values"]),
            "hivemend restore --system S --software T --backup-dir b --values"
        );
        assert_eq!(
            files.of("diagnose", &[]),
            "hivemend diagnose --system S --software T"
        );
    }

    #[test]
    fn a_quote_in_a_word_stays_one_word() {
        let word = |word| word_for(Shell::Posix, word);
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word("$(x)"), "'$(x)'");
        assert_eq!(word(r"a\b"), r"'a\b'");
        assert_eq!(word("/mnt/osdisk"), "/mnt/osdisk");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn what_a_shell_of_windows_would_expand_is_kept_from_it() {
        let cmd = |word| word_for(Shell::Cmd, word);
        assert_eq!(cmd(r"F:\"), r"F:\");
        assert_eq!(cmd(r"C:\os disk"), r#""C:\os disk""#);
        assert_eq!(cmd(r"C:\os disk\"), r#""C:\os disk\\""#);
        assert_eq!(cmd(r"C:\%TEMP%"), r#""C:\\"^%"TEMP"^%"#);
        assert_eq!(cmd(r"\\?\Volume{0a}\"), r#""\\?\Volume{0a}\\""#);
        assert_eq!(cmd("a&b^c"), "\"a&b^c\"");
        let power = |word| word_for(Shell::PowerShell, word);
        assert_eq!(power(r"F:\"), r"F:\");
        for word in ["a,b", "@a", "$a", "a`b", "a;b", "{a}", "a b", "#a"] {
            assert_eq!(power(word), format!("'{word}'"));
        }
        assert_eq!(power(r"C:\os disk\"), r"'C:\os disk'");
        assert_eq!(power(r"\\?\Volume{0a}\"), r"'\\?\Volume{0a}\'");
        assert_eq!(power("it's \u{2019}"), "'it''s \u{2019}\u{2019}'");
        let either = |word| word_for(Shell::Windows, word);
        assert_eq!(either("a b"), "\"a b\"");
        assert_eq!(either("d$ e"), "'d$ e'");
    }
}
