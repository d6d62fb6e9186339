// SPDX-License-Identifier: GPL-3.0-or-later
//! What is said where something was typed wrongly, is not allowed, or is no longer as it was: the right
//! exit code, the nearest right word, and where to look.

#![cfg(not(windows))]

use std::fs;

use crate::bench::{Bench, Ended, hivemend};

fn check(text: &str) -> Ended {
    let bench = Bench::sample();
    let file = bench.beside("p.yaml");
    fs::write(&file, text).unwrap();
    hivemend(&["profile", "check", &file.display().to_string()])
}

fn head(rest: &str) -> String {
    format!("schema: hivemend.profile/1\nid: p\ntitle: t\nsource: s\n{rest}")
}

fn value(fields: &str) -> String {
    head(&format!(
        "keys:\n  - key: HKLM\\SOFTWARE\\Acme\n    values:\n      - name: a\n{fields}"
    ))
}

#[test]
fn a_missing_profile_names_what_proposes_one_on_this_disk() {
    let bench = Bench::sample();
    for command in ["plan", "apply"] {
        let said = bench.run(command, &[]).expect(2).stderr;
        let diagnose = format!("hivemend diagnose {}", bench.disk().display());
        let is_plain = !cfg!(windows);
        assert!(!is_plain || said.contains(&diagnose), "{said}");
        assert!(said.contains("hivemend profile list"), "{said}");
        assert!(!said.contains("diagnose TARGET"), "{said}");
    }
    let said = hivemend(&["plan"]).expect(2).stderr;
    for word in [
        "attached disk's root",
        "hivemend disks",
        "hivemend diagnose TARGET",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    for command in ["diagnose", "check", "backups", "fix", "mend", "recover"] {
        hivemend(&[command]).expect(2);
    }
    let missing = hivemend(&["diagnose"]).expect(2).stderr;
    assert!(missing.contains("attached disk's root"), "{missing}");
}

#[test]
fn two_profiles_may_be_named_at_once() {
    let bench = Bench::sample();
    let together = bench
        .run("plan", &["-p", "rdp-enable,rdp-services"])
        .expect(0);
    let apart = bench
        .run("plan", &["-p", "rdp-enable", "-p", "rdp-services"])
        .expect(0);
    let changes = |ended: &Ended| ended.stdout.lines().count();
    assert_eq!(changes(&together), changes(&apart));
    bench.run("plan", &["-p", "rdp-enable,no-such"]).expect(2);
}

#[test]
fn a_field_that_is_none_gets_the_nearest_and_no_list_of_thirty() {
    for (fields, near) in [
        ("        dward: 0\n        why: w\n", "write `dword`"),
        ("        dword: 0\n        reason: w\n", "write `why`"),
        ("        dword: 0\n        Description: w\n", "write `why`"),
        ("        value: 0\n        why: w\n", "as in `dword: 1`"),
        ("        string: x\n        why: w\n", "write `sz`"),
        (
            "        lowersSecurity: true\n        dword: 0\n        why: w\n",
            "write `lowers-security`",
        ),
        ("        delete: true\n        why: w\n", "write `absent`"),
        ("        why: w\n", "as in `dword: 1`"),
    ] {
        let said = check(&value(fields)).expect(1).stdout;
        assert!(said.contains(near), "{fields}: {said}");
        assert!(!said.contains("full-resource-descriptor"), "{said}");
        let longest = said.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest < 160, "{said}");
    }
    let said = check(&head(
        "note: x\nkeys:\n  - path: HKLM\\SOFTWARE\\A\n    absent: true\n",
    ));
    let said = said.expect(1).stdout;
    assert!(said.contains("write `key`"), "{said}");
    let said = check(&value(
        "        zzzzzz: 1\n        dword: 1\n        why: w\n",
    ));
    let said = said.expect(1).stdout;
    assert!(said.contains("hivemend help profiles"), "{said}");
}

#[test]
fn a_tab_is_shown_in_its_own_line() {
    for (fields, line) in [
        ("\tdword: 0\n        why: w\n", 9),
        ("        dword: 0\n\twhy: w\n", 10),
        ("        dword: 0\n      \twhy: w\n", 10),
    ] {
        let said = check(&value(fields)).expect(1).stdout;
        assert!(said.contains(&format!("p.yaml:{line}:")), "{said}");
        assert!(said.contains("YAML allows no tabs"), "{said}");
    }
}

#[test]
fn an_include_of_nothing_names_the_nearest() {
    let said = check(&head("include: [rdp-baselin]\n")).expect(1).stdout;
    assert!(said.contains("did you mean `rdp-baseline`?"), "{said}");
    let said = check(&head("include: [unlike-all-of-them]\n"))
        .expect(1)
        .stdout;
    assert!(!said.contains("did you mean"), "{said}");
}

#[test]
fn a_folder_is_no_file_for_a_plan() {
    let bench = Bench::sample();
    let folder = bench.beside("folder");
    fs::create_dir(&folder).unwrap();
    let said = bench
        .run(
            "plan",
            &["-p", "rdp-enable", "-o", &folder.display().to_string()],
        )
        .expect(3)
        .stderr;
    assert!(said.contains("this is a folder"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_root_of_this_system_is_no_efi_partition() {
    let said = hivemend(&["plan", "/", "-p", "rdp-enable"])
        .expect(3)
        .stderr;
    assert!(!said.contains("EFI"), "{said}");
    assert!(said.contains("running here"), "{said}");
}

/// Numbers as a plan has them, each with its meaning; the type where that is what differs.
#[test]
fn a_plan_that_is_out_of_date_shows_values_as_plans_do() {
    let bench = Bench::sample();
    let file = bench.beside("plan.json").display().to_string();
    let key = r"SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
    let set = |words: &[&str]| {
        bench.run(
            "set",
            &[&[key, "SecurityLayer"], words, &["--yes"]].concat(),
        )
    };
    set(&["dword", "2"]).expect(0);
    bench
        .run("plan", &["-p", "rdp-disconnects", "-o", &file])
        .expect(0);
    set(&["dword", "1"]).expect(0);
    let apply = || {
        bench
            .run("apply", &["--plan", &file, "--yes"])
            .expect(3)
            .stderr
    };
    let said = apply();
    assert!(said.contains("it was 2 (TLS), it is 1 ("), "{said}");
    set(&["sz", "2"]).expect(0);
    let said = apply();
    assert!(
        said.contains("it was 2 (TLS) (REG_DWORD), it is \"2\" (REG_SZ)"),
        "{said}"
    );
    bench
        .run("unset", &[key, "SecurityLayer", "--yes"])
        .expect(0);
    assert!(apply().contains("it was 2 (TLS), it is absent"));
}

/// What PowerShell 5 redirects is UTF-16, and editors put marks in front.
#[test]
fn a_plan_is_read_in_the_encodings_that_windows_writes() {
    let bench = Bench::sample();
    let plan = bench
        .run("plan", &["-p", "rdp-enable", "--format", "json"])
        .expect(0)
        .stdout;
    let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let marked = format!("\u{feff}{}", plan.replace('\n', "\r\n"));
        marked.encode_utf16().flat_map(bytes).collect()
    };
    let file = bench.beside("plan.json");
    for bytes in [
        format!("\u{feff}{plan}").into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ] {
        let twin = Bench::sample();
        fs::write(&file, bytes).unwrap();
        let words = ["--plan", &file.display().to_string(), "--yes"];
        twin.run("apply", &words).expect(0);
    }
    fs::write(&file, b"\xff\xfe{").unwrap();
    bench
        .run("apply", &["--plan", &file.display().to_string(), "--yes"])
        .expect(2);
}

#[cfg(unix)]
mod permission {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::on_a_terminal;
    use crate::bench::{Bench, Ended, output_of};

    const NOBODY: u32 = 65534;

    fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// Runs the program as somebody to whom nothing is allowed but what everybody may.
    fn run(program: &Path, words: &[&str]) -> Ended {
        let mut command = Command::new(program);
        command
            .args(words)
            .stdin(Stdio::null())
            .env_remove("NO_COLOR");
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = output_of(&mut command);
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Refused, with what helps; whatever the command would have done.
    #[test]
    fn what_is_not_allowed_ends_all_commands_with_3() {
        let bench = Bench::sample();
        let folder = bench.disk().parent().unwrap();
        mode(folder, 0o755);
        let program = folder.join("hivemend");
        fs::copy(env!("CARGO_BIN_EXE_hivemend"), &program).unwrap();
        mode(&program, 0o755);
        let (disk, config) = (bench.disk().display().to_string(), bench.config());
        let key = r"SYSTEM\ControlSet001\Control";
        let commands: &[&[&str]] = &[
            &["plan", &disk, "-p", "rdp-enable"],
            &["diagnose", &disk],
            &["check", &disk],
            &["show", &disk, key],
            &["find", "x", &disk],
            &["set", &disk, key, "x", "dword", "1", "--yes"],
            &["unset", &disk, key, "x", "--yes"],
            &["fix", &disk, "--yes"],
            &["apply", &disk, "-p", "rdp-enable", "--yes"],
            &["recover", &disk, "--yes"],
            &["mend", &disk, "--dry-run"],
            &["mend", &disk, "--yes"],
            &["explain", "516", "--on", &disk],
        ];
        mode(&config, 0o000);
        for words in commands {
            let ended = run(&program, words).expect(3);
            assert!(ended.stderr.contains("Run hivemend as root."), "{ended:?}");
            assert!(!ended.stderr.contains("administrator"), "{ended:?}");
        }
        for words in [
            &["backups", disk.as_str()][..],
            &["restore", &disk, "--yes"],
            &["donors", &disk],
        ] {
            run(&program, words).expect(3);
        }
        mode(&config, 0o755);
        // It can be read, and not be written to.
        mode(&config, 0o555);
        if is_root() {
            let everybody = |name: &str| mode(&config.join(name), 0o644);
            ["SYSTEM", "SOFTWARE"]
                .iter()
                .for_each(|name| everybody(name));
        }
        for words in [
            &["apply", &disk, "-p", "rdp-enable", "--yes"][..],
            &["fix", &disk, "--yes"],
        ] {
            let ended = run(&program, words).expect(3);
            assert!(ended.stderr.contains("Run hivemend as root."), "{ended:?}");
        }
        let closed = folder.join("closed");
        fs::create_dir(&closed).unwrap();
        mode(&closed, 0o555);
        let plan = closed.join("plan.json").display().to_string();
        run(&program, &["plan", &disk, "-p", "rdp-enable", "-o", &plan]).expect(3);
        mode(&config, 0o755);
    }

    #[test]
    fn no_at_the_question_is_no_error() {
        let bench = Bench::sample();
        let before = bench.snapshot();
        let disk = bench.disk().display().to_string();
        for (command, answer) in [
            (format!("apply {disk} -p rdp-security-harden"), "n\n"),
            (format!("apply {disk} -p rdp-security-harden"), "\n"),
            (format!("set {disk} SOFTWARE\\\\Acme a dword 1"), "no\n"),
        ] {
            let Some(ended) = on_a_terminal(&command, answer) else {
                return;
            };
            assert_eq!(ended.code, 3, "{ended:?}");
            assert!(ended.stdout.contains("Nothing was written."), "{ended:?}");
            assert!(!ended.stdout.contains("error:"), "{ended:?}");
        }
        assert_eq!(bench.snapshot(), before);
        let yes = format!("apply {disk} -p rdp-security-harden");
        let ended = on_a_terminal(&yes, "y\n").unwrap();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_ne!(bench.snapshot(), before);
    }
}

/// The program on a terminal of its own, where `script` is there to make one.
#[cfg(unix)]
pub(crate) fn on_a_terminal(command: &str, answer: &str) -> Option<Ended> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_hivemend"));
    let spawned = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        let said = "SKIPPED: there is no program `script`, so no terminal\n";
        let _ = std::io::stderr().write_all(said.as_bytes());
        return None;
    };
    // The terminal goes when this end is closed: only once the program has ended.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    Some(Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
