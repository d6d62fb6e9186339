// SPDX-License-Identifier: GPL-3.0-or-later
//! Commands that are arguments of another program: `cmd /c "..."`, `powershell -Command "..."`,
//! `Start-Process reg -ArgumentList ...`.

use super::lines::Shell;
use super::powershell::{Variables, arguments};
use super::ps_value::{PsArgument, PsValue};
use super::word::Stop;
use super::words::words;

/// What a program is given to carry out.
pub(super) enum Wrapped {
    /// A command line for a shell, and where the outer command ends.
    Inner {
        text: String,
        shell: Shell,
        end: usize,
    },
    /// It cannot be known: what is wrong, and what to do.
    Unknown(String, &'static str),
}

/// Whether a program of this name, in lower case, carries out what it is given.
pub(super) fn wraps(name: &str) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let known = [
        "cmd",
        "powershell",
        "pwsh",
        "start-process",
        "saps",
        "invoke-expression",
        "iex",
    ];
    known.contains(&name)
}

/// What the program of this name, in lower case, is given from `start` on; `None` where it is none that
/// carries out something.
pub(super) fn wrapped(
    name: &str,
    chars: &[char],
    start: usize,
    shell: Shell,
    variables: &Variables,
) -> Option<Wrapped> {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    match (name, shell) {
        ("cmd", Shell::Cmd) => from_cmd(chars, start),
        ("cmd", Shell::PowerShell) => cmd_from_powershell(chars, start, variables),
        ("powershell" | "pwsh", _) => powershell(chars, start, shell, variables),
        ("start-process" | "saps", _) => process(chars, start, variables),
        ("invoke-expression" | "iex", _) => expression(chars, start, variables),
        _ => None,
    }
}

fn from_cmd(chars: &[char], start: usize) -> Option<Wrapped> {
    let end = cmd_end(chars, start);
    let text: String = chars.get(start..end)?.iter().collect();
    let lower = text.to_ascii_lowercase();
    let options = ["/c", "/k", "/r"]
        .iter()
        .filter_map(|option| lower.find(option));
    let at = options.min()?;
    let before = lower.get(..at)?;
    // Only options stand before it.
    if !before.split_whitespace().all(|word| word.starts_with('/')) {
        return None;
    }
    let inner = text.get(at.saturating_add(2)..)?.trim();
    let quotes = inner.matches('"').count();
    let whole = inner
        .strip_prefix('"')
        .and_then(|inner| inner.rfind('"').map(|end| (inner, end)))
        .filter(|(inner, end)| quotes > 2 || end.saturating_add(1) == inner.len());
    let text = match whole {
        Some((inner, end)) => {
            let (body, rest) = inner.split_at_checked(end)?;
            format!("{body}{}", rest.get(1..).unwrap_or_default())
        }
        None => inner.to_owned(),
    };
    let shell = Shell::Cmd;
    Some(Wrapped::Inner { text, shell, end })
}

/// Where a command of cmd.exe ends: at a sign outside of quotes.
fn cmd_end(chars: &[char], start: usize) -> usize {
    let mut is_open = false;
    for (at, c) in chars.iter().copied().enumerate().skip(start) {
        match c {
            '"' => is_open = !is_open,
            '&' | '|' | super::mark::MARK if !is_open => return at,
            _ => {}
        }
    }
    chars.len()
}

fn cmd_from_powershell(chars: &[char], start: usize, variables: &Variables) -> Option<Wrapped> {
    let read = arguments(chars, start, variables);
    let mut items = read
        .arguments
        .iter()
        .filter_map(|argument| argument.value.as_ref());
    let is_option = |value: &PsValue| value.text().is_some_and(|text| text.starts_with('/'));
    let asks = items.by_ref().take_while(|value| is_option(value));
    let asks = asks.filter_map(PsValue::text).any(|text| {
        ["/c", "/k", "/r"]
            .iter()
            .any(|option| option.eq_ignore_ascii_case(&text))
    });
    // `take_while` has taken the first word that is none: they are read anew.
    let values = read
        .arguments
        .iter()
        .filter_map(|argument| argument.value.as_ref());
    let rest: Vec<&PsValue> = values.skip_while(|value| is_option(value)).collect();
    if !asks {
        return None;
    }
    if let Stop::Variable(name) = &read.stop {
        return Some(unknown(name));
    }
    let text = match rest.as_slice() {
        [one] => one.text()?,
        // Handed on as they are written, with PowerShell's own quotes for blanks.
        _ => rest
            .iter()
            .filter_map(|value| value.text())
            .map(|text| quoted(&text))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let (shell, end) = (Shell::Cmd, read.end);
    Some(Wrapped::Inner { text, shell, end })
}

fn quoted(text: &str) -> String {
    match text.contains(' ') || text.is_empty() {
        true => format!("\"{text}\""),
        false => text.to_owned(),
    }
}

fn unknown(name: &str) -> Wrapped {
    let shown: String = name.chars().take(40).collect();
    let message = format!(
        "the value of `{}` is not known here",
        crate::text::escape(&shown)
    );
    Wrapped::Unknown(message, "write the command by itself")
}

/// The parameters of powershell.exe that take an argument.
const WITH_ARGUMENT: [&str; 9] = [
    "executionpolicy",
    "ex",
    "ep",
    "exec",
    "windowstyle",
    "w",
    "version",
    "inputformat",
    "outputformat",
];

fn powershell(
    chars: &[char],
    start: usize,
    shell: Shell,
    variables: &Variables,
) -> Option<Wrapped> {
    let (texts, end) = match shell {
        Shell::Cmd => {
            let read = words(chars, start, false);
            let texts: Vec<String> = read.words.into_iter().map(|word| word.text).collect();
            (texts, read.end)
        }
        Shell::PowerShell => {
            let read = super::program::words(chars, start, variables);
            if let Stop::Variable(name) = &read.stop {
                let speaks = read
                    .words
                    .iter()
                    .any(|word| word.text.to_ascii_lowercase().starts_with("-c"));
                return speaks.then(|| unknown(name));
            }
            (
                read.words.into_iter().map(|word| word.text).collect(),
                read.end,
            )
        }
    };
    let mut texts = texts.into_iter();
    while let Some(text) = texts.next() {
        let lower = text.to_ascii_lowercase();
        let Some(option) = lower.strip_prefix(['-', '/']) else {
            let rest: Vec<String> = std::iter::once(text).chain(texts).collect();
            return inner(&rest, end);
        };
        if option.starts_with('e') && "encodedcommand".starts_with(option) && option != "ex"
            || option == "ec"
        {
            let message = "-EncodedCommand hides what is carried out".to_owned();
            return Some(Wrapped::Unknown(message, "write the command out"));
        }
        if option.starts_with('f') && "file".starts_with(option) {
            return None;
        }
        if option.starts_with('c') && "command".starts_with(option) {
            let rest: Vec<String> = texts.collect();
            return inner(&rest, end);
        }
        if WITH_ARGUMENT.contains(&option) {
            texts.next();
        }
    }
    None
}

fn inner(words: &[String], end: usize) -> Option<Wrapped> {
    let text = words.join(" ");
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    // A block that is called: what is in it is carried out.
    let called = trimmed.strip_prefix('&').map(str::trim);
    let called = called.and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
    let text = called.unwrap_or(trimmed).to_owned();
    let shell = Shell::PowerShell;
    Some(Wrapped::Inner { text, shell, end })
}

/// The arguments of a parameter, or those at a place.
fn argument<'a>(arguments: &'a [PsArgument], names: &[&str], place: usize) -> Option<&'a PsValue> {
    let mut seen = 0_usize;
    let mut arguments = arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        match &argument.name {
            None => {
                if seen == place {
                    return argument.value.as_ref();
                }
                seen = seen.saturating_add(1);
            }
            Some(name) => {
                let is_switch = ["wait", "nonewwindow", "passthru"]
                    .iter()
                    .any(|known| known.starts_with(name.as_str()));
                let next = arguments.next_if(|next| next.name.is_none() && !is_switch);
                let value = argument
                    .value
                    .as_ref()
                    .or(next.and_then(|next| next.value.as_ref()));
                if names
                    .iter()
                    .any(|known| name.len() > 2 && known.starts_with(name.as_str()))
                {
                    return value;
                }
            }
        }
    }
    None
}

fn process(chars: &[char], start: usize, variables: &Variables) -> Option<Wrapped> {
    let read = arguments(chars, start, variables);
    let program = argument(&read.arguments, &["filepath", "path"], 0)?.text()?;
    let program = program.rsplit(['\\', '/']).next()?.to_ascii_lowercase();
    let program = program.strip_suffix(".exe").unwrap_or(&program);
    if !["reg", "cmd", "powershell", "pwsh"].contains(&program) {
        return None;
    }
    if let Stop::Variable(name) = &read.stop {
        return Some(unknown(name));
    }
    let place = usize::from(!read.arguments.iter().any(|argument| {
        argument
            .name
            .as_deref()
            .is_some_and(|name| name.len() > 2 && "filepath".starts_with(name))
    }));
    let given = argument(&read.arguments, &["argumentlist", "args"], place)?;
    let texts: Option<Vec<String>> = given.items().iter().map(PsValue::text).collect();
    let text = format!("{program} {}", texts?.join(" "));
    let (shell, end) = (Shell::Cmd, read.end);
    Some(Wrapped::Inner { text, shell, end })
}

fn expression(chars: &[char], start: usize, variables: &Variables) -> Option<Wrapped> {
    let read = arguments(chars, start, variables);
    let values = read
        .arguments
        .iter()
        .filter_map(|argument| argument.value.as_ref());
    let texts: Vec<String> = values.filter_map(PsValue::text).collect();
    match (&read.stop, texts.as_slice()) {
        (Stop::Variable(name), _) => Some(unknown(name)),
        (_, [text]) => {
            let (text, shell) = (text.clone(), Shell::PowerShell);
            let end = read.end;
            Some(Wrapped::Inner { text, shell, end })
        }
        _ => None,
    }
}
