//! Validators that are killed at random instants end as one that nobody disturbed: one on a ledger in a file, and two that
//! share one in a database server, either of which may be the one that dies.
//!
//! Some plays by default; for as long as one likes with
//! `AML_KILL_MINUTES=60 cargo nextest run -p aml-subnet -E 'test(killed_at_random)' --no-capture`. `AML_KILL_SEED` plays again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use aml_subnet::validator::traps::Draw;
use serde_json::{Value, json};

use crate::ledger_kit::Home;
use crate::validator_kill::{Rules, Stage, must_equal, validator};

/// Kills in one play at most: after them it is left alone to come to its end.
const MOST_KILLS: usize = 8;

/// A validator lives so long at most before it is killed: a round takes some seconds, and a sealed one waits for its opening.
const fn longest_life(rules: Rules) -> Duration {
    match rules {
        Rules::V1 => Duration::from_secs(4),
        Rules::V2Sealed => Duration::from_secs(12),
    }
}

/// One machine and the validator on it.
struct Machine {
    folder: tempfile::TempDir,
    config: PathBuf,
    stands_by: bool,
    running: Option<Child>,
}

impl Machine {
    fn new(stage: &Stage, chain: &aml_subnet::localnet::Localnet, home: &Home, shared: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(shared.unwrap_or(folder.path()).join("salts.secret"), [7; 32]).expect("a secret");
        let config = stage.config(chain, folder.path(), &home.url);
        if let Some(shared) = shared {
            let text = std::fs::read_to_string(&config).expect("a file");
            let data = format!("data_dir = \"{}\"", folder.path().display());
            let both = format!("{data}\nshared_dir = \"{}\"", shared.display());
            std::fs::write(&config, text.replace(&data, &both)).expect("a file");
        }
        Self { folder, config, stands_by: shared.is_some(), running: None }
    }

    /// Of two machines either may come to the ledger first: both stand by.
    fn start(&mut self) {
        let log = File::create(self.folder.path().join("log")).expect("a file");
        let mut command = validator(&self.config);
        if self.stands_by {
            command.arg("--standby");
        }
        self.running = Some(command.stderr(log).stdout(Stdio::null()).spawn().expect("it runs"));
    }

    /// Kills it wherever it is, and starts it again.
    fn dies(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.kill().expect("SIGKILL");
        running.wait().expect("it is gone");
        self.start();
    }

    /// Whether it has come to its end by itself.
    fn has_ended(&mut self) -> bool {
        let Some(running) = &mut self.running else { return true };
        let Some(status) = running.try_wait().expect("it is ours") else { return false };
        let said = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(status.success(), "it gave up: {said}");
        self.running = None;
        true
    }
}

/// One chain and one ledger under kills; what there is at the end, and how often somebody died.
async fn play(stage: &Stage, home: &Home, machines: usize, chance: &mut Draw) -> (Value, usize) {
    let chain = stage.chain().await;
    let shared = tempfile::tempdir().expect("a folder");
    let both = (machines > 1).then(|| shared.path());
    let mut all: Vec<Machine> = (0..machines).map(|_| Machine::new(stage, &chain, home, both)).collect();
    all.iter_mut().for_each(Machine::start);
    let mut kills = 0;
    loop {
        tokio::time::sleep(longest_life(stage.rules).mul_f64(chance.unit())).await;
        let mut alive: Vec<&mut Machine> = all.iter_mut().filter_map(|one| (!one.has_ended()).then_some(one)).collect();
        if alive.is_empty() {
            break;
        }
        if kills < MOST_KILLS {
            chance.shuffle(&mut alive);
            alive[0].dies();
            kills += 1;
        }
    }
    let files = both.unwrap_or(all[0].folder.path());
    (stage.end(home, chain, files).await, kills)
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_that_are_killed_at_random_end_as_one_that_was_not() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let minutes = setting("AML_KILL_MINUTES").unwrap_or(0);
    let seed = setting("AML_KILL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    let mut chance = Draw::new(&[&seed.to_le_bytes()]);
    let (mut plays, mut died) = (0, 0);
    while plays == 0 || Instant::now() < until {
        for rules in [Rules::V1, Rules::V2Sealed] {
            let stage = Stage::under(rules).await;
            let undisturbed = stage.play(&Home::file(), None).await;
            assert_eq!(undisturbed["submissions"], json!(1));
            for (home, machines) in [(Some(Home::file()), 1), (Home::server(), 2)] {
                let Some(home) = home else { continue };
                let (end, kills) = play(&stage, &home, machines, &mut chance).await;
                must_equal(&undisturbed, &end, &format!("{rules:?}, {machines} machines, play {plays} of seed {seed}"));
                (plays, died) = (plays + 1, died + kills);
            }
        }
    }
    println!("seed {seed}: {plays} plays, killed {died} times, every end as undisturbed");
}
