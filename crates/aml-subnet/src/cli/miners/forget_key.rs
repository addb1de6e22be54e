//! `aml-subnet miners forget-key`: a miner that has lost the key of its receipts counts again.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::cli::chain;
use crate::cli::ledger::LedgerArgs;
use crate::logging;
use crate::store::{Forgotten, Ledger};
use crate::wallet::Hotkey;

/// Arguments of `miners forget-key`.
#[derive(Debug, Args)]
#[command(
    after_help = "A validator takes only receipts by the first key that a hotkey has signed one with. A miner that has lost \
                        that key is rejected (`signature: the receipt is signed by ...`) until it is forgotten here. Works \
                        beside a running validator, from the next round on: its first valid receipt then says the new key. \
                        Ask the miner's operator first. Exits with 0 when no key is known afterwards, with 1 when the \
                        ledger does not know the hotkey or cannot be written.

Example:
  aml-subnet miners forget-key 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY --validator.data_dir /var/lib/aml-validator"
)]
pub(super) struct ForgetKeyArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Address of the miner's hotkey (ss58)
    #[arg(value_name = "HOTKEY")]
    hotkey: Hotkey,
}

/// Forgets it, and says which it was.
pub(super) fn run(args: &ForgetKeyArgs) -> anyhow::Result<ExitCode> {
    let settings = args.ledger.load()?;
    logging::init(&settings.log_level)?;
    let (url, hotkey) = (settings.validator.ledger_url(), args.hotkey);
    match chain::block_on(async { Ok(Ledger::forget_receipt_key(&url, &hotkey).await?) })? {
        Forgotten::Key(key) => {
            tracing::warn!(miner.hotkey = %hotkey, receipt_key = %key, "receipt key forgotten by an operator");
            println!(
                "forgot receipt key {key} of {hotkey}; its first valid receipt from the next round on says the new one"
            );
        }
        Forgotten::NoKey => {
            println!("{hotkey} has no receipt key: nothing to forget; its first valid receipt says it");
        }
        Forgotten::Unknown => {
            bail!("the ledger does not know {hotkey}: no round has asked it; `aml-subnet miners` lists those it knows")
        }
    }
    Ok(ExitCode::SUCCESS)
}
