//! Addresses by number, as they come: alerts of one address are counted together without keeping its name at each.

use std::collections::HashMap;

/// Numbers of addresses.
#[derive(Clone, Debug, Default)]
pub struct Addresses(HashMap<String, u32>);

impl Addresses {
    /// The number of an address, the same each time. An alert that names no address stands for itself.
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        // No address begins with this character, so that those without a name are told apart.
        let name = if name.is_empty() { format!("\u{0}{next}") } else { name.to_owned() };
        self.0.insert(name, next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn one_address_has_one_number_and_each_alert_without_one_its_own() {
        let mut addresses = Addresses::default();
        let numbers = ["a", "b", "a", "", "", "b", "c"].map(|name| addresses.number(name));
        assert_eq!(numbers, [0, 1, 0, 2, 3, 1, 4]);
    }
}
