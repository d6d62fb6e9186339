// SPDX-License-Identifier: GPL-3.0-or-later
//! What each command writes to, by its system calls: commands that look write nowhere, the others
//! only to the hives' folder, the backup folder and the file that was named.
//!
//! The commands come from the program's own help, so that a new one needs a case here. A system
//! call that this file does not know fails the test: it must be said whether it writes.

#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::bench::{Bench, hivemend};
use crate::killed::strace;
use crate::transaction_log::{NewLog, dirty};
use hivemend::regf::Hive;

/// Where a command may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Hives, logs and hivemend's own files in the config folder; not the folder itself.
    Config,
    /// The folder that `--backup-dir` names.
    Backups,
    /// The file that `-o` names.
    Out,
}
use Place::{Backups, Config, Out};

/// What a disk has been through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Three runs have left their backups, and Windows was not started since.
    Applied,
    /// One run has left its backup in the folder that `--backup-dir` names.
    Elsewhere,
    /// The newest data is in the transaction logs.
    Dirty,
    /// A restore was cut off before it wrote.
    Interrupted,
    /// A count in a key of SYSTEM is wrong; what it counts is all there.
    Damaged,
}
use State::{Applied, Damaged, Dirty, Elsewhere, Interrupted};

struct Case {
    command: &'static str,
    /// Words, of which DISK, HIVE, BACKUPS and OUT stand for paths.
    args: &'static str,
    state: State,
    code: i32,
    may: &'static [Place],
}

const fn looks(command: &'static str, args: &'static str) -> Case {
    Case {
        command,
        args,
        state: Applied,
        code: 0,
        may: &[],
    }
}

const fn writes(
    command: &'static str,
    args: &'static str,
    state: State,
    may: &'static [Place],
) -> Case {
    Case {
        command,
        args,
        state,
        code: 0,
        may,
    }
}

const PLAN: &str = "DISK -p rdp-disconnects";

const CASES: &[Case] = &[
    looks("disks", "DISK"),
    looks("disks", ""),
    looks("plan", PLAN),
    looks("plan", "DISK -p rdp-baseline --verbose"),
    writes("plan", "DISK -p rdp-disconnects -o OUT", Applied, &[Out]),
    looks("backups", "DISK"),
    looks("donors", "DISK"),
    looks("mend", "DISK --dry-run"),
    writes("mend", "DISK --yes", Damaged, &[Config]),
    writes(
        "mend",
        "DISK --yes --backup-dir BACKUPS",
        Damaged,
        &[Config, Backups],
    ),
    writes("mend", "HIVE -o OUT", Damaged, &[Out]),
    looks("diagnose", "DISK --verbose"),
    looks("check", "DISK HIVE --verbose"),
    looks("show", r"DISK SYSTEM\Select Current"),
    looks("show", r"DISK SYSTEM\Select --recursive"),
    looks("find", "termservice DISK"),
    looks("explain", "516"),
    looks("profile import", "REG"),
    writes("profile import", "REG -o OUT", Applied, &[Out]),
    looks("completions", "bash"),
    looks("man", "plan"),
    looks("help", "profiles"),
    looks("profile list", ""),
    looks("profile show", "rdp-disconnects"),
    looks("profile check", "rdp-disconnects"),
    looks("profile new", ""),
    writes("profile new", "-o OUT", Applied, &[Out]),
    looks("profile capture", "DISK --from rdp-disconnects"),
    writes(
        "profile capture",
        "DISK --from rdp-disconnects -o OUT",
        Applied,
        &[Out],
    ),
    writes(
        "apply",
        "DISK -p rdp-security-harden --yes",
        Applied,
        &[Config],
    ),
    writes(
        "apply",
        "DISK -p rdp-security-harden --yes --backup-scope config",
        Applied,
        &[Config],
    ),
    writes(
        "apply",
        "DISK -p rdp-security-harden --yes --backup-dir BACKUPS",
        Applied,
        &[Config, Backups],
    ),
    writes("apply", "DISK -p rdp-disconnects --yes", Dirty, &[Config]),
    writes(
        "apply",
        "DISK -p rdp-disconnects --yes",
        Interrupted,
        &[Config],
    ),
    Case {
        command: "fix",
        args: "DISK -p rdp-security-harden --yes",
        state: Applied,
        code: 0,
        may: &[Config],
    },
    Case {
        command: "fix",
        args: "DISK -p rdp-security-harden --yes --backup-dir BACKUPS",
        state: Applied,
        code: 0,
        may: &[Config, Backups],
    },
    writes("recover", "DISK --yes", Dirty, &[Config]),
    writes("recover", "HIVE --yes", Dirty, &[Config]),
    writes(
        "recover",
        "DISK --yes --backup-dir BACKUPS",
        Dirty,
        &[Config, Backups],
    ),
    writes("recover", "HIVE -o OUT", Dirty, &[Out]),
    writes("recover", "HIVE -o OUT", Applied, &[Out]),
    looks("set", r"DISK SYSTEM\Setup Probe dword 1 --dry-run"),
    writes(
        "set",
        r"DISK SYSTEM\Setup Probe dword 1 --yes",
        Applied,
        &[Config],
    ),
    writes(
        "set",
        r"DISK SYSTEM\Setup Probe dword 1 --yes --backup-dir BACKUPS",
        Applied,
        &[Config, Backups],
    ),
    looks("unset", r"DISK SYSTEM\Setup SystemPartition --dry-run"),
    writes(
        "unset",
        r"DISK SYSTEM\Setup SystemPartition --yes",
        Applied,
        &[Config],
    ),
    writes(
        "unset",
        r"DISK SYSTEM\Setup SystemPartition --yes --backup-dir BACKUPS",
        Applied,
        &[Config, Backups],
    ),
    writes("restore", "DISK --yes", Applied, &[Config]),
    writes("restore", "DISK --values --yes", Applied, &[Config]),
    writes("restore", "DISK --yes", Interrupted, &[Config]),
    writes(
        "restore",
        "DISK --yes --backup-dir BACKUPS",
        Elsewhere,
        &[Config, Backups],
    ),
    writes("backups", "DISK --prune 1 --yes", Applied, &[Config]),
    writes("backups", "DISK --backup-dir BACKUPS", Elsewhere, &[]),
    // Nobody agreed.
    Case {
        command: "apply",
        args: PLAN,
        state: Dirty,
        code: 2,
        may: &[],
    },
    Case {
        command: "restore",
        args: "DISK",
        state: Applied,
        code: 2,
        may: &[],
    },
    Case {
        command: "recover",
        args: "DISK",
        state: Dirty,
        code: 2,
        may: &[],
    },
    Case {
        command: "backups",
        args: "DISK --prune 1",
        state: Applied,
        code: 2,
        may: &[],
    },
];

/// A call that writes, and what it writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Write {
    path: String,
    line: String,
}

/// What strace saw.
#[derive(Default)]
struct Trace {
    writes: Vec<Write>,
    /// Calls of which it is not known whether they write.
    unknown: Vec<String>,
    /// Paths that were opened for reading.
    read: BTreeSet<String>,
}

/// Calls that change nothing, whatever they are given.
const READS: [&str; 48] = [
    "access",
    "chdir",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "execve",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fcntl",
    "fdatasync",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "getcwd",
    "getdents64",
    "getxattr",
    "lgetxattr",
    "listxattr",
    "llistxattr",
    "lseek",
    "lstat",
    "name_to_handle_at",
    "newfstatat",
    "poll",
    "ppoll",
    "pread64",
    "preadv",
    "read",
    "readahead",
    "readlink",
    "readlinkat",
    "readv",
    "stat",
    "statfs",
    "statx",
    "sync_file_range",
    "syncfs",
];

/// Calls that write to the places that these of their arguments name.
#[rustfmt::skip]
const WRITES: [(&str, &[At]); 49] = [
    ("chmod", &[At::Path(0)]), ("chown", &[At::Path(0)]), ("copy_file_range", &[At::Fd(2)]),
    ("creat", &[At::Path(0)]), ("fallocate", &[At::Fd(0)]), ("fchmod", &[At::Fd(0)]),
    ("fchmodat", &[At::Below(0, 1)]), ("fchmodat2", &[At::Below(0, 1)]), ("fchown", &[At::Fd(0)]),
    ("fchownat", &[At::Below(0, 1)]), ("fremovexattr", &[At::Fd(0)]), ("fsetxattr", &[At::Fd(0)]),
    ("ftruncate", &[At::Fd(0)]), ("futimesat", &[At::Below(0, 1)]), ("lchown", &[At::Path(0)]),
    ("link", &[At::Path(0), At::Path(1)]), ("linkat", &[At::Below(0, 1), At::Below(2, 3)]),
    ("lremovexattr", &[At::Path(0)]), ("lsetxattr", &[At::Path(0)]), ("mkdir", &[At::Path(0)]),
    ("mkdirat", &[At::Below(0, 1)]), ("mknod", &[At::Path(0)]), ("mknodat", &[At::Below(0, 1)]),
    ("pwrite64", &[At::Fd(0)]), ("pwritev", &[At::Fd(0)]), ("pwritev2", &[At::Fd(0)]),
    ("removexattr", &[At::Path(0)]), ("removexattrat", &[At::Below(0, 1)]),
    ("rename", &[At::Path(0), At::Path(1)]), ("renameat", &[At::Below(0, 1), At::Below(2, 3)]),
    ("renameat2", &[At::Below(0, 1), At::Below(2, 3)]), ("rmdir", &[At::Path(0)]),
    ("sendfile", &[At::Fd(0)]), ("setxattr", &[At::Path(0)]), ("setxattrat", &[At::Below(0, 1)]),
    ("splice", &[At::Fd(2)]), ("symlink", &[At::Path(1)]), ("symlinkat", &[At::Below(1, 2)]),
    ("truncate", &[At::Path(0)]), ("unlink", &[At::Path(0)]), ("unlinkat", &[At::Below(0, 1)]),
    ("utime", &[At::Path(0)]), ("utimensat", &[At::Below(0, 1)]), ("utimes", &[At::Path(0)]),
    ("vmsplice", &[At::Fd(0)]), ("write", &[At::Fd(0)]), ("writev", &[At::Fd(0)]),
    ("bind", &[At::Fd(0)]), ("mount", &[At::Path(1)]),
];

/// Which arguments say what is written to.
#[derive(Clone, Copy, Debug)]
enum At {
    Fd(usize),
    Path(usize),
    /// A folder's descriptor and a path below it; no path means what the descriptor is of.
    Below(usize, usize),
}

impl Trace {
    /// Reads what strace wrote about a program that ran in the folder `cwd`.
    fn parse(text: &str, cwd: &Path) -> Self {
        let mut trace = Self::default();
        let mut fds = BTreeMap::new();
        for line in text.lines() {
            // What the call gave back names descriptors too.
            for token in line.split(['(', ' ', ',']) {
                if let Some((number, path)) = descriptor(token) {
                    fds.insert(number, path);
                }
            }
            let Some((call, args)) = call(line) else {
                continue;
            };
            let places = Places {
                args: &args,
                fds: &fds,
                cwd,
            };
            trace.add(call, &places, line);
        }
        trace
    }

    fn add(&mut self, call: &str, places: &Places<'_>, line: &str) {
        let args = places.args;
        let arg = |at: usize| args.get(at).map_or("", String::as_str);
        let known = WRITES.iter().find(|(known, _)| *known == call);
        let at: Vec<At> = match call {
            "open" | "openat" | "openat2" => {
                let at = if call == "open" {
                    At::Path(0)
                } else {
                    At::Below(0, 1)
                };
                let flags = args.get(if call == "open" { 1 } else { 2 });
                let writing = [
                    "O_WRONLY",
                    "O_RDWR",
                    "O_CREAT",
                    "O_TRUNC",
                    "O_TMPFILE",
                    "O_APPEND",
                ];
                match flags {
                    Some(flags) if writing.iter().any(|flag| flags.contains(flag)) => vec![at],
                    Some(flags) if flags.contains("O_RDONLY") || flags.contains("O_PATH") => {
                        self.read.insert(places.path(at));
                        return;
                    }
                    _ => return self.unknown.push(line.to_owned()),
                }
            }
            "mmap" => match arg(3).contains("MAP_SHARED") && arg(2).contains("PROT_WRITE") {
                true if !arg(3).contains("MAP_ANONYMOUS") => vec![At::Fd(4)],
                _ => return,
            },
            "ioctl" => match arg(1) {
                "TCGETS" | "TCGETS2" | "TIOCGWINSZ" | "FIONREAD" | "FIOCLEX" | "FIONCLEX" => return,
                _ => vec![At::Fd(0)],
            },
            _ if READS.contains(&call) => return,
            _ => match known {
                Some((_, at)) => at.to_vec(),
                None => return self.unknown.push(line.to_owned()),
            },
        };
        for at in at {
            let (path, line) = (places.path(at), line.to_owned());
            self.writes.push(Write { path, line });
        }
    }
}

/// What the arguments of a call mean.
struct Places<'t> {
    args: &'t [String],
    fds: &'t BTreeMap<u32, String>,
    cwd: &'t Path,
}

impl Places<'_> {
    fn path(&self, at: At) -> String {
        let arg = |at: usize| self.args.get(at).map_or("", String::as_str);
        let text = |at: usize| {
            let quoted = arg(at).strip_prefix('"');
            quoted
                .and_then(|rest| rest.strip_suffix('"'))
                .map(str::to_owned)
        };
        let folder = |at: usize| match descriptor(arg(at)) {
            Some((_, path)) => path,
            None => self.cwd.display().to_string(),
        };
        match at {
            // No annotation: the descriptor is of nothing that has a path.
            At::Fd(at) => descriptor(arg(at)).map_or_else(|| arg(at).to_owned(), |(_, path)| path),
            At::Path(at) => self.absolute(&self.cwd.display().to_string(), text(at)),
            At::Below(at, path) => self.absolute(&folder(at), text(path)),
        }
    }

    fn absolute(&self, folder: &str, path: Option<String>) -> String {
        let path = match path {
            None => PathBuf::from(folder),
            Some(path) => Path::new(folder).join(path),
        };
        let by_number = ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"];
        let number = path
            .parent()
            .filter(|above| by_number.iter().any(|fds| above.ends_with(fds)));
        let number = number.and_then(|_| path.file_name()?.to_str()?.parse().ok());
        if let Some(known) = number.and_then(|number: u32| self.fds.get(&number)) {
            return known.clone();
        }
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => {
                    plain.pop();
                }
                Component::CurDir => {}
                part => plain.push(part),
            }
        }
        plain.display().to_string()
    }
}

/// `3</some/path>` and `AT_FDCWD</some/path>`; the latter has no number of its own.
fn descriptor(token: &str) -> Option<(u32, String)> {
    let (number, rest) = token.split_once('<')?;
    let number = match number {
        "AT_FDCWD" => u32::MAX,
        number => number.parse().ok()?,
    };
    let (path, _) = rest.rsplit_once('>')?;
    Some((number, path.to_owned()))
}

/// The name of the call and its arguments in a line like `12 fsync(3</disk/x>) = 0`.
fn call(line: &str) -> Option<(&str, Vec<String>)> {
    let (_, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None; // a signal, an end, the rest of a call that stands above
    }
    let mut args = vec![String::new()];
    let (mut depth, mut angle) = (0_u32, 0_u32);
    let (mut quoted, mut escaped) = (false, false);
    for c in rest.chars() {
        let last = args.last_mut().unwrap();
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if angle == 0 => quoted = !quoted,
            _ if quoted => {}
            '<' if angle > 0 || last.ends_with(|c: char| c.is_ascii_digit() || c == 'D') => {
                angle += 1;
            }
            '>' if angle > 0 => angle -= 1,
            _ if angle > 0 => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                args.push(String::new());
                continue;
            }
            _ => {}
        }
        args.last_mut().unwrap().push(c);
    }
    let args = args.iter().map(|arg| arg.trim().to_owned());
    Some((name, args.collect()))
}

/// Runs the program under strace.
fn traced(bench: &Bench, words: &[String]) -> (Option<i32>, String, Trace) {
    let log = bench.beside("trace");
    let cwd = bench.beside("");
    let ended = strace("nothing is known of what the commands write to")
        .unwrap()
        .args(["-s", "4096", "-e", "trace=%file,%desc", "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_hivemend"))
        .args(words)
        .current_dir(&cwd)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = fs::read(&log).unwrap_or_else(|_| panic!("{ended:?}"));
    let trace = Trace::parse(&String::from_utf8_lossy(&text), &cwd);
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    (ended.status.code(), said, trace)
}

/// A disk in this state, in memory.
fn disk(state: State) -> Bench {
    let bench = Bench::in_memory();
    let hive = bench.hive("SYSTEM");
    match state {
        Applied | Interrupted => {
            const LISTENER: &str =
                r"HKLM\SYSTEM\ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
            for port in 1..=2 {
                let value = format!("{{ name: PortNumber, dword: {port}, why: w }}");
                let keys = format!("  - key: {LISTENER}\n    values: [ {value} ]\n");
                let profile = bench.profile("port", &keys);
                bench.run("apply", &["-p", &profile, "--yes"]).expect(0);
            }
            let last = ["-p", "rdp-disconnects", "--yes"];
            bench.run("apply", &last).expect(0);
        }
        Elsewhere => {
            let backups = bench.beside("backups").display().to_string();
            let args = ["-p", "nla-disable", "--yes", "--backup-dir", &backups];
            bench.run("apply", &args).expect(0);
        }
        Dirty => {
            let before = fs::read(&hive).unwrap();
            let mut after = before.clone();
            let end = after.len() - 1;
            after[end] ^= 1;
            let log = NewLog::new(&before, 40).entry(&before, &after, 40);
            fs::write(hive.with_extension("LOG1"), log.bytes).unwrap();
            fs::write(hive.with_extension("LOG2"), b"").unwrap();
            fs::write(&hive, dirty(&before, 41, 40)).unwrap();
        }
        Damaged => {
            let mut image = fs::read(&hive).unwrap();
            let parsed = Hive::open(&image).unwrap();
            let at = parsed.root().unwrap().at().in_file().0 + 4;
            let field = usize::try_from(at).unwrap() + 20;
            // The number of subkeys of the root.
            image[field] = image[field].wrapping_sub(1);
            fs::write(&hive, image).unwrap();
        }
    }
    if state == Interrupted {
        interrupt(&bench);
    }
    bench
}

/// Leaves the journal of a restore of the newest backup that was cut off before its first step.
fn interrupt(bench: &Bench) {
    let backups = bench.run("backups", &["--format", "json"]).expect(0).json();
    let newest = PathBuf::from(backups["backups"][0]["path"].as_str().unwrap());
    let manifest = fs::read(newest.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let swaps = manifest["hives"].as_array().unwrap().iter();
    let swaps = swaps.map(|hive| {
        json!({ "name": hive["name"], "file": hive["file"], "from": hive["after"],
            "to": hive["before"], "metadata": hive["metadata"] })
    });
    let journal = json!({ "schema": "hivemend.journal/1", "id": manifest["id"],
        "operation": "restore", "beside": true, "made_root": false,
        "swaps": swaps.collect::<Vec<_>>() });
    fs::write(bench.config().join("hivemend.journal"), journal.to_string()).unwrap();
}

impl Case {
    fn words(&self, bench: &Bench) -> Vec<String> {
        let out = bench.beside("out").display().to_string();
        let command = self.command.split_whitespace().map(str::to_owned);
        let args = self.args.split_whitespace().map(|word| match word {
            "DISK" => bench.disk().display().to_string(),
            "HIVE" => bench.hive("SYSTEM").display().to_string(),
            "BACKUPS" => bench.beside("backups").display().to_string(),
            "OUT" => out.clone(),
            "REG" => concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/testdata/import/every-type.reg"
            )
            .to_owned(),
            word => word.to_owned(),
        });
        command.chain(args).collect()
    }
}

/// Whether a path is one of those that may be written to.
fn is_allowed(path: &str, may: &[Place], bench: &Bench) -> bool {
    // Standard output and error of these tests; an event descriptor.
    let is_stream = path.starts_with("pipe:") || path.starts_with("anon_inode:");
    if is_stream || matches!(path, "/dev/null" | "/dev/tty") {
        return true;
    }
    let path = Path::new(path);
    let config = bench.config();
    let own = config.join("hivemend");
    may.iter().any(|place| match place {
        Config => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_ours = ["SYSTEM", "SOFTWARE", "hivemend."]
                .iter()
                .any(|start| name.starts_with(start));
            path.starts_with(&own) || (path.parent() == Some(&*config) && is_ours)
        }
        Backups => path.starts_with(bench.beside("backups")),
        Out => path == bench.beside("out"),
    })
}

/// Runs a case; gives what it wrote to. Fails where it may not.
fn check(case: &Case, bench: &Bench, code: Option<i32>) -> Trace {
    let words = case.words(bench);
    let (ended, said, trace) = traced(bench, &words);
    if let Some(code) = code {
        assert_eq!(ended, Some(code), "{words:?}: {said}");
    }
    assert_eq!(
        trace.unknown,
        Vec::<String>::new(),
        "{words:?}: say in this file whether these calls write"
    );
    let outside = trace.writes.iter();
    let mut outside = outside.filter(|write| !is_allowed(&write.path, case.may, bench));
    if let Some(write) = outside.next() {
        panic!(
            "{words:?} may write to {:?} only:\n{}\n{}",
            case.may, write.path, write.line
        );
    }
    trace
}

fn strace_works(bench: &Bench) -> bool {
    strace("nothing is known of what the commands write to").is_some_and(|mut strace| {
        let log = bench.beside("trace");
        let ended = strace.arg("-o").arg(&log).arg("true").output();
        assert!(
            ended.unwrap().status.success(),
            "strace is there and may not trace"
        );
        true
    })
}

#[test]
fn every_command_writes_only_where_it_may() {
    let probe = Bench::in_memory();
    if !strace_works(&probe) {
        return;
    }
    let disks = [Applied, Elsewhere, Dirty, Interrupted, Damaged].map(|state| (state, disk(state)));
    let of = |wanted: State| &disks.iter().find(|(state, _)| *state == wanted).unwrap().1;
    for case in CASES {
        let bench = of(case.state).twin();
        let backups = of(case.state).beside("backups");
        if backups.exists() {
            let mut copy = Command::new("cp");
            let copied = copy.arg("-a").arg(backups).arg(bench.beside("backups"));
            assert!(copied.status().unwrap().success());
        }
        let trace = check(case, &bench, Some(case.code));
        // It was seen at all.
        for place in case.may {
            let is_there = |write: &Write| {
                let is_file = Path::new(&write.path).starts_with(bench.beside(""));
                is_file && is_allowed(&write.path, &[*place], &bench)
            };
            let seen = trace.writes.iter().any(is_there);
            assert!(
                seen,
                "{} {} never wrote to {place:?}",
                case.command, case.args
            );
        }
        if case.args.contains("DISK") && case.command != "backups" {
            let hive = bench.config().join("SYSTEM").display().to_string();
            assert!(trace.read.contains(&hive), "{} {}", case.command, case.args);
        }
        // And in other states, whatever comes of it.
        if case.may.is_empty() {
            for state in [Dirty, Interrupted]
                .into_iter()
                .filter(|state| *state != case.state)
            {
                check(case, of(state), None);
            }
        }
    }
}

/// The commands below `prefix`, as the help lists them.
fn commands(prefix: &str) -> Vec<String> {
    let mut words: Vec<&str> = prefix.split_whitespace().collect();
    words.push("--help");
    let help = hivemend(&words).expect(0).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    // The commands below `profile` are joined by one of clap's own.
    let names = names.filter(|name| *name != "help" || prefix.is_empty());
    let below: Vec<String> = names
        .flat_map(|name| commands(format!("{prefix} {name}").trim_start()))
        .collect();
    match below.is_empty() {
        true => vec![prefix.to_owned()],
        false => below,
    }
}

#[test]
fn every_command_has_its_cases() {
    let all: BTreeSet<String> = commands("").into_iter().collect();
    assert!(all.len() > 10, "{all:?}");
    let cased: BTreeSet<String> = CASES.iter().map(|case| case.command.to_owned()).collect();
    assert_eq!(
        all, cased,
        "each command of the program needs a case in this file"
    );
    for command in all {
        let mut words: Vec<&str> = command.split_whitespace().collect();
        words.push("--help");
        let help = hivemend(&words).expect(0).stdout;
        for (option, word) in [
            ("--output", "OUT"),
            ("--backup-dir", "BACKUPS"),
            ("--yes", "--yes"),
        ] {
            let mut cases = CASES.iter().filter(|case| case.command == command);
            let has_case = cases.any(|case| case.args.split(' ').any(|arg| arg == word));
            assert!(
                !help.contains(option) || has_case,
                "{command} {option} has no case"
            );
        }
    }
}

#[test]
fn each_way_to_write_is_seen() {
    let writes = |line: &str| {
        let trace = Trace::parse(
            &format!("1 openat(AT_FDCWD</w>, \"d\", O_RDONLY) = 7</w/d>\n{line}"),
            Path::new("/w"),
        );
        assert_eq!(trace.unknown, Vec::<String>::new(), "{line}");
        trace
            .writes
            .into_iter()
            .map(|write| write.path)
            .collect::<Vec<_>>()
    };
    for (line, paths) in [
        ("1 write(3</a/b, c>, \"x(,\\\")\", 4) = 4", &["/a/b, c"][..]),
        ("1  write(3</a/b>, \"x\"..., 4 <unfinished ...>", &["/a/b"]),
        ("1 <... write resumed>) = 4", &[]),
        (
            "1 openat(AT_FDCWD</x>, \"n\", O_WRONLY|O_CREAT|O_EXCL, 0600) = 4</x/n>",
            &["/x/n"],
        ),
        (
            "1 openat(AT_FDCWD, \"n\", O_RDWR) = -1 EACCES (Permission denied)",
            &["/w/n"],
        ),
        (
            "1 openat(4</x/y>, \"../z\", O_RDONLY|O_TRUNC) = 5</x/z>",
            &["/x/z"],
        ),
        (
            "1 openat2(4</x>, \"n\", {flags=O_RDWR|O_CLOEXEC, resolve=RESOLVE_BENEATH}, 24) = 5</x/n>",
            &["/x/n"],
        ),
        (
            "1 openat(4</x>, \".\", O_RDWR|O_TMPFILE, 0600) = 5</x/#1>",
            &["/x"],
        ),
        ("1 openat(4</x>, \"n\", O_RDONLY|O_CLOEXEC) = 5</x/n>", &[]),
        ("1 open(\"n\", O_RDONLY|O_DIRECTORY) = 5</w/n>", &[]),
        (
            "1 renameat2(4</x>, \"n\", 5</y>, \"m\", RENAME_NOREPLACE) = 0",
            &["/x/n", "/y/m"],
        ),
        (
            "1 linkat(AT_FDCWD</w>, \"/proc/self/fd/7\", 5</y>, \"m\", AT_SYMLINK_FOLLOW) = 0",
            &["/w/d", "/y/m"],
        ),
        ("1 symlinkat(\"/etc/passwd\", 5</y>, \"m\") = 0", &["/y/m"]),
        ("1 unlinkat(5</y>, \"m\", AT_REMOVEDIR) = 0", &["/y/m"]),
        (
            "1 utimensat(5</y/f>, NULL, [UTIME_OMIT, {tv_sec=1, tv_nsec=0}], 0) = 0",
            &["/y/f"],
        ),
        (
            "1 fsetxattr(5</y/f>, \"user.x\", \"1\", 1, 0) = 0",
            &["/y/f"],
        ),
        (
            "1 setxattr(\"/proc/self/fd/7\", \"system.ntfs_acl\", \"\\1\", 1, 0) = 0",
            &["/w/d"],
        ),
        ("1 fchmodat(AT_FDCWD</w>, \"f\", 0644) = 0", &["/w/f"]),
        (
            "1 copy_file_range(3</a>, NULL, 4</b>, NULL, 9, 0) = 9",
            &["/b"],
        ),
        (
            "1 ioctl(4</b>, BTRFS_IOC_CLONE or FICLONE, 3</a>) = 0",
            &["/b"],
        ),
        ("1 ioctl(2</b>, TCGETS, 0x7ff) = -1 ENOTTY (no)", &[]),
        (
            "1 mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, 3</a>, 0) = 0x7f",
            &["/a"],
        ),
        (
            "1 mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3</a>, 0) = 0x7f",
            &[],
        ),
        ("1 write(1<pipe:[12]>, \"x\", 1) = 1", &["pipe:[12]"]),
    ] {
        assert_eq!(writes(line), paths, "{line}");
    }
    let odd = Trace::parse("1 spill_the_beans(3</a>) = 0", Path::new("/w"));
    assert_eq!(odd.unknown.len(), 1);
}

/// The sieve holds what it should: a program that writes where it may not is found.
#[test]
fn a_program_that_writes_elsewhere_is_found() {
    let bench = Bench::in_memory();
    if !strace_works(&bench) {
        return;
    }
    let inside = |name: &str| bench.config().join(name).display().to_string();
    for path in [
        inside("SAM"),
        inside(""),
        bench.disk().join("Windows/SYSTEM").display().to_string(),
        bench.beside("outer").display().to_string(),
        "/etc/passwd".to_owned(),
    ] {
        assert!(
            !is_allowed(&path, &[Config, Backups, Out], &bench),
            "{path}"
        );
    }
    for path in [
        "SYSTEM",
        "hivemend.journal",
        "hivemend/x/SAM",
        "SYSTEM.hivemend-1.new",
    ] {
        assert!(is_allowed(&inside(path), &[Config], &bench), "{path}");
        assert!(
            !is_allowed(&inside(path), &[Out, Backups], &bench),
            "{path}"
        );
    }
    let log = bench.beside("trace");
    let target = inside("SAM");
    let mut strace = strace("").unwrap();
    let ended = strace.args(["-e", "trace=%file,%desc", "-o"]).arg(&log);
    let ended = ended
        .args(["sh", "-c", &format!("echo x > {target}")])
        .output();
    assert!(ended.unwrap().status.success());
    let text = fs::read_to_string(&log).unwrap();
    let trace = Trace::parse(&text, &bench.beside(""));
    assert!(
        trace.writes.iter().any(|write| write.path == target),
        "{text}"
    );
}
