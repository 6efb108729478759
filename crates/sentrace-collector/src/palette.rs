//! The colours of services, on the pages and in the terminal.

use crate::model::Service;

/// The number of service colours in the stylesheet and in the terminal.
pub(crate) const COLORS: usize = 8;

/// Returns a colour for each service. It depends on the name, so a service looks the same in every
/// trace. If two names of one trace map to the same colour, the second gets the next free one.
pub(crate) fn of(services: &[Service]) -> Vec<usize> {
    let mut taken: [Option<&str>; COLORS] = [None; COLORS];
    let colors = services.iter().map(|service| {
        let wanted = wish(&service.name);
        let name = service.name.as_str();
        let mut places = (0..COLORS).map(|step| (wanted + step) % COLORS);
        let place = places.find(|place| taken[*place].is_none_or(|owner| owner == name)).unwrap_or(wanted);
        taken[place].get_or_insert(name);
        place
    });
    colors.collect()
}

fn wish(name: &str) -> usize {
    let hash = name.bytes().fold(17_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (hash % COLORS as u32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> Service {
        Service {
            name: name.into(),
            project: "1".into(),
            release: None,
            environment: None,
            server_name: None,
            transactions: 1,
        }
    }

    #[test]
    fn up_to_eight_services_of_a_trace_have_colours_of_their_own() {
        let services: Vec<_> = (0..COLORS).map(|number| service(&format!("service-{number}"))).collect();
        let mut colors = of(&services);
        colors.sort_unstable();
        assert_eq!(colors, (0..COLORS).collect::<Vec<_>>());
    }

    #[test]
    fn a_service_keeps_its_colour_in_another_trace() {
        let alone = of(&[service("backend")]);
        let together = of(&[service("backend"), service("a"), service("b")]);
        assert_eq!(alone[0], together[0]);
    }

    #[test]
    fn many_services_share_colours_without_end() {
        let services: Vec<_> = (0..100).map(|number| service(&format!("service-{number}"))).collect();
        assert!(of(&services).iter().all(|color| *color < COLORS));
    }

    #[test]
    fn two_instances_of_one_service_look_the_same() {
        let colors = of(&[service("api"), service("web"), service("api")]);
        assert_eq!(colors[0], colors[2]);
    }
}
