//! Markdown tables.

/// Writes the head of a table whose columns are separated by `|`; the first `texts` of them hold
/// text, the others figures.
pub fn head(columns: &str, texts: usize) -> String {
    let count = columns.split('|').count();
    let rule: String = (0..count).map(|at| if at < texts { "---|" } else { "---:|" }).collect();
    format!("| {columns} |\n|{rule}\n")
}

/// Writes a row.
pub fn row<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    cells.into_iter().fold("|".to_owned(), |row, cell| row + " " + cell.as_ref() + " |") + "\n"
}

/// Writes a figure as `1,234`, or with one decimal if it is small.
pub fn figure(value: f64) -> String {
    if value != 0.0 && value.abs() < 10.0 && (value - value.round()).abs() > 0.05 {
        return format!("{value:.1}");
    }
    let rounded = value.round();
    let mut grouped = format!("{:.0}", rounded.abs());
    for at in (1..grouped.len()).rev().filter(|at| (grouped.len() - at) % 3 == 0).collect::<Vec<_>>() {
        grouped.insert(at, ',');
    }
    if rounded < 0.0 { format!("-{grouped}") } else { grouped }
}

/// Writes a figure, or `-` if there is none.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), figure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_by_thousands() {
        for (value, expected) in [
            (0.0, "0"),
            (3.1, "3.1"),
            (3.0, "3"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1_500.0, "-1,500"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }
}
