// SPDX-License-Identifier: GPL-3.0-or-later
//! Puts mutations behind switches into source files.

use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Expr, Lit, Stmt, parse_quote};

/// Methods whose names can be exchanged without changing a type.
const METHODS: &[(&str, &str)] = &[
    ("saturating_add", "saturating_sub"),
    ("saturating_sub", "saturating_add"),
    ("wrapping_add", "wrapping_sub"),
    ("wrapping_sub", "wrapping_add"),
    ("checked_add", "checked_sub"),
    ("checked_sub", "checked_add"),
    ("wrapping_add", "saturating_add"),
    ("max", "min"),
    ("min", "max"),
    ("any", "all"),
    ("all", "any"),
    ("is_some_and", "is_none_or"),
    ("is_none_or", "is_some_and"),
    ("first", "last"),
    ("last", "first"),
];

/// Methods that answer yes or no: the answer is turned round.
const ANSWERS: &[&str] = &[
    "is_some", "is_none", "is_empty", "is_ok", "is_err", "contains", "contains_key", "is_some_and",
    "is_none_or", "starts_with", "has", "is_multiple_of", "is_inline", "is_sound",
    "is_clean", "is_eq", "same_as",
];

/// Rewrites `files` of the copy; the list of mutations is `mutants.tsv` in it. Numbers that stand in
/// `mutants.skip` (one a line: those that do not compile) are left out.
pub(crate) fn all(copy: &Path, files: &[&str]) -> Result<(), String> {
    let skip = fs::read_to_string(copy.join("mutants.skip")).unwrap_or_default();
    let skip = skip.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let mut pass = Pass {
        number: 0,
        skip,
        file: String::new(),
        function: String::new(),
        list: String::new(),
    };
    for file in files {
        let path = copy.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let mut tree = syn::parse_file(&text).map_err(|error| format!("{file}: {error}"))?;
        (*file).clone_into(&mut pass.file);
        pass.visit_file_mut(&mut tree);
        let text = prettyplease::unparse(&tree);
        fs::write(&path, text).map_err(|error| format!("{file}: {error}"))?;
    }
    let list = copy.join("mutants.tsv");
    fs::write(list, &pass.list).map_err(|error| error.to_string())?;
    add_switch(copy).map_err(|error| error.to_string())?;
    println!("{} mutations", pass.number);
    Ok(())
}

fn add_switch(copy: &Path) -> std::io::Result<()> {
    fs::write(copy.join("src/switch.rs"), include_str!("switch.rs"))?;
    let library = copy.join("src/lib.rs");
    let text = fs::read_to_string(&library)?;
    if text.contains("mod switch;") {
        return Ok(());
    }
    fs::write(library, text + "\n#[doc(hidden)]\npub mod switch;\n")
}

struct Pass {
    number: u32,
    skip: Vec<u32>,
    file: String,
    function: String,
    list: String,
}

impl Pass {
    /// The number of another mutation, unless that is one to be left out.
    fn next(&mut self, line: usize, from: &dyn ToTokens, to: &str) -> Option<u32> {
        self.number += 1;
        if self.skip.contains(&self.number) {
            return None;
        }
        let from: String = from.to_token_stream().to_string().chars().take(120).collect();
        let entry = format!(
            "{}\t{}:{line}\t{}\t{}\t{to}\n",
            self.number, self.file, self.function, from.replace(['\n', '\t'], " ")
        );
        self.list.push_str(&entry);
        Some(self.number)
    }

    /// `old`, or `new` while the switch is on.
    fn choose(&mut self, old: &Expr, original: &Expr, new: &Expr, to: &str) -> Expr {
        match self.next(original.span().start().line, original, to) {
            Some(number) => {
                parse_quote!((if crate::switch::on(#number) { #new } else { #old }))
            }
            None => old.clone(),
        }
    }
}

impl VisitMut for Pass {
    fn visit_item_mod_mut(&mut self, item: &mut syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit_mut::visit_item_mod_mut(self, item);
        }
    }

    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        if item.sig.constness.is_none() && !is_test(&item.attrs) {
            self.function = item.sig.ident.to_string();
            visit_mut::visit_item_fn_mut(self, item);
        }
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.function = item.sig.ident.to_string();
            visit_mut::visit_impl_item_fn_mut(self, item);
        }
    }

    // What must be constant, or is no expression though it looks like one.
    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut syn::ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}
    fn visit_item_enum_mut(&mut self, _: &mut syn::ItemEnum) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}
    fn visit_expr_const_mut(&mut self, _: &mut syn::ExprConst) {}

    fn visit_expr_repeat_mut(&mut self, repeat: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        visit_mut::visit_block_mut(self, block);
        for statement in &mut block.stmts {
            let Stmt::Expr(expression, Some(_)) = statement else {
                continue;
            };
            let inner = match &*expression {
                Expr::Try(inner) => inner.expr.as_ref(),
                other => other,
            };
            let is_call = match inner {
                Expr::MethodCall(_) | Expr::Call(_) | Expr::Assign(_) => true,
                Expr::Binary(binary) => is_assignment(&binary.op),
                _ => false,
            };
            if !is_call {
                continue;
            }
            let line = expression.span().start().line;
            if let Some(number) = self.next(line, expression, "(nothing)") {
                *statement = parse_quote!(if !crate::switch::on(#number) { #expression; });
            }
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let original = expression.clone();
        visit_mut::visit_expr_mut(self, expression);
        if has_let(&original) {
            return;
        }
        let mut result = expression.clone();
        match &original {
            Expr::Binary(binary) => {
                for (op, to) in others(&binary.op) {
                    let mut new = expression.clone();
                    // The operands themselves were rewritten; only the operator is another.
                    if let Expr::Binary(new) = &mut new {
                        new.op = op;
                    }
                    result = self.choose(&result, &original, &new, to);
                }
            }
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                for (_, to) in METHODS.iter().filter(|(from, _)| *from == name) {
                    let mut new = expression.clone();
                    if let Expr::MethodCall(new) = &mut new {
                        new.method = syn::Ident::new(to, new.method.span());
                    }
                    result = self.choose(&result, &original, &new, to);
                }
                if ANSWERS.contains(&name.as_str()) {
                    let new = parse_quote!(!#expression);
                    result = self.choose(&result, &original, &new, "not");
                }
            }
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
                if let Expr::Unary(new) = &*expression {
                    // Twice, so that the type is the operator's also where it stands before a reference.
                    let inner = &new.expr;
                    let new = parse_quote!(!(!#inner));
                    result = self.choose(&result, &original, &new, "without not");
                }
            }
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) if number.suffix().is_empty() => {
                    let new: Expr = match number.base10_parse::<u64>() {
                        Ok(0) => parse_quote!(1),
                        Ok(value) => {
                            let less = syn::LitInt::new(&(value - 1).to_string(), number.span());
                            parse_quote!(#less)
                        }
                        Err(_) => return,
                    };
                    result = self.choose(&result, &original, &new, "another number");
                }
                Lit::Bool(value) => {
                    let value = !value.value;
                    let new = parse_quote!(#value);
                    result = self.choose(&result, &original, &new, "the other answer");
                }
                _ => {}
            },
            _ => {}
        }
        *expression = result;
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    let text = |attribute: &syn::Attribute| attribute.to_token_stream().to_string();
    attributes.iter().any(|attribute| {
        let text = text(attribute);
        text.contains("cfg (test)") || text.contains("# [test]") || text.contains("cfg (windows)")
    })
}

/// Whether a pattern is bound in it, which only works where it stands.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        Expr::Paren(inner) => has_let(&inner.expr),
        _ => false,
    }
}

fn is_assignment(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitXorAssign(_)
    )
}

fn others(op: &BinOp) -> Vec<(BinOp, &'static str)> {
    match op {
        BinOp::Eq(_) => vec![(parse_quote!(!=), "!=")],
        BinOp::Ne(_) => vec![(parse_quote!(==), "==")],
        BinOp::Lt(_) => vec![(parse_quote!(<=), "<="), (parse_quote!(>=), ">=")],
        BinOp::Le(_) => vec![(parse_quote!(<), "<"), (parse_quote!(>), ">")],
        BinOp::Gt(_) => vec![(parse_quote!(>=), ">="), (parse_quote!(<=), "<=")],
        BinOp::Ge(_) => vec![(parse_quote!(>), ">"), (parse_quote!(<), "<")],
        BinOp::And(_) => vec![(parse_quote!(||), "||")],
        BinOp::Or(_) => vec![(parse_quote!(&&), "&&")],
        BinOp::Add(_) => vec![(parse_quote!(-), "-")],
        BinOp::Sub(_) => vec![(parse_quote!(+), "+")],
        BinOp::BitAnd(_) => vec![(parse_quote!(|), "|")],
        BinOp::BitOr(_) => vec![(parse_quote!(&), "&")],
        BinOp::Shl(_) => vec![(parse_quote!(>>), ">>")],
        BinOp::Shr(_) => vec![(parse_quote!(<<), "<<")],
        _ => Vec::new(),
    }
}
