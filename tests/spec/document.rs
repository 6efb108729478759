//! The tables of `docs/spec-coverage.md`.

/// A clause of the specification, or a decision of sentrace, with its tests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// `crate::binary::module::test`; empty if `reason` states why there is none.
    pub(crate) tests: Vec<String>,
    pub(crate) reason: Option<String>,
}

/// The beginning of the last column if no test can show the clause.
const WITHOUT_TEST: &str = "No test: ";

/// Reads all rows whose first cell is an id (`TP-1`), and reports incomplete ones.
pub(crate) fn read(markdown: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for (line, text) in markdown.lines().enumerate().map(|(index, text)| (index + 1, text.trim())) {
        let Some(inside) = text.strip_prefix('|').and_then(|text| text.strip_suffix('|')) else { continue };
        let cells: Vec<&str> = inside.split('|').map(str::trim).collect();
        if !is_id(cells[0]) {
            continue;
        }
        let [id, clause, level, answer, shown] = cells[..] else {
            return Err(format!("line {line}: {} has {} cells, not 5", cells[0], cells.len()));
        };
        if [clause, level, answer, shown].contains(&"") {
            return Err(format!("line {line}: {id} has an empty cell"));
        }
        if rows.iter().any(|row| row.id == id) {
            return Err(format!("line {line}: {id} is there twice"));
        }
        let tests: Vec<String> =
            quoted(shown).filter(|quoted| quoted.contains("::")).map(str::to_owned).collect();
        let reason = shown.strip_prefix(WITHOUT_TEST).map(str::to_owned);
        if tests.is_empty() && reason.is_none() {
            return Err(format!(
                "line {line}: {id} names no test and does not say why (`{WITHOUT_TEST}...`)"
            ));
        }
        rows.push(Row { id: id.to_owned(), tests, reason });
    }
    Ok(rows)
}

fn is_id(cell: &str) -> bool {
    let Some((group, number)) = cell.split_once('-') else { return false };
    !group.is_empty()
        && group.bytes().all(|byte| byte.is_ascii_uppercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_rows_are_accepted() {
        let table = "\
            | | clause | level | answer | shown by |\n\
            |---|---|---|---|---|\n\
            | TP-1 | a clause | MUST | `answer::d` | `a::b::c`, and `a::b::d`; not `this` |\n\
            some text | with a bar\n\
            | DSC-2 | a clause | SHOULD | not done | No test: nothing to show |\n";
        let expected = [
            Row { id: "TP-1".into(), tests: vec!["a::b::c".into(), "a::b::d".into()], reason: None },
            Row { id: "DSC-2".into(), tests: vec![], reason: Some("nothing to show".into()) },
        ];
        assert_eq!(read(table).unwrap(), expected);

        let rows = [
            ("| TP-1 | a | MUST | b | it just works |", "names no test"),
            ("| TP-1 | a | MUST | b | |", "an empty cell"),
            ("| TP-1 | a | MUST | b |", "4 cells, not 5"),
            ("| TP-1 | a | M | b | `a::b` |\n| TP-1 | a | M | b | `a::b` |", "line 2: TP-1 is there twice"),
        ];
        for (table, expected) in rows {
            let error = read(table).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
