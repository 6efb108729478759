//! Statements built as each database reads them: no literal in them is ever shown. The model is that of the fuzz target.
//!
//! More cases: `PROPTEST_CASES=1000000 cargo test --release -p sentrace-protocol --test sql`.

use proptest::prelude::*;

#[expect(unreachable_pub, reason = "the fuzz targets call it, too")]
#[path = "../fuzz/src/sql.rs"]
mod model;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000)))]

    #[test]
    fn no_literal_of_any_dialect_is_shown(data in proptest::collection::vec(any::<u8>(), 0..160)) {
        model::check(&data);
    }

    #[test]
    fn no_text_breaks_the_form(text in r#"[a'"`\\$#/*\-;(),.\[\]{}? 1eEqQ:@\n\r!]{0,60}"#) {
        model::check(text.as_bytes());
    }
}
