//! What another validator's API says, within bounds of time and length.

use std::time::Duration;

/// Asks; follows nobody elsewhere.
pub(super) fn client(patience: Duration) -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(patience).redirect(reqwest::redirect::Policy::none()).build()?)
}

/// What lies at an address; `None` when nothing does.
pub(super) async fn fetch(client: &reqwest::Client, url: &str, longest: u64) -> anyhow::Result<Option<Vec<u8>>> {
    let lost = |error: reqwest::Error| anyhow::Error::from(error.without_url());
    let mut response = client.get(url).send().await.map_err(lost)?;
    match response.status().as_u16() {
        200 => {}
        404 => return Ok(None),
        status => anyhow::bail!("it answers with status {status}"),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        body.extend_from_slice(&chunk);
        anyhow::ensure!(body.len() as u64 <= longest, "it is longer than {longest} bytes");
    }
    Ok(Some(body))
}
