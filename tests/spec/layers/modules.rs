//! The modules of a crate, and what the names in each of them stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Attribute, ImplItem, Item, UseTree};

use super::references::{self, Reference};

/// A module by its path from the crate root, which is empty.
pub(super) type ModulePath = Vec<String>;

#[derive(Default)]
pub(super) struct Module {
    /// Names that `use` brings into scope, with the path they stand for.
    pub imported: BTreeMap<String, Vec<String>>,
    /// Paths whose names are all brought into scope.
    pub globs: Vec<Vec<String>>,
    /// Names of its own items.
    defined: BTreeSet<String>,
    /// What its code names by `crate`, `super` or `self`.
    pub references: Vec<Reference>,
}

pub(super) struct Crate {
    pub name: String,
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Crate {
    /// Reads the library and the binary at `path`, without the code of tests.
    pub(super) fn read_all(path: &Path) -> Vec<Self> {
        ["lib.rs", "main.rs"]
            .iter()
            .map(|root| path.join("src").join(root))
            .filter(|root| root.is_file())
            .map(|root| {
                let name = format!("{}/src/{}", file_name(path), file_name(&root));
                let mut krate = Self { name, modules: BTreeMap::new() };
                let folder = path.join("src");
                krate.read(&root, &folder, Vec::new());
                krate
            })
            .collect()
    }

    fn read(&mut self, file: &Path, folder: &Path, path: ModulePath) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display())).unwrap();
        self.add(parsed.items, folder, path);
    }

    /// `folder` is where the files of child modules are.
    fn add(&mut self, items: Vec<Item>, folder: &Path, path: ModulePath) {
        let mut module = Module::default();
        let mut children = Vec::new();
        for item in items {
            if is_for_tests(attributes(&item)) {
                continue;
            }
            match item {
                Item::Mod(child) => children.push(child),
                Item::Use(import) => {
                    module.references.extend(references::in_tokens(import.to_token_stream()));
                    module.import(&import.tree, Vec::new());
                }
                Item::Impl(mut block) => {
                    block.items.retain(|item| !is_for_tests(attributes_of_impl_item(item)));
                    module.references.extend(references::in_tokens(block.to_token_stream()));
                }
                other => {
                    let tokens = other.to_token_stream();
                    module.defined.extend(references::defined_in(tokens.clone()));
                    module.references.extend(references::in_tokens(tokens));
                }
            }
        }
        self.modules.insert(path.clone(), module);
        for child in children {
            let name = child.ident.to_string();
            let below = folder.join(&name);
            let mut path = path.clone();
            path.push(name.clone());
            match child.content {
                Some((_, items)) => self.add(items, &below, path),
                None => self.read(&file_of(folder, &name), &below, path),
            }
        }
    }

    /// The modules that define what `reference` names when it is written in `module`.
    pub(super) fn defining_modules(&self, module: &[String], reference: &Reference) -> Vec<ModulePath> {
        let Some(target) = self.resolve(module, &reference.segments, 0) else { return Vec::new() };
        let names = if reference.is_glob {
            self.modules[&target].imported.keys().cloned().collect()
        } else {
            Vec::new()
        };
        let behind = names.iter().filter_map(|name| self.through_imports(&target, name, &[], 0));
        let behind: Vec<_> = behind.collect();
        behind.into_iter().chain([target]).collect()
    }

    fn resolve(&self, module: &[String], segments: &[String], depth: usize) -> Option<ModulePath> {
        // A name that is imported from where it is imported to ends here.
        if depth > 16 {
            return None;
        }
        let mut at = module.to_vec();
        for (index, segment) in segments.iter().enumerate() {
            match segment.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()?),
                name => {
                    let mut child = at.clone();
                    child.push(name.to_owned());
                    if self.modules.contains_key(&child) {
                        at = child;
                        continue;
                    }
                    return Some(
                        self.through_imports(&at, name, &segments[index + 1..], depth).unwrap_or(at),
                    );
                }
            }
        }
        Some(at)
    }

    /// The module that defines `name`, if `at` only imports it.
    fn through_imports(
        &self,
        at: &[String],
        name: &str,
        rest: &[String],
        depth: usize,
    ) -> Option<ModulePath> {
        let module = &self.modules[at];
        if let Some(target) = module.imported.get(name) {
            let mut segments = target.clone();
            segments.extend_from_slice(rest);
            return self.starts_here(at, &segments).then(|| self.resolve(at, &segments, depth + 1))?;
        }
        module.globs.iter().filter(|glob| self.starts_here(at, glob)).find_map(|glob| {
            let source = self.resolve(at, glob, depth + 1)?;
            let mut child = source.clone();
            child.push(name.to_owned());
            if self.modules.contains_key(&child) {
                return Some(child);
            }
            if self.modules.get(&source)?.imported.contains_key(name) {
                return self.through_imports(&source, name, rest, depth + 1);
            }
            self.modules[&source].defined.contains(name).then_some(source)
        })
    }

    /// Whether a path of a `use` leads into this crate rather than to another.
    fn starts_here(&self, at: &[String], segments: &[String]) -> bool {
        let Some(first) = segments.first() else { return false };
        if matches!(first.as_str(), "crate" | "self" | "super") {
            return true;
        }
        let mut child = at.to_vec();
        child.push(first.clone());
        self.modules.contains_key(&child) || self.modules[at].imported.contains_key(first)
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, mut prefix: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.import(&path.tree, prefix);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix.clone());
                }
            }
            UseTree::Glob(_) => self.globs.push(prefix),
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let last = prefix.last().cloned();
                if name == "self" {
                    self.imported.extend(last.map(|last| (last, prefix)));
                } else {
                    prefix.push(name.clone());
                    self.imported.insert(name, prefix);
                }
            }
            UseTree::Rename(rename) => {
                prefix.push(rename.ident.to_string());
                self.imported.insert(rename.rename.to_string(), prefix);
            }
        }
    }
}

fn file_of(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(format!("{name}.rs"));
    if file.is_file() { file } else { folder.join(name).join("mod.rs") }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.display().to_string()).unwrap_or_default()
}

/// Whether `#[cfg(test)]` or `#[cfg(all(test, ..))]` stands above it.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let condition = attribute.meta.to_token_stream().to_string().replace(' ', "");
        condition.starts_with("cfg(test)") || condition.starts_with("cfg(all(test,")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn attributes_of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        _ => &[],
    }
}
