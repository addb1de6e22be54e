//! An account's measurements over a window that need only its own transfers.

use super::counterparties::{flows, topology};
use super::population::ASSETS;
use super::stats::{entropy, median, peak};
use super::traffic::{DAY_MS, Transfer};
use super::window::Window;

/// Names of the measurements, in the order in which [`measure`] returns them.
pub(super) const NAMES: [&str; 63] = [
    "degree_in",
    "degree_out",
    "degree_total",
    "unique_counterparties",
    "unique_recipients_count",
    "unique_senders_count",
    "total_in_usd",
    "total_out_usd",
    "net_flow_usd",
    "total_volume_usd",
    "avg_tx_in_usd",
    "avg_tx_out_usd",
    "median_tx_in_usd",
    "median_tx_out_usd",
    "max_tx_usd",
    "min_tx_usd",
    "avg_daily_volume_usd",
    "amount_variance",
    "amount_skewness",
    "amount_kurtosis",
    "volume_std",
    "volume_cv",
    "amount_predictability",
    "outlier_transactions",
    "tx_in_count",
    "tx_out_count",
    "tx_total_count",
    "activity_days",
    "activity_span_days",
    "peak_hour",
    "peak_day",
    "peak_activity_hour",
    "peak_activity_day",
    "hourly_entropy",
    "daily_entropy",
    "weekend_transaction_ratio",
    "night_transaction_ratio",
    "first_activity_timestamp",
    "last_activity_timestamp",
    "regularity_score",
    "burst_factor",
    "consistency_score",
    "flow_burstiness",
    "transaction_regularity",
    "reciprocity_ratio",
    "flow_diversity",
    "counterparty_concentration",
    "concentration_ratio",
    "flow_concentration",
    "flow_reciprocity_entropy",
    "counterparty_stability",
    "velocity_score",
    "structuring_score",
    "small_transaction_ratio",
    "unique_assets_in",
    "unique_assets_out",
    "asset_diversity_score",
    "pass_through",
    "near_limit_count",
    "fan_in",
    "fan_out",
    "dominant_asset_in",
    "dominant_asset_out",
];

/// Amounts that count as just below the reporting limit of 10,000 USD.
const NEAR_LIMIT: std::ops::Range<f64> = 7_500.0..10_000.0;
/// Below this an amount is small.
const SMALL_USD: f64 = 100.0;
/// Money passed on within this time was passed through.
const PASS_THROUGH_MS: i64 = DAY_MS;

/// What is measured of one account. Times are milliseconds since the epoch; NaN is "not measurable".
pub(super) struct Activity {
    pub(super) values: [f64; NAMES.len()],
    pub(super) hourly: [f64; 24],
    pub(super) daily: [f64; 7],
}

/// Measures the account at position `account` of the window.
pub(super) fn measure(window: &Window, account: usize) -> Activity {
    let received: Vec<&Transfer> = window.received(account).collect();
    let sent: Vec<&Transfer> = window.sent(account).collect();
    let mut all: Vec<&Transfer> = received.iter().chain(&sent).copied().collect();
    all.sort_by_key(|transfer| transfer.at);
    let (hourly, daily) = histograms(&all);
    let mut values = [f64::NAN; NAMES.len()];
    let mut next = 0;
    let mut put = |section: &[f64]| {
        values[next..next + section.len()].copy_from_slice(section);
        next += section.len();
    };
    put(&topology(window, account));
    put(&volume(&received, &sent, &all));
    put(&amounts(&all));
    put(&[received.len() as f64, sent.len() as f64, all.len() as f64]);
    put(&calendar(&all, &hourly, &daily));
    put(&rhythm(&all));
    put(&flows(window, account));
    put(&speed(&received, &sent, &all));
    put(&assets(&received, &sent));
    put(&signals(window, account, &received, &sent));
    put(&[dominant(&received), dominant(&sent)]);
    Activity { values, hourly, daily }
}

fn volume(received: &[&Transfer], sent: &[&Transfer], all: &[&Transfer]) -> [f64; 11] {
    let total = |list: &[&Transfer]| list.iter().map(|transfer| transfer.usd).sum::<f64>();
    let (inward, outward) = (total(received), total(sent));
    let mean = |sum: f64, count: usize| if count == 0 { f64::NAN } else { sum / count as f64 };
    let largest = all.iter().map(|transfer| transfer.usd).fold(f64::NAN, f64::max);
    let smallest = all.iter().map(|transfer| transfer.usd).fold(f64::NAN, f64::min);
    let days = active_days(all).max(1);
    [
        inward,
        outward,
        inward - outward,
        inward + outward,
        mean(inward, received.len()),
        mean(outward, sent.len()),
        median(received),
        median(sent),
        largest,
        smallest,
        (inward + outward) / days as f64,
    ]
}

fn amounts(all: &[&Transfer]) -> [f64; 7] {
    let usd: Vec<f64> = all.iter().map(|transfer| transfer.usd).collect();
    let count = usd.len() as f64;
    let mean = usd.iter().sum::<f64>() / count;
    let moment = |power: i32| usd.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / count;
    let (variance, deviation) = (moment(2), moment(2).sqrt());
    let shaped = |power: i32| if deviation > 0.0 { moment(power) / deviation.powi(power) } else { f64::NAN };
    let outliers = usd.iter().filter(|&&value| value > mean + 3.0 * deviation).count();
    let variation = deviation / mean;
    [variance, shaped(3), shaped(4) - 3.0, deviation, variation, 1.0 / (1.0 + variation), outliers as f64]
}

fn histograms(all: &[&Transfer]) -> ([f64; 24], [f64; 7]) {
    let (mut hourly, mut daily) = ([0.0; 24], [0.0; 7]);
    for transfer in all {
        hourly[(transfer.at.rem_euclid(DAY_MS) / 3_600_000) as usize] += 1.0;
        // Monday is 0; the epoch began on a Thursday.
        daily[(transfer.at.div_euclid(DAY_MS) + 3).rem_euclid(7) as usize] += 1.0;
    }
    (hourly, daily)
}

fn calendar(all: &[&Transfer], hourly: &[f64; 24], daily: &[f64; 7]) -> [f64; 12] {
    let (first, last) = (all.first().map_or(0, |t| t.at), all.last().map_or(0, |t| t.at));
    let count = all.len() as f64;
    let (hour, weekday) = (peak(hourly), peak(daily));
    [
        active_days(all) as f64,
        ((last - first) / DAY_MS) as f64 + 1.0,
        hour,
        weekday,
        hour,
        weekday,
        entropy(hourly),
        entropy(daily),
        (daily[5] + daily[6]) / count,
        hourly[..6].iter().sum::<f64>() / count,
        first as f64,
        last as f64,
    ]
}

/// How even the gaps between transfers are.
fn rhythm(all: &[&Transfer]) -> [f64; 5] {
    let gaps: Vec<f64> = all.windows(2).map(|pair| (pair[1].at - pair[0].at) as f64).collect();
    if gaps.len() < 2 {
        return [f64::NAN; 5];
    }
    let count = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / count;
    let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count).sqrt();
    let variation = if mean > 0.0 { deviation / mean } else { 0.0 };
    let burst = (variation - 1.0) / (variation + 1.0);
    let shortest = gaps.iter().copied().fold(f64::INFINITY, f64::min);
    let regularity = 1.0 / (1.0 + variation);
    [regularity, variation, 1.0 - (shortest / mean.max(1.0)).min(1.0), burst, regularity * (1.0 - burst) / 2.0]
}

fn speed(received: &[&Transfer], sent: &[&Transfer], all: &[&Transfer]) -> [f64; 3] {
    let count = all.len() as f64;
    let inward: f64 = received.iter().map(|transfer| transfer.usd).sum();
    let velocity = if inward > 0.0 { passed_on(received, sent) / inward } else { 0.0 };
    let near = all.iter().filter(|transfer| NEAR_LIMIT.contains(&transfer.usd)).count();
    let small = all.iter().filter(|transfer| transfer.usd < SMALL_USD).count();
    [velocity.min(1.0), near as f64 / count, small as f64 / count]
}

fn assets(received: &[&Transfer], sent: &[&Transfer]) -> [f64; 3] {
    let used = |list: &[&Transfer]| {
        let mut seen = [0.0; ASSETS.len()];
        list.iter().for_each(|transfer| seen[transfer.asset as usize] += 1.0);
        seen
    };
    let (inward, outward) = (used(received), used(sent));
    let kinds = |seen: &[f64; ASSETS.len()]| seen.iter().filter(|&&count| count > 0.0).count() as f64;
    let mut both = inward;
    both.iter_mut().zip(outward).for_each(|(sum, count)| *sum += count);
    [kinds(&inward), kinds(&outward), entropy(&both) / (ASSETS.len() as f64).log2()]
}

/// What the alert rules look at beside the published features.
fn signals(window: &Window, account: usize, received: &[&Transfer], sent: &[&Transfer]) -> [f64; 4] {
    let near = received.iter().chain(sent).filter(|transfer| NEAR_LIMIT.contains(&transfer.usd)).count();
    let spread = |edges: usize, list: &[&Transfer]| {
        let total: f64 = list.iter().map(|transfer| transfer.usd).sum();
        edges as f64 * (total / 10_000.0).min(1.0)
    };
    [
        passed_on(received, sent),
        near as f64,
        spread(window.sources(account).len(), received),
        spread(window.targets(account).len(), sent),
    ]
}

/// USD that left within a day of having come in, first in first out.
fn passed_on(received: &[&Transfer], sent: &[&Transfer]) -> f64 {
    let mut total = 0.0;
    let (mut next, mut left) = (0, received.first().map_or(0.0, |transfer| transfer.usd));
    for out in sent {
        let mut wanted = out.usd;
        while wanted > 0.0 && next < received.len() && received[next].at <= out.at {
            if out.at - received[next].at <= PASS_THROUGH_MS {
                let used = wanted.min(left);
                total += used;
                wanted -= used;
                left -= used;
                if left > 0.0 {
                    break;
                }
            }
            next += 1;
            left = received.get(next).map_or(0.0, |transfer| transfer.usd);
        }
    }
    total
}

fn dominant(list: &[&Transfer]) -> f64 {
    let mut usd = [0.0; ASSETS.len()];
    list.iter().for_each(|transfer| usd[transfer.asset as usize] += transfer.usd);
    if list.is_empty() { f64::NAN } else { peak(&usd) }
}

fn active_days(all: &[&Transfer]) -> usize {
    let days = all.iter().map(|transfer| transfer.at.div_euclid(DAY_MS));
    days.clone().zip(days.skip(1)).filter(|(day, next)| day != next).count() + usize::from(!all.is_empty())
}
