//! A process that forks after its client was created.

use std::collections::HashSet;
use std::process::Command;

#[test]
fn a_forked_child_makes_ids_of_its_own_and_ends_its_own_idle_transactions() {
    let life = Command::new(env!("CARGO_BIN_EXE_sentrace-test-life")).arg("fork").output();
    let life = life.expect("the helper is built with the tests");
    let (out, said) = (String::from_utf8(life.stdout).unwrap(), String::from_utf8(life.stderr).unwrap());
    assert!(life.status.success(), "{said}");
    let ids = |who: &str| -> Vec<_> {
        let line = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            (words.next().as_deref() == Some(who)).then(|| (words.next(), words.next()))
        };
        out.lines().filter_map(line).collect()
    };
    let (before, parent, child) = (ids("before"), ids("parent"), ids("child"));
    assert_eq!((before.len(), parent.len(), child.len()), (1_000, 1_000, 1_000), "{said}");
    let all: HashSet<_> = before.iter().chain(&parent).chain(&child).collect();
    assert_eq!(all.len(), 3_000, "no id twice");
    assert!(out.contains("child-idle 1"), "the child has a clock of its own: {said}");
}
