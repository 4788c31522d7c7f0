#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| build_status_fuzz::junit(data));
