//! Values of `tracing` fields as text, without an allocation each.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use sentrace_core::adapter::write_bounded;
use sentrace_protocol::sensitive::{filter_field, filter_pairs, filter_text};

/// As much as a record keeps of one text, in bytes.
const MAX_TEXT: usize = 8 * 1024;

/// Names that are remembered at once, and the longest of them in bytes.
const REMEMBERED: usize = 64;
const MAX_REMEMBERED: usize = 128;

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
    /// Names without secrets, each in the place that its address gives it.
    static HARMLESS: RefCell<[Option<Rc<str>>; REMEMBERED]> = const { RefCell::new([const { None }; REMEMBERED]) };
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

/// The same for the name of a span. Nearly all are constants of the program, so what has been looked at is recognised.
pub(crate) fn filtered_name(name: &str) -> Rc<str> {
    if name.len() > MAX_REMEMBERED {
        return filtered(name).into();
    }
    let place = name.as_ptr().addr().wrapping_mul(0x9e37_79b9) >> 16;
    let look = |names: &RefCell<[Option<Rc<str>>; REMEMBERED]>| {
        let mut names = names.try_borrow_mut().ok()?;
        let place = &mut names[place % REMEMBERED];
        match place {
            Some(known) if **known == *name => Some(Rc::clone(known)),
            _ => Some(remembered(name, place)),
        }
    };
    HARMLESS.try_with(look).ok().flatten().unwrap_or_else(|| filtered(name).into())
}

#[cold]
fn remembered(name: &str, place: &mut Option<Rc<str>>) -> Rc<str> {
    let filtered = filtered(name);
    let is_harmless = matches!(filtered, Cow::Borrowed(_));
    let name = Rc::from(filtered);
    if is_harmless {
        *place = Some(Rc::clone(&name));
    }
    name
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

    #[test]
    fn a_name_that_is_known_is_only_taken_for_itself() {
        let mut name = String::from("GET /users/7");
        assert_eq!(*filtered_name(&name), *name);
        // At the same address, as long as before.
        name.clear();
        name.push_str("Bearer 01234");
        assert_eq!(&*filtered_name(&name), "[Filtered]");
        name.clear();
        name.push_str("GET /users/7");
        assert_eq!(*filtered_name(&name), *name);
    }
}
