//! Vector instructions, chosen when the program runs: a kernel is written once and compiled for each set of them.
//!
//! Kernels are plain Rust that is inlined whole into one function a set. Nothing in them is fused or put in another
//! order, so every set gives the same bits; the baseline is the safe twin that tests compare the others with.
#![expect(unsafe_code, reason = "a function that is compiled for a set is called where the processor has the set")]

/// A kernel with its inputs.
pub(super) trait Kernel {
    /// Runs it. This and what it calls is `#[inline(always)]`: what is not, is compiled for the baseline.
    fn run(self);
}

/// A set of vector instructions that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// What every processor of this architecture has.
    #[must_use]
    pub const fn baseline() -> Self {
        Self(Set::Baseline)
    }

    /// All sets that this processor has, the baseline first and the best last.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let better = Self::better();
        std::iter::once(Self::baseline()).chain(better.into_iter().flatten()).collect()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn better() -> [Option<Self>; 0] {
        []
    }

    #[cfg(target_arch = "x86_64")]
    fn better() -> [Option<Self>; 2] {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        [avx2.then_some(Self(Set::Avx2)), avx512.then_some(Self(Set::Avx512))]
    }

    /// The best that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Self::baseline())
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "AVX-512",
        }
    }

    /// Runs `kernel` as it is compiled for this set.
    pub(super) fn run(self, kernel: impl Kernel) {
        match self.0 {
            Set::Baseline => kernel.run(),
            // SAFETY: `better` alone makes these sets, where the processor has them.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn avx2(kernel: impl Kernel) {
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
fn avx512(kernel: impl Kernel) {
    kernel.run();
}
