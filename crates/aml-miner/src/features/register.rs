//! Registering features of the caller's own: once per process, before anything is built.

use std::sync::Arc;

use crate::features::bind::{SchemaError, check_custom};
use crate::features::custom::{CustomFeature, take};

/// Longest name in bytes: its aggregates over clusters have longer ones.
const LONGEST: usize = 100;

/// Features that cannot be registered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegisterError {
    /// The process knows its features already, because some were registered, or something was built.
    #[error("features are registered once, before anything is built: call it first in `main`")]
    TooLate,
    /// Not a name.
    #[error("`{0}` is no name of a feature: lowercase letters, digits and `_`, at most {LONGEST}, a letter first")]
    Name(String),
    /// A name that is taken, or a column that is not there.
    #[error(transparent)]
    Feature(#[from] SchemaError),
}

/// Makes features known to the whole process, beside the catalogue's. To be called once, before anything is built.
///
/// # Errors
/// When a name is none or is taken, a feature reads an unknown column, or it is too late. Nothing is registered then.
pub fn register(features: Vec<Arc<dyn CustomFeature>>) -> Result<(), RegisterError> {
    if let Some(feature) = features.iter().find(|feature| !is_name(feature.name())) {
        return Err(RegisterError::Name(feature.name().chars().take(LONGEST).collect()));
    }
    check_custom(&features)?;
    if take(features) { Ok(()) } else { Err(RegisterError::TooLate) }
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    begins && text.len() <= LONGEST && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{RegisterError, register};
    use crate::features::custom::registered;
    use crate::features::{AlertsView, CustomFeature, Part, PerAlert, SchemaError};

    struct Named(&'static str, &'static [(Part, &'static str)]);

    impl CustomFeature for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn doc(&self) -> &'static str {
            "Nothing."
        }

        fn needs(&self) -> &'static [(Part, &'static str)] {
            self.1
        }

        fn bind<'a>(&self, _: &'a AlertsView<'a>) -> PerAlert<'a> {
            Box::new(|_| f64::NAN)
        }
    }

    fn of(name: &'static str) -> Vec<Arc<dyn CustomFeature>> {
        vec![Arc::new(Named(name, &[]))]
    }

    /// Whatever tests share the process: nothing is ever registered here.
    #[test]
    fn what_cannot_be_a_feature_is_not_registered_and_nothing_is_once_something_was_built() {
        for name in ["", "Volume", "9_lives", "_x", "a b", "a-b", "\u{e9}"] {
            assert_eq!(register(of(name)), Err(RegisterError::Name(name.to_owned())), "{name}");
        }
        assert!(matches!(register(of("volume_usd")), Err(RegisterError::Feature(SchemaError::Taken { .. }))));
        let twice = [of("mine"), of("mine")].concat();
        assert!(matches!(register(twice), Err(RegisterError::Feature(SchemaError::Taken { .. }))));
        let lost: Vec<Arc<dyn CustomFeature>> = vec![Arc::new(Named("mine", &[(Part::Alerts, "nowhere")]))];
        assert!(matches!(register(lost), Err(RegisterError::Feature(SchemaError::NoSuchColumn { .. }))));
        assert!(registered().is_empty());
        assert_eq!(register(of("mine")), Err(RegisterError::TooLate));
        assert!(registered().is_empty());
    }
}
