// SPDX-License-Identifier: GPL-3.0-or-later
//! The arguments of a PowerShell command, as far as they are constants.

use std::collections::HashMap;

use super::mark::MARK;
use super::ps_value::{PsArgument, PsValue};
use super::word::Stop;

/// Values within values.
const MAX_DEPTH: usize = 8;
/// The most members of a list.
const MAX_ITEMS: usize = 65_536;

/// Variables whose values are texts that stand in the script.
#[derive(Default)]
pub(super) struct Variables(HashMap<String, String>);

impl Variables {
    /// Remembers a text.
    pub(super) fn set(&mut self, name: &str, text: String) {
        const MOST: usize = 256;
        const LONGEST: usize = 4096;
        let name = name.to_ascii_lowercase();
        if text.len() > LONGEST || (self.0.len() >= MOST && !self.0.contains_key(&name)) {
            self.0.remove(&name);
            return;
        }
        self.0.insert(name, text);
    }

    /// Forgets a name whose value is not known any more.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(&name.to_ascii_lowercase());
    }

    fn get(&self, name: &str) -> Option<&String> {
        self.0.get(&name.to_ascii_lowercase())
    }
}

/// What stands behind the name of a command.
pub(super) struct Arguments {
    pub(super) arguments: Vec<PsArgument>,
    /// Where in the line it ends.
    pub(super) end: usize,
    pub(super) stop: Stop,
}

/// Reads the arguments from `start` on.
pub(super) fn arguments(chars: &[char], start: usize, variables: &Variables) -> Arguments {
    let mut reader = Reader {
        chars,
        at: start,
        variables,
    };
    let mut arguments = Vec::new();
    let stop = reader.read(&mut arguments).err().unwrap_or(Stop::End);
    Arguments {
        arguments,
        end: reader.at,
        stop,
    }
}

/// Reads one value; `None` where it is none that stands there as it is.
pub(super) fn value(chars: &[char], start: usize, variables: &Variables) -> Option<PsValue> {
    let mut reader = Reader {
        chars,
        at: start,
        variables,
    };
    reader.blanks();
    let value = reader.list(0).ok()?;
    reader.blanks();
    reader
        .peek()
        .is_none_or(|c| ";#}".contains(c))
        .then_some(value)
}

struct Reader<'c> {
    chars: &'c [char],
    at: usize,
    variables: &'c Variables,
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2014}')
}

fn is_single(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}')
}

fn is_double(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn ahead(&self) -> Option<char> {
        self.chars.get(self.at.saturating_add(1)).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.step();
        }
    }

    fn read(&mut self, arguments: &mut Vec<PsArgument>) -> Result<(), Stop> {
        loop {
            self.blanks();
            let Some(c) = self.peek() else { return Ok(()) };
            if [MARK, ';', '|', '}', ')', '&', '>', '#'].contains(&c) {
                return Ok(());
            }
            if is_dash(c) && self.ahead().is_some_and(char::is_alphabetic) {
                self.step();
                let name = self.name();
                let mut value = None;
                if self.peek() == Some(':') {
                    self.step();
                    self.blanks();
                    value = Some(self.list(0)?);
                }
                arguments.push(PsArgument {
                    name: Some(name.to_ascii_lowercase()),
                    value,
                });
                continue;
            }
            let value = Some(self.list(0)?);
            arguments.push(PsArgument { name: None, value });
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| is_name(*c)) {
            name.push(c);
            self.step();
        }
        name
    }

    /// One value, or several with commas between them.
    fn list(&mut self, depth: usize) -> Result<PsValue, Stop> {
        let first = self.one(depth)?;
        let mut items = vec![first];
        loop {
            let before = self.at;
            self.blanks();
            if self.peek() != Some(',') || items.len() >= MAX_ITEMS {
                self.at = before;
                break;
            }
            self.step();
            self.blanks();
            items.push(self.one(depth)?);
        }
        match (items.len(), items.pop()) {
            (1, Some(only)) => Ok(only),
            (_, last) => {
                items.extend(last);
                Ok(PsValue::List {
                    items,
                    is_bytes: false,
                })
            }
        }
    }

    fn one(&mut self, depth: usize) -> Result<PsValue, Stop> {
        if depth >= MAX_DEPTH {
            return Err(Stop::Variable("(...)".to_owned()));
        }
        let deeper = depth.saturating_add(1);
        match self.peek() {
            None => Err(Stop::OpenQuote),
            Some('[') => self.cast(deeper),
            Some('(') => self.grouped(deeper, false),
            Some('@') if self.ahead() == Some('(') => {
                self.step();
                self.grouped(deeper, true)
            }
            Some('@') => {
                self.step();
                let name = match self.peek() {
                    Some('{') => "{...}".to_owned(),
                    _ => self.name(),
                };
                Err(Stop::Variable(format!("@{name}")))
            }
            Some('<') if self.ahead().is_some_and(char::is_alphabetic) => Err(Stop::Placeholder),
            Some(c) if is_single(c) => self.single(),
            Some(c) if is_double(c) => self.double(),
            Some('$') => {
                let text = self.variable()?;
                // A property or a member of it, which is something else.
                if self.peek().is_some_and(|c| c == '.' || c == '[') {
                    return Err(Stop::Variable("$...".to_owned()));
                }
                let is_bare = false;
                let rest = match self.peek() {
                    Some('\\') => self.bare()?.text().unwrap_or_default(),
                    _ => String::new(),
                };
                let text = format!("{text}{rest}");
                Ok(PsValue::Text { text, is_bare })
            }
            Some(_) => self.bare(),
        }
    }

    /// `[byte[]]` and the like in front of a value.
    fn cast(&mut self, depth: usize) -> Result<PsValue, Stop> {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let kind: String = rest.iter().take(24).collect();
        let lower = kind.to_ascii_lowercase();
        let known = [
            "[byte[]]",
            "[string[]]",
            "[string]",
            "[int]",
            "[uint32]",
            "[long]",
        ];
        let Some(cast) = known.iter().find(|cast| lower.starts_with(**cast)) else {
            return Err(Stop::Variable(kind));
        };
        self.at = self.at.saturating_add(cast.chars().count());
        self.blanks();
        let value = match *cast {
            "[byte[]]" | "[string[]]" => self.list(depth)?,
            _ => self.one(depth)?,
        };
        let is_bytes = *cast == "[byte[]]";
        Ok(match (*cast, value) {
            ("[byte[]]" | "[string[]]", value) => PsValue::List {
                items: value.items().to_vec(),
                is_bytes,
            },
            ("[string]", value) => PsValue::Text {
                text: value.text().unwrap_or_default(),
                is_bare: false,
            },
            (_, value) => value,
        })
    }

    fn grouped(&mut self, depth: usize, is_list: bool) -> Result<PsValue, Stop> {
        self.step();
        self.blanks();
        if self.peek() == Some(')') {
            self.step();
            return Ok(PsValue::List {
                items: Vec::new(),
                is_bytes: false,
            });
        }
        let value = self.list(depth)?;
        self.blanks();
        if self.peek() != Some(')') {
            let rest = self.chars.get(self.at..).unwrap_or_default();
            return Err(Stop::Variable(rest.iter().take(24).collect()));
        }
        self.step();
        Ok(match (is_list, value) {
            (true, value @ PsValue::List { .. }) => value,
            (true, one) => PsValue::List {
                items: vec![one],
                is_bytes: false,
            },
            (false, value) => value,
        })
    }

    fn single(&mut self) -> Result<PsValue, Stop> {
        self.step();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.step();
            if !is_single(c) {
                text.push(c);
                continue;
            }
            if !self.peek().is_some_and(is_single) {
                return Ok(PsValue::Text {
                    text,
                    is_bare: false,
                });
            }
            text.extend(self.peek());
            self.step();
        }
        Err(Stop::OpenQuote)
    }

    fn double(&mut self) -> Result<PsValue, Stop> {
        self.step();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                '`' => {
                    self.step();
                    let escaped = self.peek().ok_or(Stop::OpenQuote)?;
                    self.step();
                    text.push(match escaped {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        '0' => return Err(Stop::Variable("`0".to_owned())),
                        other => other,
                    });
                }
                '$' if self.ahead().is_some_and(|c| is_name(c) || "{(".contains(c)) => {
                    text.push_str(&self.variable()?);
                }
                c if is_double(c) => {
                    self.step();
                    if !self.peek().is_some_and(is_double) {
                        return Ok(PsValue::Text {
                            text,
                            is_bare: false,
                        });
                    }
                    text.push('"');
                    self.step();
                }
                c => {
                    text.push(c);
                    self.step();
                }
            }
        }
        Err(Stop::OpenQuote)
    }

    fn variable(&mut self) -> Result<String, Stop> {
        self.step();
        let is_braced = self.peek() == Some('{');
        if is_braced {
            self.step();
        }
        let mut name = self.name();
        if is_braced && self.peek() == Some('}') {
            self.step();
        }
        // `$env:name` and `$script:name`, and `$(...)`.
        if self.peek() == Some(':') && self.ahead().is_some_and(is_name) {
            self.step();
            let scope = std::mem::take(&mut name);
            name = format!("{scope}:{}", self.name());
        }
        if name.is_empty() && self.peek() == Some('(') {
            name = "(...)".to_owned();
        }
        match self.variables.get(&name) {
            Some(text) if !name.is_empty() => Ok(text.clone()),
            _ => Err(Stop::Variable(format!("${name}"))),
        }
    }

    fn bare(&mut self) -> Result<PsValue, Stop> {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() || [MARK, ',', ';', ')', '|', '}', '&', '>'].contains(&c) {
                break;
            }
            match c {
                '<' if self.ahead().is_some_and(char::is_alphabetic) => {
                    return Err(Stop::Placeholder);
                }
                '$' if self.ahead().is_some_and(is_name) => text.push_str(&self.variable()?),
                c if is_double(c) || is_single(c) => {
                    let inner = if is_single(c) {
                        self.single()?
                    } else {
                        self.double()?
                    };
                    text.push_str(&inner.text().unwrap_or_default());
                }
                '`' => {
                    self.step();
                    text.extend(self.peek());
                    self.step();
                }
                c => {
                    text.push(c);
                    self.step();
                }
            }
        }
        if text.is_empty() {
            // Nothing was read, and something must be, or one would stay here for ever.
            self.step();
        }
        Ok(number(&text).map_or(
            PsValue::Text {
                text,
                is_bare: true,
            },
            PsValue::Number,
        ))
    }
}

fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1_i128, digits),
        None => (1, text),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let number = match hex {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u64::from_str_radix(hex, 16).ok()?
        }
        Some(_) => return None,
        None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
        None => return None,
    };
    i128::from(number).checked_mul(sign)
}
