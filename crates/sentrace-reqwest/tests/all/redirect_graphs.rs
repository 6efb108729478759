//! Redirects through random graphs of hosts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sentrace_core::{Options, Origin};

use crate::support::run;
use crate::support::server::{Reply, World};
use crate::support::setters::Setter;
use crate::support::traced::Setup;

/// Hosts of a graph. The last one is the machine of an allowed one under a name that is not.
const HOSTS: usize = 4;
const PLACES: usize = 8;

/// Where a place leads, and with which status; nowhere after that.
type Place = (usize, Option<(u16, usize)>);

fn place() -> impl Strategy<Value = Place> {
    let status = select(vec![301, 302, 303, 307, 308]);
    (0..HOSTS, proptest::option::weighted(0.9, (status, 0..PLACES)))
}

fn url(world: &World, host: usize, place: usize) -> String {
    let path = format!("/{host}/{place}");
    match host {
        0 => world.home.at(&path),
        1 => world.sister.at(&path),
        2 => world.foreign.at(&path),
        _ => world.home.at(&path).replace("127.0.0.1", "localhost"),
    }
}

fn draw(world: &World, graph: &[Place]) {
    for (at, (host, next)) in graph.iter().enumerate() {
        let reply = match next {
            Some((status, to)) => Reply::Redirect(*status, url(world, graph[*to].0, *to)),
            None => Reply::Status(200),
        };
        let server = [&world.home, &world.sister, &world.foreign, &world.home][*host];
        server.on(&format!("/{host}/{at}"), reply);
    }
}

fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

proptest! {
    #![proptest_config(config(150))]

    /// A host outside the list never sees anything of a trace, whoever set it, but for what the application chose for
    /// exactly this host.
    #[test]
    fn a_host_outside_the_list_never_sees_a_trace(
        graph in vec(place(), PLACES),
        setter in select(Setter::ALL.to_vec()),
        rate in select(vec![None, Some(0.0), Some(1.0)]),
    ) {
        run(async {
            let world = World::new();
            draw(&world, &graph);
            let mut options = Options::new()
                .propagate_traceparent(true)
                .tracing_origins(world.allowed().map(Origin::contains));
            if let Some(rate) = rate {
                options = options.traces_sample_rate(rate);
            }
            let start = url(&world, graph[0].0, 0);
            let sent = setter.send(&world, Setup::with_options(options), &start).await;
            assert!(!sent.is_empty());
            let mut has_left = false;
            for (at, seen) in sent.iter().enumerate() {
                let is_foreign = seen.target.starts_with("/2/") || seen.target.starts_with("/3/");
                has_left |= is_foreign;
                if at == 0 && is_foreign && setter.is_the_applications() {
                    continue;
                }
                if is_foreign {
                    setter.assert_bare(seen);
                } else if !has_left {
                    assert!(seen.header("sentry-trace").is_some_and(|sent| !sent.is_empty()), "{seen:#?}");
                }
            }
        });
    }
}
