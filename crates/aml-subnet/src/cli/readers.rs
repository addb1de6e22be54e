//! Who may read, with the token that the settings name.

use anyhow::Context as _;

use crate::api::access::{Access, Token};
use crate::config::ValidatorSettings;

/// Who may read the API and the pages.
pub(super) fn access(settings: &ValidatorSettings) -> anyhow::Result<Access> {
    let readers = &settings.readers;
    let text = match (&readers.token_env, &readers.token_file) {
        (Some(name), _) => Some(std::env::var(name).with_context(|| format!("environment variable {name}"))),
        (None, Some(path)) => Some(std::fs::read_to_string(path).with_context(|| path.display().to_string())),
        (None, None) => None,
    };
    let parsed = text.map(|text| anyhow::Ok(Token::parse(&text?)?)).transpose();
    Ok(Access::new(readers, parsed.context("validator.readers: the token")?))
}
