//! `aml-subnet wallet`: which hotkey would sign, and whether it opens.

use std::process::ExitCode;

use clap::Args;

use super::SettingsArgs;

/// Arguments of `wallet`.
#[derive(Debug, Args)]
pub(super) struct ShowWalletArgs {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Opens the hotkey and prints what is public of it.
pub(super) fn run(args: &ShowWalletArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&[])?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let opened = file.open(|name| std::env::var_os(name))?;
    println!("hotkey   {}", opened.signer.hotkey());
    println!("scheme   {}", opened.signer.scheme());
    println!("file     {}", file.path().display());
    match file.coldkey_address() {
        Some(owner) => println!("coldkey  {owner} (its secret is never read)"),
        None => println!("coldkey  unknown (no coldkeypub.txt)"),
    }
    if let Some(warning) = opened.warning {
        println!("warning  {warning}");
    }
    Ok(ExitCode::SUCCESS)
}
