//! The processor's counter, where it may be trusted.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) use self::tsc::Counter;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(super) use self::none::Counter;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tsc {
    use std::fs;

    /// What the kernel reads its own time from. It watches its clocks, and takes another one where the processors' counters
    /// disagree or stand still.
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    #[derive(Debug)]
    pub(in crate::moment) struct Counter(quanta::Clock);

    impl Counter {
        pub(in crate::moment) fn that_the_kernel_trusts() -> Option<Self> {
            let source = fs::read_to_string(CLOCK_SOURCE).ok()?;
            (source.trim() == "tsc").then(|| Self(quanta::Clock::new()))
        }

        #[inline]
        pub(in crate::moment) fn ticks(&self) -> u64 {
            self.0.raw()
        }

        /// As it was measured at the start.
        pub(in crate::moment) fn nanoseconds_per_tick(&self) -> f64 {
            const MANY: u64 = 1 << 30;
            self.0.delta_as_nanos(0, MANY) as f64 / MANY as f64
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod none {
    /// There is none.
    #[derive(Debug)]
    pub(in crate::moment) enum Counter {}

    impl Counter {
        pub(in crate::moment) fn that_the_kernel_trusts() -> Option<Self> {
            None
        }

        pub(in crate::moment) fn ticks(&self) -> u64 {
            match *self {}
        }

        pub(in crate::moment) fn nanoseconds_per_tick(&self) -> f64 {
            match *self {}
        }
    }
}
