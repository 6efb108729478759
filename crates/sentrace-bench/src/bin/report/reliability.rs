//! The tables of `docs/reliability.md`, whose text is written by hand.

use sentrace_bench::delivery::table;

use crate::results::Results;

const BEGIN: &str = "<!-- faults: written by `report -- delivery`, do not edit -->";
const END: &str = "<!-- faults end -->";

/// The page with the faults of these results.
pub fn page(page: &str, results: &Results) -> Result<String, String> {
    let faults = &results.delivery.faults;
    if faults.is_empty() {
        return Ok(page.to_owned());
    }
    let measured: Vec<_> = results
        .parts
        .iter()
        .filter(|(part, _)| part.starts_with("delivery"))
        .map(|(_, when)| &**when)
        .collect();
    let block = format!(
        "\n{}\nMeasured {} on {}.\n\n",
        table(faults),
        measured.join("; "),
        results.machine.processor
    );
    between(page, &block)
}

/// Puts a block in the place of what stands between the marks.
fn between(page: &str, block: &str) -> Result<String, String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| {
        format!("docs/reliability.md has no place for its table, between {BEGIN} and {END}")
    })?;
    Ok(format!("{before}{BEGIN}\n{block}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_stays() {
        let page = format!("# By hand\n\n{BEGIN}\nold\n{END}\n\nby hand, too\n");
        let written = between(&page, "new\n").expect("there is a place");
        assert_eq!(written, format!("# By hand\n\n{BEGIN}\nnew\n{END}\n\nby hand, too\n"));
        assert_eq!(between(&written, "new\n").as_deref(), Ok(&*written), "written twice it is the same");
    }

    #[test]
    fn a_page_without_a_place_is_refused() {
        let error = between(END, "new").expect_err("the end alone is no place");
        assert!(error.contains(BEGIN), "{error}");
    }
}
