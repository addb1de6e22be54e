//! Values of settings from text: numbers with units, durations, switches.

use std::time::Duration;

/// A whole number of bytes, such as `4096`, `64KiB` or `256 MiB`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => return Err(format!("unknown unit `{other}`: use B, KiB, MiB or GiB")),
    };
    let number: usize = number.parse().map_err(|_| "expected a number of bytes, such as 64MiB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too large".to_owned())
}

/// A duration such as `10s` or `2m`; plain numbers are seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "expected a duration, such as 10s".to_owned())?;
    match unit.trim() {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(|| "too large".to_owned()),
        other => Err(format!("unknown unit `{other}`: use ms, s or m")),
    }
}

/// A duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|value| if value.is_zero() { Err("must be above zero".to_owned()) } else { Ok(value) })
}

/// A whole number from `least` on.
pub(super) fn count(least: usize) -> impl Fn(&str) -> Result<usize, String> {
    move |text| match text.parse::<usize>() {
        Ok(value) if value >= least => Ok(value),
        Ok(_) => Err(format!("must be at least {least}")),
        Err(_) => Err("expected a whole number".to_owned()),
    }
}

/// `true` or `false`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "expected true or false".to_owned())
}

/// A number of bytes above zero.
pub(super) fn positive_bytes(text: &str) -> Result<usize, String> {
    bytes(text).and_then(|value| if value == 0 { Err("must be above zero".to_owned()) } else { Ok(value) })
}
