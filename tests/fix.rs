// SPDX-License-Identifier: GPL-3.0-or-later
//! `fix`: what blocks is found, what mends it proposed, applied and looked at again; what lowers
//! security is never taken unless it is named.

#![cfg(not(windows))]

use std::fs;

use serde_json::{Value as Json, json};

use crate::bench::{Ended, sha256};
use crate::diagnose::session_host;
#[cfg(unix)]
use crate::errors::on_a_terminal;
use crate::machine::{Disk, FIREWALL, LISTENER, Machine, SERVICES, TERMINAL_SERVER};

fn broken(make: impl Fn(&mut Machine)) -> Disk {
    let mut machine = Machine::healthy();
    make(&mut machine);
    machine.write()
}

/// Remote Desktop is off, its service disabled, all that comes in blocked.
fn several(machine: &mut Machine) {
    machine.dword(TERMINAL_SERVER, "fDenyTSConnections", 1);
    machine.dword(&format!(r"{SERVICES}\TermService"), "Start", 4);
    for profile in ["DomainProfile", "PublicProfile", "StandardProfile"] {
        machine.dword(&format!(r"{FIREWALL}\{profile}"), "DoNotAllowExceptions", 1);
    }
}

fn hives(disk: &Disk) -> [String; 2] {
    ["SYSTEM", "SOFTWARE"].map(|name| sha256(&disk.config().join(name)))
}

fn has_backups(disk: &Disk) -> bool {
    disk.config().join("hivemend").exists()
}

fn plain(ended: &Ended) -> String {
    let text = ended.stdout.clone();
    assert!(!text.contains("TARGET"), "{text}");
    text
}

#[test]
fn several_causes_are_mended_at_once_and_taken_back_to_the_same_bytes() {
    let disk = broken(several);
    let before = hives(&disk);
    assert_eq!(disk.json("diagnose", &[])["blocked"], true);
    let ended = disk.run("fix", &["--yes"]).expect(0);
    let text = plain(&ended);
    for word in [
        "rdp-enable",
        "rdp-services",
        "Plan:",
        "Nothing that was judged blocks Remote Desktop",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let undo = format!("hivemend restore {}", disk.path.display());
    assert!(text.contains(&undo), "{text}");
    assert_eq!(disk.json("diagnose", &[])["blocked"], false);
    assert_ne!(hives(&disk), before);
    disk.run("restore", &["--yes"]).expect(0);
    assert_eq!(hives(&disk), before);
}

#[test]
fn where_nothing_is_wrong_nothing_is_written() {
    let disk = broken(|_| {});
    let before = hives(&disk);
    let ended = disk.run("fix", &[]).expect(0);
    assert!(ended.stdout.contains("Nothing that was judged blocks"));
    assert_eq!(hives(&disk), before);
    assert!(!has_backups(&disk));
    let quiet = disk.run("fix", &["--quiet"]).expect(0);
    assert_eq!(quiet.stdout.lines().count(), 1, "{quiet:?}");
}

#[test]
fn what_no_profile_mends_is_said_and_ends_with_1() {
    let disk = broken(|m| m.delete_key(LISTENER));
    let before = hives(&disk);
    let ended = disk.run("fix", &["--yes"]).expect(1);
    let text = plain(&ended);
    assert!(text.contains("RDP-Tcp is not there"), "{text}");
    assert!(text.contains("no profile can make it"), "{text}");
    assert_eq!(hives(&disk), before);
    assert!(!has_backups(&disk));
}

#[test]
fn one_that_is_mended_and_one_that_is_not_end_with_1() {
    let disk = broken(|m| {
        m.delete_key(LISTENER);
        m.dword(&format!(r"{SERVICES}\TermService"), "Start", 4);
    });
    let document = disk.run("fix", &["--yes", "--format", "json"]).expect(1);
    let document = document.json();
    assert_eq!(document["exit"], 1);
    assert_eq!(document["outcome"]["status"], "applied");
    assert_eq!(document["after"]["blocked"], true);
}

#[test]
fn without_a_terminal_somebody_must_have_agreed() {
    let disk = broken(several);
    let before = hives(&disk);
    let ended = disk.run("fix", &[]).expect(2);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    disk.run("fix", &["--quiet"]).expect(2);
    disk.run("fix", &["--format", "json"]).expect(2);
    assert_eq!(hives(&disk), before);
    assert!(!has_backups(&disk));
}

#[test]
fn the_guards_stop_it_with_the_words_of_apply() {
    let disk = broken(several);
    fs::write(disk.path.join("hiberfil.sys"), b"hibr").unwrap();
    let before = hives(&disk);
    let fixed = disk.run("fix", &["--yes"]).expect(3);
    let applied = disk.run("apply", &["-p", "rdp-enable", "--yes"]).expect(3);
    assert_eq!(fixed.stderr, applied.stderr);
    assert_eq!(hives(&disk), before);
    disk.run("fix", &["--yes", "--accept-hibernated"]).expect(0);
}

#[test]
fn the_document_says_what_was_found_proposed_and_done() {
    let disk = broken(several);
    let document = disk.run("fix", &["--yes", "--format", "json"]).expect(0);
    let document = document.json();
    assert_eq!(document["schema"], "hivemend.fix/1");
    assert_eq!(document["target"], disk.path.display().to_string());
    assert_eq!(document["exit"], 0);
    assert_eq!(document["before"]["schema"], "hivemend.diagnose/2");
    assert_eq!(document["before"]["blocked"], true);
    assert_eq!(document["after"]["blocked"], false);
    assert_eq!(document["plan"]["schema"], "hivemend.plan/1");
    assert_eq!(document["outcome"]["status"], "applied");
    let first = &document["proposed"][0];
    assert!(first["why"][0].is_string() && first["named"] == json!(false));
    let again = disk.run("fix", &["--yes", "--format", "json"]).expect(0);
    let again = again.json();
    assert_eq!(again["plan"], Json::Null);
    assert_eq!(again["outcome"]["status"], "unchanged");
    assert_eq!(again["after"], again["before"]);
}

/// Group policy turns Remote Desktop off at each start: only parking it helps, which lowers security.
#[test]
fn what_lowers_security_is_left_out_until_it_is_named() {
    let disk = broken(|m| m.registry_pol("fDenyTSConnections", 4, &1_u32.to_le_bytes()));
    let before = hives(&disk);
    let ended = disk.run("fix", &["--yes"]).expect(1);
    let text = plain(&ended);
    for word in [
        "group-policy-park is left out",
        "lowers security",
        "-p group-policy-park",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(hives(&disk), before);
    let document = disk.run("fix", &["--yes", "--format", "json"]).expect(1);
    let document = document.json();
    assert_eq!(document["proposed"], json!([]));
    assert_eq!(document["left_out"][0]["profile"], "group-policy-park");
    let named = disk
        .run("fix", &["--yes", "-p", "group-policy-park"])
        .expect(0);
    assert!(plain(&named).contains("LOWER"), "{named:?}");
    assert_ne!(hives(&disk), before);
}

fn without_licences() -> Disk {
    broken(|m| {
        session_host(m);
        m.dword(
            &format!(r"{TERMINAL_SERVER}\RCM\Licensing Core"),
            "LicensingMode",
            5,
        );
    })
}

#[test]
fn what_a_profile_needs_is_named_where_nobody_answers_and_taken_where_it_is_given() {
    let disk = without_licences();
    let before = hives(&disk);
    let ended = disk.run("fix", &["--yes"]).expect(1);
    let text = plain(&ended);
    for word in [
        "rds-licensing-config is left out",
        "--set mode=...",
        "--set servers=...",
        "one of 2, 4",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let document = disk.run("fix", &["--yes", "--format", "json"]).expect(1);
    let document = document.json();
    assert_eq!(document["left_out"][0]["needs"], json!(["mode", "servers"]));
    let by_name = ["-p", "rds-licensing-config", "--yes"];
    let refused = disk.run("fix", &by_name).expect(2);
    assert!(refused.stderr.contains("mode"), "{refused:?}");
    let half = ["--set", "mode=3", "--set", "servers=rds.example", "--yes"];
    let refused = disk.run("fix", &half).expect(2);
    assert!(refused.stderr.contains("mode"), "{refused:?}");
    assert_eq!(hives(&disk), before);
    let given = ["--set", "mode=4", "--set", "servers=rds.example", "--yes"];
    let done = disk.run("fix", &given).expect(0);
    assert!(plain(&done).contains("rds-licensing-config"), "{done:?}");
    assert_eq!(disk.json("diagnose", &[])["blocked"], false);
}

#[cfg(unix)]
#[test]
fn on_a_terminal_what_a_profile_needs_is_asked_for() {
    let disk = without_licences();
    let before = hives(&disk);
    let command = format!("fix {}", disk.path.display());
    let answers = "\n\n";
    let Some(ended) = on_a_terminal(&command, answers) else {
        return;
    };
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stdout.contains("rds-licensing-config needs mode"),
        "{ended:?}"
    );
    assert_eq!(hives(&disk), before);
    // A wrong one is asked for again; then the profiles, then whether to go on.
    let answers = "3\n4\nrds.example\n\ny\n";
    let ended = on_a_terminal(&command, answers).unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_ne!(hives(&disk), before);
}
