// SPDX-License-Identifier: GPL-3.0-or-later
//! A script of PowerShell, as Windows PowerShell 5.1 takes it too.

use std::fmt::Write;

use super::error::ExportError;
use super::step::{Step, Steps, What};
use crate::profile::Data;

pub(super) fn text(steps: &Steps<'_>) -> Result<String, ExportError> {
    let mut text = String::from("#Requires -RunAsAdministrator\n");
    for line in &steps.head {
        let _ = writeln!(text, "# {line}");
    }
    text.push_str("$ErrorActionPreference = 'Stop'\n");
    for step in &steps.steps {
        write(&mut text, step)?;
    }
    if !steps.foot.is_empty() {
        text.push('\n');
    }
    for line in &steps.foot {
        let _ = writeln!(text, "# {line}");
    }
    Ok(text)
}

fn write(text: &mut String, step: &Step<'_>) -> Result<(), ExportError> {
    let Step { key, what, reason } = step;
    let path = quoted(&format!("Registry::HKEY_LOCAL_MACHINE\\{key}"), key)?;
    let line = match what {
        What::CreateKey { .. } => {
            format!("if (-not (Test-Path -LiteralPath {path})) {{ $null = New-Item -Path {path} }}")
        }
        What::DeleteKey => format!("Remove-Item -LiteralPath {path} -Recurse -Force"),
        What::DeleteValue { name } => {
            let name = value_name(name, key)?;
            if name.contains(['*', '?', '[', ']', '`']) {
                return Err(unsayable(
                    key,
                    "the name to delete would stand for others too",
                ));
            }
            format!("Remove-ItemProperty -LiteralPath {path} -Name {name} -Force")
        }
        What::Set { name, kind, data } => {
            let at = format!("{key}, value {name}");
            let (name, data) = (value_name(name, key)?, value(*kind, data, &at)?);
            format!("Set-ItemProperty -LiteralPath {path} -Name {name} {data} -Force")
        }
    };
    let _ = writeln!(text, "\n# {reason}\n{line}");
    Ok(())
}

fn unsayable(what: &str, why: &str) -> ExportError {
    ExportError {
        what: what.to_owned(),
        why: format!("{why}; --format reg can say it"),
    }
}

fn value_name(name: &str, key: &str) -> Result<String, ExportError> {
    match name {
        "" => Ok("'(default)'".to_owned()),
        name if name.eq_ignore_ascii_case("(default)") => Err(unsayable(
            key,
            "PowerShell takes this name for the unnamed value",
        )),
        name => quoted(name, key),
    }
}

/// Text in single quotes; PowerShell takes typographic ones for them.
fn quoted(text: &str, at: &str) -> Result<String, ExportError> {
    if text.contains(char::is_control) {
        return Err(unsayable(at, "a control character cannot stand in a line"));
    }
    let mut quoted = String::from("'");
    for c in text.chars() {
        quoted.push(c);
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

fn value(kind: u32, stored: &[u8], at: &str) -> Result<String, ExportError> {
    let data = Data::from_stored(kind, stored);
    let data = data.ok_or_else(|| unsayable(at, "the data is malformed"))?;
    Ok(match &data {
        Data::Sz(text) => format!("-Type String -Value {}", quoted(text, at)?),
        Data::ExpandSz(text) => format!("-Type ExpandString -Value {}", quoted(text, at)?),
        Data::Dword(number) => format!("-Type DWord -Value {number}"),
        Data::Qword(number) => format!("-Type QWord -Value {number}"),
        Data::Binary(bytes) => format!("-Type Binary -Value {}", byte_list(bytes)),
        Data::None(bytes) => format!("-Type None -Value {}", byte_list(bytes)),
        Data::MultiSz(members) => {
            let members: Result<Vec<String>, ExportError> =
                members.iter().map(|member| quoted(member, at)).collect();
            format!(
                "-Type MultiString -Value ([string[]]@({}))",
                members?.join(",")
            )
        }
        _ => return Err(unsayable(at, "PowerShell has no such type")),
    })
}

fn byte_list(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    format!("([byte[]]@({}))", bytes.join(","))
}
