//! Categories: each split lists those that go right; since XGBoost 3.1 a model may hold which value has which code.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::limits::{MAX_ALL_CATEGORY_WORDS, MAX_CATEGORY_WORDS, MAX_CODES};
use super::super::model::{Categories, CodeList};
use super::document::{Cats, TreePart};

/// Words of all sets so far.
#[derive(Default)]
pub(super) struct Room(usize);

impl Room {
    /// The sets of a tree's splits, by node.
    pub(super) fn sets(&mut self, part: &TreePart) -> Result<BTreeMap<usize, Arc<[u32]>>, String> {
        let (nodes, starts, sizes) = (&part.categories_nodes.0, &part.categories_segments.0, &part.categories_sizes.0);
        if starts.len() != nodes.len() || sizes.len() != nodes.len() {
            return Err("`categories_nodes`, `categories_segments` and `categories_sizes` differ in length".into());
        }
        let mut sets = BTreeMap::new();
        for ((node, start), size) in nodes.iter().zip(starts).zip(sizes) {
            let range = usize::try_from(*start).ok().zip(usize::try_from(*size).ok());
            let listed = range.and_then(|(start, size)| part.categories.0.get(start..start.checked_add(size)?));
            let listed = listed.ok_or("`categories_segments` leaves `categories`")?;
            let node = usize::try_from(*node).ok().filter(|node| part.is_categorical(*node));
            let node = node.ok_or("`categories_nodes` names a node that does not split by categories")?;
            if sets.insert(node, self.set(listed)?).is_some() {
                return Err(format!("node {node} has its categories twice"));
            }
        }
        Ok(sets)
    }

    fn set(&mut self, listed: &[i64]) -> Result<Arc<[u32]>, String> {
        let mut words: Vec<u32> = Vec::new();
        for category in listed {
            let place = usize::try_from(*category).ok().filter(|category| *category < 32 * MAX_CATEGORY_WORDS);
            let place =
                place.ok_or_else(|| format!("{category} is no category from 0 to {}", 32 * MAX_CATEGORY_WORDS - 1))?;
            if words.len() <= place / 32 {
                words.resize(place / 32 + 1, 0);
            }
            words[place / 32] |= 1 << (place % 32);
        }
        self.0 += words.len();
        if self.0 > MAX_ALL_CATEGORY_WORDS {
            return Err("its categories are too large numbers, in too many splits".into());
        }
        Ok(words.into())
    }
}

/// Right are those of the set; what is no category at all goes left with the others.
pub(super) fn split(set: Arc<[u32]>, missing_left: bool) -> Categories {
    Categories { set, members_left: false, missing_left }
}

/// The code books of a model's features.
pub(super) fn code_books(cats: Option<&Cats>, features: usize) -> Result<Vec<CodeList>, String> {
    let Some(cats) = cats.filter(|cats| !cats.enc.0.is_empty()) else { return Ok(Vec::new()) };
    if cats.enc.0.len() != features {
        return Err(format!("`cats` has {} entries for {features} features", cats.enc.0.len()));
    }
    let mut books = Vec::new();
    let mut all = 0;
    for (feature, encoding) in cats.enc.0.iter().enumerate() {
        if encoding.values.0.is_empty() {
            continue;
        }
        if encoding.offsets.as_ref().is_some_and(|offsets| !offsets.0.is_empty()) {
            return Err(format!(
                "the categories of feature {feature} are texts, and every feature here is a number: train on numbers"
            ));
        }
        all += encoding.values.0.len();
        if all > MAX_CODES {
            return Err(format!("its code books have more than {MAX_CODES} values"));
        }
        books.push(CodeList { feature, values: encoding.values.0.clone() });
    }
    Ok(books)
}
