// SPDX-License-Identifier: GPL-3.0-or-later
//! A diagnosis, for people and for scripts.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::effect_text::{debris_json, setting_json};
use super::page::{width, wrapped};
use super::plan_json::hives_json;
use super::plan_text::hives;
use super::state_json::state_json;
use super::style::{BOLD, DIM, GONE, GOOD, WARN};
use super::values::value_text;
use super::{CommandLine, Heading, styled};
use crate::diagnose::{AreaVerdict, Diagnosis, Evidence, Finding, Masked, Verdict};
use crate::machine::State;
use crate::profile::Impact;
use crate::regf::Name;
use crate::text::Text;

/// How many values are shown for one cause.
const SHOWN: usize = 20;

/// What is left to look at where nothing that was judged is the cause.
const LEFT: &[&str] = &[
    "The network: the machine's address and adapter, routes, network security groups and firewalls \
     in front of it; whether TCP port 3389 answers from the same network.",
    "The account: password, lock-out, membership in Remote Desktop Users, the right to log on \
     through Remote Desktop Services, logon restrictions of the domain.",
    "The client: its error text and code (hivemend explain), its own policies, and whether another \
     client gets in.",
    "The listener's certificate and its key: files in ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys \
     and their permissions.",
    "The event log of the machine: TerminalServices-RemoteConnectionManager, \
     TerminalServices-LocalSessionManager, Schannel, Service Control Manager \
     (Windows\\System32\\winevt\\Logs).",
    "Whether Windows starts at all: the screenshot or console of the machine, boot configuration, \
     disk space, missing system files (termsrv.dll), drivers.",
];

/// A diagnosis for people.
pub fn diagnose_text(
    heading: &Heading,
    diagnosis: &Diagnosis,
    command: &CommandLine,
    verbose: bool,
) -> Text {
    let mut text = Text::new();
    heading.write(&mut text);
    hives(&mut text, &diagnosis.hives, verbose);
    let sentence = verdict_sentence(diagnosis);
    wrapped(&mut text, verdict_style(diagnosis), "", &sentence);
    text.end();
    areas_text(&mut text, diagnosis);
    for finding in &diagnosis.findings {
        finding_text(&mut text, finding, diagnosis, command);
    }
    if !diagnosis.elsewhere.is_empty() {
        let boots = &diagnosis.boots.name;
        let line = format!("In control sets that do not boot ({boots} does):");
        text.line(styled(DIM, &line));
        for finding in &diagnosis.elsewhere {
            elsewhere_line(&mut text, finding);
        }
        text.end();
    }
    for masked in &diagnosis.masked {
        wrapped(&mut text, DIM, "not a cause: ", &masked_sentence(masked));
    }
    for warning in &diagnosis.warnings {
        wrapped(&mut text, WARN, "warning: ", warning);
    }
    if diagnosis.count(Impact::Blocks) == 0 || verbose {
        text.line(styled(BOLD, "What is left to look at"));
        for left in LEFT {
            wrapped(&mut text, anstyle::Style::new(), "  - ", left);
        }
    }
    text
}

/// The verdict alone, as `diagnose --quiet` prints it.
pub fn verdict_line(diagnosis: &Diagnosis) -> Text {
    let mut text = Text::new();
    text.line(verdict_sentence(diagnosis));
    text
}

pub(super) fn verdict_style(diagnosis: &Diagnosis) -> anstyle::Style {
    match diagnosis.count(Impact::Blocks) {
        0 => BOLD,
        _ => WARN,
    }
}

/// What blocks and no profile mends, with what to do.
pub(super) fn cause_text(text: &mut Text, finding: &Finding) {
    wrapped(text, GONE, "BLOCKS   ", &finding.cause);
    if let Some(advice) = &finding.advice {
        wrapped(text, anstyle::Style::new(), "         ", advice);
    }
}

pub(super) fn verdict_sentence(diagnosis: &Diagnosis) -> String {
    let blocks = diagnosis.count(Impact::Blocks);
    let others = diagnosis.findings.len().saturating_sub(blocks);
    let set = &diagnosis.boots.name;
    if let Some(meant) = diagnosis.meant {
        return format!("Not judged: {meant}.");
    }
    let mut sentence = match blocks {
        0 if diagnosis.is_complete => {
            format!("Nothing that was judged blocks Remote Desktop ({set}).")
        }
        0 => format!("Nothing that could be judged blocks Remote Desktop ({set})."),
        1 => format!("1 cause in the registry blocks Remote Desktop ({set})."),
        _ => format!("{blocks} causes in the registry block Remote Desktop ({set})."),
    };
    if others > 0 {
        let _ = write!(sentence, " {others} more to know of.");
    }
    sentence
}

/// The column of a step's verdict.
const VERDICT_COLUMN: usize = 28;

/// Each step on the way to a session, and what can be said of it.
fn areas_text(text: &mut Text, diagnosis: &Diagnosis) {
    for area in &diagnosis.areas {
        let (style, verdict) = match (area.verdict, area.blocks) {
            (Verdict::Blocked, 1) => (GONE, "blocked, 1 cause".to_owned()),
            (Verdict::Blocked, blocks) => (GONE, format!("blocked, {blocks} causes")),
            (Verdict::NotBlocked, _) => {
                (GOOD, "not blocked, as far as the registry tells".to_owned())
            }
            (Verdict::NotJudged, _) => (WARN, "not judged".to_owned()),
        };
        let question = area.area.question();
        let columns = VERDICT_COLUMN.saturating_add(verdict.chars().count());
        if columns.saturating_add(4) > width() {
            text.line(format_args!("  {question}"));
            text.line(format_args!("      {style}{verdict}{style:#}"));
        } else {
            text.line(format_args!(
                "  {question:<VERDICT_COLUMN$}  {style}{verdict}{style:#}"
            ));
        }
        let label = format!("  {:<VERDICT_COLUMN$}  ", "");
        let open = area.open.iter().map(String::as_str);
        let open: Vec<&str> = open.chain([area.area.never_judged()]).collect();
        let sentence = format!("not looked at: {}", open.join("; "));
        wrapped(text, DIM, &label, &sentence);
    }
    text.end();
}

/// The command that mends a finding; none on a damaged hive, which is mended itself first.
fn command_for(finding: &Finding, diagnosis: &Diagnosis, command: &CommandLine) -> Option<String> {
    let is_sound = diagnosis.damage.is_empty();
    is_sound
        .then(|| command.applying(&finding.profiles))
        .flatten()
}

fn finding_text(text: &mut Text, finding: &Finding, diagnosis: &Diagnosis, command: &CommandLine) {
    let (style, label) = match finding.impact {
        Impact::Blocks => (GONE, "BLOCKS   "),
        Impact::Weakens => (WARN, "WEAKENS  "),
        Impact::Unusual => (DIM, "UNUSUAL  "),
    };
    wrapped(text, style, label, &finding.cause);
    for evidence in finding.evidence.iter().take(SHOWN) {
        let sentence = evidence_sentence(evidence);
        wrapped(text, anstyle::Style::new(), "         ", &sentence);
    }
    if finding.evidence.len() > SHOWN {
        let more = finding.evidence.len().saturating_sub(SHOWN);
        let line = format!("and {more} more (--format json has them)");
        wrapped(text, anstyle::Style::new(), "         ", &line);
    }
    if let Some(advice) = &finding.advice {
        wrapped(text, anstyle::Style::new(), "         ", advice);
    }
    if let Some(line) = command_for(finding, diagnosis, command) {
        text.line(format_args!("         {}", styled(GOOD, &line)));
    }
    if !finding.also.is_empty() {
        let line = format!("also about it: {}", finding.also.join(", "));
        wrapped(text, DIM, "         ", &line);
    }
    text.end();
}

fn elsewhere_line(text: &mut Text, finding: &Finding) {
    let mut sets: Vec<&str> = Vec::new();
    for set in finding
        .evidence
        .iter()
        .filter_map(|e| e.control_set.as_deref())
    {
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    let names: Vec<String> = finding
        .evidence
        .iter()
        .filter_map(|evidence| evidence.value.as_ref().or(evidence.key.name()))
        .map(Name::to_string)
        .collect();
    let line = format!(
        "{} ({}: {})",
        finding.cause,
        sets.join(", "),
        names.join(", ")
    );
    wrapped(text, DIM, "  - ", &line);
}

fn evidence_sentence(evidence: &Evidence) -> String {
    let mut place = format!("{}\\{}", evidence.hive, evidence.key.text());
    if let Some(value) = &evidence.value {
        let name = match value.is_empty() {
            true => "@".to_owned(),
            false => value.to_string(),
        };
        let _ = write!(place, " {name}");
    }
    let is_missing_key = evidence.value.is_none() && evidence.found.is_none();
    let mut sentence = match (is_missing_key, evidence.wanted == evidence.found) {
        (true, _) => place,
        (false, true) => format!("{place}: {}", state_text(evidence.found.as_ref())),
        (false, false) => format!(
            "{place}: {}, should be {}",
            state_text(evidence.found.as_ref()),
            state_text(evidence.wanted.as_ref())
        ),
    };
    if let Some(note) = &evidence.note {
        let _ = write!(sentence, "; {note}");
    }
    sentence
}

fn state_text(state: Option<&State>) -> String {
    match state {
        None => "absent".to_owned(),
        Some(State::Value(value)) => value_text(value),
        Some(State::Key(_)) => "there".to_owned(),
    }
}

fn masked_sentence(masked: &Masked) -> String {
    let evidence = Evidence {
        note: None,
        ..masked.evidence.clone()
    };
    let sentence = evidence_sentence(&evidence);
    format!("{sentence} ({}), but {}", masked.cause, masked.why)
}

/// A diagnosis for scripts.
pub fn diagnose_json(diagnosis: &Diagnosis, command: &CommandLine, target: &str) -> Json {
    let finding =
        |finding: &Finding| finding_json(finding, command_for(finding, diagnosis, command));
    json!({
        "schema": "hivemend.diagnose/2",
        "target": target,
        "hives": hives_json(&diagnosis.hives),
        "boots": diagnosis.boots.name,
        "command": command.all_together().filter(|_| diagnosis.damage.is_empty()),
        "blocked": diagnosis.count(Impact::Blocks) > 0,
        "not_judged_because": diagnosis.meant,
        "areas": diagnosis.areas.iter().map(area_json).collect::<Vec<Json>>(),
        "findings": diagnosis.findings.iter().map(finding).collect::<Vec<Json>>(),
        "elsewhere": diagnosis.elsewhere.iter().map(finding).collect::<Vec<Json>>(),
        "masked": diagnosis.masked.iter().map(masked_json).collect::<Vec<Json>>(),
        "effective": diagnosis.effect.settings.iter().map(setting_json).collect::<Vec<Json>>(),
        "debris": debris_json(&diagnosis.effect),
        "complete": diagnosis.is_complete,
        "warnings": diagnosis.warnings,
        "look_at": LEFT,
        "summary": {
            "blocks": diagnosis.count(Impact::Blocks),
            "weakens": diagnosis.count(Impact::Weakens),
            "unusual": diagnosis.count(Impact::Unusual),
        },
    })
}

fn area_json(area: &AreaVerdict) -> Json {
    json!({
        "area": area.area.as_str(),
        "verdict": area.verdict.as_str(),
        "blocks": area.blocks,
        "not_looked_at": area.open,
        "never_judged": area.area.never_judged(),
    })
}

fn finding_json(finding: &Finding, command: Option<String>) -> Json {
    json!({
        "area": finding.area.as_str(),
        "impact": finding.impact.as_str(),
        "cause": finding.cause,
        "profiles": finding.profiles,
        "also": finding.also,
        "command": command,
        "advice": finding.advice,
        "evidence": finding.evidence.iter().map(evidence_json).collect::<Vec<Json>>(),
    })
}

fn evidence_json(evidence: &Evidence) -> Json {
    json!({
        "hive": evidence.hive.to_string(),
        "control_set": evidence.control_set,
        "key": evidence.key.text(),
        "value": evidence.value.as_ref().map(Name::to_text),
        "found": state_json(evidence.found.as_ref()),
        "wanted": state_json(evidence.wanted.as_ref()),
        "note": evidence.note,
    })
}

fn masked_json(masked: &Masked) -> Json {
    json!({
        "cause": masked.cause,
        "why": masked.why,
        "evidence": evidence_json(&masked.evidence),
    })
}
