//! `init` on a machine that lacks what the options ask for.
#![cfg(feature = "delivery")]

use std::time::Duration;

use sentrace::{InitError, Options};

fn options() -> Options {
    Options::new().dsn("http://key@127.0.0.1:1/1").traces_sample_rate(1.0).retry_timeout(Duration::ZERO)
}

#[test]
fn a_spool_folder_that_cannot_be_used_does_not_keep_a_service_from_starting() {
    // Files and devices, on which no folder can be made, not even by root.
    for folder in ["/dev/null", "/dev/null/spool", "/proc/version/spool", "/etc/hostname"] {
        let error = sentrace::client(options().spool_dir(folder).strict(true)).unwrap_err();
        assert!(matches!(error, InitError::Delivery(_)), "{folder}");
        assert!(
            error.to_string().contains("option spool_dir") && error.to_string().contains(folder),
            "{error}"
        );
        let client = sentrace::client(options().spool_dir(folder)).unwrap();
        assert!(client.stats().delivery.running, "{folder}: only the spool is missing");
        client.start_transaction("work", "task").finish();
        let closed = client.close(Duration::from_secs(10));
        let lost: u64 = closed.unreported.iter().map(|events| events.quantity).sum();
        assert_eq!((closed.complete, lost), (false, 2), "{folder}: a transaction, which is a span, too");
    }
}

#[test]
fn an_option_that_is_wrong_on_any_machine_is_an_error() {
    for strict in [false, true] {
        let error =
            sentrace::client(options().proxy("http://exa mple").strict(strict)).unwrap_err().to_string();
        assert!(error.contains("option proxy"), "{error}");
    }
}

#[test]
fn an_empty_spool_dir_keeps_nothing_in_the_working_directory() {
    let before = std::fs::read_dir(".").unwrap().count();
    let client = sentrace::client(options().spool_dir("")).unwrap();
    client.start_transaction("work", "task").finish();
    client.close(Duration::from_secs(10));
    assert_eq!(std::fs::read_dir(".").unwrap().count(), before);
}
