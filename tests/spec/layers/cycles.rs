//! Cycles among sibling modules.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Crate, ModulePath};

/// By folder: which child imports which of its siblings, and an example of each import.
type Imports = BTreeMap<ModulePath, BTreeMap<String, BTreeMap<String, String>>>;

/// Describes each cycle with an example of every import in it.
pub(super) fn cycles(krate: &Crate) -> Vec<String> {
    each_cycle(krate)
        .into_iter()
        .map(|(folder, members, siblings)| {
            let examples = members.iter().flat_map(|from| {
                let imports = siblings.get(from).into_iter().flatten();
                imports.filter(|(to, _)| members.contains(*to)).map(|(_, example)| format!("\n    {example}"))
            });
            let at = std::iter::once(krate.name.as_str()).chain(folder.iter().map(String::as_str));
            let at: Vec<_> = at.collect();
            let names: Vec<_> = members.iter().map(String::as_str).collect();
            format!(
                "{}: {} modules in a cycle: {}{}",
                at.join("::"),
                members.len(),
                names.join(", "),
                examples.collect::<String>()
            )
        })
        .collect()
}

/// The members of each cycle, behind the folder if that is not `src/` itself.
pub(super) fn members(krate: &Crate) -> Vec<String> {
    let each = each_cycle(krate).into_iter();
    each.map(|(folder, members, _)| {
        let members = members.into_iter().collect::<Vec<_>>().join(", ");
        if folder.is_empty() { members } else { format!("{}: {members}", folder.join("::")) }
    })
    .collect()
}

type Cycle = (ModulePath, BTreeSet<String>, BTreeMap<String, BTreeMap<String, String>>);

fn each_cycle(krate: &Crate) -> Vec<Cycle> {
    let mut found = Vec::new();
    for (folder, siblings) in imports(krate) {
        let reachable: BTreeMap<&String, BTreeSet<&String>> =
            siblings.keys().map(|from| (from, reachable(&siblings, from))).collect();
        let mut seen = BTreeSet::new();
        for (from, targets) in &reachable {
            if !targets.contains(*from) || seen.contains(*from) {
                continue;
            }
            let cycle =
                targets.iter().filter(|to| reachable.get(*to).is_some_and(|back| back.contains(*from)));
            let cycle: BTreeSet<String> = cycle.map(|name| (*name).clone()).collect();
            seen.extend(cycle.iter().cloned());
            found.push((folder.clone(), cycle, siblings.clone()));
        }
    }
    found
}

fn reachable<'a>(
    siblings: &'a BTreeMap<String, BTreeMap<String, String>>,
    from: &'a String,
) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        let targets = siblings.get(name).into_iter().flat_map(BTreeMap::keys);
        open.extend(targets.filter(|target| reached.insert(*target)));
    }
    reached
}

fn imports(krate: &Crate) -> Imports {
    let mut imports = Imports::new();
    for (from, module) in &krate.modules {
        for reference in &module.references {
            for to in krate.defining_modules(from, reference) {
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                let (Some(child), Some(sibling)) = (from.get(shared), to.get(shared)) else { continue };
                imports
                    .entry(from[..shared].to_vec())
                    .or_default()
                    .entry(child.clone())
                    .or_default()
                    .entry(sibling.clone())
                    .or_insert_with(|| {
                        format!("{} imports {}", from.join("::"), reference.segments.join("::"))
                    });
            }
        }
    }
    imports
}
