// SPDX-License-Identifier: GPL-3.0-or-later
//! `.reg`, version 5.00.

use std::fmt::Write;

use super::step::{Step, Steps, What};
use crate::profile::Data;
use crate::text::is_deceptive;

pub(super) fn text(steps: &Steps<'_>) -> String {
    let mut text = String::from("Windows Registry Editor Version 5.00\n\n");
    for line in &steps.head {
        let _ = writeln!(text, "; {line}");
    }
    let mut open: Option<&str> = None;
    for step in &steps.steps {
        write(&mut text, step, &mut open);
    }
    if !steps.foot.is_empty() {
        text.push('\n');
    }
    for line in &steps.foot {
        let _ = writeln!(text, "; {line}");
    }
    text
}

fn write<'s>(text: &mut String, step: &'s Step<'_>, open: &mut Option<&'s str>) {
    let Step { key, what, reason } = step;
    match what {
        What::CreateKey { is_implied: true } => {}
        What::CreateKey { is_implied: false } => {
            let _ = writeln!(text, "\n; {reason}\n[HKEY_LOCAL_MACHINE\\{key}]");
            *open = Some(key);
        }
        What::DeleteKey => {
            let _ = writeln!(text, "\n; {reason}\n[-HKEY_LOCAL_MACHINE\\{key}]");
            *open = None;
        }
        What::Set { name, .. } | What::DeleteValue { name } => {
            if *open != Some(key) {
                let _ = writeln!(text, "\n[HKEY_LOCAL_MACHINE\\{key}]");
                *open = Some(key);
            }
            let name = match name.as_str() {
                "" => "@".to_owned(),
                name => quoted(name),
            };
            let data = match what {
                What::Set { kind, data, .. } => value(*kind, data),
                _ => "-".to_owned(),
            };
            let _ = writeln!(text, "; {reason}\n{name}={data}");
        }
    }
}

pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

pub(super) fn value(kind: u32, data: &[u8]) -> String {
    match Data::from_stored(kind, data) {
        Some(Data::Sz(text)) if !text.contains(is_deceptive) => quoted(&text),
        Some(Data::Dword(number)) => format!("dword:{number:08x}"),
        Some(Data::Binary(bytes)) => format!("hex:{}", hex(&bytes)),
        _ => format!("hex({kind:x}):{}", hex(data)),
    }
}

/// Bytes with commas between them, in lines as regedit makes them.
fn hex(bytes: &[u8]) -> String {
    const IN_LINE: usize = 25;
    let lines = bytes.chunks(IN_LINE).map(|line| {
        let bytes: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(",")
    });
    lines.collect::<Vec<String>>().join(",\\\n  ")
}
