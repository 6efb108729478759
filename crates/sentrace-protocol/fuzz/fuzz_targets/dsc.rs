//! See [`sentrace_protocol_fuzz::dsc`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::dsc::check(data));
