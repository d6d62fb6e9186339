// SPDX-License-Identifier: GPL-3.0-or-later
//! Commands as they are typed, with the target that was named, to be copied.

/// How the command that repairs is typed.
#[derive(Clone, Debug, Default)]
pub struct CommandLine {
    /// The words that name the target.
    pub target: Vec<String>,
    /// `NAME=VALUE`, each with the id of the profile that takes it.
    pub settings: Vec<(String, String)>,
    /// The profiles that mend all that blocks, where they can be applied together.
    pub together: Vec<String>,
}

impl CommandLine {
    /// `hivemend COMMAND TARGET` and what is typed behind it.
    pub fn of(&self, command: &str, behind: &[&str]) -> String {
        let mut words = vec!["hivemend".to_owned(), command.to_owned()];
        words.extend(self.target.iter().map(|word| shell_word(word)));
        words.extend(behind.iter().map(|word| shell_word(word)));
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
            together: Vec::new(),
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

    #[cfg(not(windows))]
    #[test]
    fn a_quote_in_a_word_stays_one_word() {
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word("$(x)"), "'$(x)'");
        assert_eq!(shell_word(r"a\b"), r"'a\b'");
        assert_eq!(shell_word("/mnt/osdisk"), "/mnt/osdisk");
    }
}
