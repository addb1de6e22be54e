//! Where the hotkey lies and how it is unlocked: `--wallet.name --wallet.hotkey --wallet.path` and their environment.
//!
//! Only `<path>/<name>/hotkeys/<hotkey>` is ever opened. A coldkey is never read; its public file may be.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::encryption::Encryption;
use super::keyfile::{self, KeyfileError, MAX_KEYFILE_BYTES};
use super::{Hotkey, Signer};

/// A longer password file is something else.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// Which hotkey, as people name it to `btcli`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WalletArgs {
    /// Name of the wallet [default: default]
    #[arg(
        id = "wallet.name",
        long = "wallet.name",
        visible_alias = "wallet",
        short = 'w',
        env = "BT_WALLET_NAME",
        value_name = "NAME"
    )]
    pub name: Option<String>,
    /// Name of the hotkey within the wallet [default: default]
    #[arg(
        id = "wallet.hotkey",
        long = "wallet.hotkey",
        visible_alias = "wallet-hotkey",
        short = 'H',
        env = "BT_WALLET_HOTKEY",
        value_name = "NAME"
    )]
    pub hotkey: Option<String>,
    /// Folder that holds the wallets [default: ~/.bittensor/wallets]
    #[arg(
        id = "wallet.path",
        long = "wallet.path",
        visible_alias = "wallet-path",
        env = "BT_WALLET_PATH",
        value_name = "DIR"
    )]
    pub path: Option<PathBuf>,
    /// File with the password of an encrypted hotkey
    #[arg(
        id = "wallet.password_file",
        long = "wallet.password_file",
        env = "BT_WALLET_PASSWORD_FILE",
        value_name = "FILE"
    )]
    pub password_file: Option<PathBuf>,
}

/// A hotkey's file, located but not opened.
#[derive(Clone, Debug)]
pub struct HotkeyFile {
    path: PathBuf,
    wallet: PathBuf,
    password_file: Option<PathBuf>,
}

/// An unlocked hotkey and what its owner should hear about the file.
#[derive(Debug)]
pub struct Unlocked {
    /// The key.
    pub signer: Signer,
    /// For the log: permissions that are too open.
    pub warning: Option<String>,
}

/// Why a hotkey could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum HotkeyFileError {
    /// A name with a separator would leave the wallet's folder.
    #[error("`{0}` is not a wallet or hotkey name: letters, digits, `.`, `_`, `-` and spaces only")]
    Name(String),
    /// No home directory to look under.
    #[error("no home directory; give --wallet.path")]
    NoHome,
    /// Cannot be read.
    #[error("cannot read {}: {source}; check --wallet.name, --wallet.hotkey and --wallet.path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not a plain file, or far too large.
    #[error("{} is not a key file (not a regular file, or larger than {MAX_KEYFILE_BYTES} bytes)", .0.display())]
    NotAKeyFile(PathBuf),
    /// Read, but no key in it.
    #[error("{}: {source}", path.display())]
    Keyfile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyfileError,
    },
    /// Encrypted without a password; says where to put one.
    #[error("{} is encrypted: give --wallet.password_file, or set BT_WALLET_PASSWORD or {variable}", path.display())]
    PasswordNeeded {
        /// The file.
        path: PathBuf,
        /// The SDKs' variable for this file.
        variable: String,
    },
}

impl WalletArgs {
    /// The file these arguments name. `environment` is asked for `BT_WALLET` and `HOME`.
    ///
    /// # Errors
    /// When a name would lead out of the wallet's folder, or there is no folder to look in.
    pub fn locate(&self, environment: impl Fn(&str) -> Option<OsString>) -> Result<HotkeyFile, HotkeyFileError> {
        let text = |variable| environment(variable).and_then(|value| value.into_string().ok());
        let name = self.name.clone().or_else(|| text("BT_WALLET")).unwrap_or_else(|| "default".to_owned());
        let hotkey = self.hotkey.clone().unwrap_or_else(|| "default".to_owned());
        let home =
            || environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from).ok_or(HotkeyFileError::NoHome);
        let root = match &self.path {
            Some(path) => match path.strip_prefix("~") {
                Ok(rest) => home()?.join(rest),
                Err(_) => path.clone(),
            },
            None => home()?.join(".bittensor/wallets"),
        };
        let wallet = root.join(plain_name(&name)?);
        let path = wallet.join("hotkeys").join(plain_name(&hotkey)?);
        Ok(HotkeyFile { path, wallet, password_file: self.password_file.clone() })
    }
}

impl HotkeyFile {
    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file and, when it is encrypted, unlocks it: that takes seconds and 512 MiB. `environment` is asked
    /// for passwords.
    ///
    /// # Errors
    /// [`HotkeyFileError`]; no message holds a secret.
    pub fn open(&self, environment: impl Fn(&str) -> Option<OsString>) -> Result<Unlocked, HotkeyFileError> {
        let (bytes, metadata) = read_bounded(&self.path, MAX_KEYFILE_BYTES)?;
        let password = match Encryption::of(&bytes) {
            Some(_) => self.password(environment)?,
            None => None,
        };
        let signer = keyfile::read(&bytes, password.as_ref().map(|text| text.as_str())).map_err(|source| {
            let path = self.path.clone();
            match source {
                KeyfileError::PasswordNeeded => {
                    HotkeyFileError::PasswordNeeded { variable: self.password_variable(), path }
                }
                source => HotkeyFileError::Keyfile { path, source },
            }
        })?;
        Ok(Unlocked { signer, warning: too_open(&self.path, &metadata) })
    }

    /// The owner's address from `coldkeypub.txt`; `None` when there is no such file or it holds no address.
    #[must_use]
    pub fn coldkey_address(&self) -> Option<Hotkey> {
        let (bytes, _) = read_bounded(&self.wallet.join("coldkeypub.txt"), MAX_KEYFILE_BYTES).ok()?;
        let fields: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        fields.get("ss58Address")?.as_str()?.parse().ok()
    }

    /// The environment variable in which the SDKs keep this file's password.
    #[must_use]
    pub fn password_variable(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        format!("BT_PW_{}", path.to_string_lossy().replace(['/', '.'], "_").to_uppercase())
    }

    fn password(
        &self,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Zeroizing<String>>, HotkeyFileError> {
        if let Some(path) = &self.password_file {
            let (bytes, _) = read_bounded(path, MAX_PASSWORD_BYTES)?;
            let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
            return Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())));
        }
        let variable = self.password_variable();
        let text = |name: &str| environment(name).and_then(|value| value.into_string().ok()).map(Zeroizing::new);
        let masked = text(&variable).and_then(|value| unmask_password(&variable, &value));
        Ok(masked.or_else(|| text("BT_WALLET_PASSWORD")))
    }
}

/// A password as the SDKs keep it in the environment: base64 of its bytes XOR the variable's own name, repeated.
#[must_use]
pub fn unmask_password(variable: &str, value: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(STANDARD.decode(value.trim()).ok()?);
    bytes.iter_mut().zip(variable.bytes().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

fn plain_name(name: &str) -> Result<&str, HotkeyFileError> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let plain = !name.is_empty() && name.len() <= 255 && name.chars().all(allowed) && !matches!(name, "." | "..");
    plain.then_some(name).ok_or_else(|| HotkeyFileError::Name(name.chars().take(80).collect()))
}

/// The bytes of a regular file of at most `limit` bytes.
fn read_bounded(path: &Path, limit: u64) -> Result<(Zeroizing<Vec<u8>>, Metadata), HotkeyFileError> {
    let failed = |source| HotkeyFileError::Read { path: path.to_owned(), source };
    // Asked before opening: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > limit {
        return Err(HotkeyFileError::NotAKeyFile(path.to_owned()));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1));
    File::open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(HotkeyFileError::NotAKeyFile(path.to_owned()));
    }
    Ok((bytes, metadata))
}

/// What to say when others than the owner may read the file.
#[cfg(unix)]
fn too_open(path: &Path, metadata: &Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0)
        .then(|| format!("{} has mode {mode:04o}: others can read your hotkey; run `chmod 600 {0}`", path.display()))
}

#[cfg(not(unix))]
fn too_open(_: &Path, _: &Metadata) -> Option<String> {
    None
}
