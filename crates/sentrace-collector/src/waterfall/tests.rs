use super::*;
use crate::fixture::{assembled, span, transaction};
use crate::model::{Problem, Transaction};

fn shop() -> Vec<Transaction> {
    let shop = transaction("shop", 1)
        .at(0.0, 200.0)
        .with(span("template", 2).below(1).at(5.0, 20.0))
        .with(span("http.client", 3).below(1).at(30.0, 120.0));
    let api = transaction("api", 4)
        .below(3)
        .at(20.0, 100.0)
        .status("internal_error")
        .with(span("db", 5).below(4).at(40.0, 0.25));
    let orphan = transaction("mail", 6).below(99).at(150.0, 50.0).op("queue.task").status("cancelled");
    vec![shop, api, orphan]
}

#[test]
fn a_small_trace_looks_like_this() {
    let mut transactions = shop();
    transactions[2].problems.push(Problem {
        severity: Severity::Warning,
        path: "headers.sent_at".into(),
        message: "is missing".into(),
    });
    let text = render(&assembled(transactions), Options::default().width(100));
    let expected = "\
GET /shop  ·  200 ms  ·  3 services  ·  6 spans  ·  1 failed  ·  2 roots  ·  1 orphan  ·  1 clock s…
trace 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a  ·  2026-08-20 10:00:00.000 UTC

                                        service  status          0 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 200 ms
GET /shop · http.server                 shop     ok              █████████████████████████    200 ms
├─ span 2 · template                    shop     ok              ▐██                         20.0 ms
└─ span 3 · http.client                 shop     ok                  ███████████████          120 ms
   └─ GET /api ⚠ clock −10.0 ms         api      internal_error    ▐████████████              100 ms
      └─ span 5 · db                    api      ok                   ▌                       250 µs
GET /mail · queue.task ⚠ orphan         mail     cancelled                          ██████   50.0 ms
⚠ GET /mail  headers.sent_at: is missing
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn no_line_is_wider_than_asked_for() {
    let mut transactions = shop();
    transactions[0].name = "GET /".to_owned() + &"very-long/".repeat(50);
    transactions[1].name = "日本語の名前".repeat(20);
    transactions[1].status = Some("a_status_that_nobody_knows_of".into());
    transactions[2].release = Some("a-service-with-a-long-name@1".into());
    let trace = assembled(transactions);
    for width in [0, 40, 55, 60, 79, 80, 110, 300] {
        let text = render(&trace, Options::default().width(width));
        for line in text.lines() {
            assert!(text::width(line) <= width.max(40), "{width}: {line}");
        }
        assert!(text.contains("orphan"), "marks stay at width {width}");
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let trace = assembled(shop());
    let mut text = render(&trace, Options::default().color(true));
    assert!(text.contains("\u{1b}["));
    while let Some(start) = text.find('\u{1b}') {
        let end = start + text[start..].find('m').expect("every sequence ends with m");
        text.replace_range(start..=end, "");
    }
    assert_eq!(text, render(&trace, Options::default()));
}

#[test]
fn a_name_cannot_take_over_the_terminal() {
    let mut transactions = shop();
    transactions[0].name = "a\u{1b}[2J\u{9b}31m\r\nb\u{202e}c\u{7}".into();
    transactions[0].op = Some("\u{1b}]0;title\u{7}".into());
    transactions[1].release = Some("\u{1b}[1m@1".into());
    let text = render(&assembled(transactions), Options::default());
    let dangerous = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(dangerous), "{text:?}");
    assert_eq!(text.lines().count(), 10, "{text}");
}
