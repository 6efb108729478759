//! Pages whose text is written by hand and whose tables are not.

use std::collections::BTreeMap;

const BEGIN: &str = "<!-- table: ";
const END: &str = "<!-- end -->";

/// Puts tables in the places that the page has for them.
pub fn fill(page: &str, tables: &BTreeMap<&str, String>) -> Result<String, String> {
    let mut parts = page.split(BEGIN);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let split = part.split_once(" -->").and_then(|(name, rest)| Some((name, rest.split_once(END)?.1)));
        let (name, after) = split.ok_or_else(|| format!("{BEGIN}{part:.30}.. has no {END}"))?;
        let table = tables.get(name).ok_or_else(|| format!("there is no table {name:?}"))?;
        filled += &format!("{BEGIN}{name} -->\n\n{}\n\n{END}{after}", table.trim());
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_stays() {
        let page = format!("# By hand\n\n{BEGIN}a -->\nold\n{END}\n\nby hand, too\n");
        let tables = BTreeMap::from([("a", "new\n".to_owned())]);
        let written = fill(&page, &tables).expect("there is a place");
        assert_eq!(written, format!("# By hand\n\n{BEGIN}a -->\n\nnew\n\n{END}\n\nby hand, too\n"));
        assert_eq!(fill(&written, &tables).as_deref(), Ok(&*written), "written twice it is the same");
    }

    #[test]
    fn a_place_without_an_end_or_a_table_is_refused() {
        assert!(fill(&format!("{BEGIN}a -->"), &BTreeMap::from([("a", String::new())])).is_err());
        assert!(fill(&format!("{BEGIN}b -->{END}"), &BTreeMap::new()).is_err());
    }
}
