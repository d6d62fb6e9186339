// SPDX-License-Identifier: GPL-3.0-or-later
//! A configuration document of DSC, version 3.
//!
//! Spec: PowerShell/DSC, lib/dsc-lib-registry/src/config.rs.

use std::fmt::Write;

use super::error::ExportError;
use super::step::{Step, Steps, What};
use crate::profile::Data;
use crate::report::profile_yaml::yaml_text as yaml;

pub(super) fn text(steps: &Steps<'_>) -> Result<String, ExportError> {
    let mut text = String::new();
    for line in &steps.head {
        let _ = writeln!(text, "# {line}");
    }
    text.push_str("$schema: https://aka.ms/dsc/schemas/v3/bundled/config/document.json\n");
    if steps.steps.is_empty() {
        text.push_str("resources: []\n");
    } else {
        text.push_str("resources:\n");
    }
    for (index, step) in steps.steps.iter().enumerate() {
        write(&mut text, step, index.saturating_add(1))?;
    }
    for line in &steps.foot {
        let _ = writeln!(text, "# {line}");
    }
    Ok(text)
}

fn write(text: &mut String, step: &Step<'_>, number: usize) -> Result<(), ExportError> {
    let Step { key, what, reason } = step;
    if *what == (What::CreateKey { is_implied: true }) {
        return Ok(());
    }
    // Names are unique in a document.
    let name = yaml(&format!("{reason} ({number})"));
    let key_path = yaml(&format!("HKLM\\{key}"));
    let _ = writeln!(
        text,
        "  - name: {name}\n    type: Microsoft.Windows/Registry\n    properties:\n      keyPath: {key_path}"
    );
    match what {
        What::CreateKey { .. } => text.push_str("      _exist: true\n"),
        What::DeleteKey => text.push_str("      _exist: false\n"),
        What::DeleteValue { name } => {
            let _ = writeln!(
                text,
                "      valueName: {}\n      _exist: false",
                string(name)
            );
        }
        What::Set { name, kind, data } => {
            let at = format!("{key}, value {name}");
            let data = value(*kind, data, &at)?;
            let _ = writeln!(
                text,
                "      valueName: {}\n      valueData: {data}",
                string(name)
            );
        }
    }
    Ok(())
}

/// Text that DSC does not take for an expression.
fn string(text: &str) -> String {
    match text.starts_with('[') {
        true => yaml(&format!("[{text}")),
        false => yaml(text),
    }
}

fn value(kind: u32, stored: &[u8], at: &str) -> Result<String, ExportError> {
    let unsayable = |why: &str| ExportError {
        what: at.to_owned(),
        why: format!("{why}; --format reg can say it"),
    };
    let data = Data::from_stored(kind, stored).ok_or_else(|| unsayable("the data is malformed"))?;
    Ok(match &data {
        Data::Sz(text) => format!("{{String: {}}}", string(text)),
        Data::ExpandSz(text) => format!("{{ExpandString: {}}}", string(text)),
        Data::Dword(number) => format!("{{DWord: {number}}}"),
        Data::Qword(number) => format!("{{QWord: {number}}}"),
        Data::Binary(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
            format!("{{Binary: [{}]}}", bytes.join(", "))
        }
        Data::MultiSz(members) => {
            let members: Vec<String> = members.iter().map(|member| string(member)).collect();
            format!("{{MultiString: [{}]}}", members.join(", "))
        }
        Data::None(bytes) if bytes.is_empty() => "None".to_owned(),
        _ => return Err(unsayable("DSC has no such type")),
    })
}
