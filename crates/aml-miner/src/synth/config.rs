//! What to simulate, and within which ranges.

use chrono::NaiveDate;

/// What to simulate.
#[derive(Clone, Debug, PartialEq)]
pub struct SynthConfig {
    /// Everything random follows from it.
    pub seed: u64,
    /// First `processing_date`.
    pub start: NaiveDate,
    /// Number of days, one batch each.
    pub days: u32,
    /// Alerts of a day.
    pub alerts: usize,
    /// Accounts that are active in a window, roughly.
    pub addresses: usize,
    /// Days that a batch looks back.
    pub window_days: u16,
    /// Share of the alerts that are true, roughly.
    pub illicit_share: f64,
    /// How well launderers hide on the first day: 0 not at all, 1 as well as they can.
    pub disguise: f64,
    /// Increase of `disguise` over 100 days.
    pub drift: f64,
    /// Share of the labels that are wrong.
    pub label_noise: f64,
    /// Share of the measured values that are missing.
    pub missing: f64,
}

impl Default for SynthConfig {
    fn default() -> Self {
        Self {
            seed: 42,
            start: NaiveDate::from_ymd_opt(2025, 9, 1).unwrap_or_default(),
            days: 1,
            alerts: 1_000,
            addresses: 10_000,
            window_days: 7,
            illicit_share: 0.14,
            disguise: 0.4,
            drift: 0.3,
            label_noise: 0.02,
            missing: 0.01,
        }
    }
}

/// A configuration that describes no world.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SynthConfigError {
    /// A share that is not between 0 and its largest sensible value.
    #[error("{name} is {value}: it must be between 0 and {max}")]
    Share {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The largest allowed.
        max: f64,
    },
    /// A number outside its range.
    #[error("{name} is {value}: it must be between {min} and {max}")]
    Count {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
}

/// Fewest addresses of an economy.
const LEAST_ADDRESSES: usize = 100;
/// Most alerts of one economy.
const MOST_ALERTS: usize = 200_000;
/// Most addresses of one economy.
const MOST_ADDRESSES: usize = 2_000_000;
/// Alerts of each of several economies, roughly: an economy of this size takes about a GB while it lives.
const ALERTS_OF_SEVERAL: usize = 50_000;
/// Addresses of each of several economies, roughly.
const ADDRESSES_OF_SEVERAL: usize = 250_000;
/// Most alerts of a day.
const MOST_ALERTS_OF_A_DAY: usize = 2_000_000;
/// Most addresses of a day.
const MOST_ADDRESSES_OF_A_DAY: usize = 20_000_000;

impl SynthConfig {
    /// The economies that make the days together: one, as long as that can have so many alerts and addresses; else several
    /// that do not deal with each other, whose tables follow one another.
    ///
    /// # Errors
    /// A count or a share outside its range.
    pub fn economies(&self) -> Result<Vec<Self>, SynthConfigError> {
        self.check(MOST_ALERTS_OF_A_DAY, MOST_ADDRESSES_OF_A_DAY)?;
        if self.alerts <= MOST_ALERTS && self.addresses <= MOST_ADDRESSES {
            return Ok(vec![self.clone()]);
        }
        let by_addresses = self.addresses.div_ceil(ADDRESSES_OF_SEVERAL);
        let count = self.alerts.div_ceil(ALERTS_OF_SEVERAL).max(by_addresses).min(self.alerts).max(1);
        let share = |all: usize, number: usize| all * (number + 1) / count - all * number / count;
        let economy = |number: usize| Self {
            // Seeds of neighbours must not meet: numbers of economies take the upper half.
            seed: self.seed ^ ((number as u64 + 1) << 40),
            alerts: share(self.alerts, number),
            addresses: share(self.addresses, number).max(LEAST_ADDRESSES),
            ..self.clone()
        };
        Ok((0..count).map(economy).collect())
    }

    /// The first violation of one economy, if there is one.
    ///
    /// # Errors
    /// A count or a share outside its range.
    pub fn validate(&self) -> Result<(), SynthConfigError> {
        self.check(MOST_ALERTS, MOST_ADDRESSES)
    }

    fn check(&self, most_alerts: usize, most_addresses: usize) -> Result<(), SynthConfigError> {
        let counts = [
            ("days", u64::from(self.days), 1, 3_660),
            ("alerts", self.alerts as u64, 1, most_alerts as u64),
            ("addresses", self.addresses as u64, LEAST_ADDRESSES as u64, most_addresses as u64),
            ("window_days", u64::from(self.window_days), 1, 90),
        ];
        for (name, value, min, max) in counts {
            if !(min..=max).contains(&value) {
                return Err(SynthConfigError::Count { name, value, min, max });
            }
        }
        let shares = [
            ("illicit_share", self.illicit_share, 0.5),
            ("disguise", self.disguise, 1.0),
            ("drift", self.drift, 1.0),
            ("label_noise", self.label_noise, 0.5),
            ("missing", self.missing, 0.5),
        ];
        for (name, value, max) in shares {
            if !(0.0..=max).contains(&value) {
                return Err(SynthConfigError::Share { name, value, max });
            }
        }
        Ok(())
    }
}
