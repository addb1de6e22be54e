//! The numbers that alarms watch, as a validator shows them at `/metrics`.

use std::collections::BTreeMap;

/// Numbers by name, those of several labels added up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// From Prometheus' text form.
    pub(super) fn read(text: &str) -> Self {
        let mut all = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let name = name.split_once('{').map_or(name, |(name, _)| name);
            *all.entry(name.to_owned()).or_insert(0.0) += value;
        }
        Self(all)
    }

    /// A number; `None` when it is not shown.
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// A count, which is 0 until something was counted.
    pub(super) fn count(&self, name: &str) -> f64 {
        self.get(name).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;

    #[test]
    fn numbers_are_read_and_those_of_labels_added_up() {
        let text = "# TYPE a gauge\na 1.5\nb{what=\"x y\"} 2\nb{what=\"z\"} 3\nc NaN\n";
        let figures = Figures::read(text);
        assert_eq!((figures.get("a"), figures.get("b"), figures.get("d")), (Some(1.5), Some(5.0), None));
        assert!(figures.get("c").is_some_and(f64::is_nan));
        assert!(figures.count("d").abs() < f64::EPSILON);
    }
}
