//! Several rows' numbers side by side: whole vectors to the compiler, and for each row the same operations in the same
//! order, whatever the rows beside it.

use std::ops::{Add, AddAssign, Mul, Sub};

/// One number per row.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(super) struct Lanes<const L: usize>(pub(super) [f64; L]);

impl<const L: usize> Lanes<L> {
    /// The same number for every row.
    #[inline(always)]
    pub(super) const fn all(value: f64) -> Self {
        Self([value; L])
    }

    #[inline(always)]
    fn with(mut self, other: Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = combine(*mine, *theirs);
        }
        self
    }
}

impl<const L: usize> Add for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

impl<const L: usize> Sub for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
}

impl<const L: usize> Mul for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
}

impl<const L: usize> Mul<f64> for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, number: f64) -> Self {
        self * Self::all(number)
    }
}

impl<const L: usize> AddAssign for Lanes<L> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
