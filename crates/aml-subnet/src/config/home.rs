//! Replaces `~` in settings that are paths.

use std::path::{Path, PathBuf};

use aml_miner::environment::expand_home;
use aml_miner::secret_url::SecretUrl;

use super::Settings;

impl Settings {
    /// Replaces a leading `~/` in every setting that is a path, and says which cannot be replaced.
    pub(super) fn expand_home(&mut self) -> Vec<String> {
        let home = std::env::var("HOME").ok();
        let expand =
            |key: &str, text: &str| expand_home(text, home.as_deref()).map_err(|why| format!("{key}: `{text}`: {why}"));
        let mut problems = Vec::new();
        let mut put = |expanded: Result<(), String>| problems.extend(expanded.err());
        let path = |key: &str, path: &mut PathBuf| {
            // A path that is no text cannot begin with what a person typed for their home.
            let Some(text) = Path::to_str(path) else { return Ok(()) };
            expand(key, text).map(|text| *path = PathBuf::from(text))
        };
        put(path("validator.data_dir", &mut self.validator.data_dir));
        put(path("miner.data_dir", &mut self.miner.data_dir));
        for (key, one) in
            [("wallet.path", self.wallet.path.as_mut()), ("wallet.password_file", self.wallet.password_file.as_mut())]
        {
            put(one.map_or(Ok(()), |one| path(key, one)));
        }
        let token = self.validator.readers.token_file.as_mut();
        put(token.map_or(Ok(()), |one| path("validator.readers.token_file", one)));
        for one in &mut self.validator.webhooks {
            put(one.secret_file.as_mut().map_or(Ok(()), |one| path("validator.webhooks.secret_file", one)));
        }
        put(expand("validator.sot", &self.validator.sot).map(|text| self.validator.sot = text));
        if let Some(file) = self.validator.database_url.as_ref().and_then(|url| url.expose().strip_prefix("sqlite://"))
        {
            let expanded = expand("validator.database_url", file).map(|file| format!("sqlite://{file}"));
            put(expanded.map(|url| self.validator.database_url = Some(SecretUrl::new(url))));
        }
        problems
    }
}
