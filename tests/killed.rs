// SPDX-License-Identifier: GPL-3.0-or-later
//! kill -9 and errors from outside, on the real program, at the system calls that touch the disk.
//!
//! strace first records a run, and then kills one like it when it enters the Nth call of a kind:
//! the call itself is not made. Calls that only read are points too, though they leave the same
//! disk as the call before them. A fixed sample in CI; HIVEMEND_EXHAUSTIVE=1 takes every call.

#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use hivemend::edit::Editor;
use hivemend::regf::Name;

use crate::aftermath::{APPLY, MEND, Seen, Witness, damaged_patient, patient, patient_with};
use crate::bench::{Bench, Ended};

/// Calls that only read: of these a few are enough where not all are asked for.
const READS: [&str; 20] = [
    "access",
    "close",
    "dup",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fcntl",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fstat",
    "getdents64",
    "statfs",
    "ioctl",
    "lseek",
    "newfstatat",
    "pread64",
    "read",
    "readlink",
    "statx",
];
/// What is lost without strace.
const NOT_KILLED: &str = "the program was not killed at its system calls";
/// Points of each run in CI: of the calls that write, and of those that read.
const SAMPLE: (usize, usize) = (36, 6);

/// The Nth call of a kind in a run.
#[derive(Clone, Debug)]
struct Point {
    call: String,
    number: usize,
    line: String,
}

/// strace, ready for its other arguments; where it is missing, `loss` is said and there is none.
pub(crate) fn strace(loss: &str) -> Option<Command> {
    let works = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if works("strace", &["-V"]) {
        // With a /proc of its own, where only its own processes are, a run makes the same calls
        // each time: it looks there for programs that have a hive open.
        let alone = ["--pid", "--fork", "--mount-proc", "strace"];
        let mut strace = match works("unshare", &[&alone[..3], &["true"]].concat()) {
            true => Command::new("unshare"),
            false => Command::new("strace"),
        };
        if strace.get_program() == "unshare" {
            strace.args(alone);
        }
        strace.args(["-f", "-y", "-qq", "-s", "256"]);
        return Some(strace);
    }
    assert!(std::env::var_os("CI").is_none(), ".ci/run installs strace");
    let said = format!("SKIPPED: no strace here, {loss}\n");
    // Past the harness, which keeps what a passing test prints.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    None
}

/// Runs the program on this disk under strace; gives what strace wrote.
fn traced(bench: &Bench, args: &[&str], which: &[&str]) -> Vec<String> {
    let log = bench.beside("trace");
    let ended = strace(NOT_KILLED)
        .unwrap()
        .arg("-o")
        .arg(&log)
        .args(which)
        .arg(env!("CARGO_BIN_EXE_hivemend"))
        .arg(args[0])
        .arg(bench.disk())
        .args(&args[1..])
        .current_dir(bench.beside(""))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = fs::read_to_string(&log).unwrap_or_else(|_| panic!("{ended:?}"));
    log.lines().map(str::to_owned).collect()
}

/// The name of the call in a line like `12 fsync(3</disk/x>) = 0`.
fn call_of(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(' ')?;
    let (name, _) = rest.trim_start().split_once('(')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_name).then_some(name)
}

/// Every call that a run makes on the disk.
fn points(bench: &Bench, args: &[&str]) -> Vec<Point> {
    let disk = bench.disk().display().to_string();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in traced(bench, args, &["-e", "trace=%file,%desc"]) {
        let Some(call) = call_of(&line) else { continue };
        let number = counts.entry(call.to_owned()).or_default();
        *number += 1;
        if line.contains(&disk) && call != "execve" {
            let (call, number) = (call.to_owned(), *number);
            points.push(Point { call, number, line });
        }
    }
    points
}

fn is_write(point: &Point) -> bool {
    let opens = point.call.starts_with("open");
    !READS.contains(&point.call.as_str()) && (!opens || point.line.contains("O_CREAT"))
}

/// A sample that is the same in every run: evenly spread, and every rename.
fn sample(points: Vec<Point>) -> Vec<Point> {
    if std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some() {
        return points;
    }
    let (writes, reads): (Vec<Point>, Vec<Point>) = points.into_iter().partition(is_write);
    let spread = |points: Vec<Point>, count: usize| {
        let steps = (points.len() / count).max(1);
        let kept = points.into_iter().enumerate();
        let kept = kept
            .filter(move |(at, point)| at % steps == steps / 2 || point.call.starts_with("rename"));
        kept.map(|(_, point)| point).collect::<Vec<_>>()
    };
    let mut sample = spread(writes, SAMPLE.0);
    sample.extend(spread(reads, SAMPLE.1));
    sample
}

/// Kills runs of `args` on disks that `begin` makes, and sees what becomes of them.
fn kill_everywhere(name: &str, args: &[&str], begin: &dyn Fn() -> (Bench, Witness)) {
    kill_at(sample, name, args, begin);
}

/// As [`kill_everywhere`], at those calls that `sample` leaves of all.
fn kill_at(
    sample: fn(Vec<Point>) -> Vec<Point>,
    name: &str,
    args: &[&str],
    begin: &dyn Fn() -> (Bench, Witness),
) {
    if strace(NOT_KILLED).is_none() {
        return;
    }
    let all = points(&begin().0, args);
    let (total, writes) = (
        all.len(),
        all.iter().filter(|point| is_write(point)).count(),
    );
    let mut seen = Seen::default();
    let mut elsewhere = 0;
    let mut calls: BTreeSet<String> = BTreeSet::new();
    for point in sample(all) {
        let (bench, witness) = begin();
        let inject = format!("inject={}:signal=SIGKILL:when={}", point.call, point.number);
        let trace = format!("trace={}", point.call);
        let log = traced(&bench, args, &["-e", &trace, "-e", &inject]);
        let died = log
            .iter()
            .any(|line| line.contains("+++ killed by SIGKILL +++"));
        let context = format!("{name} killed at {point:?}");
        if !died {
            // Without a /proc of its own the run opened fewer files this time, and was not killed.
            let may_differ = !is_write(&point) || point.call.starts_with("open");
            assert!(may_differ, "not killed: {context}: {log:#?}");
            elsewhere += 1;
            continue;
        }
        let last = log
            .iter()
            .rev()
            .find_map(|line| call_of(line).map(|_| line));
        let on_disk = |line: &&String| line.contains(&*bench.disk().to_string_lossy());
        elsewhere += usize::from(last.filter(on_disk).is_none());
        calls.insert(point.call.clone());
        witness.check(&bench, &mut seen, &context);
    }
    println!(
        "kill -9 of {name}: {total} calls on the disk, {writes} of them write; {seen:?}; \
         {elsewhere} reads hit beside the disk; killed in {calls:?}"
    );
    assert!(seen.old > 0 && seen.new > 0 && seen.mixed > 0 && seen.reported > 0);
}

#[test]
fn apply_is_killed_at_its_system_calls() {
    let args = [&["apply"][..], &APPLY].concat();
    kill_everywhere("apply", &args, &patient);
}

#[test]
fn restore_is_killed_at_its_system_calls() {
    kill_everywhere("restore", &["restore", "--yes"], &|| {
        let (bench, witness) = patient();
        bench.run("apply", &APPLY).expect(0);
        (bench, witness)
    });
}

#[test]
fn mend_is_killed_at_its_system_calls() {
    let args = [&["mend"][..], &MEND].concat();
    kill_everywhere("mend", &args, &damaged_patient);
}

/// Keys, and values in each, that a run changes whose manifest is nearly as long as one may be; and
/// in the gate, where each run is to take a moment only.
const MANY: [(u32, u32); 2] = [(3_000, 50), (100, 40)];

fn many() -> (u32, u32) {
    match std::env::var_os("HIVEMEND_EXHAUSTIVE") {
        Some(_) => MANY[0],
        None => MANY[1],
    }
}

/// A disk with many keys, and a profile that gives each of them many values.
fn patient_of_many() -> (Bench, Witness) {
    const NOW: u64 = 0x01DC_5A00_0000_0000;
    static SYSTEM: OnceLock<Vec<u8>> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| {
        let small = fs::read(Bench::sample().hive("SYSTEM")).unwrap();
        let mut editor = Editor::open(small, NOW).unwrap();
        for number in 0..many().0 {
            let key = ["ControlSet001", "Control", "Many"].map(Name::from);
            let own = Name::from(format!("key {number:05}").as_str());
            editor.create_key(&[&key[..], &[own]].concat()).unwrap();
        }
        editor.seal(0).unwrap().image
    });
    let (bench, witness) = patient_with(Some(system));
    let values: Vec<String> = (0..many().1)
        .map(|number| format!("{{ name: value {number:05}, dword: {number}, why: w }}"))
        .collect();
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\Many\*";
    let values = values.join(",\n      ");
    let rule = format!("  - key: {key}\n    values: [\n      {values} ]\n");
    bench.profile("many", &rule);
    (bench, witness)
}

/// Of writes to one file that follow each other the first, one in the middle and the last; of all that
/// only reads nothing.
fn few_of_a_series(points: Vec<Point>) -> Vec<Point> {
    let file = |point: &Point| {
        let is_write = point.call == "write";
        let (_, rest) = point.line.split_once('<').filter(|_| is_write)?;
        Some(rest.split('>').next().unwrap_or_default().to_owned())
    };
    let writes: Vec<Point> = points.into_iter().filter(is_write).collect();
    let series = writes.chunk_by(|one, next| file(one).is_some() && file(one) == file(next));
    let few = series.flat_map(|series| {
        let kept: BTreeSet<usize> = [0, series.len() / 2, series.len() - 1].into();
        kept.into_iter().map(|at| series[at].clone())
    });
    let few: Vec<Point> = few.collect();
    if std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some() {
        return few;
    }
    let steps = few.len() / 12;
    let kept = few.into_iter().enumerate();
    let kept = kept
        .filter(|(at, point)| at % steps == steps / 2 || point.line.contains("SOFTWARE.hivemend"));
    kept.map(|(_, point)| point).collect()
}

/// The longest manifest takes dozens of writes, and is read back by whatever comes next.
#[test]
fn a_run_with_the_longest_records_is_killed_at_its_system_calls() {
    let many = ["-p", "./many.yaml"];
    let apply = [&["apply"][..], &APPLY, &many].concat();
    kill_at(few_of_a_series, "a long apply", &apply, &patient_of_many);
    kill_at(
        few_of_a_series,
        "a long restore",
        &["restore", "--yes"],
        &|| {
            let (bench, witness) = patient_of_many();
            let many = bench.beside("many.yaml").display().to_string();
            let args = [&APPLY[..], &["-p", &many]].concat();
            bench.run("apply", &args).expect(0);
            (bench, witness)
        },
    );
}

/// What the program is told, and does not happen.
const LIES: [&str; 5] = [
    "error=EIO",
    "error=ENOSPC",
    "error=EACCES",
    "error=EROFS",
    // Of a write only one byte was written, and not even that is true.
    "retval=1",
];

/// Every call that writes fails once: the target is untouched, or the next run settles it; and
/// the message names a file and says what to do.
fn fail_everywhere(name: &str, args: &[&str], begin: &dyn Fn() -> (Bench, Witness)) {
    if strace(NOT_KILLED).is_none() {
        return;
    }
    let exhaustive = std::env::var_os("HIVEMEND_EXHAUSTIVE").is_some();
    let mut points = points(&begin().0, args);
    points.retain(is_write);
    let mut codes: BTreeMap<i32, usize> = BTreeMap::new();
    for (at, point) in points.iter().enumerate() {
        for (which, lie) in LIES.iter().enumerate() {
            let is_short = lie.starts_with("retval");
            let is_one = is_short || at % (LIES.len() - 1) == which;
            if is_short && point.call != "write" || !is_one && !exhaustive {
                continue;
            }
            let (bench, witness) = begin();
            let before = bench.snapshot();
            let inject = format!("inject={}:{lie}:when={}", point.call, point.number);
            let trace = format!("trace={}", point.call);
            let ended = ended(&bench, args, &["-e", &trace, "-e", &inject]);
            let context = format!("{name}: {lie} of {point:?}: {ended:?}");
            *codes.entry(ended.code).or_default() += 1;
            assert!(
                ended.code != 3 || lie.contains("EACCES") || lie.contains("EPERM"),
                "{context}"
            );
            match ended.code {
                // A link became a copy; a mode or time was as wanted all the same.
                0 => witness.check(&bench, &mut Seen::default(), &context),
                // 3 where permission was lacking.
                3 | 4 => {
                    assert_eq!(
                        without_times(&bench.snapshot()),
                        without_times(&before),
                        "{context}"
                    );
                    says_what_and_where(&bench, &ended, &context);
                }
                5 => {
                    says_what_and_where(&bench, &ended, &context);
                    witness.check(&bench, &mut Seen::default(), &context);
                }
                _ => panic!("{context}"),
            }
        }
    }
    println!(
        "errors of {name}: {} calls that write; exit codes {codes:?}",
        points.len()
    );
    assert!(codes.contains_key(&4) && codes.contains_key(&5));
}

fn says_what_and_where(bench: &Bench, ended: &Ended, context: &str) {
    if context.contains("write(1<") {
        // What it prints, and not the disk: said, and as good as nothing was done, or all.
        assert!(ended.stderr.contains("could not be printed"), "{context}");
        return;
    }
    let config = bench.config().display().to_string();
    assert!(ended.stderr.contains(&config), "{context}");
    let advice = [
        "copy it first",
        "Make room",
        "as root",
        "Not even root may",
        "read-write",
        "cannot be trusted",
        "run apply or restore again",
    ];
    assert!(
        advice.iter().any(|words| ended.stderr.contains(words)),
        "{context}"
    );
}

/// A manifest that was written again with the same words has another time.
fn without_times(snapshot: &BTreeMap<PathBuf, (String, SystemTime)>) -> BTreeMap<PathBuf, String> {
    let files = snapshot.iter();
    files
        .map(|(path, (hash, _))| (path.clone(), hash.clone()))
        .collect()
}

fn ended(bench: &Bench, args: &[&str], which: &[&str]) -> Ended {
    let output = strace(NOT_KILLED)
        .unwrap()
        .arg("-o")
        .arg("/dev/null")
        .args(which)
        .arg(env!("CARGO_BIN_EXE_hivemend"))
        .arg(args[0])
        .arg(bench.disk())
        .args(&args[1..])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn every_call_of_apply_that_writes_fails() {
    let args = [&["apply"][..], &APPLY].concat();
    fail_everywhere("apply", &args, &patient);
}

#[test]
fn every_call_of_mend_that_writes_fails() {
    let args = [&["mend"][..], &MEND].concat();
    fail_everywhere("mend", &args, &damaged_patient);
}

#[test]
fn every_call_of_restore_that_writes_fails() {
    fail_everywhere("restore", &["restore", "--yes"], &|| {
        let (bench, witness) = patient();
        bench.run("apply", &APPLY).expect(0);
        (bench, witness)
    });
}

/// What others could open before it is finished: nothing that a run makes.
#[test]
fn what_a_run_makes_is_its_owners_alone_from_the_first_moment() {
    if strace(NOT_KILLED).is_none() {
        return;
    }
    let (bench, _) = patient();
    let args = [&["apply"][..], &APPLY].concat();
    let made: Vec<Point> = points(&bench, &args);
    let mut counts = (0, 0);
    for point in &made {
        if point.call == "mkdir" || point.call == "mkdirat" {
            assert!(point.line.contains(", 0700)"), "{}", point.line);
            counts.0 += 1;
        }
        if point.line.contains("O_CREAT") {
            assert!(point.line.contains("O_EXCL"), "{}", point.line);
            assert!(point.line.contains(", 0600)"), "{}", point.line);
            counts.1 += 1;
        }
        let opens_for_writing = ["O_WRONLY", "O_RDWR", "O_TRUNC", "truncate"];
        let opens = opens_for_writing
            .iter()
            .any(|flag| point.line.contains(flag));
        assert!(!opens || point.line.contains("O_EXCL"), "{}", point.line);
    }
    assert!(counts.0 == 2 && counts.1 >= 5, "{counts:?}");
}
