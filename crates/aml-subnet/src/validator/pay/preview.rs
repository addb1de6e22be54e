//! The vector that would be set now, and why: for people.

use std::collections::BTreeMap;

use super::due::{Due, due};
use super::worth::{Withheld, Worth};
use super::{Moment, PayError, Payer, wanted};
use crate::chain::epoch::Epoch;
use crate::chain::standing::{Preflight, WeightsStanding};
use crate::chain::types::Uid;
use crate::chain::weights::{ChainWeights, ConformError, conform};
use crate::store::records::WeightsRecord;
use crate::validation::weights::Share;
use crate::wallet::Hotkey;

/// One neuron of the vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where the hotkey is now.
    pub uid: Uid,
    /// Whose.
    pub hotkey: Hotkey,
    /// Mean score.
    pub performance: f64,
    /// Rounds behind it.
    pub rounds: usize,
    /// Share of all performance.
    pub share: f64,
    /// What would be set; 0 when it rounds to nothing.
    pub weight: u16,
    /// What the chain has now.
    pub on_chain: u16,
}

/// A hotkey with a performance and without a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// Whose.
    pub hotkey: Hotkey,
    /// Its performance.
    pub performance: f64,
    /// Why it has no weight.
    pub why: &'static str,
}

/// What would be set now, what is on chain, and when the next submission is due.
#[derive(Debug)]
pub struct Preview {
    /// The hotkey's standing.
    pub standing: WeightsStanding,
    /// The subnet's epoch.
    pub epoch: Epoch,
    /// When.
    pub due: Due,
    /// What.
    pub rows: Vec<Row>,
    /// Who is left out.
    pub dropped: Vec<Dropped>,
    /// Why nothing would be set, whatever the chain says.
    pub withheld: Option<Withheld>,
    /// The vector in the chain's form, or why it has none; `None` when nothing would be set.
    pub vector: Option<Result<ChainWeights, ConformError>>,
    /// What the chain would say no with at this moment.
    pub refused: Option<Preflight>,
    /// What the chain has now; `None` when the hotkey is not registered.
    pub on_chain: Option<Vec<(Uid, u16)>>,
    /// Submissions, newest first.
    pub records: Vec<WeightsRecord>,
}

impl Payer {
    /// What [`Payer::pay`] would do, without doing or recording anything.
    ///
    /// # Errors
    /// [`PayError`] when the chain or the records cannot be read.
    pub async fn preview(&self, worth: &Worth) -> Result<Preview, PayError> {
        let Moment { standing, epoch, records } = self.moment().await?;
        let target = self.parts.target;
        let hotkey = self.parts.signer.hotkey();
        let on_chain = self.parts.chain.weights_of(hotkey, target).await?;
        let (shares, withheld) = match self.shares(worth, &records).await? {
            Ok(shares) => (shares, None),
            Err(withheld) => (Vec::new(), Some(withheld)),
        };
        let wanted = wanted(&shares);
        let vector = withheld.is_none().then(|| conform(&wanted, &standing.weight_rules()));
        let good = vector.as_ref().and_then(|vector| vector.as_ref().ok());
        let check = |weights| standing.check(target.mechanism, weights, standing.rules.weights_version).err();
        let refused = good.and_then(check);
        let rows = rows(worth, &shares, good, on_chain.as_deref().unwrap_or_default());
        let dropped = if withheld.is_none() { dropped(worth, &shares) } else { Vec::new() };
        let due = due(&standing, &epoch, &records);
        Ok(Preview { standing, epoch, due, rows, dropped, withheld, vector, refused, on_chain, records })
    }
}

fn rows(worth: &Worth, shares: &[Share], vector: Option<&ChainWeights>, on_chain: &[(Uid, u16)]) -> Vec<Row> {
    let weights: BTreeMap<u16, u16> = vector
        .into_iter()
        .flat_map(|weights| weights.uids.iter().copied().zip(weights.values.iter().copied()))
        .collect();
    let shown: BTreeMap<u16, u16> = on_chain.iter().map(|(uid, value)| (uid.0, *value)).collect();
    let row = |share: &Share| Row {
        uid: Uid(share.uid),
        hotkey: share.hotkey,
        performance: worth.performance.get(&share.hotkey).copied().unwrap_or_default(),
        rounds: worth.counted.get(&share.hotkey).copied().unwrap_or_default(),
        share: share.share,
        weight: weights.get(&share.uid).copied().unwrap_or_default(),
        on_chain: shown.get(&share.uid).copied().unwrap_or_default(),
    };
    // Zeros are there to fill up a vector that is too short.
    shares.iter().filter(|share| share.share > 0.0).map(row).collect()
}

fn dropped(worth: &Worth, shares: &[Share]) -> Vec<Dropped> {
    let paid = |hotkey: &Hotkey| shares.iter().any(|share| share.hotkey == *hotkey && share.share > 0.0);
    let left = worth.performance.iter().filter(|(hotkey, _)| !paid(hotkey));
    let why = |performance: f64| {
        if performance.is_finite() && performance > 0.0 {
            "no longer registered in the subnet"
        } else {
            "earned nothing in the rounds that count"
        }
    };
    left.map(|(hotkey, performance)| Dropped { hotkey: *hotkey, performance: *performance, why: why(*performance) })
        .collect()
}
