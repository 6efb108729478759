//! The processor's counter, if it can be trusted.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) use self::linux_x86_64::Tsc;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(super) use self::elsewhere::Tsc;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux_x86_64 {
    use std::fs;

    /// The clock source of the kernel. It monitors its sources, and switches to another one if the
    /// processors' counters disagree or stop.
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    #[derive(Debug)]
    pub(crate) struct Tsc(quanta::Clock);

    impl Tsc {
        pub(crate) fn if_trusted() -> Option<Self> {
            let source = fs::read_to_string(CLOCK_SOURCE).ok()?;
            (source.trim() == "tsc").then(|| Self(quanta::Clock::new()))
        }

        #[inline]
        pub(crate) fn ticks(&self) -> u64 {
            self.0.raw()
        }

        /// Returns the length measured at the start.
        pub(crate) fn nanoseconds_per_tick(&self) -> f64 {
            const MANY: u64 = 1 << 30;
            self.0.delta_as_nanos(0, MANY) as f64 / MANY as f64
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod elsewhere {
    /// There is no such counter.
    #[derive(Debug)]
    pub(crate) enum Tsc {}

    impl Tsc {
        pub(crate) fn if_trusted() -> Option<Self> {
            None
        }

        pub(crate) fn ticks(&self) -> u64 {
            match *self {}
        }

        pub(crate) fn nanoseconds_per_tick(&self) -> f64 {
            match *self {}
        }
    }
}
