//! `aml-subnet wallet`: which hotkey would sign, and whether it opens; and keys for a development chain.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::SettingsArgs;

mod create;

/// Arguments of `wallet`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ShowWalletArgs {
    #[command(subcommand)]
    command: Option<WalletCommand>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Debug, Subcommand)]
enum WalletCommand {
    /// Makes a coldkey and a hotkey for a development chain, in the clear
    Create(create::CreateArgs),
}

/// Opens the hotkey and prints what is public of it.
pub(super) fn run(args: &ShowWalletArgs) -> anyhow::Result<ExitCode> {
    if let Some(WalletCommand::Create(args)) = &args.command {
        return create::run(args);
    }
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
