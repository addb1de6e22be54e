//! The names of a table's columns, found by a cheap hash: the names are ours, so nobody can make them collide.

/// Places; several for each name.
const PLACES: usize = 1024;
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Names and what they stand for.
pub(super) struct Names {
    /// Each name stands at the place of its hash, or at the next that was free.
    places: Vec<Option<(&'static str, usize)>>,
}

impl Names {
    /// Of fewer names than there are places.
    pub(super) fn new(names: impl Iterator<Item = (&'static str, usize)>) -> Self {
        let mut places: Vec<Option<(&'static str, usize)>> = vec![None; PLACES];
        for (name, index) in names {
            if let Some(free) = probe(name).find(|place| places[*place].is_none()) {
                places[free] = Some((name, index));
            }
        }
        Self { places }
    }

    /// What `name` stands for.
    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        let mut known = probe(name).map_while(|place| self.places[place]);
        known.find(|(known, _)| *known == name).map(|(_, index)| index)
    }
}

/// The places of a name, in the order in which they are looked at.
#[inline]
fn probe(name: &str) -> impl Iterator<Item = usize> {
    let first = place(name.as_bytes());
    (0..PLACES).map(move |step| (first + step) % PLACES)
}

/// From both ends of a name and its length.
#[inline]
fn place(name: &[u8]) -> usize {
    let ends = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23),
        _ => name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let mixed = (ends ^ name.len() as u64).wrapping_mul(MIX);
    usize::try_from(mixed >> 54).unwrap_or(0) % PLACES
}

#[cfg(test)]
mod tests {
    use super::Names;
    use crate::wire::body::TABLES;

    #[test]
    fn every_name_is_found_and_no_other() {
        for spec in TABLES {
            let names = Names::new(spec.columns.iter().enumerate().map(|(index, about)| (about.name, index)));
            for (index, about) in spec.columns.iter().enumerate() {
                assert_eq!(names.get(about.name), Some(index), "{}", about.name);
                assert_eq!(names.get(&about.name[1..]), spec.position(&about.name[1..]));
                assert_eq!(names.get(&format!("{}x", about.name)), None);
            }
            assert_eq!(names.get(""), None);
        }
    }
}
