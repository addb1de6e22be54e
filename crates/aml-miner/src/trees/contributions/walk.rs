//! One walk over a tree, for several rows and points of the quadrature at once.
//!
//! On the way down each split passes on the product of what lets a row through above it, a polynomial of `t`, by its
//! values at the points. On the way up it passes on the value of everything below it. Where both meet, at the split,
//! is the split's share of its feature's Shapley value.
//!
//! Let an unknown row pass the split's feature with probability `z` above it and `z_l`, `z_r` below, and let
//! `c(z) = z (1 - t) + t` for a row that passes and `z (1 - t)` for one that does not. With `P` the product above, `L`
//! and `R` the values from the two sides, and `r` the ratio of the left factor to the one above:
//!
//! * down to the left goes `P r`, to the right `P - P r`;
//! * up goes `R + r (L - R)`;
//! * the feature gets `s ∫ P (L - R) / c(z)² dt`, where `s` is `z_r` for a row that passes on the left, `-z_l` on the
//!   right, and 0 for one that did not pass above. At the feature's first split `z` and `c` are 1.
//!
//! All of these are between 0 and 1 or means of leaf values, so nothing cancels. Where a model's numbers of rows do not
//! add up, the right side has a ratio of its own (`LOOSE`).

use super::super::isa::{Isa, Kernel};
use super::super::quantizer::{BLOCK, Codes};
use super::lanes::Lanes;
use super::plan::{NONE, Plan, Side, Split, Step};
use super::quadrature::Point;

/// Points of one walk: what is held for them stays in the first-level cache. More take several walks.
const POINTS: usize = 8;

/// What one feature adds to each row of a block.
pub(super) type Sums = [f64; BLOCK];

/// Room for walks, `L` rows side by side; reused from tree to tree.
#[derive(Debug, Default)]
pub(super) struct Room<const L: usize> {
    /// By slot: 1 for a row that passes.
    passes: Vec<Lanes<L>>,
    /// By level and point, as are the next three.
    products: Vec<Lanes<L>>,
    ratios: Vec<Lanes<L>>,
    right_ratios: Vec<Lanes<L>>,
    /// One over what lets a row through that passes above.
    inverses: Vec<f64>,
    /// By slot and point.
    results: Vec<Lanes<L>>,
}

/// Some rows of a block, as many as a walk has lanes.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) codes: &'a Codes,
    /// The first of them.
    pub(super) first: usize,
}

impl<const L: usize> Room<L> {
    /// Adds a tree's contributions to the sums of each feature.
    pub(super) fn add(&mut self, isa: Isa, plan: &Plan, rows: Rows<'_>, sums: &mut [Sums]) {
        let walks = plan.rule.len().div_ceil(POINTS);
        for points in plan.rule.chunks(plan.rule.len().div_ceil(walks)) {
            self.make(plan, points.len());
            isa.run(Walk { room: self, plan, points, rows, sums: &mut *sums });
        }
    }

    fn make(&mut self, plan: &Plan, points: usize) {
        let slots = 2 * plan.depth;
        let grow = |room: &mut Vec<Lanes<L>>, size: usize| {
            if room.len() < size {
                room.resize(size, Lanes::all(0.0));
            }
        };
        grow(&mut self.passes, slots);
        grow(&mut self.products, (plan.depth + 1) * points);
        grow(&mut self.ratios, plan.depth * points);
        grow(&mut self.right_ratios, if plan.loose { plan.depth * points } else { 0 });
        grow(&mut self.results, slots * points);
        if self.inverses.len() < plan.depth * points {
            self.inverses.resize(plan.depth * points, 1.0);
        }
    }
}

struct Walk<'a, const L: usize> {
    room: &'a mut Room<L>,
    plan: &'a Plan,
    points: &'a [Point],
    rows: Rows<'a>,
    sums: &'a mut [Sums],
}

impl<const L: usize> Kernel for Walk<'_, L> {
    #[inline(always)]
    fn run(self) {
        if self.plan.loose { self.steps::<true>() } else { self.steps::<false>() }
    }
}

impl<const L: usize> Walk<'_, L> {
    #[inline(always)]
    fn steps<const LOOSE: bool>(mut self) {
        let plan = self.plan;
        for (product, point) in self.room.products.iter_mut().zip(self.points) {
            *product = Lanes::all(point.weight);
        }
        for step in &plan.steps {
            match *step {
                Step::Down(split) => self.down::<LOOSE>(&plan.splits[split as usize]),
                Step::Turn(split) => self.turn::<LOOSE>(&plan.splits[split as usize]),
                Step::Up(split) => self.up::<LOOSE>(&plan.splits[split as usize]),
            }
        }
    }

    /// Which rows pass on either side; 1 or 0.
    #[inline(always)]
    fn passes(&mut self, split: &Split) -> [Lanes<L>; 2] {
        let codes = &self.rows.codes[split.test.column as usize][self.rows.first..][..L];
        let above = match split.earlier {
            NONE => Lanes::all(1.0),
            slot => self.room.passes[slot as usize],
        };
        let (mut left, limit) = (above, split.test.limit);
        for (left, code) in left.0.iter_mut().zip(codes) {
            *left = if *code <= limit { *left } else { 0.0 };
        }
        let right = above - left;
        let slot = 2 * split.level as usize;
        self.room.passes[slot] = left;
        self.room.passes[slot + 1] = right;
        [left, right]
    }

    #[inline(always)]
    fn down<const LOOSE: bool>(&mut self, split: &Split) {
        let passes = self.passes(split);
        let n = self.points.len();
        let from = split.level as usize * n;
        if split.earlier != NONE {
            for (inverse, point) in self.room.inverses[from..].iter_mut().zip(self.points) {
                *inverse = 1.0 / (split.whole * point.rest + point.at);
            }
        }
        self.ratios(split, 0, passes[0]);
        if LOOSE {
            std::mem::swap(&mut self.room.ratios, &mut self.room.right_ratios);
            self.ratios(split, 1, passes[1]);
            std::mem::swap(&mut self.room.ratios, &mut self.room.right_ratios);
        }
        if matches!(split.sides[0], Side::Split) {
            let (products, next) = self.room.products[from..].split_at_mut(n);
            for ((next, product), ratio) in next.iter_mut().zip(products).zip(&self.room.ratios[from..]) {
                *next = *product * *ratio;
            }
        }
    }

    /// The factor of one side over the one above.
    #[inline(always)]
    fn ratios(&mut self, split: &Split, side: usize, passes: Lanes<L>) {
        let (pass, share) = (split.passes[side], split.shares[side]);
        let from = split.level as usize * self.points.len();
        let places = self.room.ratios[from..].iter_mut().zip(self.points);
        if split.earlier == NONE {
            for (ratio, point) in places {
                *ratio = Lanes::all(pass * point.rest) + passes * point.at;
            }
        } else {
            // A row that does not pass above keeps the share of the training rows.
            let above = self.room.passes[split.earlier as usize];
            for ((ratio, point), inverse) in places.zip(&self.room.inverses[from..]) {
                let (known, unknown) = (point.at * inverse, pass * point.rest * inverse - share);
                *ratio = Lanes::all(share) + above * unknown + passes * known;
            }
        }
    }

    #[inline(always)]
    fn turn<const LOOSE: bool>(&mut self, split: &Split) {
        let n = self.points.len();
        let from = split.level as usize * n;
        let (products, next) = self.room.products[from..].split_at_mut(n);
        let ratios = if LOOSE { &self.room.right_ratios } else { &self.room.ratios };
        for ((next, product), ratio) in next.iter_mut().zip(products).zip(&ratios[from..]) {
            *next = if LOOSE { *product * *ratio } else { *product - *product * *ratio };
        }
    }

    #[inline(always)]
    fn up<const LOOSE: bool>(&mut self, split: &Split) {
        let [left_dot, right_dot] = match split.sides {
            [Side::Split, Side::Split] => self.meet::<LOOSE, _, _>(split, Walked, Walked),
            [Side::Split, Side::Leaf(right)] => self.meet::<LOOSE, _, _>(split, Walked, right),
            [Side::Leaf(left), Side::Split] => self.meet::<LOOSE, _, _>(split, left, Walked),
            [Side::Leaf(left), Side::Leaf(right)] => self.meet::<LOOSE, _, _>(split, left, right),
        };
        let slot = 2 * split.level as usize;
        let (left, right) = (self.room.passes[slot], self.room.passes[slot + 1]);
        let [z_left, z_right] = split.passes;
        let added = if LOOSE {
            (left * (split.whole - z_left) - right * z_left) * left_dot
                + (right * (split.whole - z_right) - left * z_right) * right_dot
        } else {
            (left * z_right - right * z_left) * left_dot
        };
        let sums = &mut self.sums[split.feature as usize][self.rows.first..][..L];
        sums.iter_mut().zip(&added.0).for_each(|(sum, added)| *sum += added);
    }

    /// The integrals of a split's sides (of their difference, where counts add up), and its result for above.
    #[inline(always)]
    fn meet<const LOOSE: bool, A: Value<L>, B: Value<L>>(&mut self, split: &Split, left: A, right: B) -> [Lanes<L>; 2] {
        if split.earlier == NONE {
            self.integrate::<LOOSE, false, A, B>(split, left, right)
        } else {
            self.integrate::<LOOSE, true, A, B>(split, left, right)
        }
    }

    #[inline(always)]
    fn integrate<const LOOSE: bool, const LATER: bool, A: Value<L>, B: Value<L>>(
        &mut self,
        split: &Split,
        left: A,
        right: B,
    ) -> [Lanes<L>; 2] {
        let n = self.points.len();
        let from = split.level as usize * n;
        let (done, open) = self.room.results.split_at_mut(2 * from);
        let mut nowhere = [Lanes::all(0.0); POINTS];
        let out = if split.out == NONE { &mut nowhere[..n] } else { &mut done[split.out as usize * n..][..n] };
        let (lefts, rights) = open[..2 * n].split_at(n);
        let (products, ratios) = (&self.room.products[from..][..n], &self.room.ratios[from..][..n]);
        let right_ratios = &self.room.right_ratios[if LOOSE { from } else { 0 }..];
        let mut dots = [Lanes::all(0.0); 2];
        for t in 0..n {
            let mut weight = products[t];
            if LATER {
                let inverse = self.room.inverses[from + t];
                weight = weight * (inverse * inverse);
            }
            let (l, r) = (left.at(&lefts[t]), right.at(&rights[t]));
            if LOOSE {
                dots[0] += weight * l;
                dots[1] += weight * r;
                out[t] = ratios[t] * l + right_ratios[t] * r;
            } else {
                let difference = l - r;
                dots[0] += weight * difference;
                out[t] = r + ratios[t] * difference;
            }
        }
        dots
    }
}

/// What comes up from one side of a split.
trait Value<const L: usize>: Copy {
    fn at(self, walked: &Lanes<L>) -> Lanes<L>;
}

/// The result of a split below.
#[derive(Clone, Copy)]
struct Walked;

impl<const L: usize> Value<L> for Walked {
    #[inline(always)]
    fn at(self, walked: &Lanes<L>) -> Lanes<L> {
        *walked
    }
}

/// A leaf.
impl<const L: usize> Value<L> for f64 {
    #[inline(always)]
    fn at(self, _: &Lanes<L>) -> Lanes<L> {
        Lanes::all(self)
    }
}
