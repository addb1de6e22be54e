//! Shares of a day's pay: from standings and the record of the last rounds; made again when what they rest on changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::calendar::{day_at_ms, day_of, whole_days};
use crate::store::Before;
use crate::store::StorageError;
use crate::store::records::{ColumnName, Round, ShareOf, Shares, StandingRecord};
use crate::validation::v2::newcomers::{Present, parts};
use crate::validation::v2::order::Order;
use crate::validation::v2::pay::{Earner, pay};
use crate::validation::v2::record::{Asked, Record, Tiers};
use crate::validation::v2::standing::Standing;
use crate::validation::v2::voice::{Choice, Muted};
use crate::validation::v2::window::Window;
use crate::wallet::Hotkey;

use super::{Information, InformationError};

/// Days before a round in which the newest seven rounds are looked for, should days be missing.
const BACK: i64 = 90;

/// How long a new hotkey is forgiven rounds without a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace(pub Duration);

/// Who spoke in a round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Speakers {
    /// The orders of the submissions that count.
    pub orders: BTreeMap<Hotkey, Order>,
    /// Their voices, and why one is muted.
    pub voices: BTreeMap<Hotkey, (f64, Option<Muted>)>,
    /// Who was chosen to speak.
    pub choice: Option<Choice>,
}

/// What the last rounds say of everybody.
#[derive(Default)]
struct Records {
    /// Days of rounds that count, ascending.
    days: Vec<i64>,
    miners: BTreeMap<Hotkey, Record>,
    /// The day on which each was first asked.
    first: BTreeMap<Hotkey, i64>,
}

impl Information<'_> {
    /// Shares the pay of a round's day, made when its standing was.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn shares(
        &self,
        round: &Round,
        standing: &StandingRecord,
        speakers: Speakers,
        grace: Grace,
    ) -> Result<Shares, InformationError> {
        let today = day_of(round.id.date);
        let records = self.records(round, grace).await?;
        let nothing = Record::new();
        let record = |miner: &Hotkey| records.miners.get(miner).unwrap_or(&nothing);
        let tiers: Vec<Tiers> = standing
            .miners
            .keys()
            .map(|miner| Tiers::of(self.constants, today, &records.days, record(miner)))
            .collect();
        let present = |((miner, standing), tiers): ((&Hotkey, &Standing), &Tiers)| {
            let order = speakers.orders.get(miner)?;
            let first_asked = *records.first.get(miner)?;
            Some(Present { counted: standing.counted, traps: tiers.traps, first_asked, order })
        };
        let present: Vec<Option<Present<'_>>> = standing.miners.iter().zip(&tiers).map(present).collect();
        let new = parts(self.constants, today, &present);
        let earner = |((standing, tiers), newcomer): ((&Standing, &Tiers), f64)| Earner {
            points: standing.priced.points,
            calibration: standing.calibration,
            tiers: *tiers,
            newcomer,
        };
        let earners: Vec<Earner> = standing.miners.values().zip(&tiers).zip(new).map(earner).collect();
        let paid = pay(self.constants, &earners);
        let one = |(((miner, standing), earner), share): (((&Hotkey, &Standing), &Earner), f64)| {
            let (voice, muted) = speakers.voices.get(miner).copied().unwrap_or((0.0, None));
            let Tiers { tier1, traps, lately } = earner.tiers;
            let share = ShareOf {
                share,
                worth: earner.worth(self.constants),
                points: earner.points,
                quality: earner.tiers.quality(self.constants, earner.calibration),
                tier1,
                traps,
                calibration: earner.calibration,
                lately,
                newcomer: earner.newcomer,
                counted: standing.counted,
                voice,
                muted,
            };
            (*miner, share)
        };
        let recent = Window::new(self.constants, today).recent();
        Ok(Shares {
            rules: self.rules,
            made_ms: standing.made_ms,
            amends: None,
            pool: paid.pool,
            unearned: paid.unearned,
            rounds: records.days.iter().filter(|day| recent.contains(day)).count(),
            choice: speakers.choice,
            miners: standing.miners.iter().zip(&earners).zip(paid.shares).map(one).collect(),
        })
    }

    /// Makes the pay of a round again, because of `why`; records it where it comes out differently. Voices, canonical
    /// scores and the curve of the round stay as they are.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn repay(
        &self,
        round: &Round,
        grace: Grace,
        why: &str,
        at_ms: i64,
    ) -> Result<Option<Shares>, InformationError> {
        let Some(before) = self.ledger.shares(round.id).await? else { return Ok(None) };
        let asked: Vec<Hotkey> = before.miners.keys().copied().collect();
        let standing = self.in_force(round.id, &asked, at_ms).await?.standing;
        let orders = self.orders(round).await?;
        let voices = before.miners.iter().map(|(miner, of)| (*miner, (of.voice, of.muted))).collect();
        let speakers = Speakers { orders, voices, choice: before.choice };
        let again = self.shares(round, &standing, speakers, grace).await?;
        if (Shares { made_ms: before.made_ms, amends: before.amends.clone(), ..again.clone() }) == before {
            return Ok(None);
        }
        let shares = Shares { amends: Some(why.to_owned()), ..again };
        self.ledger.amend_shares(round.id, &standing, &shares).await?;
        Ok(Some(shares))
    }

    /// The orders of a round's submissions, from its stored scores.
    async fn orders(&self, round: &Round) -> Result<BTreeMap<Hotkey, Order>, InformationError> {
        let packed = self.ledger.packed_scores(round.id).await?;
        let work = move || -> Result<BTreeMap<Hotkey, Order>, StorageError> {
            let mut orders = BTreeMap::new();
            for one in packed {
                if let ColumnName::Miner(hotkey) = one.name {
                    orders.insert(hotkey, Order::of(&one.scores()?));
                }
            }
            Ok(orders)
        };
        Ok(self.workers.compute(work).await??)
    }

    async fn records(&self, round: &Round, grace: Grace) -> Result<Records, InformationError> {
        let today = day_of(round.id.date);
        let seen = self.ledger.first_seen().await?;
        let first: BTreeMap<Hotkey, i64> = seen.into_iter().map(|(miner, at_ms)| (miner, day_at_ms(at_ms))).collect();
        let rows = self.ledger.conduct(Before { round: round.id, since: today - BACK, as_of_ms: i64::MAX }).await?;
        let (mut days, mut miners) = (BTreeSet::new(), BTreeMap::<Hotkey, Record>::new());
        for row in rows {
            days.insert(row.day);
            if !row.asked {
                continue;
            }
            let young = first.get(&row.hotkey).is_some_and(|first| row.day < first + whole_days(grace.0));
            let asked = Asked { tier1: row.tier1, advantage: row.advantage, forgiven: row.tier1.is_none() && young };
            miners.entry(row.hotkey).or_default().insert(row.day, asked);
        }
        Ok(Records { days: days.into_iter().collect(), miners, first })
    }
}
