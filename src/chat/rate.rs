//! How often somebody may do something: the generic cell rate algorithm, one number for each who does it.
//!
//! The number is the time at which the allowance will be whole again (ITU-T I.371, "theoretical arrival time").

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use quick_cache::sync::Cache;

use super::Error;
use crate::model::{Limits, Timestamp, UserId};

/// Who is remembered at most; the ones unused for longest are forgotten, with a whole allowance.
const REMEMBERED_MAX: usize = 100_000;

/// A limit for each key: so many at once, and one more each `interval`.
struct Rate<K> {
    whole_again: Cache<K, Arc<AtomicI64>>,
    interval: Duration,
    burst: u32,
}

impl<K: Eq + Hash + Clone> Rate<K> {
    fn new(per: Duration, count: u32, burst: u32) -> Self {
        Self {
            whole_again: Cache::new(REMEMBERED_MAX),
            interval: per / count.max(1),
            burst: burst.max(1),
        }
    }

    /// Takes one, or says how long to wait for it.
    fn take(&self, key: &K, now: Timestamp) -> Result<(), Duration> {
        // Microseconds: twenty a second is no whole number of anything coarser.
        let now = now.millis().saturating_mul(1_000);
        let slack = self.interval().saturating_mul(i64::from(self.burst) - 1);
        let cell = self.cell(key);
        let mut old = cell.load(Ordering::Relaxed);
        loop {
            let wait = old.saturating_sub(slack).saturating_sub(now);
            if wait > 0 {
                return Err(Duration::from_micros(u64::try_from(wait).unwrap_or(0)));
            }
            let new = old.max(now).saturating_add(self.interval());
            match cell.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(newer) => old = newer,
            }
        }
    }

    /// Gives one back.
    fn give_back(&self, key: &K) {
        self.cell(key).fetch_sub(self.interval(), Ordering::Relaxed);
    }

    fn interval(&self) -> i64 {
        i64::try_from(self.interval.as_micros()).unwrap_or(i64::MAX)
    }

    fn cell(&self, key: &K) -> Arc<AtomicI64> {
        let made: Result<_, std::convert::Infallible> = self
            .whole_again
            .get_or_insert_with(key, || Ok(Arc::new(AtomicI64::new(0))));
        match made {
            Ok(cell) => cell,
        }
    }
}

/// A try at a password that is counted. Unless it failed it is given back when it is let go: it succeeded, or was never
/// made.
pub(super) struct Try<'a> {
    rates: &'a Rates,
    handle: Option<String>,
    network: Option<IpAddr>,
}

impl Try<'_> {
    /// The password was a wrong one.
    pub(super) fn failed(mut self) {
        (self.handle, self.network) = (None, None);
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        if !self.rates.limits.rate_limits {
            return;
        }
        if let Some(handle) = &self.handle {
            self.rates.log_in_failures.give_back(handle);
        }
        if let Some(network) = &self.network {
            self.rates.log_in_failures_from.give_back(network);
        }
    }
}

/// The limits of what people do.
pub(super) struct Rates {
    sends: Rate<UserId>,
    log_in_failures: Rate<String>,
    /// By network: who has one address of the sixth version has 2^64 of them.
    log_in_failures_from: Rate<IpAddr>,
    limits: Arc<Limits>,
}

impl Rates {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        let failures = limits.log_in_failures_per_minute;
        let from = limits.log_in_failures_per_address;
        Self {
            sends: Rate::new(
                Duration::from_secs(1),
                limits.sends_per_second,
                limits.sends_burst,
            ),
            log_in_failures: Rate::new(Duration::from_mins(1), failures, failures),
            log_in_failures_from: Rate::new(Duration::from_mins(1), from, from),
            limits,
        }
    }

    /// Counts a message that somebody sends.
    pub(super) fn send(&self, user: UserId, now: Timestamp) -> Result<(), Error> {
        self.take(&self.sends, &user, now)
    }

    /// Counts a try to sign in with this handle, whether or not anybody has it, from an address if one is known. It counts
    /// before it is made, so that many at once are no more than one after another; what turns out to be no failure is given
    /// back.
    pub(super) fn log_in(
        &self,
        handle: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Try<'_>, Error> {
        let network = address.map(network);
        if let Some(network) = network {
            self.take(&self.log_in_failures_from, &network, now)?;
        }
        let mut counted = Try {
            rates: self,
            handle: None,
            network,
        };
        self.take(&self.log_in_failures, &handle.to_owned(), now)?;
        counted.handle = Some(handle.to_owned());
        Ok(counted)
    }

    fn take<K: Eq + Hash + Clone>(
        &self,
        rate: &Rate<K>,
        key: &K,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.limits.rate_limits {
            rate.take(key, now)
                .map_err(|retry_after| Error::RateLimited { retry_after })
        } else {
            Ok(())
        }
    }
}

/// The network that one customer of a provider has to themself: of the sixth version that is a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_addresses_are_not_remembered_and_one_that_goes_on_trying_is() {
        let rate: Rate<IpAddr> = Rate::new(Duration::from_mins(1), 20, 20);
        let now = Timestamp::from_millis(1_000_000);
        let persistent = IpAddr::from([10, 0, 0, 1]);
        while rate.take(&persistent, now).is_ok() {}
        for n in 0..1_000_000u32 {
            let address = Ipv6Addr::from_bits(u128::from(n) << 64);
            assert_eq!(rate.take(&IpAddr::V6(address), now), Ok(()));
            if n % 1_000 == 0 {
                assert!(rate.take(&persistent, now).is_err(), "after {n} others");
            }
        }
        assert!(rate.whole_again.len() <= REMEMBERED_MAX);
    }

    #[test]
    fn who_changes_addresses_within_a_network_is_the_same() {
        let same = |one: &str, two: &str| {
            let network = |text: &str| network(text.parse().expect("an address"));
            network(one) == network(two)
        };
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(same("::ffff:192.0.2.7", "192.0.2.7"));
        assert!(!same("192.0.2.7", "192.0.2.8"));
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_each_interval() {
        let rate = Rate::new(Duration::from_secs(1), 20, 60);
        let at = Timestamp::from_millis;
        let allowed = (0..100)
            .filter(|_| rate.take(&"alice", at(1_000_000)).is_ok())
            .count();
        assert_eq!(allowed, 60);
        assert_eq!(
            rate.take(&"alice", at(1_000_000)),
            Err(Duration::from_millis(50))
        );
        assert_eq!(rate.take(&"alice", at(1_000_050)), Ok(()));
        assert_eq!(
            rate.take(&"bob", at(1_000_000)),
            Ok(()),
            "others have their own"
        );
        let later = (0..100)
            .filter(|_| rate.take(&"alice", at(1_001_050)).is_ok())
            .count();
        assert_eq!(later, 20);
        rate.give_back(&"alice");
        assert_eq!(rate.take(&"alice", at(1_001_050)), Ok(()));
    }
}
