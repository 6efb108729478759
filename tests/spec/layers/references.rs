//! The paths in a piece of code that begin with `crate`, `super` or `self`, also inside macros.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

pub(super) struct Reference {
    pub segments: Vec<String>,
    /// Whether it ends with `::*`.
    pub is_glob: bool,
}

pub(super) fn in_tokens(tokens: TokenStream) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "crate" || ident == "super" || ident == "self" => {
                rest_of_path(&mut tokens, vec![ident.to_string()], &mut found);
            }
            TokenTree::Group(group) => found.extend(in_tokens(group.stream())),
            _ => {}
        }
    }
    // `self.field` and `pub(crate)` name no item.
    found.retain(|reference| reference.segments.len() > 1 || reference.is_glob);
    found
}

/// The names of items in `tokens`, also of those inside a macro.
pub(super) fn defined_in(tokens: TokenStream) -> Vec<String> {
    let keywords = ["struct", "enum", "union", "trait", "fn", "type", "const", "static", "macro_rules"];
    let mut names = Vec::new();
    let mut after_keyword = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if keywords.iter().any(|keyword| ident == keyword) => {
                after_keyword = true;
            }
            TokenTree::Ident(ident) if after_keyword => {
                names.push(ident.to_string());
                after_keyword = false;
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && names.is_empty() => {
                names.extend(defined_in(group.stream()));
            }
            _ => {}
        }
    }
    names
}

fn rest_of_path(tokens: &mut Peekable<IntoIter>, mut segments: Vec<String>, found: &mut Vec<Reference>) {
    while skip_path_separator(tokens) {
        match tokens.peek() {
            Some(TokenTree::Ident(ident)) => {
                segments.push(ident.to_string());
                tokens.next();
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                tokens.next();
                found.push(Reference { segments, is_glob: true });
                return;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let group = group.stream();
                tokens.next();
                members(group, &segments, found);
                return;
            }
            // Generic arguments end the name of an item.
            _ => break,
        }
    }
    found.push(Reference { segments, is_glob: false });
}

/// The members of a group of imports below `prefix`.
fn members(group: TokenStream, prefix: &[String], found: &mut Vec<Reference>) {
    let mut tokens = group.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let mut segments = prefix.to_vec();
        match token {
            TokenTree::Ident(ident) if ident == "as" => drop(tokens.next()),
            TokenTree::Ident(ident) => {
                if ident != "self" {
                    segments.push(ident.to_string());
                }
                rest_of_path(&mut tokens, segments, found);
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                found.push(Reference { segments, is_glob: true });
            }
            _ => {}
        }
    }
}

fn skip_path_separator(tokens: &mut Peekable<IntoIter>) -> bool {
    let mut ahead = tokens.clone();
    let mut is_colon = || matches!(ahead.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let is_separator = is_colon() && is_colon();
    if is_separator {
        tokens.next();
        tokens.next();
    }
    is_separator
}
