// SPDX-License-Identifier: GPL-3.0-or-later
//! Commands as they are typed, with the target that was named, to be copied.

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

/// The word as a shell takes it: in quotes where it needs them.
pub(super) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:\\=+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) && (cfg!(windows) || !word.contains('\\')) {
        return word.to_owned();
    }
    if !cfg!(windows) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    // A backslash in front of the last quote would make it part of the name.
    let word = word.trim_end_matches('\\');
    // PowerShell puts values in place of `$` within double quotes; cmd knows no single ones.
    match word.contains(['$', '`']) {
        true => format!("'{}'", word.replace('\'', "''")),
        false => format!("\"{word}\""),
    }
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

    #[cfg(not(windows))]
    #[test]
    fn a_quote_in_a_word_stays_one_word() {
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word("$(x)"), "'$(x)'");
        assert_eq!(shell_word(r"a\b"), r"'a\b'");
        assert_eq!(shell_word("/mnt/osdisk"), "/mnt/osdisk");
    }
}
