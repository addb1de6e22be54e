//! A bounded client of the API: one deadline per request, no redirects, no more bytes than an honest answer has.

use std::time::{Duration, Instant};

use crate::error_chain::with_causes;
use crate::receipt::HEADER;

/// Bytes of an answer beside its rows.
const ANSWER_BASE: usize = 1 << 20;
/// Bytes of one row of an answer: an explanation of some hundred features.
const ANSWER_ROW: usize = 64 << 10;

/// Where the API is and how long it may take.
pub(super) struct Settings {
    pub(super) url: String,
    pub(super) deadline: Duration,
    /// Rows of the largest answer.
    pub(super) rows: usize,
}

/// Asks the API.
pub(super) struct Client {
    http: reqwest::Client,
    settings: Settings,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) receipt: Option<String>,
    pub(super) elapsed: Duration,
}

impl Client {
    pub(super) fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.deadline)
            .no_proxy()
            .build()?;
        Ok(Self { http, settings })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Reply, String> {
        self.send(self.http.get(format!("{}{path}", self.settings.url))).await
    }

    pub(super) async fn post(&self, path: &str, body: &[u8]) -> Result<Reply, String> {
        let request = self.http.post(format!("{}{path}", self.settings.url));
        self.send(request.header("content-type", "application/json").body(body.to_vec())).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply, String> {
        let limit = ANSWER_BASE + self.settings.rows.saturating_mul(ANSWER_ROW);
        let told = |error: reqwest::Error| {
            if error.is_timeout() {
                return format!("no whole answer within {:?}", self.settings.deadline);
            }
            with_causes(&error)
        };
        let started = Instant::now();
        let mut response = request.send().await.map_err(told)?;
        let receipt = response.headers().get(HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > limit {
                return Err(format!("the answer has more than {limit} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status: response.status().as_u16(), body, receipt, elapsed: started.elapsed() })
    }
}
