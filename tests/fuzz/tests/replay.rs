//! The corpus, replayed on stable and without libFuzzer.

use std::path::Path;

use sentrace_fuzz::TARGETS;

#[test]
fn every_input_of_the_corpus_holds() {
    for (target, check) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut inputs = 0;
        for file in std::fs::read_dir(&folder).expect("every target has a corpus") {
            let path = file.expect("the corpus can be listed").path();
            // Shown only when the test fails: the last one is what failed.
            println!("{}", path.display());
            check(&std::fs::read(&path).expect("an input can be read"));
            inputs += 1;
        }
        assert!((1..50).contains(&inputs), "{target} has {inputs} inputs; keep a few telling ones");
        check(b"");
    }
}

#[test]
fn every_target_and_every_corpus_has_its_counterpart() {
    let expected: Vec<String> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    for folder in ["corpus", "fuzz_targets"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("it can be listed").path())
            .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected);
    }
}
