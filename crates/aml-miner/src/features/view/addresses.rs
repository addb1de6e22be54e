//! Distinct addresses of a batch, numbered.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::features::vocabulary::{NONE, index};
use crate::table::keyed_hash::Keyed;
use crate::wire::Batch;

/// Distinct addresses in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Addresses<'a> {
    ids: HashMap<&'a str, u32, Keyed>,
    names: Vec<&'a str>,
}

impl<'a> Addresses<'a> {
    /// The id of `name`, given out when it is new; [`NONE`] for an empty name.
    pub(crate) fn id(&mut self, name: &'a str) -> u32 {
        if name.is_empty() {
            return NONE;
        }
        match self.ids.entry(name) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let id = index(self.names.len());
                self.names.push(name);
                *new.insert(id)
            }
        }
    }

    /// The addresses, by id.
    pub(crate) fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// For each id the first row of `features` that has the address.
    pub(crate) fn feature_rows(&self, batch: &Batch) -> Vec<u32> {
        let mut rows = vec![NONE; self.names.len()];
        let Some(addresses) = batch.features.texts("address") else {
            return rows;
        };
        for (row, address) in addresses.iter().enumerate() {
            if let Some(&id) = self.ids.get(address) {
                let found = &mut rows[id as usize];
                if *found == NONE {
                    *found = index(row);
                }
            }
        }
        rows
    }
}
