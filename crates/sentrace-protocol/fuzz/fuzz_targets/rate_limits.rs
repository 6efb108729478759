//! See [`sentrace_protocol_fuzz::rate_limits`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::rate_limits::check(data));
