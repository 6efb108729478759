//! Envelopes that take much for what they are.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;

pub(crate) struct Row {
    pub(crate) reason: &'static str,
    pub(crate) body: Vec<u8>,
    /// What the collector may answer.
    pub(crate) statuses: &'static [u16],
}

const TAKEN: &[u16] = &[200];
const REFUSED: &[u16] = &[400, 413];
const EITHER: &[u16] = &[200, 400, 413];

/// One envelope of each kind; the number makes its trace.
pub(crate) fn rows(number: u8) -> Vec<Row> {
    let trace = format!("{:032x}", u32::from(number) + 1);
    let trace = trace.as_str();
    let header = |filler: usize| {
        let filler = "x".repeat(filler);
        format!(
            r#"{{"sent_at":"2026-08-20T10:00:00Z","event_id":"{trace}","trace":{{"trace_id":"{trace}","public_key":"k","release":"{filler}"}}}}"#
        )
    };
    let zeros = |count: usize| format!("[{}0]", "0,".repeat(count));
    let objects = |count: usize| format!("[{}0]", r#"{"a":0},"#.repeat(count));
    let members = |count: usize, value: &str| {
        let members: Vec<String> = (0..count).map(|n| format!("\"{n:x}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let transaction = |more: &str| transaction(&header(10), trace, more);
    let streamed = |header: &str, count: usize, attributes: &str| streamed(header, trace, count, attributes);
    let span = |n: usize, more: &str| {
        format!(r#"{{"trace_id":"{trace}","span_id":"{n:016x}","start_timestamp":1,"timestamp":1{more}}}"#)
    };
    let spans = |count: usize, more: &str| {
        let spans: Vec<String> = (0..count).map(|n| span(n + 5, more)).collect();
        transaction(&format!(r#","spans":[{}]"#, spans.join(",")))
    };
    let usual = r#","parent_span_id":"b7ad6b7169203331","op":"db.query","description":"SELECT 1","status":"ok","origin":"auto.db","data":{"db.system":"sqlite","server.port":5432}"#;
    let a = |count: usize| r#"{"a":"#.repeat(count);
    let row = |reason, body: String, statuses| Row { reason, body: body.into_bytes(), statuses };
    vec![
        row("1,000 segments below a header of 100 KB", streamed(&header(100_000), 1_000, ""), REFUSED),
        row("1,000 segments", streamed(&header(15_000), 1_000, ""), TAKEN),
        row(
            "1,000 segments with an attribute",
            streamed(&header(100), 1_000, r#","attributes":{"a":{"type":"integer","value":1}}"#),
            EITHER,
        ),
        row("4,000 segments", streamed(&header(100), 4_000, ""), REFUSED),
        row(
            "a span with 4,000 attributes",
            streamed(
                &header(1),
                1,
                &format!(",\"attributes\":{}", members(4_000, r#"{"type":"integer","value":1}"#)),
            ),
            EITHER,
        ),
        row("1,000 usual spans", spans(1_000, usual), TAKEN),
        row("8,000 spans", spans(8_000, ""), TAKEN),
        row(
            "1,000 spans with nested data",
            spans(1_000, r#","data":{"a":{"a":{"a":{"a":{"a":0}}}}}"#),
            EITHER,
        ),
        row("an array of zeros", transaction(&format!(",\"extra\":{}", zeros(500_000))), REFUSED),
        row("data of zeros", transaction(&format!(r#","request":{{"data":{}}}"#, zeros(400_000))), REFUSED),
        row("an array of objects", transaction(&format!(",\"extra\":{}", objects(120_000))), REFUSED),
        row("a span of zeros", spans(1, &format!(",\"data\":{{\"a\":{}}}", zeros(400_000))), REFUSED),
        row("members", transaction(&format!(",\"extra\":{}", members(80_000, "0"))), REFUSED),
        row("tags", transaction(&format!(",\"tags\":{}", members(60_000, "\"\""))), REFUSED),
        row("tags of a span", spans(1, &format!(",\"tags\":{}", members(60_000, "\"\""))), REFUSED),
        row("a long text", transaction(&format!(",\"extra\":\"{}\"", "x".repeat(900_000))), TAKEN),
        row("a long name", transaction(&format!(",\"transaction\":\"\\n{}\"", "x".repeat(900_000))), TAKEN),
        row(
            "a long escaped text",
            transaction(&format!(",\"request\":\"{}\"", r"\u00e9".repeat(150_000))),
            TAKEN,
        ),
        row("a long key", transaction(&format!(",\"{}\":0", "x".repeat(900_000))), TAKEN),
        row("deep objects", transaction(&format!(",\"extra\":{}0{}", a(900), "}".repeat(900))), REFUSED),
        row("deep arrays", transaction(&format!(",\"extra\":{}", "[".repeat(900_000))), REFUSED),
        row(
            "deep arrays, again and again",
            transaction(&format!(
                ",\"extra\":[{}0]",
                format!("{}{},", "[".repeat(100), "]".repeat(100)).repeat(4_000)
            )),
            REFUSED,
        ),
        row("1,000 tiny items", format!("{{}}\n{}", "{\"type\":\"\"}\n\n".repeat(1_000)), REFUSED),
        row(
            "1,000 kinds of items",
            {
                let mut body = "{}\n".to_owned();
                (0..1_000).for_each(|n| writeln!(body, "{{\"type\":\"{n}\"}}\n").unwrap());
                body
            },
            EITHER,
        ),
        row("20,000 items", format!("{{}}\n{}", "{\"type\":\"session\"}\n\n".repeat(20_000)), REFUSED),
        row(
            "1,000 client reports",
            {
                let lost = r#"{"reason":"a","category":"b","quantity":1},"#.repeat(90);
                let report =
                    format!("{{\"type\":\"client_report\"}}\n{{\"discarded_events\":[{lost}{{}}]}}\n");
                format!("{{}}\n{}", report.repeat(1_000))
            },
            EITHER,
        ),
        row(
            "client reports of zeros",
            {
                let report = format!("{{\"type\":\"client_report\"}}\n{}\n", zeros(2_000));
                format!("{{}}\n{}", report.repeat(300))
            },
            REFUSED,
        ),
        row(
            "1,000 span items",
            {
                let item = "{\"type\":\"span\",\"item_count\":0}\n{\"items\":[]}\n".repeat(1_000);
                format!("{}\n{item}", header(8_000))
            },
            REFUSED,
        ),
        row(
            "200 transactions",
            {
                let payload = transaction("");
                let item = payload.split_once('\n').unwrap().1;
                format!("{}\n{}", header(8_000), item.repeat(200))
            },
            REFUSED,
        ),
        row(
            "headers of items of zeros",
            {
                let item = format!("{{\"type\":\"span\",\"a\":{}}}\n{{}}\n", zeros(8_000));
                format!("{{}}\n{}", item.repeat(50))
            },
            REFUSED,
        ),
        row("a header of zeros", format!("{{\"a\":{}}}\n", zeros(7_000)), EITHER),
        row("a header of members", format!("{}\n", members(1_500, "0")), EITHER),
        row("a header that does not end", "{\"a\":".repeat(100_000), REFUSED),
        row(
            "an attachment",
            format!("{{}}\n{{\"type\":\"attachment\",\"length\":5000000}}\n{}", "x".repeat(5_000_000)),
            TAKEN,
        ),
        row("spaces", format!("{{}}\n{}", " ".repeat(5_000_000)), REFUSED),
        row("not JSON", "x".repeat(1_000_000), REFUSED),
    ]
}

fn transaction(header: &str, trace: &str, more: &str) -> String {
    let payload = format!(
        r#"{{"event_id":"{trace}","start_timestamp":1,"timestamp":1,"contexts":{{"trace":{{"trace_id":"{trace}","span_id":"b7ad6b7169203331","data":{{"a":1}}}}}}{more}}}"#
    );
    format!("{header}\n{{\"type\":\"transaction\",\"length\":{}}}\n{payload}\n", payload.len())
}

fn streamed(header: &str, trace: &str, count: usize, attributes: &str) -> String {
    let span = |n: usize| {
        format!(
            r#"{{"trace_id":"{trace}","span_id":"{:016x}","name":"a","status":"ok","is_segment":true,"start_timestamp":1,"end_timestamp":1{attributes}}}"#,
            n + 1
        )
    };
    let spans: Vec<String> = (0..count).map(span).collect();
    let payload = format!(r#"{{"version":2,"items":[{}]}}"#, spans.join(","));
    let item = r#""type":"span","content_type":"application/vnd.sentry.items.span.v2+json""#;
    format!("{header}\n{{{item},\"item_count\":{count},\"length\":{}}}\n{payload}\n", payload.len())
}

pub(crate) fn compressed(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 5, 20);
            writer.write_all(body).unwrap();
            drop(writer);
            out
        }
        _ => zstd::encode_all(body, 3).unwrap(),
    }
}
