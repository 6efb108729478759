//! Values of tags and data, including numbers, and `Option`s of which `None` sets nothing.

use sentrace_protocol::Value;

/// Values for [`SpanRef::set_tag`](crate::SpanRef::set_tag): strings, integers, floats, booleans,
/// and an `Option` of one of them. `None` leaves the tag as it is.
///
/// ```
/// let span = sentrace_core::current_span();
/// span.set_tag("plan", "gold");
/// span.set_tag("cart", 7);
/// span.set_tag("member", true);
/// span.set_tag("coupon", None::<String>); // sets nothing
/// ```
///
/// `Kind` distinguishes strings, scalars and options, and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a tag",
    note = "tags are texts (`AsRef<str>`), integers, floats, booleans, or an `Option` of one of them",
    note = "for anything that can be displayed, set `value.to_string()`"
)]
pub trait IntoTag<Kind> {
    /// Calls `read` with the tag's text. Returns `None` if there is none.
    fn with_tag<R>(self, read: impl FnOnce(&str) -> R) -> Option<R>;
}

/// Values for [`SpanRef::set_data`](crate::SpanRef::set_data): anything that converts into a
/// [`Value`], and an `Option` of it. `None` leaves the key as it is.
///
/// ```
/// let span = sentrace_core::current_span();
/// span.set_data("cart.items", 3);
/// span.set_data("cart.coupon", Some("SPRING"));
/// span.set_data("cart.voucher", None::<u64>); // sets nothing
/// ```
///
/// `Kind` distinguishes values and options, and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a value of a span's data",
    note = "data are texts, integers, floats, booleans, lists of texts, or an `Option` of one of them",
    note = "for anything that can be displayed, set `value.to_string()`"
)]
pub trait IntoData<'v, Kind> {
    /// Returns the value, or `None` if there is none.
    fn into_data(self) -> Option<Value<'v>>;
}

/// Kinds of values, for type inference only.
pub mod kind {
    /// A string.
    #[derive(Debug)]
    pub enum Text {}
    /// A number, a boolean or a character.
    #[derive(Debug)]
    pub enum Scalar {}
    /// Anything that converts into a [`Value`](sentrace_protocol::Value).
    #[derive(Debug)]
    pub enum Convertible {}
    /// An `Option` of a `Kind`.
    #[derive(Debug)]
    pub struct Optional<Kind>(std::marker::PhantomData<Kind>);
}

impl<T: AsRef<str>> IntoTag<kind::Text> for T {
    fn with_tag<R>(self, read: impl FnOnce(&str) -> R) -> Option<R> {
        Some(read(self.as_ref()))
    }
}

impl<T: IntoTag<Kind>, Kind> IntoTag<kind::Optional<Kind>> for Option<T> {
    fn with_tag<R>(self, read: impl FnOnce(&str) -> R) -> Option<R> {
        self.and_then(|value| value.with_tag(read))
    }
}

macro_rules! scalars {
    ($($scalar:ty),+ $(,)?) => {$(
        impl IntoTag<kind::Scalar> for $scalar {
            fn with_tag<R>(self, read: impl FnOnce(&str) -> R) -> Option<R> {
                Some(read(&self.to_string()))
            }
        }

        impl IntoTag<kind::Scalar> for &$scalar {
            fn with_tag<R>(self, read: impl FnOnce(&str) -> R) -> Option<R> {
                (*self).with_tag(read)
            }
        }
    )+};
}

scalars!(bool, char, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

impl<'v, T: Into<Value<'v>>> IntoData<'v, kind::Convertible> for T {
    fn into_data(self) -> Option<Value<'v>> {
        Some(self.into())
    }
}

impl<'v, T: IntoData<'v, Kind>, Kind> IntoData<'v, kind::Optional<Kind>> for Option<T> {
    fn into_data(self) -> Option<Value<'v>> {
        self.and_then(IntoData::into_data)
    }
}
