// SPDX-License-Identifier: GPL-3.0-or-later
//! Completions and manual pages.

#![cfg(not(windows))]

use crate::bench::hivemend;

#[test]
fn every_shell_gets_a_script_that_knows_commands_and_profiles() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = hivemend(&["completions", shell]).expect(0).stdout;
        for word in ["diagnose", "backup-dir"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        // The other two know no values of options.
        let knows_values = ["bash", "zsh", "fish"].contains(&shell);
        assert_eq!(script.contains("rdp-baseline"), knows_values, "{shell}");
    }
    hivemend(&["completions", "cmd"]).expect(2);
}

#[cfg(unix)]
#[test]
fn bash_takes_its_script() {
    let script = hivemend(&["completions", "bash"]).expect(0).stdout;
    let run = std::process::Command::new("bash")
        .args(["-n", "-c", &script])
        .output();
    let run = run.unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn every_command_has_a_page() {
    let page = hivemend(&["man"]).expect(0).stdout;
    assert!(page.contains(".TH hivemend"), "{page}");
    for command in ["plan", "apply", "restore", "mend"] {
        let page = hivemend(&["man", command]).expect(0).stdout;
        assert!(page.contains(".SH OPTIONS"), "{page}");
    }
    hivemend(&["man", "no-such-command"]).expect(2);
}
