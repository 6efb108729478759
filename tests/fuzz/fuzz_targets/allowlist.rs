//! See [`sentrace_fuzz::allowlist`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_fuzz::allowlist::check(data));
