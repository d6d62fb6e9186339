// SPDX-License-Identifier: GPL-3.0-or-later
//! One test in a process of its own.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A mutation can make a program go on for ever, take all memory or fill the disk. The limits go for
/// what a test starts, too; that of the time counts the processor's, so that a busy machine notices nothing.
const LIMITS: &str = r#"ulimit -t "$1" -v 8000000 -f 4000000 -c 0; shift; exec "$@""#;
/// How many times longer than on the processor it may take by the clock.
const BY_THE_CLOCK: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Passed,
    Failed,
    TooLong,
}

/// The names of all tests of a program.
///
/// # Errors
///
/// The program cannot be run.
pub(crate) fn names(program: &str) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    let output = command.args(["--list", "--format", "terse"]).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}

/// A name that nothing else in the folder of temporary files has.
pub(crate) fn own_name(what: &str) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("mutants-{}-{what}-{number}", std::process::id()))
}

/// Runs a test in the copy. Its temporary files are removed, also if it is killed.
pub(crate) fn run(copy: &Path, test: (&str, &str), variable: (&str, &str), patience: Duration) -> End {
    let folder = own_name("test");
    let _ = fs::create_dir(&folder);
    let end = match start(copy, test, variable, patience, &folder) {
        Some(child) => wait(child, patience * BY_THE_CLOCK),
        None => End::Failed,
    };
    let _ = fs::remove_dir_all(&folder);
    end
}

fn start(
    copy: &Path,
    (program, name): (&str, &str),
    (variable, value): (&str, &str),
    patience: Duration,
    folder: &Path,
) -> Option<Child> {
    let seconds = patience.as_secs().max(1).to_string();
    let mut command = Command::new("sh");
    command.args(["-c", LIMITS, "sh", &seconds, program, "--exact", name]);
    command.env(variable, value).env("TMPDIR", folder).current_dir(copy);
    command.env("RUST_BACKTRACE", "0").env("PROPTEST_CASES", "32");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().ok()
}

/// Waits until the test ends; it and all that it started are killed if that takes too long.
fn wait(mut child: Child, patience: Duration) -> End {
    const XCPU: i32 = 24;
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return End::Passed,
            Ok(Some(status)) if status.signal() == Some(XCPU) => return End::TooLong,
            Ok(Some(_)) => return End::Failed,
            Ok(None) if begun.elapsed() < patience => sleep(Duration::from_millis(2)),
            _ => {
                let group = format!("-{}", child.id());
                let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
                let _ = child.wait();
                return End::TooLong;
            }
        }
    }
}
