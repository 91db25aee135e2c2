#![no_main]
libfuzzer_sys::fuzz_target!(|text: &str| {
    parlor::fuzz::names(text);
});
