// SPDX-License-Identifier: GPL-3.0-or-later
//! A batch file of REG ADD and REG DELETE.

use std::fmt::Write;

use super::error::ExportError;
use super::step::{Step, Steps, What};
use crate::profile::Data;

/// The longest line that cmd.exe takes.
const MAX_LINE: usize = 8191;

pub(super) fn text(steps: &Steps<'_>) -> Result<String, ExportError> {
    let mut body = String::new();
    for step in &steps.steps {
        write(&mut body, step)?;
    }
    let mut text = String::from("@echo off\n");
    if !body.is_ascii() {
        text.push_str("chcp 65001 >nul\n");
    }
    for line in &steps.head {
        let _ = writeln!(text, "rem {}", remark(line));
    }
    text.push_str(&body);
    if !steps.foot.is_empty() {
        text.push('\n');
    }
    for line in &steps.foot {
        let _ = writeln!(text, "rem {}", remark(line));
    }
    Ok(text)
}

fn write(text: &mut String, step: &Step<'_>) -> Result<(), ExportError> {
    let Step { key, what, reason } = step;
    let key = argument(&format!("HKLM\\{key}"), key)?;
    let line = match what {
        What::CreateKey { is_implied: true } => return Ok(()),
        What::CreateKey { is_implied: false } => format!("REG ADD {key} /f"),
        What::DeleteKey => format!("REG DELETE {key} /f"),
        What::DeleteValue { name } => {
            format!("REG DELETE {key} {} /f", value_name(name, &step.key)?)
        }
        What::Set { name, kind, data } => {
            let at = format!("{}, value {name}", step.key);
            let data = value(*kind, data, &at)?;
            format!("REG ADD {key} {} {data} /f", value_name(name, &step.key)?)
        }
    };
    if line.len() > MAX_LINE {
        let why = "the command would be longer than cmd.exe takes";
        return Err(unsayable(&step.key, why));
    }
    if is_divided(&line) {
        let why = "cmd.exe would end the command at a sign that a quote before it leaves open";
        return Err(unsayable(&step.key, why));
    }
    let _ = writeln!(text, "\nrem {}\n{line}", remark(reason));
    Ok(())
}

/// Whether cmd.exe sees a sign of its own in a line. It knows nothing of `\"`: each quote opens or closes.
fn is_divided(line: &str) -> bool {
    let mut is_open = false;
    line.chars().any(|c| {
        is_open ^= c == '"';
        !is_open && "&|<>^".contains(c)
    })
}

fn unsayable(what: &str, why: &str) -> ExportError {
    ExportError {
        what: what.to_owned(),
        why: format!("{why}; --format reg can say it"),
    }
}

fn value_name(name: &str, key: &str) -> Result<String, ExportError> {
    match name {
        "" => Ok("/ve".to_owned()),
        name => Ok(format!("/v {}", argument(name, key)?)),
    }
}

/// Text in quotes, as cmd.exe and the C runtime take it in a batch file.
fn argument(text: &str, at: &str) -> Result<String, ExportError> {
    if text.contains(char::is_control) {
        return Err(unsayable(
            at,
            "a control character cannot stand in a command",
        ));
    }
    let mut quoted = String::from("\"");
    let mut backslashes = 0_usize;
    for c in text.chars() {
        match c {
            '\\' => backslashes = backslashes.saturating_add(1),
            '"' => {
                quoted.extend(std::iter::repeat_n('\\', backslashes.saturating_add(1)));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(c);
        if c == '%' {
            quoted.push('%');
        }
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    Ok(quoted)
}

fn value(kind: u32, stored: &[u8], at: &str) -> Result<String, ExportError> {
    let data = Data::from_stored(kind, stored);
    let data = data.ok_or_else(|| unsayable(at, "the data is malformed"))?;
    Ok(match &data {
        Data::Sz(text) => format!("/t REG_SZ /d {}", argument(text, at)?),
        Data::ExpandSz(text) => format!("/t REG_EXPAND_SZ /d {}", argument(text, at)?),
        Data::Dword(number) => format!("/t REG_DWORD /d {number}"),
        Data::Qword(number) => format!("/t REG_QWORD /d {number}"),
        Data::Binary(bytes) => format!("/t REG_BINARY /d \"{}\"", hex::encode(bytes)),
        Data::None(bytes) if bytes.is_empty() => "/t REG_NONE".to_owned(),
        Data::MultiSz(members) => multi(members, at)?,
        _ => return Err(unsayable(at, "REG ADD has no such type")),
    })
}

/// A list, with a separator that is in none of its members.
fn multi(members: &[String], at: &str) -> Result<String, ExportError> {
    const SEPARATORS: [&str; 6] = ["\\0", ";", ",", "#", "~", "@"];
    let is_free = |separator: &&str| !members.iter().any(|member| member.contains(*separator));
    let Some(separator) = SEPARATORS.iter().copied().find(|s| is_free(s)) else {
        return Err(unsayable(at, "every separator is in a member of the list"));
    };
    let data = argument(&members.join(separator), at)?;
    Ok(match separator {
        "\\0" => format!("/t REG_MULTI_SZ /d {data}"),
        _ => format!("/t REG_MULTI_SZ /s \"{separator}\" /d {data}"),
    })
}

/// A comment in which cmd.exe sees nothing of its own.
fn remark(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("and"),
            '|' => safe.push('/'),
            '<' => safe.push('('),
            '>' => safe.push(')'),
            '^' => safe.push(' '),
            '%' => safe.push_str("%%"),
            _ => safe.push(c),
        }
    }
    safe
}
