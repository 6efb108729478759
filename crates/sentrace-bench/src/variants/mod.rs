//! All variants.

mod baseline;
mod least;
mod outgoing;
#[cfg(feature = "peers")]
mod peers;
mod sentrace;
mod trace_headers;

pub use self::baseline::Noop;
use crate::variant::Variant;

/// Returns all variants of this build.
pub fn all() -> Vec<Variant> {
    let mut variants = ours();
    variants.extend(least::VARIANTS);
    variants.extend(peers());
    variants
}

/// Returns sentrace's variants and their baselines, which the gate counts.
pub fn ours() -> Vec<Variant> {
    [baseline::VARIANTS, sentrace::VARIANTS, outgoing::VARIANTS, trace_headers::VARIANTS].concat()
}

/// Returns the variants of peers.
pub fn peers() -> Vec<Variant> {
    #[cfg(feature = "peers")]
    return peers::all();
    #[cfg(not(feature = "peers"))]
    return Vec::new();
}

/// Returns the variant of that name.
///
/// # Errors
/// Returns an error that lists the variants if there is none of that name.
pub fn named(name: &str) -> Result<Variant, String> {
    let all = all();
    all.iter().find(|variant| variant.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|variant| variant.name).collect();
        format!("there is no variant {name:?} in this build, but: {}", names.join(" "))
    })
}

/// sentry-tower as services use it: everything is sampled and sent by its default transport.
#[cfg(feature = "peers")]
pub fn sentry_delivering(collector: &str) -> axum::Router {
    peers::sentry_delivering(collector)
}
