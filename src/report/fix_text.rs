// SPDX-License-Identifier: GPL-3.0-or-later
//! `fix`: what blocks, what is proposed, and what became of it.

use anstyle::Style;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::diagnose_text::{cause_text, diagnose_json, verdict_sentence, verdict_style};
use super::plan_json::plan_document;
use super::style::{DIM, WARN};
use super::{CommandLine, Heading, outcome_json, page::wrapped, styled};
use crate::diagnose::{Diagnosis, Proposal, Proposed};
use crate::effect::Effect;
use crate::plan::Plan;
use crate::profile::Impact;
use crate::store::Outcome;
use crate::text::Text;

/// What blocks, and the profiles that are proposed for it.
pub fn proposal_text(heading: &Heading, diagnosis: &Diagnosis, proposal: &Proposal) -> Text {
    let mut text = Text::new();
    heading.write(&mut text);
    verdict(&mut text, diagnosis);
    for one in &proposal.profiles {
        let by_name = match one.is_named {
            true => " (named)",
            false => "",
        };
        text.line(format_args!(
            "  {}{by_name}",
            styled(super::BOLD, &one.name)
        ));
        for cause in &one.causes {
            wrapped(&mut text, Style::new(), "      ", cause);
        }
    }
    for left in &proposal.left_out {
        let line = format!(
            "{} is left out: {}. It is about: {}. Take it with -p {}.",
            left.id, left.why, left.cause, left.id
        );
        wrapped(&mut text, WARN, "! ", &line);
    }
    for finding in &proposal.unmended {
        cause_text(&mut text, finding);
    }
    text.end();
    text
}

/// What the disk shows once the profiles are applied.
pub fn afterwards_text(diagnosis: &Diagnosis) -> Text {
    let mut text = Text::new();
    verdict(&mut text, diagnosis);
    for finding in &diagnosis.findings {
        if finding.impact == Impact::Blocks {
            cause_text(&mut text, finding);
        }
    }
    for warning in &diagnosis.warnings {
        wrapped(&mut text, DIM, "! ", warning);
    }
    text
}

fn verdict(text: &mut Text, diagnosis: &Diagnosis) {
    let sentence = verdict_sentence(diagnosis);
    wrapped(text, verdict_style(diagnosis), "", &sentence);
}

/// What `fix` found, did and left, for scripts.
#[derive(Clone, Copy)]
pub struct FixReport<'r> {
    /// The target as it was named.
    pub target: &'r str,
    /// What was wrong, and how the commands about it are typed.
    pub before: (&'r Diagnosis, &'r CommandLine),
    /// What was proposed.
    pub proposal: &'r Proposal,
    /// What was to be changed, where there was anything to apply.
    pub plan: Option<(&'r Plan, &'r Effect)>,
    /// What was written.
    pub outcome: Option<&'r Outcome>,
    /// What is wrong now.
    pub after: (&'r Diagnosis, &'r CommandLine),
    /// The exit code.
    pub exit: u8,
}

/// The same as a document (`hivemend.fix/1`).
pub fn fix_document<'r>(report: &FixReport<'r>) -> impl Serialize + use<'r> {
    let diagnosis = |(diagnosis, command)| diagnose_json(diagnosis, command, report.target);
    FixDocument {
        schema: "hivemend.fix/1",
        target: report.target,
        before: diagnosis(report.before),
        proposed: report.proposal.profiles.iter().map(proposed).collect(),
        left_out: left_out(report.proposal),
        plan: report
            .plan
            .map(|(plan, effect)| plan_document(plan, effect, None)),
        outcome: outcome_json(report.outcome),
        after: diagnosis(report.after),
        exit: report.exit,
    }
}

#[derive(Serialize)]
struct FixDocument<'r, P: Serialize> {
    schema: &'static str,
    target: &'r str,
    before: Json,
    proposed: Vec<Json>,
    left_out: Vec<Json>,
    plan: Option<P>,
    outcome: Json,
    after: Json,
    exit: u8,
}

fn proposed(one: &Proposed) -> Json {
    json!({ "profile": one.name, "named": one.is_named, "why": one.causes })
}

fn left_out(proposal: &Proposal) -> Vec<Json> {
    let left = proposal.left_out.iter();
    let documents = left.map(|left| {
        let needs: Vec<&str> = left.needs.iter().map(|one| one.name.as_str()).collect();
        json!({ "profile": left.id, "cause": left.cause, "why": left.why, "needs": needs })
    });
    documents.collect()
}
