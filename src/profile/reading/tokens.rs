// SPDX-License-Identifier: GPL-3.0-or-later
//! The tokens of a firewall rule: `tokens` and `if-tokens`.

use std::collections::HashSet;

use super::error::Report;
use super::fields::{Field, Fields, describe, read_at, scalar_of};
use super::parameters::known_parameter;
use super::scalar;
use super::yaml::{Node, Shape};
use crate::profile::model::{
    Parameter, ParameterKind, Token, TokenTest, shown, token_text, upcase,
};

const TOKENS_HINT: &str = "write the tokens as `tokens: {Active: \"TRUE\", Action: Allow}`";

/// Reads the tokens of a firewall rule.
pub(super) fn tokens(
    field: &Field<'_>,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Option<Vec<Token>> {
    let Shape::Map(map) = &field.value.shape else {
        let message = format!("`tokens` is {}, not a map", describe(field.value));
        report.error(field.at, message, TOKENS_HINT);
        return None;
    };
    if map.is_empty() {
        report.error(field.at, "`tokens` is empty", TOKENS_HINT);
    }
    let mut seen = HashSet::new();
    let mut tokens = Vec::new();
    for (name, value) in map {
        let Some(token) = token(name, value, parameters, report) else {
            continue;
        };
        if seen.insert(upcase(&token.name)) {
            tokens.push(token);
        } else {
            let message = format!("the token `{}` is here twice", shown(&token.name));
            report.error(name.at, message, "keep one of them");
        }
    }
    (tokens.len() == map.len() && !tokens.is_empty()).then_some(tokens)
}

/// Reads `if-tokens`: a text or a list of texts for each name.
pub(super) fn if_tokens(
    fields: &Fields<'_>,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Vec<TokenTest> {
    const HINT: &str = "write the tokens as `if-tokens: {Dir: In, Action: [Allow, Bypass]}`";
    let Some(field) = fields.get("if-tokens") else {
        return Vec::new();
    };
    let Shape::Map(map) = &field.value.shape else {
        let message = format!("`if-tokens` is {}, not a map", describe(field.value));
        report.error(field.at, message, HINT);
        return Vec::new();
    };
    if map.is_empty() {
        report.error(field.at, "`if-tokens` is empty", HINT);
    }
    let mut tests: Vec<TokenTest> = Vec::new();
    for (name, value) in map {
        let nodes = match &value.shape {
            Shape::List(list) => list.as_slice(),
            _ => std::slice::from_ref(value),
        };
        if nodes.is_empty() {
            report.error(value.at, "a token has no text to be compared with", HINT);
        }
        let texts = nodes
            .iter()
            .filter_map(|node| token(name, node, parameters, report));
        let texts: Vec<Token> = texts.collect();
        let Some(first) = texts.first() else {
            continue;
        };
        let test = TokenTest {
            name: first.name.clone(),
            texts,
        };
        if tests
            .iter()
            .any(|other| upcase(&other.name) == upcase(&test.name))
        {
            let message = format!("the token `{}` is here twice", shown(&test.name));
            report.error(name.at, message, "give it a list of texts");
        } else {
            tests.push(test);
        }
    }
    tests
}

fn token(
    name: &Node,
    value: &Node,
    parameters: &[Parameter],
    report: &mut Report<'_>,
) -> Option<Token> {
    let scalar = scalar_of(name, "tokens", report)?;
    let token = scalar.text.clone();
    let is_bad = |c: char| matches!(c, '=' | '|') || c.is_control();
    if token.is_empty() || token.contains(is_bad) {
        let message = format!("`{}` cannot be the name of a token", shown(&token));
        report.error(
            name.at,
            message,
            "a name is not empty and holds no = and no |",
        );
        return None;
    }
    let scalar = scalar_of(value, &token, report)?;
    let text = read_at(value.at, &token, report, scalar::text(scalar))?;
    if let Some(parameter) = text.strip_prefix('$') {
        let parameter = known_parameter(parameter, value, parameters, report)?;
        if parameter.kind == ParameterKind::MultiSz {
            let message = format!("`{}` is a list, and a token is not", parameter.name);
            report.error(value.at, message, "name a parameter of another type");
            return None;
        }
        let default = parameter.default.as_ref();
        let text = default.and_then(token_text);
        if default.is_some() && text.is_none() {
            let message = format!("the default of `{}` cannot be in a token", parameter.name);
            report.error(value.at, message, "a token ends at the next |");
            return None;
        }
        return Some(Token {
            name: token,
            text,
            parameter: Some(parameter.name.clone()),
        });
    }
    if text.contains(|c: char| c == '|' || c.is_control()) {
        let message = format!("`{}` cannot be the text of a token", shown(&text));
        report.error(value.at, message, "it ends at the next |");
        return None;
    }
    Some(Token {
        name: token,
        text: Some(text),
        parameter: None,
    })
}
