//! `aml-subnet wallet create --insecure-dev`: a coldkey and a hotkey for a development chain, written in the clear.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::wallet::{Scheme, Signer, WalletArgs};

/// Arguments of `wallet create`.
#[derive(Debug, Args)]
#[command(after_help = "Example: aml-subnet wallet create --insecure-dev --wallet.name dev --wallet.hotkey miner1\n\n\
                        For real money use `btcli wallet create`: it encrypts the coldkey and shows its words to you alone.")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    wallet: WalletArgs,
    /// Both keys lie on the disk in the clear: for development chains only
    #[arg(long)]
    insecure_dev: bool,
}

/// Writes what is not there yet, and overwrites nothing.
pub(super) fn run(args: &CreateArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.insecure_dev,
        "keys are written in the clear: say --insecure-dev for a development chain, or use `btcli wallet create`"
    );
    let file = args.wallet.locate(|name| std::env::var_os(name))?;
    let hotkeys = file.path().parent().context("a hotkey lies in a folder")?;
    let wallet = hotkeys.parent().context("a hotkey lies in a wallet")?;
    anyhow::ensure!(!file.path().exists(), "{} is there already; it is not overwritten", file.path().display());
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(hotkeys)
        .context("cannot make the wallet's folder")?;
    if !wallet.join("coldkey").exists() && !wallet.join("coldkeypub.txt").exists() {
        let coldkey = Key::random()?;
        write_new(&wallet.join("coldkey"), 0o600, &coldkey.secret())?;
        write_new(&wallet.join("coldkeypub.txt"), 0o644, &coldkey.public())?;
    }
    let hotkey = Key::random()?;
    write_new(file.path(), 0o600, &hotkey.secret())?;
    println!("hotkey   {}", hotkey.signer.hotkey());
    println!("file     {}", file.path().display());
    if let Some(owner) = file.coldkey_address() {
        println!("coldkey  {owner}");
    }
    eprintln!("warning: both keys lie on the disk in the clear; never send real money to them");
    Ok(ExitCode::SUCCESS)
}

struct Key {
    seed: zeroize::Zeroizing<[u8; 32]>,
    signer: Signer,
}

impl Key {
    fn random() -> anyhow::Result<Self> {
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|error| anyhow::anyhow!("the machine gives no randomness: {error}"))?;
        let signer = Signer::from_seed(&seed, Scheme::Sr25519);
        Ok(Self { seed, signer })
    }

    fn public(&self) -> Value {
        let key = format!("0x{}", hex::encode(self.signer.hotkey().as_bytes()));
        let address = self.signer.hotkey().to_string();
        json!({ "accountId": key, "publicKey": key, "ss58Address": address, "cryptoType": 1 })
    }

    fn secret(&self) -> Value {
        let mut fields = self.public();
        fields["secretSeed"] = json!(format!("0x{}", hex::encode(*self.seed)));
        fields
    }
}

fn write_new(path: &Path, mode: u32, fields: &Value) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(fields.to_string().as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
