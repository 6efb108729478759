//! See [`sentrace_protocol_fuzz::ids`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::ids::check(data));
