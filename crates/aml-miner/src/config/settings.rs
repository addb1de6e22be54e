//! The settings of the server, with their defaults and the reason for each limit.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::parse::{bytes, count, duration, positive_bytes, positive_duration, switch};
use super::sources::{Reader, SettingsError, Sources};
use crate::models::ModelFiles;
use crate::receipt::KEY_FILE;

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where and to whom.
    pub api: ApiSettings,
    /// Which models; `None` is a model that is not served.
    pub models: ModelFiles,
    /// How much work at once.
    pub work: WorkSettings,
    /// How much a stranger may ask for.
    pub limits: LimitSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// Where the server listens, who may administer it, and with which key it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSettings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 is any free one.
    pub port: u16,
    /// File with the token that `/admin/reload` asks for; without one it is off.
    pub admin_token_file: Option<PathBuf>,
    /// Offer `/admin/reload` on a loopback address without a token: a proxy there lets others in.
    pub reload_without_token: bool,
    /// File with the key that signs receipts; made on first start.
    pub signing_key_file: Option<PathBuf>,
    /// How long requests in flight may take to end after SIGTERM.
    pub grace: Duration,
}

/// Threads and queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkSettings {
    /// Threads that parse, score and explain.
    pub threads: usize,
    /// Requests scored at once.
    pub jobs: usize,
    /// Requests that wait for that; more are answered with 429.
    pub queue: usize,
}

/// Bounds on everything from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Bytes of a body as sent: a day of 50,000 alerts has about 200 MB of JSON.
    pub body_bytes: usize,
    /// Bytes of a body after decompression, together with the pages of its Parquet files.
    pub decoded_bytes: usize,
    /// Bytes of all bodies held at once, and of the pages of those being read.
    pub buffered_bytes: usize,
    /// Alerts of a request: four large days.
    pub alerts: usize,
    /// Brackets open at once in JSON.
    pub json_depth: usize,
    /// Bytes of one JSON string.
    pub string_bytes: usize,
    /// Time for the headers of a request, and for the next piece of a body or an answer.
    pub header_time: Duration,
    /// Time for a whole request.
    pub request_time: Duration,
    /// Connections open at once.
    pub connections: usize,
    /// Connections open at once from one address.
    pub connections_per_peer: usize,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// A `tracing` filter such as `info` or `aml_miner=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl Settings {
    /// The settings that `sources` give.
    ///
    /// # Errors
    /// Every unknown key and every bad value.
    pub fn read(sources: Sources) -> Result<Self, SettingsError> {
        let mut reader = sources.reader();
        let settings = Self {
            api: api(&mut reader),
            models: models(&mut reader),
            work: work(&mut reader),
            limits: limits(&mut reader),
            log: log(&mut reader),
        };
        settings.check(&mut reader);
        reader.finish().map(|()| settings)
    }

    fn check(&self, reader: &mut Reader) {
        let (api, limits) = (&self.api, &self.limits);
        if api.reload_without_token && api.admin_token_file.is_some() {
            reader.complain("api.reload_without_token: contradicts api.admin_token_file".to_owned());
        }
        if api.reload_without_token && !api.host.to_canonical().is_loopback() {
            reader.complain("api.reload_without_token: only where api.host is a loopback address".to_owned());
        }
        if limits.decoded_bytes < limits.body_bytes {
            reader.complain("limits.decoded_bytes: must not be below limits.body_bytes".to_owned());
        }
        if limits.buffered_bytes < limits.decoded_bytes {
            reader.complain("limits.buffered_bytes: must not be below limits.decoded_bytes".to_owned());
        }
        if limits.connections < limits.connections_per_peer {
            reader.complain("limits.connections: must not be below limits.connections_per_peer".to_owned());
        }
    }
}

fn api(reader: &mut Reader) -> ApiSettings {
    let address = |text: &str| match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        other => other.parse().map_err(|_| "expected an IP address, such as 127.0.0.1".to_owned()),
    };
    let port = |text: &str| text.parse().map_err(|_| "expected a port from 0 to 65535".to_owned());
    ApiSettings {
        host: reader.take("api.host", "API_HOST", IpAddr::from([127, 0, 0, 1]), address),
        port: reader.take("api.port", "API_PORT", 8000, port),
        admin_token_file: reader.path("api.admin_token_file", "API_ADMIN_TOKEN_FILE", ""),
        reload_without_token: reader.take("api.reload_without_token", "API_RELOAD_WITHOUT_TOKEN", false, switch),
        signing_key_file: reader.path("api.signing_key_file", "MINER_SIGNING_KEY_FILE", KEY_FILE),
        grace: reader.take("api.grace", "API_GRACE", Duration::from_secs(30), duration),
    }
}

fn models(reader: &mut Reader) -> ModelFiles {
    let mut path = |key, variable, default| reader.path(key, variable, default);
    ModelFiles {
        alert_scorer: path("models.alert_scorer", "ALERT_SCORER_PATH", "trained_models/alert_scorer_v1.0.0.txt"),
        alert_ranker: path("models.alert_ranker", "ALERT_RANKER_PATH", "trained_models/alert_ranker_v1.0.0.txt"),
        cluster_scorer: path(
            "models.cluster_scorer",
            "CLUSTER_SCORER_PATH",
            "trained_models/cluster_scorer_v1.0.0.txt",
        ),
        history: path("models.history", "HISTORY_STATE_PATH", ""),
    }
}

fn work(reader: &mut Reader) -> WorkSettings {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    WorkSettings {
        threads: reader.take("work.threads", "API_THREADS", cores, count(1)),
        jobs: reader.take("work.jobs", "API_JOBS", cores, count(1)),
        queue: reader.take("work.queue", "API_QUEUE", 64, count(0)),
    }
}

fn limits(reader: &mut Reader) -> LimitSettings {
    let seconds = Duration::from_secs;
    LimitSettings {
        body_bytes: reader.take("limits.body_bytes", "API_MAX_BODY_BYTES", 256 << 20, positive_bytes),
        decoded_bytes: reader.take("limits.decoded_bytes", "API_MAX_DECODED_BYTES", 1 << 30, positive_bytes),
        buffered_bytes: reader.take("limits.buffered_bytes", "API_MAX_BUFFERED_BYTES", 2 << 30, bytes),
        alerts: reader.take("limits.alerts", "API_MAX_ALERTS", 200_000, count(1)),
        json_depth: reader.take("limits.json_depth", "API_MAX_JSON_DEPTH", 32, count(8)),
        string_bytes: reader.take("limits.string_bytes", "API_MAX_STRING_BYTES", 1 << 20, positive_bytes),
        header_time: reader.take("limits.header_time", "API_HEADER_TIME", seconds(10), positive_duration),
        request_time: reader.take("limits.request_time", "API_REQUEST_TIME", seconds(120), positive_duration),
        connections: reader.take("limits.connections", "API_MAX_CONNECTIONS", 1024, count(1)),
        connections_per_peer: reader.take("limits.connections_per_peer", "API_MAX_CONNECTIONS_PER_PEER", 64, count(1)),
    }
}

fn log(reader: &mut Reader) -> LogSettings {
    let level = |text: &str| match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_ascii_lowercase()),
        Err(error) => Err(format!("not a log filter: {error}")),
    };
    let format = |text: &str| match text {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected auto, human or json".to_owned()),
    };
    LogSettings {
        level: reader.take("log.level", "LOG_LEVEL", "info".to_owned(), level),
        format: reader.take("log.format", "LOG_FORMAT", LogFormat::Auto, format),
    }
}
