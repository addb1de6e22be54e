//! An error with what led to it, for a log line or a person.

use std::error::Error;

/// An error and its causes in one line. A cause that the line says already, as transparent errors and messages that quote
/// their source do, is left out.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_causes;

    #[derive(Debug, thiserror::Error)]
    enum Trouble {
        #[error("no route to the host")]
        Route,
        #[error("cannot connect: {0}")]
        Quoting(#[source] Box<Trouble>),
        #[error("cannot ask")]
        Silent(#[source] Box<Trouble>),
        #[error(transparent)]
        Transparent(Box<Trouble>),
    }

    #[test]
    fn every_cause_is_said_once() {
        let quoting = Trouble::Quoting(Box::new(Trouble::Route));
        assert_eq!(with_causes(&quoting), "cannot connect: no route to the host");
        let deep = Trouble::Silent(Box::new(Trouble::Transparent(Box::new(quoting))));
        assert_eq!(with_causes(&deep), "cannot ask: cannot connect: no route to the host");
        assert_eq!(with_causes(&Trouble::Route), "no route to the host");
    }
}
