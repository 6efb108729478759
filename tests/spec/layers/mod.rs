//! Imports point one way: at no folder level do sibling modules of a crate form a cycle.

mod cycles;
mod modules;
mod references;

use std::fs;
use std::path::{Path, PathBuf};

use self::cycles::cycles;
use self::modules::Crate;

/// More entries than this directly under `src/` are a list rather than a structure.
const MAX_ENTRIES: usize = 20;

/// The crates to check: those of this checkout, or of the one that `SENTRACE_LAYERS_OF` names.
fn crates() -> Vec<PathBuf> {
    let root = std::env::var_os("SENTRACE_LAYERS_OF")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), PathBuf::from);
    let mut crates: Vec<_> = fs::read_dir(root.join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("src").is_dir())
        .collect();
    crates.sort();
    assert!(!crates.is_empty(), "there are no crates in {}", root.display());
    crates
}

#[test]
fn sibling_modules_form_no_cycle() {
    let found: Vec<String> =
        crates().iter().flat_map(|path| Crate::read_all(path)).flat_map(|krate| cycles(&krate)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_crate_has_a_long_list_of_files_under_src() {
    let long: Vec<String> = crates()
        .iter()
        .map(|path| (path, fs::read_dir(path.join("src")).unwrap().count()))
        .filter(|(_, count)| *count > MAX_ENTRIES)
        .map(|(path, count)| format!("{}: {count} entries", path.file_name().unwrap().display()))
        .collect();
    assert!(long.is_empty(), "more than {MAX_ENTRIES} entries directly under src/: {}", long.join(", "));
}

/// Each way to name a module counts, and none is mistaken for another.
#[test]
fn every_spelling_of_an_import_counts() {
    // reason, files, the cycles
    type Row = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);
    let rows: &[Row] = &[
        (
            "paths from the crate root",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B; pub struct A;"),
                ("b.rs", "use crate::a::A; pub struct B;"),
            ],
            &["a, b"],
        ),
        (
            "one direction is no cycle",
            &[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", "pub struct B;")],
            &[],
        ),
        (
            "`super`, and a path inside a function",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use super::b; pub fn f() {}"),
                ("b.rs", "fn g() { crate::a::f() }"),
            ],
            &["a, b"],
        ),
        (
            "a name that lib.rs re-exports is one of the module that defines it",
            &[
                ("lib.rs", "mod a; mod b; pub use self::a::A; pub use b::B as Other;"),
                ("a.rs", "use crate::Other; pub struct A;"),
                ("b.rs", "use crate::{self as root, A}; pub struct B;"),
            ],
            &["a, b"],
        ),
        (
            "a name that passes through two re-exports and a glob",
            &[
                ("lib.rs", "mod a; mod b; pub use a::*;"),
                ("a/mod.rs", "mod inner; pub use self::inner::A; use crate::b::B;"),
                ("a/inner.rs", "pub struct A;"),
                ("b.rs", "use crate::A; pub struct B;"),
            ],
            &["a, b"],
        ),
        (
            "groups and macros",
            &[
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a.rs", "use crate::{b::{B, C}, c}; pub fn f() {}"),
                ("b.rs", "wrap! { struct X { #[pin] y: super::a::Y } } pub struct B; pub struct C;"),
                ("c.rs", ""),
            ],
            &["a, b"],
        ),
        (
            "modules written in line, and folders below folders",
            &[
                ("lib.rs", "mod outer { mod x; mod y { use super::x::X; pub struct Y; } }"),
                ("outer/x.rs", "use super::y::Y; pub struct X;"),
            ],
            &["outer: x, y"],
        ),
        (
            "what only tests import is exempt",
            &[
                ("lib.rs", "mod a; mod b;"),
                (
                    "a.rs",
                    "pub struct A; #[cfg(test)] mod tests { use crate::b::B; } #[cfg(test)] use crate::b::C;",
                ),
                (
                    "b.rs",
                    "use crate::a::A; pub struct B; impl B { #[cfg(all(test, unix))] fn f() { crate::b::g() } }",
                ),
            ],
            &[],
        ),
        (
            "comments, documentation, visibility and texts are no imports",
            &[
                ("lib.rs", "mod a; mod b;"),
                (
                    "a.rs",
                    "/// See [`crate::b::B`].\npub(crate) struct A; // crate::b\nconst X: &str = \"crate::b\";",
                ),
                ("b.rs", "use crate::a::A; pub(super) struct B;"),
            ],
            &[],
        ),
        (
            "a parent and its children are no siblings",
            &[
                ("lib.rs", "mod a;"),
                ("a.rs", "mod child; use child::C; pub struct A;"),
                ("a/child.rs", "use super::A; pub struct C;"),
            ],
            &[],
        ),
        (
            "what the parent imports reaches the child through `super`",
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "mod child; use crate::b::B; pub struct A;"),
                ("a/child.rs", "use super::*;"),
                ("b.rs", "use crate::a::A; pub struct B;"),
            ],
            &["a, b"],
        ),
        (
            "three in a circle",
            &[
                ("lib.rs", "mod a; mod b; mod c; mod d;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use crate::c::C; pub struct B;"),
                ("c.rs", "use crate::a; use crate::d; pub struct C;"),
                ("d.rs", ""),
            ],
            &["a, b, c"],
        ),
    ];
    for (reason, files, expected) in rows {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in *files {
            let path = folder.path().join("src").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found: Vec<String> = Crate::read_all(folder.path()).iter().flat_map(cycles::members).collect();
        assert_eq!(found, *expected, "{reason}");
    }
}
