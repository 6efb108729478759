use sentrace_protocol::SpanId;

use super::*;
use crate::fixture::{assembled, id, span, transaction};

/// Every node as `depth:number`, in order.
fn outline(trace: &Trace) -> String {
    let nodes = trace.tree.iter().map(|node| format!("{}:{}", node.depth, node.span_id.to_bytes()[7]));
    nodes.collect::<Vec<_>>().join(" ")
}

fn marks(trace: &Trace, number: u8) -> &[Mark] {
    &trace.node(id(number)).expect("the span is in the tree").marks
}

#[test]
fn transactions_hang_below_the_span_that_called_them() {
    let shop = || transaction("shop", 1).with(span("http.client", 2).below(1));
    let api = || transaction("api", 3).below(2).at(20.0, 50.0).with(span("db", 4).below(3).at(25.0, 5.0));
    let stock = || transaction("stock", 5).below(4).at(26.0, 3.0);
    let table = [
        (vec![shop(), api(), stock()], "in order"),
        (vec![stock(), api(), shop()], "children before parents"),
        (vec![api(), stock(), shop()], "any order"),
    ];
    for (transactions, reason) in table {
        let trace = assembled(transactions);
        assert_eq!(outline(&trace), "0:1 1:2 2:3 3:4 4:5", "{reason}");
        assert!(trace.summary.is_whole(), "{reason}: {:?}", trace.summary);
        assert_eq!(trace.summary.name, "GET /shop", "{reason}");
        assert_eq!(trace.summary.duration_ms, 100.0, "{reason}");
        let services: Vec<_> = trace.summary.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(services, ["shop", "api", "stock"], "{reason}");
    }
}

#[test]
fn siblings_stand_in_the_order_of_their_start() {
    let shop = transaction("shop", 1)
        .with(span("b", 3).at(50.0, 1.0))
        .with(span("a", 2).at(10.0, 1.0))
        .with(span("c", 4).at(70.0, 1.0));
    assert_eq!(outline(&assembled(vec![shop])), "0:1 1:2 1:3 1:4");
}

#[test]
fn a_missing_parent_makes_an_orphan_that_is_still_shown() {
    let trace = assembled(vec![transaction("shop", 1), transaction("api", 3).below(99).at(20.0, 10.0)]);
    assert_eq!(outline(&trace), "0:1 0:3");
    assert_eq!(marks(&trace, 3), [Mark::Orphan]);
    assert_eq!((trace.summary.roots, trace.summary.orphans), (2, 1));
    assert!(!trace.summary.is_whole());
}

#[test]
fn an_orphaned_child_span_stays_with_its_transaction() {
    let trace = assembled(vec![transaction("shop", 1).with(span("db", 2).below(99))]);
    assert_eq!(outline(&trace), "0:1 1:2");
    assert_eq!(marks(&trace, 2), [Mark::Orphan]);
    assert_eq!(trace.summary.roots, 1);
}

#[test]
fn the_root_that_is_no_orphan_names_the_trace() {
    let trace = assembled(vec![transaction("api", 3).below(99).at(-20.0, 10.0), transaction("shop", 1)]);
    assert_eq!(trace.summary.name, "GET /shop");
}

#[test]
fn clocks_that_disagree_are_marked_and_nothing_is_moved() {
    let shop = || transaction("shop", 1).with(span("http.client", 2).below(1));
    let queue = || transaction("shop", 1).with(span("queue.publish", 2).below(1));
    let early = |ms| Mark::StartsBeforeParent { ms };
    let late = |ms| Mark::EndsAfterParent { ms };
    let api = || transaction("api", 3).below(2);
    let table = [
        (shop(), api().at(20.0, 50.0), vec![], "within its parent"),
        (shop(), api().at(9.5, 50.0), vec![], "half a millisecond early is no skew"),
        (shop(), api().at(-4.0, 50.0), vec![early(14.0)], "14 ms before the call"),
        (shop(), api().at(20.0, 150.0), vec![], "70 ms after the caller ended: a body that drained"),
        (shop(), api().at(20.0, 380.0), vec![late(300.0)], "300 ms after the caller ended"),
        (queue(), api().at(20.0, 380.0).op("queue.task"), vec![], "nobody waits for a queue"),
        (shop(), api().at(20.0, 380.0).status("cancelled"), vec![], "the caller went away"),
    ];
    for (parent, child, expected, reason) in table {
        let start = child.start;
        let trace = assembled(vec![parent, child]);
        assert_eq!(marks(&trace, 3), expected, "{reason}");
        assert_eq!(trace.summary.skewed, usize::from(!expected.is_empty()), "{reason}");
        let node = trace.node(id(3)).unwrap();
        let shown = trace.summary.start + node.offset_ms / 1e3;
        assert!((shown - start).abs() < 1e-5, "{reason}: shown at {shown}, sent as {start}");
    }
}

#[test]
fn circles_are_cut_and_everything_is_shown_once() {
    let table = [
        (vec![transaction("a", 1).below(1)], "its own parent"),
        (vec![transaction("a", 1).below(2).with(span("db", 2).below(1))], "below its own child"),
        (vec![transaction("a", 1).below(2), transaction("b", 2).below(1)], "two transactions"),
        (vec![transaction("a", 1).with(span("x", 2).below(3)).with(span("y", 3).below(2))], "two spans"),
        (
            vec![
                transaction("a", 1).below(6).with(span("x", 2).below(1)),
                transaction("b", 3).below(2).with(span("y", 4).below(3)),
                transaction("c", 5).below(4).with(span("z", 6).below(5)),
            ],
            "three services",
        ),
    ];
    for (transactions, reason) in table {
        let sent: usize = transactions.iter().map(|transaction| 1 + transaction.spans.len()).sum();
        let trace = assembled(transactions);
        assert_eq!(trace.tree.len(), sent, "{reason}: {}", outline(&trace));
        let cut = trace.tree.iter().filter(|node| node.marks.contains(&Mark::Cycle)).count();
        assert_eq!(cut, 1, "{reason}: {}", outline(&trace));
        assert_eq!(trace.summary.roots, 1, "{reason}: {}", outline(&trace));
    }
}

#[test]
fn a_span_id_used_twice_is_marked_and_each_transaction_keeps_its_own_spans() {
    let a = transaction("a", 1).with(span("x", 2).below(1)).with(span("db", 3).below(2));
    let b =
        transaction("b", 4).below(3).with(span("x", 2).below(4)).with(span("db", 5).below(2).at(30.0, 1.0));
    let trace = assembled(vec![a, b]);
    assert_eq!(outline(&trace), "0:1 1:2 2:3 3:4 4:2 5:5");
    let twins: Vec<_> = trace.tree.iter().filter(|node| node.marks.contains(&Mark::DuplicateId)).collect();
    assert_eq!(twins.len(), 1);
    assert_eq!(twins[0].transaction, 1);
}

#[test]
fn a_tree_a_hundred_thousand_spans_deep_is_assembled() {
    let deep = (0_u32..100_000).fold(transaction("deep", 1), |transaction, number| {
        let own = SpanId::from_bytes((u64::from(number) + 1_000).to_be_bytes()).unwrap();
        let parent = SpanId::from_bytes((u64::from(number) + 999).to_be_bytes()).unwrap();
        let parent_span_id = (number > 0).then_some(parent);
        transaction.with(crate::model::Span { span_id: own, parent_span_id, ..span("f", 2) })
    });
    let trace = assembled(vec![deep]);
    assert_eq!(trace.tree.last().map(|node| node.depth), Some(100_000));
    let text = crate::waterfall::render(&trace, crate::waterfall::Options::default());
    assert_eq!(text.lines().count(), 100_001 + 4);
    assert!(crate::page::trace(&trace, crate::fixture::remarks(&trace)).contains("98001 more spans"));
}

#[test]
fn services_are_told_apart_by_release_environment_server_and_project() {
    let mut by_data = transaction("x", 2).at(1.0, 1.0);
    by_data.data.insert("service.name".into(), "named".into());
    let mut by_server = transaction("x", 3).at(2.0, 1.0);
    (by_server.release, by_server.server_name) = (Some("4f2a91c".into()), Some("web-1".into()));
    let mut by_project = transaction("x", 4).at(3.0, 1.0);
    (by_project.release, by_project.project) = (None, "7".into());
    let trace = assembled(vec![
        transaction("x", 1),
        by_data,
        by_server,
        by_project,
        transaction("x", 5).at(4.0, 1.0),
    ]);
    let services = trace.summary.services.iter();
    let services: Vec<_> = services.map(|service| (service.name.as_str(), service.transactions)).collect();
    assert_eq!(services, [("x", 2), ("named", 1), ("web-1", 1), ("project 7", 1)]);
}
