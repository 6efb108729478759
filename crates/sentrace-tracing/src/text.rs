//! Values of `tracing` fields as text, without an allocation each.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use sentrace_core::adapter::write_bounded;
use sentrace_protocol::sensitive::{filter_field, filter_pairs, filter_text};

/// As much as a record keeps of one text, in bytes.
const MAX_TEXT: usize = 8 * 1024;

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// Formats `value`, as far as it will be kept, and lends the text. A value whose formatting fails or panics is lent as
/// far as it got.
pub(crate) fn with_text<R>(value: fmt::Arguments<'_>, read: impl FnOnce(&str) -> R) -> R {
    if let Some(literal) = value.as_str() {
        return read(literal);
    }
    // Taken out while it is used: formatting may run code of users, who may come here again.
    let mut text = BUFFER.try_with(Cell::take).unwrap_or_default();
    write_bounded(&mut text, MAX_TEXT, |out| out.write_fmt(value));
    let answer = read(&text);
    text.clear();
    let _ = BUFFER.try_with(|buffer| buffer.set(text));
    answer
}

/// What is shown of the value of a field: nothing if its name is that of a secret, and otherwise what it has besides
/// secrets.
pub(crate) fn shown<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    chain(filter_field(name, value), filter_pairs)
}

/// The same for text without a name.
pub(crate) fn filtered(text: &str) -> Cow<'_, str> {
    chain(filter_text(text), filter_pairs)
}

fn chain<'v>(text: Cow<'v, str>, filter: impl Fn(&str) -> Cow<'_, str>) -> Cow<'v, str> {
    match text {
        Cow::Borrowed(text) => filter(text),
        Cow::Owned(text) => match filter(&text) {
            Cow::Owned(filtered) => Cow::Owned(filtered),
            Cow::Borrowed(_) => Cow::Owned(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("äöü")?;
            }
        }
    }

    struct Panics;

    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("so far")?;
            panic!("a value that cannot be shown")
        }
    }

    struct Nested;

    impl fmt::Display for Nested {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer ")?;
            with_text(format_args!("{}", 7), |inner| f.write_str(inner))
        }
    }

    #[test]
    fn text_is_lent_as_far_as_it_goes() {
        with_text(format_args!("{Endless}"), |text| {
            assert_eq!(text.len(), MAX_TEXT, "an endless value is cut");
        });
        with_text(format_args!("{Panics}"), |text| {
            assert_eq!(text, "so far", "a panic ends the text, no more");
        });
        with_text(format_args!("{Nested}"), |text| assert_eq!(text, "outer 7", "values within values"));
        with_text(format_args!("literal"), |text| assert_eq!(text, "literal", "a literal"));
    }
}
