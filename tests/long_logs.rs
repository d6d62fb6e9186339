// SPDX-License-Identifier: GPL-3.0-or-later
//! Files with the names of logs and far longer than a log can be: neither walked nor copied, and yet
//! never replayed over what was written.

#![cfg(unix)]

use std::borrow::Cow;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hivemend::log::{Finding, LogError, LogFile, recover};
use hivemend::regf::{BaseBlock, FileOffset, HiveBytes, RegfError, longest_log};

use crate::bench::{Bench, Ended};
use crate::transaction_log::{NewLog, dirty};

const TERABYTE: u64 = 1 << 40;
/// The sequence number of each made log's base block and first entry.
const FIRST: u32 = 40;

/// What a long file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Zeros,
    Text,
    Log,
    /// A log whose next entries, as far as anything may be read, are left from earlier rounds.
    LogAndStaleEntries,
}

/// A hive's log with one entry, numbered as its base block says.
fn log(hive: &[u8]) -> Vec<u8> {
    let after = changed(hive);
    NewLog::new(hive, FIRST).entry(hive, &after, FIRST).bytes
}

fn write_long(hive: &Path, path: &Path, start: Start) {
    let bytes = fs::read(hive).unwrap();
    let stale = NewLog::new(&bytes, 900)
        .entry(&bytes, &changed(&bytes), 900)
        .bytes;
    let content = match start {
        Start::Zeros => Vec::new(),
        Start::Text => b"this is no log\n".repeat(4096),
        Start::Log => log(&bytes),
        Start::LogAndStaleEntries => [log(&bytes), stale[512..].to_vec()].concat(),
    };
    fs::write(path, content).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(TERABYTE).unwrap();
}

fn changed(hive: &[u8]) -> Vec<u8> {
    let mut after = hive.to_vec();
    let end = after.len() - 1;
    after[end] ^= 1;
    after
}

/// Runs a command, which must not have read a terabyte.
fn soon(bench: &Bench, command: &str, args: &[&str]) -> Ended {
    let begun = Instant::now();
    let ended = bench.run(command, args);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "{command}: {took:?}");
    ended
}

fn backup_of(bench: &Bench) -> PathBuf {
    let mut backups = fs::read_dir(bench.config().join("hivemend")).unwrap();
    let backup = backups.next().unwrap().unwrap().path();
    assert!(backups.next().is_none());
    backup
}

fn sequence(hive: &Path) -> u32 {
    let bytes = fs::read(hive).unwrap();
    BaseBlock::parse(&bytes).unwrap().secondary_sequence
}

#[test]
fn a_log_that_cannot_be_one_is_neither_walked_nor_copied() {
    for (ending, start) in [
        ("LOG", Start::Zeros),
        ("LOG1", Start::Zeros),
        ("LOG2", Start::Text),
        ("LOG", Start::Log),
        ("LOG1", Start::LogAndStaleEntries),
        ("LOG2", Start::LogAndStaleEntries),
    ] {
        let bench = Bench::sample();
        let hive = bench.hive("SYSTEM");
        let path = hive.with_extension(ending);
        let before = fs::read(&hive).unwrap();
        write_long(&hive, &path, start);
        let name = path.file_name().unwrap().to_str().unwrap();
        let what_to_do = match start {
            Start::Zeros | Start::Text => "move it away",
            _ => "keep it elsewhere",
        };
        let says = |ended: &Ended| {
            let text = [ended.stdout.as_str(), &ended.stderr].concat();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [name, &TERABYTE.to_string(), what_to_do] {
                assert!(text.contains(part), "{part}: {ended:#?}");
            }
        };
        says(&soon(&bench, "check", &[]).expect(0));
        says(&soon(&bench, "plan", &["-p", "rdp-disconnects"]).expect(0));
        says(&soon(&bench, "recover", &["--yes"]).expect(0));
        soon(&bench, "show", &[r"SYSTEM\Select"]).expect(0);
        soon(&bench, "diagnose", &[]).expect(0);
        says(&soon(&bench, "apply", &["-p", "rdp-disconnects", "--yes"]).expect(0));

        let backup = backup_of(&bench);
        assert!(!backup.join(name).exists());
        let manifest = fs::read_to_string(backup.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let recorded = serde_json::json!([{ "file": name, "size": TERABYTE }]);
        assert_eq!(manifest["not_copied"], recorded);
        assert_eq!(fs::metadata(&path).unwrap().len(), TERABYTE);
        // The numbers that Windows compares before it applies a log, and those of entries that
        // could follow its own.
        match start {
            Start::Zeros | Start::Text => {}
            Start::Log => assert!(sequence(&hive) > FIRST),
            Start::LogAndStaleEntries => assert!(sequence(&hive) > 900),
        }

        soon(&bench, "restore", &["--yes"]).expect(0);
        assert!(fs::read(&hive).unwrap() == before);
        assert_eq!(fs::metadata(&path).unwrap().len(), TERABYTE);
    }
}

#[test]
fn a_whole_folder_is_backed_up_without_them() {
    let bench = Bench::sample();
    let config = bench.config();
    fs::write(config.join("SAM"), [7; 8192]).unwrap();
    fs::write(config.join("SAM.LOG2"), [7; 512]).unwrap();
    for name in ["SAM.LOG1", "SOFTWARE.LOG"] {
        File::create(config.join(name))
            .unwrap()
            .set_len(TERABYTE)
            .unwrap();
    }
    let args = ["-p", "rdp-disconnects", "--yes", "--backup-scope", "config"];
    soon(&bench, "apply", &args).expect(0);
    let backup = backup_of(&bench);
    for (name, is_there) in [
        ("SAM", true),
        ("SAM.LOG2", true),
        ("SAM.LOG1", false),
        ("SOFTWARE.LOG", false),
    ] {
        assert_eq!(backup.join(name).exists(), is_there, "{name}");
    }
    soon(&bench, "restore", &["--yes"]).expect(0);
}

#[test]
fn restore_refuses_where_such_a_file_is_another_one_now() {
    let bench = Bench::sample();
    let path = bench.hive("SYSTEM").with_extension("LOG1");
    let before = bench.snapshot();
    File::create(&path).unwrap().set_len(TERABYTE).unwrap();
    soon(&bench, "apply", &["-p", "rdp-disconnects", "--yes"]).expect(0);
    fs::write(&path, [0; 512]).unwrap();
    let refused = soon(&bench, "restore", &["--yes"]).expect(3);
    assert!(refused.stderr.contains("SYSTEM.LOG1"), "{refused:?}");
    // Moved away, as the advice has it.
    fs::remove_file(&path).unwrap();
    soon(&bench, "restore", &["--yes"]).expect(0);
    assert_eq!(bench.hives(), before);
}

#[test]
fn a_dirty_hive_is_not_recovered_past_a_log_that_is_not_read() {
    let bench = Bench::sample();
    let hive = bench.hive("SYSTEM");
    let clean = fs::read(&hive).unwrap();
    let (one, two) = (hive.with_extension("LOG1"), hive.with_extension("LOG2"));
    fs::write(&one, log(&clean)).unwrap();
    write_long(&hive, &two, Start::LogAndStaleEntries);
    fs::write(&hive, dirty(&clean, FIRST + 1, FIRST)).unwrap();
    let before = fs::read(&hive).unwrap();
    for (command, args) in [
        ("plan", &["-p", "rdp-disconnects"][..]),
        ("show", &[r"SYSTEM\Select"]),
        ("recover", &["--yes"]),
        ("apply", &["-p", "rdp-disconnects", "--yes"]),
    ] {
        let refused = soon(&bench, command, args).expect(3);
        let text = refused
            .stderr
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(text.contains("SYSTEM.LOG2: too long"), "{refused:#?}");
        assert!(text.contains("Keep it elsewhere"), "{refused:#?}");
    }
    assert!(fs::read(&hive).unwrap() == before);
    // What it asks for is enough.
    fs::rename(&two, bench.beside("elsewhere")).unwrap();
    soon(&bench, "recover", &["--yes"]).expect(0);
}

/// Some bytes, and zeros behind them up to a length that nobody may walk.
struct Long(Vec<u8>);

impl HiveBytes for Long {
    fn size(&self) -> u64 {
        TERABYTE
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, RegfError> {
        assert!(at.0 <= 1 << 30, "read at {}", at.0);
        let at = usize::try_from(at.0).unwrap();
        let bytes = self.0.iter().copied().chain(std::iter::repeat(0));
        Ok(bytes.skip(at).take(length).collect::<Vec<u8>>().into())
    }
}

#[test]
fn only_a_long_log_that_windows_would_apply_stands_in_the_way() {
    let clean = crate::workbench::bundled("hives/v1.5");
    let long = Long(log(&clean));
    let short = log(&clean);
    let logs = [("X.LOG1", &long as &dyn HiveBytes), ("X.LOG2", &short)];
    let logs = logs.map(|(name, bytes)| LogFile {
        name: name.to_owned(),
        bytes,
    });
    let needs_it = dirty(&clean, FIRST + 1, FIRST);
    let Err(LogError::NotRecoverable(report)) = recover(&needs_it, &logs) else {
        panic!("a log was passed over");
    };
    assert!(report.has_too_long_log());
    let size = TERABYTE;
    let longest = longest_log(needs_it.size());
    assert_eq!(report.logs[0].finding, Finding::TooLong { size, longest });
    assert_eq!(report.last_sequence(), FIRST);

    // Older than what the hive holds: Windows would not look into it.
    let newer = NewLog::new(&clean, 50)
        .entry(&clean, &changed(&clean), 50)
        .bytes;
    let old = dirty(&clean, FIRST + 2, FIRST + 1);
    let logs = [("X.LOG1", &long as &dyn HiveBytes), ("X.LOG2", &newer)];
    let logs = logs.map(|(name, bytes)| LogFile {
        name: name.to_owned(),
        bytes,
    });
    let recovered = recover(&old, &logs).unwrap();
    assert_eq!(
        recovered.report().applied.as_ref().unwrap().logs,
        ["X.LOG2"]
    );
}
