// SPDX-License-Identifier: GPL-3.0-or-later
//! Files that somebody names, or that a profile includes: nothing is waited for, nothing but a
//! profile is shown, and no include leads out of its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::bench::{Bench, Ended, hivemend};

const SECRET: &str = "b1946ac92492d2347c6235b4d2611184";

/// A folder with profiles in it, and things that are none of its business beside it.
struct Folder {
    _all: tempfile::TempDir,
    profiles: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let profiles = all.path().join("profiles");
        fs::create_dir(&profiles).unwrap();
        Self {
            _all: all,
            profiles,
        }
    }

    fn beside(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.profiles.parent().unwrap().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn profile(&self, name: &str, head: &str) -> String {
        let path = self.profiles.join(format!("{name}.yaml"));
        fs::write(&path, profile_text(name, head)).unwrap();
        path.display().to_string()
    }

    fn check(&self, head: &str) -> Ended {
        hivemend(&["profile", "check", &self.profile("outer", head)])
    }
}

fn profile_text(name: &str, head: &str) -> String {
    let id = name.rsplit('/').next().unwrap();
    format!(
        "schema: hivemend.profile/1\nid: {id}\ntitle: X\nsource: me\n{head}\nkeys:\n  \
         - key: HKLM\\SOFTWARE\\Acme\\{id}\n    values: [ {{ name: A, dword: 1, why: w }} ]\n"
    )
}

/// What files look like that are not meant for anybody's eyes.
fn secrets() -> Vec<Vec<u8>> {
    let text = |text: String| text.into_bytes();
    vec![
        text(format!(
            "root:$6${SECRET}:19000:0:99999:7:::\nbin:*:1:0:::::\n"
        )),
        text(format!("{SECRET}\n")),
        text(format!("# a comment\n# {SECRET}\n")),
        text(format!("password: {SECRET}\nuser: x\n")),
        text(format!("- {SECRET}\n- b\n")),
        text(format!(
            "-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"
        )),
        text(format!("{{\"password\": \"{SECRET}\"}}\n")),
        text(format!("[section]\nkey = \"{SECRET}\n")),
        text(format!("a: *{SECRET}\n")),
        text(format!("a: !{SECRET} b\n")),
        text(format!("\t{SECRET}: x\n")),
        text(format!("x\u{1b}{SECRET}\n")),
        text(format!("schema: other.thing/1\npassword: {SECRET}\n")),
        text(format!("log line\nschema: hivemend.profile/1\n{SECRET}\n")),
        [SECRET.as_bytes(), b"\xff\xfe\n"].concat(),
        [b"\xff\xfe", SECRET.as_bytes()].concat(),
    ]
}

#[test]
fn a_file_that_is_no_profile_is_not_shown() {
    let folder = Folder::new();
    let bench = Bench::sample();
    for (n, secret) in secrets().iter().enumerate() {
        let file = folder.beside("secret.yaml", secret).display().to_string();
        let inside = folder.profiles.join("inside.yaml");
        fs::write(&inside, secret).unwrap();
        let outer = folder.profile("outer", "include: [./inside.yaml]");
        let disk = bench.disk().display().to_string();
        let plan = |profile: &str| hivemend(&["plan", &disk, "-p", profile, "--format", "json"]);
        let all = [
            hivemend(&["profile", "check", &file]).expect(1),
            hivemend(&["profile", "show", &file]).expect(2),
            hivemend(&["profile", "capture", &disk, "--from", &file]).expect(2),
            hivemend(&["profile", "check", &outer]).expect(1),
            plan(&file).expect(2),
            plan(&outer).expect(2),
            hivemend(&["apply", &disk, "--plan", &file, "--yes"]).expect(2),
        ];
        for ended in all {
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains(SECRET), "{n}: {said}");
            assert!(!said.contains("root:"), "{n}: {said}");
        }
    }
}

#[test]
fn an_error_in_a_profile_shows_its_line() {
    let folder = Folder::new();
    for text in [
        "schema: hivemend.profile/1\nsauce: x\n",
        "# made by hand\n\n---\nschema: 'hivemend.profile/1'\nsauce: x\n",
        "id: x\ntitle: X\nsymptoms:\n  - one\n- two\nschema: hivemend.profile/1\nsauce: x\n",
        "\u{feff}schema: \"hivemend.profile/1\"\r\nsauce: x\r\n",
    ] {
        let file = folder.beside("mine.yaml", text).display().to_string();
        let ended = hivemend(&["profile", "check", &file]).expect(1);
        assert!(ended.stdout.contains(" | "), "{text}: {ended:?}");
    }
}

#[test]
fn an_include_stays_in_its_folder() {
    let folder = Folder::new();
    let other = folder.beside("other.yaml", profile_text("other", ""));
    fs::create_dir(folder.profiles.join("sub")).unwrap();
    folder.profile("near", "");
    folder.profile("sub/deep", "");
    folder.profile("sub/up", "include: [../near.yaml]");
    let outside = "is not in the folder of this file";
    for name in [
        "./../other.yaml",
        "./../../../../../../../../etc/shadow",
        "sub/../../other.yaml",
        "./../no-such-file.yaml",
    ] {
        let ended = folder.check(&format!("include: [{name}]")).expect(1);
        assert!(ended.stdout.contains(outside), "{name}: {ended:?}");
    }
    let ended = folder
        .check(&format!("include: ['{}']", other.display()))
        .expect(1);
    assert!(
        ended.stdout.contains("is not a path from this file"),
        "{ended:?}"
    );
    for name in ["./near.yaml", "sub/deep.yaml", "./sub/../near.yaml"] {
        folder.check(&format!("include: [{name}]")).expect(0);
    }
    // The folder of the including file counts, not that of the first one.
    let ended = folder.check("include: [sub/up.yaml]").expect(1);
    assert!(ended.stdout.contains(outside), "{ended:?}");
}

#[cfg(unix)]
#[test]
fn a_link_leads_an_include_nowhere_else() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let outside = folder.beside("other.yaml", profile_text("other", ""));
    let secret = folder.beside("secret", format!("root:{SECRET}\n"));
    let place = |name: &str| folder.profiles.join(name);
    folder.profile("near", "");
    symlink(&outside, place("out.yaml")).unwrap();
    symlink(&secret, place("secret.yaml")).unwrap();
    symlink(folder.profiles.parent().unwrap(), place("up")).unwrap();
    symlink("near.yaml", place("in.yaml")).unwrap();
    for name in ["out.yaml", "secret.yaml", "up/other.yaml", "up/secret"] {
        let ended = folder.check(&format!("include: [./{name}]")).expect(1);
        let said = &ended.stdout;
        assert!(
            said.contains("is not in the folder of this file"),
            "{ended:?}"
        );
        assert!(!said.contains(SECRET), "{ended:?}");
    }
    folder.check("include: [./in.yaml]").expect(0);
    // A profile that is named by a link is where the link leads.
    let link = folder.beside("link.yaml", "");
    fs::remove_file(&link).unwrap();
    symlink(folder.profile("outer", "include: [./near.yaml]"), &link).unwrap();
    hivemend(&["profile", "check", &link.display().to_string()]).expect(0);
}

/// Ended, and in time; a program that waits for a pipe's other end is stopped.
#[cfg(unix)]
fn at_once(args: &[&str]) -> Ended {
    use std::process::{Command, Stdio};
    let mut command = Command::new(env!("CARGO_BIN_EXE_hivemend"));
    command.args(args).stdin(Stdio::null());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("still waiting: {args:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let bench = Bench::sample();
    let folder = Folder::new();
    let place = |name: &str| folder.profiles.join(name);
    make_fifo(&place("pipe.yaml"));
    fs::create_dir(place("folder.yaml")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place("socket.yaml")).unwrap();
    std::os::unix::fs::symlink("pipe.yaml", place("link.yaml")).unwrap();
    let disk = bench.disk().display().to_string();
    let before = bench.snapshot();
    let mut names: Vec<(String, &str)> = [
        ("pipe.yaml", "pipe"),
        ("folder.yaml", "folder"),
        ("socket.yaml", "socket"),
        ("link.yaml", "pipe"),
    ]
    .map(|(name, what)| (place(name).display().to_string(), what))
    .to_vec();
    for name in ["/dev/zero", "/dev/tty", "/dev/null", "/dev/random"] {
        if Path::new(name).exists() {
            names.push((name.to_owned(), "device"));
        }
    }
    for (name, what) in &names {
        let what = format!("this is a {what}, not a file");
        for args in [
            &["plan", &disk, "-p", name][..],
            &["apply", &disk, "-p", name, "--yes"],
            &["apply", &disk, "--plan", name, "--yes"],
            &["profile", "show", name],
            &["profile", "capture", &disk, "--from", name],
        ] {
            let ended = at_once(args).expect(2);
            assert!(ended.stderr.contains(&what), "{args:?}: {ended:?}");
        }
        let ended = at_once(&["profile", "check", name]).expect(1);
        assert!(ended.stdout.contains(&what), "{name}: {ended:?}");
        // Never written over, and not waited for.
        let ended = at_once(&["plan", &disk, "-p", "rdp-defaults", "-o", name]).expect(3);
        assert!(ended.stderr.contains("is not a plan"), "{name}: {ended:?}");
    }
    for name in ["pipe.yaml", "folder.yaml", "socket.yaml", "link.yaml"] {
        let outer = folder.profile("outer", &format!("include: [./{name}]"));
        let ended = at_once(&["plan", &disk, "-p", &outer]).expect(2);
        assert!(ended.stderr.contains("not a file"), "{name}: {ended:?}");
    }
    at_once(&["plan", &disk, "-p", "-"]).expect(2);
    at_once(&["apply", &disk, "--plan", "-", "--yes"]).expect(2);
    assert_eq!(bench.snapshot(), before);
}

#[cfg(unix)]
fn make_fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn sizes_are_limited_and_the_limit_is_said() {
    let bench = Bench::sample();
    let disk = bench.disk().display().to_string();
    let folder = Folder::new();
    let large = |size: u64| {
        let path = folder.beside("large.yaml", "");
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(size)
            .unwrap();
        path.display().to_string()
    };
    let ended = hivemend(&["plan", &disk, "-p", &large((1 << 20) + 1)]).expect(2);
    assert!(
        ended
            .stderr
            .contains("1 MiB, the most that a profile may have"),
        "{ended:?}"
    );
    let ended = hivemend(&["apply", &disk, "--plan", &large((64 << 20) + 1), "--yes"]).expect(2);
    assert!(
        ended
            .stderr
            .contains("64 MiB, the most that a plan may have"),
        "{ended:?}"
    );

    let filler = format!("#{}\n", "x".repeat(1000)).repeat(1000);
    let names: Vec<String> = (0..20).map(|n| format!("large{n}")).collect();
    for name in &names {
        folder.profile(name, &filler);
    }
    let all: Vec<String> = names.iter().map(|name| format!("./{name}.yaml")).collect();
    let ended = folder
        .check(&format!("include: [{}]", all.join(", ")))
        .expect(1);
    assert!(ended.stdout.contains("more than 16 MiB"), "{ended:?}");

    let names: Vec<String> = (0..300)
        .map(|n| folder.profile(&format!("many{n}"), ""))
        .collect();
    let mut args = vec!["profile", "check"];
    args.extend(names.iter().map(String::as_str));
    let ended = hivemend(&args).expect(1);
    assert!(ended.stdout.contains("more than 256 profiles"), "{ended:?}");
}

/// Sixty profiles that include the same sixty others cost what all of them cost, and not sixty times
/// sixty.
#[test]
fn each_file_is_read_once() {
    let folder = Folder::new();
    let filler = "# what it is about\n".repeat(2000);
    let others: Vec<String> = (0..60)
        .map(|n| {
            folder.profile(&format!("other{n}"), &filler);
            format!("./other{n}.yaml")
        })
        .collect();
    let include = format!("include: [{}]", others.join(", "));
    let outer: Vec<String> = (0..60)
        .map(|n| folder.profile(&format!("outer{n}"), &include))
        .collect();
    let time = |names: &[String]| {
        let mut args = vec!["profile", "check"];
        args.extend(names.iter().map(String::as_str));
        let begun = Instant::now();
        hivemend(&args).expect(0);
        begun.elapsed()
    };
    let one = time(&outer[..1]);
    let all = time(&outer);
    assert!(
        all < one * 12 + Duration::from_secs(2),
        "one {one:?}, all {all:?}"
    );
}
