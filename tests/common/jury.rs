// SPDX-License-Identifier: GPL-3.0-or-later
//! Independent readers that judge the hives our editor writes, and read values back from them.
//!
//! `hivexml`, `hivexsh`, `regfexport` and python-registry are programs of others: where one is not
//! installed it says `SKIPPED` aloud, and with `HIVEMEND_REQUIRE_JUDGES=1` that is a complaint.
//! The crates `regf` and `nt-hive` run in this process and always judge. What each of them misses
//! differs, which is why there are several; none of them notices a leaked cell.

use std::collections::HashSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long one judge may take over one hive.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much of a judge's words is kept.
const MAX_MESSAGE: u64 = 4096;
/// How many complaints of one judge are kept.
const MAX_COMPLAINTS: usize = 200;
/// Windows allows 512 levels of keys.
const MAX_DEPTH: usize = 600;

/// Asks every judge about the hive in the file `hive`; each complaint begins with the judge's name.
pub(crate) fn judges_accept(hive: &Path) -> Result<(), Vec<String>> {
    none(complaints(hive))
}

/// As [`judges_accept`], but overlooks what the same judge says of `original`, word for word.
///
/// The corpus has untouched hives that some judge dislikes.
pub(crate) fn judges_accept_beside(hive: &Path, original: &Path) -> Result<(), Vec<String>> {
    let known: HashSet<String> = complaints(original).into_iter().collect();
    none(new_complaints(complaints(hive), &known))
}

fn new_complaints(found: Vec<String>, known: &HashSet<String>) -> Vec<String> {
    // A judge that gave no verdict on the original must not excuse the same silence here.
    let excused = |text: &String| known.contains(text) && !text.contains(NO_VERDICT);
    found.into_iter().filter(|text| !excused(text)).collect()
}

/// What every judge dislikes about `hive`; empty if all are content.
pub(crate) fn complaints(hive: &Path) -> Vec<String> {
    [hivexml, regfexport, regf_crate, nt_hive_crate]
        .iter()
        .flat_map(|judge| judge(hive))
        .collect()
}

/// `hivexml`: reads all keys and values; silent on sequence numbers, hashes, order, security.
pub(crate) fn hivexml(hive: &Path) -> Vec<String> {
    exporter("hivexml", "apt: libhivex-bin", hive)
}

/// `regfexport` of libregf: silent on sequence numbers, hashes and order.
pub(crate) fn regfexport(hive: &Path) -> Vec<String> {
    exporter("regfexport", "apt: libregf-utils", hive)
}

/// The `regf` crate: the strictest of those that run everywhere; also judges reference counts.
pub(crate) fn regf_crate(hive: &Path) -> Vec<String> {
    in_process("regf", hive, by_regf)
}

/// nt-hive: header, every key, every value and its data.
pub(crate) fn nt_hive_crate(hive: &Path) -> Vec<String> {
    in_process("nt-hive", hive, |bytes| by_nt_hive(&bytes))
}

/// What an independent reader sees in one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadBack {
    /// The key is not there.
    NoKey,
    /// The key is there, the value is not.
    NoValue,
    /// Microsoft's number of the type, and the data as stored.
    Data {
        /// 1 for REG_SZ, 4 for REG_DWORD, ...
        reg_type: u32,
        /// The bytes as stored.
        data: Vec<u8>,
    },
    /// The same of a string type, where the reader gives text up to the first NUL only.
    Text {
        /// 1, 2 or 6.
        reg_type: u32,
        /// The decoded text.
        text: String,
    },
}

impl ReadBack {
    /// Whether this is `data` of type `reg_type`, as far as the reader can tell.
    pub(crate) fn shows(&self, reg_type: u32, data: &[u8]) -> bool {
        match self {
            Self::NoKey | Self::NoValue => false,
            Self::Data {
                reg_type: found,
                data: bytes,
            } => *found == reg_type && bytes == data,
            Self::Text {
                reg_type: found,
                text,
            } => *found == reg_type && *text == utf16_until_nul(data),
        }
    }
}

/// Fails the test unless hivexsh and python-registry both see `expected` (type, data; none: absent).
pub(crate) fn assert_reads_back(
    hive: &Path,
    key_path: &str,
    value: &str,
    expected: Option<(u32, &[u8])>,
) {
    type Reader = fn(&Path, &str, &str) -> Result<Option<ReadBack>, String>;
    let readers: [(&str, Reader); 2] = [
        ("hivexsh", read_back_hivexsh),
        ("python-registry", read_back_python_registry),
    ];
    for (name, reader) in readers {
        let seen = match reader(hive, key_path, value) {
            Ok(None) => continue,
            Ok(Some(seen)) => seen,
            Err(error) => panic!("{name} on {key_path} : {value}: {error}"),
        };
        let agrees = match expected {
            Some((reg_type, data)) => seen.shows(reg_type, data),
            None => matches!(seen, ReadBack::NoKey | ReadBack::NoValue),
        };
        assert!(
            agrees,
            "{name} sees {seen:02x?} in {key_path} : {value}, expected {expected:02x?}"
        );
    }
}

/// Reads one value with hivexsh; `key_path` begins below the root, "" is the root's or default.
///
/// `Ok(None)`: hivexsh is not installed, which was said aloud. Names with a line break, or with
/// blanks at their ends, cannot be given to hivexsh.
///
/// # Errors
///
/// What hivexsh said, where it is neither a value nor its absence.
pub(crate) fn read_back_hivexsh(
    hive: &Path,
    key_path: &str,
    value: &str,
) -> Result<Option<ReadBack>, String> {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), format!("cd \\{key_path}\nlsval\n")).unwrap();
    let mut command = Command::new("hivexsh");
    command.arg("-f").arg(script.path()).arg(hive);
    let Some(run) = run(&mut command) else {
        return missing("hivexsh", "apt: libhivex-bin").map_or(Ok(None), Err);
    };
    let run = run?;
    if run.stderr.contains("not found") && run.stderr.contains("subkey") {
        return Ok(Some(ReadBack::NoKey));
    }
    if !run.status.success() || !run.stderr.is_empty() {
        return Err(format!("{}: {}", run.status, run.stderr));
    }
    let lines = run.stdout_text()?;
    find_hivexsh_value(&lines, value).map(Some)
}

fn find_hivexsh_value(lines: &str, value: &str) -> Result<ReadBack, String> {
    for line in lines.lines() {
        let (name, data) = split_hivexsh(line).ok_or_else(|| format!("hivexsh wrote: {line}"))?;
        if name.to_uppercase() == value.to_uppercase() {
            return hivexsh_data(data).ok_or_else(|| format!("hivexsh wrote: {line}"));
        }
    }
    Ok(ReadBack::NoValue)
}

/// Takes `"na\"me"=data` or `@=data` apart.
fn split_hivexsh(line: &str) -> Option<(String, &str)> {
    if let Some(data) = line.strip_prefix("\"@\"=").or(line.strip_prefix("@=")) {
        return Some((String::new(), data));
    }
    let (name, rest) = quoted(line)?;
    Some((name, rest.strip_prefix('=')?))
}

/// The text between the quotation marks that `line` begins with, and what follows them.
fn quoted(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_prefix('"')?;
    let mut text = String::new();
    let mut escaped = false;
    for (at, character) in rest.char_indices() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some((text, rest.get(at + 1..)?)),
            other => {
                text.push(other);
                escaped = false;
            }
        }
    }
    None
}

fn hivexsh_data(data: &str) -> Option<ReadBack> {
    if let Some(hex) = data.strip_prefix("dword:") {
        let data = u32::from_str_radix(hex, 16).ok()?.to_le_bytes().to_vec();
        return Some(ReadBack::Data { reg_type: 4, data });
    }
    if let Some(hex) = data.strip_prefix("qword:") {
        let data = u64::from_str_radix(hex, 16).ok()?.to_le_bytes().to_vec();
        return Some(ReadBack::Data { reg_type: 11, data });
    }
    if data.starts_with('"') {
        let (text, _) = quoted(data)?;
        return Some(ReadBack::Text { reg_type: 1, text });
    }
    let (kind, rest) = data.split_once(':')?;
    let (kind, reg_type) = kind.strip_suffix(')')?.split_once('(')?;
    let reg_type = reg_type.parse().ok()?;
    if kind == "str" {
        let (text, _) = quoted(rest)?;
        return Some(ReadBack::Text { reg_type, text });
    }
    let bytes = rest.split(',').filter(|byte| !byte.is_empty());
    let data: Result<Vec<u8>, _> = bytes.map(|byte| u8::from_str_radix(byte, 16)).collect();
    let data = data.ok()?;
    (kind == "hex").then_some(ReadBack::Data { reg_type, data })
}

/// Reads one value with python-registry; `key_path` begins below the root.
///
/// The interpreter is `HIVEMEND_PYTHON`, else `python3`. `Ok(None)`: not installed, said aloud.
///
/// # Errors
///
/// What python-registry said, where it is neither a value nor its absence.
pub(crate) fn read_back_python_registry(
    hive: &Path,
    key_path: &str,
    value: &str,
) -> Result<Option<ReadBack>, String> {
    let python = std::env::var("HIVEMEND_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg("-c").arg(PYTHON).arg(hive).arg(key_path);
    command.arg(value);
    let how = "PyPI: python-registry; HIVEMEND_PYTHON names its interpreter";
    let Some(run) = run(&mut command) else {
        return missing("python-registry", how).map_or(Ok(None), Err);
    };
    let run = run?;
    if run.stderr.contains("No module named 'Registry'") {
        return missing("python-registry", how).map_or(Ok(None), Err);
    }
    if !run.status.success() {
        return Err(format!("{}: {}", run.status, run.stderr));
    }
    let answer = run.stdout_text()?;
    python_answer(answer.trim()).map(Some)
}

const PYTHON: &str = r#"
import sys
from Registry import Registry as R
hive, path, name = sys.argv[1:]
try:
    key = R.Registry(hive).root().find_key(path)
except R.RegistryKeyNotFoundException:
    print("no key")
    sys.exit()
named = [v for v in key.values() if ("" if v.name() == "(default)" else v.name()).upper() == name.upper()]
if not named:
    print("no value")
else:
    record = named[0]._vkrecord
    # Where data is in its own record python-registry gives 4 bytes whatever the length.
    print(record.unpack_dword(0xC), record.raw_data()[:record.data_length()].hex())
"#;

fn python_answer(answer: &str) -> Result<ReadBack, String> {
    match answer {
        "no key" => return Ok(ReadBack::NoKey),
        "no value" => return Ok(ReadBack::NoValue),
        _ => {}
    }
    let unclear = || format!("python-registry wrote: {answer}");
    let (reg_type, hex) = answer.split_once(' ').unwrap_or((answer, ""));
    let reg_type = reg_type.parse().map_err(|_| unclear())?;
    let pair = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    let data: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(pair).collect();
    let data = data.ok_or_else(unclear)?;
    Ok(ReadBack::Data { reg_type, data })
}

fn utf16_until_nul(data: &[u8]) -> String {
    let units = data.chunks_exact(2);
    let units = units.map(|unit| u16::from_le_bytes(unit.try_into().unwrap()));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

const NO_VERDICT: &str = "no verdict";

fn none(complaints: Vec<String>) -> Result<(), Vec<String>> {
    if complaints.is_empty() {
        return Ok(());
    }
    Err(complaints)
}

/// Says aloud that a program is missing; the text is a complaint where judges are required.
fn missing(program: &str, how: &str) -> Option<String> {
    let required = std::env::var_os("HIVEMEND_REQUIRE_JUDGES").is_some_and(|set| set == "1");
    if required {
        return Some(format!(
            "{program}: {NO_VERDICT}: not installed ({how}), and HIVEMEND_REQUIRE_JUDGES is set"
        ));
    }
    let said = format!("SKIPPED: {program} is not installed ({how})\n");
    // Past the harness, which keeps what a passing test prints.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    None
}

/// A program that walks the whole hive and whose output does not matter.
fn exporter(program: &str, how: &str, hive: &Path) -> Vec<String> {
    let mut command = Command::new(program);
    command.arg(hive).stdout(Stdio::null());
    let run = match run_with(&mut command, None) {
        None => return missing(program, how).into_iter().collect(),
        Some(Err(error)) => return vec![format!("{program}: {error}")],
        Some(Ok(run)) => run,
    };
    if run.status.success() {
        return Vec::new();
    }
    let path = hive.display().to_string();
    let words = run.stderr.replace(&path, "HIVE").replace('\n', " | ");
    vec![format!("{program}: {}: {}", run.status, words.trim())]
}

struct Run {
    status: ExitStatus,
    stderr: String,
    stdout: Option<File>,
}

impl Run {
    fn stdout_text(self) -> Result<String, String> {
        let mut text = String::new();
        let mut file = self.stdout.ok_or("output was not kept")?;
        file.rewind().map_err(|error| error.to_string())?;
        file.read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
        Ok(text)
    }
}

fn run(command: &mut Command) -> Option<Result<Run, String>> {
    let stdout = tempfile::tempfile().unwrap();
    command.stdout(stdout.try_clone().unwrap());
    run_with(command, Some(stdout))
}

/// Runs a program to its end, or kills it when [`PATIENCE`] is over; `None` if there is no such
/// program. Its words go through files: a pipe that nobody empties would stop it.
fn run_with(command: &mut Command, stdout: Option<File>) -> Option<Result<Run, String>> {
    let mut words = tempfile::tempfile().unwrap();
    command.stdin(Stdio::null());
    command.stderr(words.try_clone().unwrap());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(Err(format!("{NO_VERDICT}: cannot be started: {error}"))),
        Ok(child) => child,
    };
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            let late = format!("{NO_VERDICT} after {} s", PATIENCE.as_secs());
            return Some(Err(late));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    words.rewind().unwrap();
    let mut stderr = Vec::new();
    words.take(MAX_MESSAGE).read_to_end(&mut stderr).unwrap();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Some(Ok(Run {
        status,
        stderr,
        stdout,
    }))
}

/// Runs a judge of this process in a thread of its own: it may panic, dig deep or not come back.
fn in_process(name: &'static str, hive: &Path, judge: fn(Vec<u8>) -> Vec<String>) -> Vec<String> {
    let bytes = match std::fs::read(hive) {
        Ok(bytes) => bytes,
        Err(error) => return vec![format!("{name}: {NO_VERDICT}: {error}")],
    };
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let verdict = catch_unwind(AssertUnwindSafe(|| judge(bytes)));
        // The receiver may have run out of patience.
        let _ = sender.send(verdict.unwrap_or_else(|panic| vec![panic_text(panic.as_ref())]));
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    thread.spawn(work).unwrap();
    let late = |_| vec![format!("{NO_VERDICT} after {} s", PATIENCE.as_secs())];
    let found = receiver.recv_timeout(PATIENCE).unwrap_or_else(late);
    let found = found.into_iter().take(MAX_COMPLAINTS);
    found.map(|text| format!("{name}: {text}")).collect()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panic: {}", text.unwrap_or("without text"))
}

fn by_regf(bytes: Vec<u8>) -> Vec<String> {
    let mut found = Vec::new();
    // The crate lets a wrong checksum and differing sequence numbers pass; nt-hive does not.
    let hive = match regf::hive::RegistryHive::from_bytes(bytes) {
        Ok(hive) => hive,
        Err(error) => return vec![format!("open: {error}")],
    };
    let root = match hive.root_key() {
        Ok(root) => root,
        Err(error) => return vec![format!("root: {error}")],
    };
    let mut waiting = vec![(String::new(), root)];
    let mut seen = HashSet::new();
    while let Some((path, key)) = waiting.pop() {
        if !seen.insert(key.offset()) {
            found.push(format!("{path}: the key is reached twice"));
            continue;
        }
        regf_values(&path, &key, &mut found);
        let subkeys = match key.subkeys() {
            Ok(subkeys) => subkeys,
            Err(error) => {
                found.push(format!("{path}: subkeys: {error}"));
                continue;
            }
        };
        if u32::try_from(subkeys.len()) != Ok(key.subkey_count()) {
            found.push(format!("{path}: the number of subkeys is wrong"));
        }
        for subkey in subkeys {
            waiting.push((format!("{path}\\{}", subkey.name()), subkey));
        }
    }
    found
}

fn regf_values(path: &str, key: &regf::hive::RegistryKey<'_>, found: &mut Vec<String>) {
    if let Err(error) = key.class_name() {
        found.push(format!("{path}: class name: {error}"));
    }
    let values = match key.values() {
        Ok(values) => values,
        Err(error) => return found.push(format!("{path}: values: {error}")),
    };
    if key
        .value_count()
        .is_some_and(|count| u32::try_from(values.len()) != Ok(count))
    {
        found.push(format!("{path}: the number of values is wrong"));
    }
    for value in values {
        let name = value.name();
        match value.raw_data() {
            Err(error) => found.push(format!("{path} : {name}: {error}")),
            Ok(data) if u32::try_from(data.len()) != Ok(value.data_size()) => {
                found.push(format!("{path} : {name}: {} bytes of data", data.len()));
            }
            Ok(_) => {}
        }
    }
}

type NtKey<'h, 'b> = nt_hive::KeyNode<'h, &'b [u8]>;

fn by_nt_hive(bytes: &[u8]) -> Vec<String> {
    let hive = match nt_hive::Hive::new(bytes) {
        Ok(hive) => hive,
        Err(error) => return vec![format!("open: {error}")],
    };
    let mut walk = NtWalk {
        // A key node takes at least 80 bytes, a value 24: more of them means a circle.
        left: bytes.len() / 24,
        found: Vec::new(),
    };
    match hive.root_key_node() {
        Ok(root) => walk.key("", &root, 0),
        Err(error) => walk.found.push(format!("root: {error}")),
    }
    walk.found
}

struct NtWalk {
    left: usize,
    found: Vec<String>,
}

impl NtWalk {
    fn key(&mut self, path: &str, key: &NtKey<'_, '_>, depth: usize) {
        if depth > MAX_DEPTH || self.spent() {
            return self.found.push(format!("{path}: keys without end"));
        }
        if let Some(Err(error)) = key.class_name() {
            self.found.push(format!("{path}: class name: {error}"));
        }
        match key.values() {
            None => {}
            Some(Err(error)) => self.found.push(format!("{path}: values: {error}")),
            Some(Ok(values)) => self.values(path, values),
        }
        match key.subkeys() {
            None => {}
            Some(Err(error)) => self.found.push(format!("{path}: subkeys: {error}")),
            Some(Ok(subkeys)) => self.subkeys(path, subkeys, depth),
        }
    }

    fn subkeys<'h, 'b: 'h>(
        &mut self,
        path: &str,
        subkeys: impl Iterator<Item = nt_hive::Result<NtKey<'h, 'b>>>,
        depth: usize,
    ) {
        for subkey in subkeys {
            let named = subkey.and_then(|subkey| {
                let name = subkey.name()?.to_string_lossy();
                Ok((subkey, name))
            });
            match named {
                Ok((subkey, name)) => self.key(&format!("{path}\\{name}"), &subkey, depth + 1),
                Err(error) => self.found.push(format!("{path}: subkey: {error}")),
            }
            if self.left == 0 {
                return;
            }
        }
    }

    fn values<'h, 'b: 'h>(
        &mut self,
        path: &str,
        values: impl Iterator<Item = nt_hive::Result<nt_hive::KeyValue<'h, &'b [u8]>>>,
    ) {
        for value in values {
            if self.spent() {
                return self.found.push(format!("{path}: values without end"));
            }
            let read = value.and_then(|value| {
                let name = value.name()?.to_string_lossy();
                let data = value.data()?.into_vec()?;
                Ok((name, data.len(), value.data_size()))
            });
            match read {
                Err(error) => self.found.push(format!("{path}: value: {error}")),
                Ok((name, have, size)) if u32::try_from(have) != Ok(size) => {
                    self.found
                        .push(format!("{path} : {name}: {have} bytes of data"));
                }
                Ok(_) => {}
            }
        }
    }

    fn spent(&mut self) -> bool {
        let spent = self.left == 0;
        self.left = self.left.saturating_sub(1);
        spent
    }
}
