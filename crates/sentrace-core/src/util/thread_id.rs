//! Which thread this is.

thread_local! {
    static THIS: This = This::read();
}

struct This {
    id: i64,
    name: Option<String>,
}

impl This {
    fn read() -> Self {
        let thread = std::thread::current();
        // The number has no stable accessor.
        let digits: String = format!("{:?}", thread.id()).chars().filter(char::is_ascii_digit).collect();
        Self { id: digits.parse().unwrap_or_default(), name: thread.name().map(str::to_owned) }
    }
}

/// Passes the number and the name of this thread to `read`. Returns `None` while the thread ends.
pub(crate) fn with<R>(read: impl FnOnce(i64, Option<&str>) -> R) -> Option<R> {
    THIS.try_with(|this| read(this.id, this.name.as_deref())).ok()
}
