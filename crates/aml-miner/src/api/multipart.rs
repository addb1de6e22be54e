//! The parts of a `multipart/form-data` body that is held whole: slices of it, never copies (RFC 7578, RFC 2046).

use memchr::memmem;

/// Bytes of one part's headers.
const MAX_HEADERS: usize = 4096;
/// Longest boundary (RFC 2046).
const MAX_BOUNDARY: usize = 70;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The name of its field.
    pub name: String,
    /// Its media type in lower case, without parameters; empty where it names none.
    pub media_type: String,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// A content type in lower case, without its parameters.
pub(super) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The boundary that a content type names.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let value = parameter(content_type, "boundary")?;
    (!value.is_empty() && value.len() <= MAX_BOUNDARY).then_some(value)
}

/// The value of a parameter after a `;`, without its quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The parts of `body`, at most `most`.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str, most: usize) -> Result<Vec<Part<'a>>, &'static str> {
    let first = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    let mut rest = match body.strip_prefix(first.as_bytes()) {
        Some(rest) => rest,
        None => finder.find(body).map(|at| &body[at + delimiter.len()..]).ok_or("the boundary is not in it")?,
    };
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let inner = rest.strip_prefix(b"\r\n").ok_or("no line break after a boundary")?;
        let end = finder.find(inner).ok_or("the last boundary is missing")?;
        if parts.len() == most {
            return Err("there are too many parts");
        }
        parts.push(part(&inner[..end])?);
        rest = &inner[end + delimiter.len()..];
    }
    Ok(parts)
}

fn part(bytes: &[u8]) -> Result<Part<'_>, &'static str> {
    let window = &bytes[..bytes.len().min(MAX_HEADERS)];
    let end = memmem::find(window, b"\r\n\r\n").ok_or("a part's headers do not end")?;
    let headers = std::str::from_utf8(&bytes[..end]).map_err(|_| "a part's headers are not text")?;
    let header = |wanted: &str| {
        headers.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then_some(value)
        })
    };
    let name = header("content-disposition").and_then(|value| parameter(value, "name")).ok_or("a part has no name")?;
    let media_type = essence(header("content-type").unwrap_or_default());
    Ok(Part { name, media_type, bytes: &bytes[end + 4..] })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Part, boundary, parts};

    const FORM: &[u8] = b"--xx\r\nContent-Disposition: form-data; name=\"alerts\"; filename=\"a\"\r\nContent-Type: Text/X; q=1\r\n\r\nPAR1\r\n--x\r\n--xx\r\ncontent-disposition: form-data; name=clusters\r\n\r\n\r\n--xx--\r\n";

    #[test]
    fn parts_are_told_apart_by_the_boundary_alone() {
        let expected = [("alerts", "text/x", b"PAR1\r\n--x".as_slice()), ("clusters", "", b"")];
        let expected = expected.map(|(name, media_type, bytes)| {
            let (name, media_type) = (name.to_owned(), media_type.to_owned());
            Part { name, media_type, bytes }
        });
        assert_eq!(parts(FORM, "xx", 4).expect("a form"), expected);
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary("multipart/form-data"), None);
    }

    #[test]
    fn broken_forms_are_errors() {
        for (form, boundary) in
            [(FORM, "yy"), (&FORM[..60], "xx"), (&FORM[..FORM.len() - 8], "xx"), (b"--xx\r\n\r\n\r\n\r\n--xx--", "xx")]
        {
            assert!(parts(form, boundary, 4).is_err());
        }
        assert_eq!(parts(FORM, "xx", 1), Err("there are too many parts"));
    }

    proptest! {
        #[test]
        fn any_bytes_travel_unchanged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let form = [b"--0boundary0\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n".as_slice(), &bytes, b"\r\n--0boundary0--"].concat();
            let found = parts(&form, "0boundary0", 1).expect("a form");
            prop_assert_eq!(found[0].bytes, &bytes);
        }
    }
}
