// SPDX-License-Identifier: GPL-3.0-or-later
//! From bytes to entries: `[key;value;type;size;data]`, UTF-16LE and little-endian.

use super::{PolicyAction, PolicyEntry, PolicyError, PolicyFault};

const SIGNATURE: &[u8] = b"PReg";
const VERSION: u32 = 1;

const OPEN: u16 = 0x5B;
const CLOSE: u16 = 0x5D;
const SEMICOLON: u16 = 0x3B;

/// What is left of the file.
struct Rest<'a> {
    bytes: &'a [u8],
    size: usize,
    entries: usize,
}

pub(super) fn entries(bytes: &[u8]) -> Result<Vec<PolicyEntry>, PolicyError> {
    let mut rest = Rest {
        bytes,
        size: bytes.len(),
        entries: 0,
    };
    let mut entries = Vec::new();
    if bytes.is_empty() {
        return Ok(entries);
    }
    rest.header()?;
    while rest.bytes.iter().any(|byte| *byte != 0) {
        entries.push(rest.entry()?);
        rest.entries = entries.len();
    }
    Ok(entries)
}

impl<'a> Rest<'a> {
    fn header(&mut self) -> Result<(), PolicyError> {
        if !self.bytes.starts_with(SIGNATURE) {
            let found = self.bytes.iter().take(SIGNATURE.len()).copied().collect();
            return Err(self.fault(PolicyFault::Signature(found)));
        }
        let _: [u8; 4] = self.take("the signature")?;
        match u32::from_le_bytes(self.take("the version")?) {
            VERSION => Ok(()),
            other => Err(self.fault(PolicyFault::Version(other))),
        }
    }

    fn entry(&mut self) -> Result<PolicyEntry, PolicyError> {
        let at = self.at();
        self.separator(OPEN, "[ at the start of an entry")?;
        let key = self.text("a key")?;
        if self.next_is(CLOSE) {
            self.separator(CLOSE, "]")?;
            let action = PolicyAction::CreateKey;
            return Ok(PolicyEntry { at, key, action });
        }
        self.separator(SEMICOLON, "; behind the key")?;
        let name = self.text("a value name")?;
        self.separator(SEMICOLON, "; behind the value name")?;
        // Numbers are four bytes each: 0x3B in them is no separator.
        let kind = u32::from_le_bytes(self.take("a type")?);
        self.separator(SEMICOLON, "; behind the type")?;
        let size = u32::from_le_bytes(self.take("a size")?);
        self.separator(SEMICOLON, "; behind the size")?;
        let data = self.data(size)?;
        self.separator(CLOSE, "] behind the data")?;
        let action = PolicyAction::new(name, kind, data);
        Ok(PolicyEntry { at, key, action })
    }

    /// A string up to its terminator; an empty one may be left out altogether.
    fn text(&mut self, what: &'static str) -> Result<String, PolicyError> {
        if self.next_is(SEMICOLON) {
            return Ok(String::new());
        }
        let mut units = Vec::new();
        loop {
            match u16::from_le_bytes(self.take(what)?) {
                0 => return Ok(String::from_utf16_lossy(&units)),
                unit => units.push(unit),
            }
        }
    }

    fn data(&mut self, size: u32) -> Result<&'a [u8], PolicyError> {
        let have = self.bytes.len();
        let split = usize::try_from(size).ok();
        let split = split.and_then(|size| self.bytes.split_at_checked(size));
        let Some((data, rest)) = split else {
            return Err(self.fault(PolicyFault::DataSize { size, have }));
        };
        self.bytes = rest;
        Ok(data)
    }

    fn separator(&mut self, wanted: u16, expected: &'static str) -> Result<(), PolicyError> {
        let before = self.bytes;
        let found = u16::from_le_bytes(self.take("an entry")?);
        if found != wanted {
            self.bytes = before;
            return Err(self.fault(PolicyFault::Separator { found, expected }));
        }
        Ok(())
    }

    fn next_is(&self, unit: u16) -> bool {
        self.bytes.starts_with(&unit.to_le_bytes())
    }

    fn take<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], PolicyError> {
        let Some((taken, rest)) = self.bytes.split_first_chunk() else {
            return Err(self.fault(PolicyFault::Truncated(what)));
        };
        self.bytes = rest;
        Ok(*taken)
    }

    fn at(&self) -> u64 {
        u64::try_from(self.size.saturating_sub(self.bytes.len())).unwrap_or(u64::MAX)
    }

    fn fault(&self, fault: PolicyFault) -> PolicyError {
        PolicyError {
            at: self.at(),
            entries: self.entries,
            fault,
        }
    }
}
