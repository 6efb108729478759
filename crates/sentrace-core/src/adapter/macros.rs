/// The accessors of a service or body around another one, in its field `inner`.
#[doc(hidden)]
#[macro_export]
macro_rules! inner_accessors {
    ($inner:ident) => {
        /// Returns a reference to the inner value.
        pub const fn get_ref(&self) -> &$inner {
            &self.inner
        }

        /// Returns a mutable reference to the inner value.
        pub const fn get_mut(&mut self) -> &mut $inner {
            &mut self.inner
        }

        /// Returns the inner value.
        pub fn into_inner(self) -> $inner {
            self.inner
        }
    };
}
