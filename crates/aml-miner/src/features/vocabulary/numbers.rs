//! Arithmetic of numbers that may be missing (NaN).

/// A number of items as a double.
pub(crate) fn count(items: usize) -> f64 {
    u32::try_from(items).map_or(f64::INFINITY, f64::from)
}

/// First input over the second; missing where the second is zero.
pub(crate) fn ratio(inputs: &[f64]) -> f64 {
    if inputs[1] == 0.0 { f64::NAN } else { inputs[0] / inputs[1] }
}

/// ln(1 + x), continued below zero as -ln(1 - x).
pub(crate) fn signed_log(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}
