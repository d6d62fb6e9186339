// SPDX-License-Identifier: GPL-3.0-or-later
//! Which paths (`crate::a::b`) and method calls Rust sources name, as far as tokens tell.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as written, imports taken apart: `use a::{b, c::*}` is `a::b` and `a::c::*`.
#[derive(Clone)]
pub(crate) struct Named {
    /// The segments as written.
    pub(crate) path: Vec<String>,
    /// Whether it stands in a `use`.
    pub(crate) imported: bool,
    /// Whether that `use` is public, at least to the modules above.
    pub(crate) handed_on: bool,
    /// What the `use` calls it, where that is another name: `use a::b as c`.
    pub(crate) alias: Option<String>,
    /// The module it stands in, from the crate's root.
    pub(crate) module: Vec<String>,
}

impl Named {
    /// The path from the root of this crate, if it is one.
    pub(crate) fn in_crate(&self) -> Option<Vec<String>> {
        let (first, rest) = self.path.split_first()?;
        let climbs = self.path.iter().take_while(|name| *name == "super").count();
        let (from, rest) = match first.as_str() {
            "crate" | "hivemend" => (&[][..], rest),
            "self" => (self.module.as_slice(), rest),
            "super" => {
                let stay = self.module.len().checked_sub(climbs)?;
                (self.module.get(..stay)?, self.path.get(climbs..)?)
            }
            _ => return None,
        };
        let mut path = from.to_vec();
        path.extend(rest.iter().filter(|name| *name != "self").cloned());
        Some(path)
    }

    /// What an import is called where it stands.
    pub(crate) fn name(&self) -> Option<&str> {
        let mut names = self.path.iter().rev().filter(|name| *name != "self");
        self.alias
            .as_ref()
            .or_else(|| names.next())
            .map(String::as_str)
    }

    /// Whether the path begins with the foreign crate `name`.
    pub(crate) fn is_of_crate(&self, name: &str) -> bool {
        // A single word outside an import is more likely a variable.
        let long = self.imported || self.path.len() > 1;
        long && self.path.first().is_some_and(|first| first == name)
    }
}

/// What one source file names.
pub(crate) struct Source {
    /// The path from the repository, with slashes.
    pub(crate) file: String,
    /// Every path.
    pub(crate) named: Vec<Named>,
    /// Every method call: its name and its arguments as text.
    pub(crate) calls: Vec<(String, String)>,
    /// The module that the file is, from the crate's root.
    pub(crate) module: Vec<String>,
    /// The modules that are written out in the file.
    pub(crate) inner: Vec<Vec<String>>,
    tests_only: Vec<Vec<String>>,
}

impl Source {
    /// The room that the file belongs to; `lib` and `main` for the two roots.
    pub(crate) fn room(&self) -> &str {
        match (self.file.as_str(), self.module.first()) {
            ("src/main.rs", _) => "main",
            (_, None) => "lib",
            (_, Some(room)) => room,
        }
    }

    fn read(file: &str, text: &str) -> Self {
        let module = module_of(file);
        let mut source = Self {
            file: file.to_owned(),
            named: Vec::new(),
            calls: Vec::new(),
            module: module.clone(),
            inner: Vec::new(),
            tests_only: Vec::new(),
        };
        let tokens: TokenStream = text
            .parse()
            .unwrap_or_else(|error| panic!("{file}: not Rust: {error}"));
        source.walk(tokens, &module, Import::None);
        source
    }

    fn walk(&mut self, tokens: TokenStream, module: &[String], mut import: Import) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ';' => import = Import::None,
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(end) = self.skip_test_item(&tokens, at, module) {
                        at = end;
                    }
                }
                TokenTree::Group(group) => self.walk(group.stream(), module, import),
                // Not of `impl Trait + use<..>`.
                TokenTree::Ident(word) if word == "use" && !is_punct(tokens.get(at), '<') => {
                    import = import_at(&tokens, at);
                }
                TokenTree::Ident(word) if word == "mod" => {
                    let inner = (tokens.get(at), tokens.get(at + 1));
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) = inner {
                        let module = child(module, &name.to_string());
                        self.walk(body.stream(), &module, Import::None);
                        self.inner.push(module);
                        at += 2;
                    } else if let (Some(TokenTree::Ident(_)), _) = inner {
                        at += 1;
                    }
                }
                TokenTree::Ident(word) if is_method(&tokens, at) => {
                    if let Some(TokenTree::Group(arguments)) = tokens.get(at) {
                        let arguments = arguments.stream().to_string();
                        self.calls.push((word.to_string(), arguments));
                    }
                }
                TokenTree::Ident(word) => {
                    let start = Named {
                        path: vec![word.to_string()],
                        imported: import != Import::None,
                        handed_on: import == Import::HandedOn,
                        alias: None,
                        module: module.to_vec(),
                    };
                    at = self.path(&tokens, at, start);
                }
                _ => {}
            }
        }
    }

    /// Follows a path from its first word, which ends at `at`; returns where the path ends.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, mut named: Named) -> usize {
        while is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1)) {
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(word)) => named.path.push(word.to_string()),
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    named.path.push("*".to_owned());
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.branches(group.stream(), &named);
                    return at + 3;
                }
                _ => break,
            }
            at += 3;
        }
        if let (true, Some(alias)) = (named.imported, alias_at(tokens, at)) {
            named.alias = Some(alias);
            at += 2;
        }
        self.named.push(named);
        at
    }

    /// The members of `prefix::{...}`.
    fn branches(&mut self, tokens: TokenStream, prefix: &Named) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut begins = true;
        while let Some(token) = tokens.get(at) {
            at += 1;
            let word = match token {
                TokenTree::Ident(word) if begins => word.to_string(),
                TokenTree::Punct(star) if begins && star.as_char() == '*' => "*".to_owned(),
                TokenTree::Punct(comma) if comma.as_char() == ',' => {
                    begins = true;
                    continue;
                }
                _ => continue,
            };
            begins = false;
            let mut path = prefix.path.clone();
            path.push(word);
            let named = Named {
                path,
                ..prefix.clone()
            };
            at = self.path(&tokens, at, named);
        }
    }

    /// Behind `#`: where an item under `cfg(test)` ends, or everything under `#![cfg(test)]`.
    fn skip_test_item(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        module: &[String],
    ) -> Option<usize> {
        if is_cfg_test(tokens.get(at + 1)) && is_punct(tokens.get(at), '!') {
            return Some(tokens.len());
        }
        if !is_cfg_test(tokens.get(at)) {
            return None;
        }
        let is_end = |token: &TokenTree| match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            other => is_punct(Some(other), ';'),
        };
        let item = tokens.get(at + 1..)?;
        let length = item.iter().position(is_end)?;
        let last = item.get(length.checked_sub(1)?);
        let is_file = is_punct(item.get(length), ';');
        let is_mod = item
            .iter()
            .any(|token| matches!(token, TokenTree::Ident(w) if w == "mod"));
        if let (Some(TokenTree::Ident(name)), true, true) = (last, is_file, is_mod) {
            self.tests_only.push(child(module, &name.to_string()));
        }
        Some(at + 2 + length)
    }
}

/// Reads the files, given as path and text, without those that are compiled for tests only.
pub(crate) fn read(files: &[(String, String)]) -> Vec<Source> {
    let read = files.iter().map(|(file, text)| Source::read(file, text));
    let mut sources: Vec<Source> = read.collect();
    let tests_only: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| source.tests_only.clone())
        .collect();
    let is_program = |source: &Source| !tests_only.iter().any(|m| source.module.starts_with(m));
    sources.retain(is_program);
    sources
}

/// `src/plan/sets.rs` is `plan::sets`, `src/plan/mod.rs` is `plan`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    let is_root = path == "lib" || path == "main";
    if is_root || module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    module
}

fn child(module: &[String], name: &str) -> Vec<String> {
    let mut child = module.to_vec();
    child.push(name.to_owned());
    child
}

/// What kind of `use` tokens stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Import {
    None,
    Private,
    HandedOn,
}

/// Of the `use` that ends at `at`: `pub use` and `pub(crate) use` hand on.
fn import_at(tokens: &[TokenTree], at: usize) -> Import {
    let back = |count| at.checked_sub(count).and_then(|at| tokens.get(at));
    let is_pub =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(word)) if word == "pub");
    let is_scope = matches!(back(2), Some(TokenTree::Group(_)));
    match is_pub(back(2)) || is_scope && is_pub(back(3)) {
        true => Import::HandedOn,
        false => Import::Private,
    }
}

/// The name behind `as`, where `as` stands at `at`.
fn alias_at(tokens: &[TokenTree], at: usize) -> Option<String> {
    match (tokens.get(at), tokens.get(at + 1)) {
        (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) if word == "as" => {
            Some(name.to_string())
        }
        _ => None,
    }
}

/// Whether the word that ends at `at` is called as a method: `.word(`.
fn is_method(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(2).and_then(|before| tokens.get(before));
    let called = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        _ => false,
    };
    is_punct(before, '.') && tokens.get(at).is_some_and(called)
}

fn is_cfg_test(token: Option<&TokenTree>) -> bool {
    token.is_some_and(|token| {
        let text: String = token.to_string().split_whitespace().collect();
        text == "[cfg(test)]"
    })
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    is_punct(token, ':')
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}
