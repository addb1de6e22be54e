//! An address in bytes: found and replaced as a whole word, never as a part of a longer one, but where texts stand side by side
//! without anything in between. Pure.

use std::io::{self, Read};

/// Longer than any address of any chain.
const LONGEST: usize = 256;
/// What is read of a file at once.
const CHUNK: usize = 1 << 20;
/// How far before a word an escape can begin that ends there: `\u0009`.
const ESCAPE: usize = 6;
/// First bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotErasable {
    /// Nothing, or far too much.
    #[error("an address has from 1 to {LONGEST} characters")]
    Length,
    /// Blanks or control characters.
    #[error("an address has neither blanks nor control characters")]
    Characters,
    /// What stands for an address that was erased before.
    #[error("this is what stands for an address that was erased before: there is nothing to erase")]
    Erased,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    plain: String,
    /// As it stands in JSON, where that is something else.
    escaped: Option<String>,
}

impl Needle {
    /// An address.
    ///
    /// # Errors
    /// When the text cannot be one.
    pub fn new(address: &str) -> Result<Self, NotErasable> {
        if address.is_empty() || address.len() > LONGEST {
            return Err(NotErasable::Length);
        }
        if address.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(NotErasable::Characters);
        }
        if address.starts_with(super::ERASED) {
            return Err(NotErasable::Erased);
        }
        let json = serde_json::Value::from(address).to_string();
        let escaped = json.trim_start_matches('"').strip_suffix('"').unwrap_or(&json).to_owned();
        Ok(Self { plain: address.to_owned(), escaped: Some(escaped).filter(|escaped| escaped != address) })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.plain
    }

    /// Whether bytes name it, as it is or as JSON writes it.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms().any(|form| places(bytes, form.as_bytes()).next().is_some())
    }

    /// A text with something else in its place; `None` where it does not name it. `by` needs no escapes.
    #[must_use]
    pub fn replaced(&self, text: &str, by: &str) -> Option<String> {
        let once = |text: &str, form: &String| {
            let (mut made, mut from) = (String::with_capacity(text.len()), 0);
            for place in places(text.as_bytes(), form.as_bytes()) {
                made.push_str(text.get(from..place)?);
                made.push_str(by);
                from = place + form.len();
            }
            made.push_str(text.get(from..)?);
            (from > 0).then_some(made)
        };
        self.forms().fold(None, |made: Option<String>, form| once(made.as_deref().unwrap_or(text), form).or(made))
    }

    /// Whether what is read names it, plain or as a zstd frame. Little of it is in memory at a time.
    ///
    /// # Errors
    /// The reader's.
    pub fn is_read_in(&self, from: impl Read) -> io::Result<bool> {
        Scan::new(self, Place::Word).unpacked(from)
    }

    /// Whether it stands anywhere in what is read, also as a part of something longer; else as [`is_read_in`](Self::is_read_in).
    ///
    /// # Errors
    /// The reader's.
    pub fn is_anywhere_in(&self, from: impl Read) -> io::Result<bool> {
        Scan::new(self, Place::Anywhere).unpacked(from)
    }

    fn forms(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.plain).chain(&self.escaped)
    }
}

/// Where a needle counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// As a whole word.
    Word,
    /// Wherever it stands.
    Anywhere,
}

/// A look through what comes in pieces.
struct Scan<'a> {
    needle: &'a Needle,
    place: Place,
    held: Vec<u8>,
    /// How many of the held bytes only say what stands before.
    context: usize,
}

impl<'a> Scan<'a> {
    const fn new(needle: &'a Needle, place: Place) -> Self {
        Self { needle, place, held: Vec::new(), context: 0 }
    }

    /// Looks through it as it is, or through what a zstd frame holds.
    fn unpacked(mut self, mut from: impl Read) -> io::Result<bool> {
        let mut first = Vec::new();
        from.by_ref().take(ZSTD.len() as u64).read_to_end(&mut first)?;
        let packed = first == ZSTD;
        let mut whole = first.as_slice().chain(from);
        if packed {
            return self.all(zstd::Decoder::new(whole)?);
        }
        self.all(&mut whole)
    }

    fn all(&mut self, mut from: impl Read) -> io::Result<bool> {
        loop {
            let before = self.held.len();
            from.by_ref().take(CHUNK as u64).read_to_end(&mut self.held)?;
            let last = self.held.len() == before;
            if self.found(last) {
                return Ok(true);
            }
            if last {
                return Ok(false);
            }
            let longest = self.needle.forms().map(String::len).max().unwrap_or(0);
            let kept = self.held.len().min(longest + ESCAPE + 1);
            let seen = self.held.len() - kept;
            self.held.drain(..seen);
            if seen > 0 {
                self.context = ESCAPE;
            }
        }
    }

    /// A word at the very end may go on with the next piece.
    fn found(&self, last: bool) -> bool {
        if self.place == Place::Anywhere {
            return memchr::memmem::find(&self.held, self.needle.plain.as_bytes()).is_some();
        }
        self.needle.forms().any(|form| {
            let mut all = places(&self.held, form.as_bytes());
            all.any(|place| place >= self.context && (last || place + form.len() < self.held.len()))
        })
    }
}

/// Where `word` stands in `bytes` as a whole word.
fn places<'a>(bytes: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let first = *word.first()?;
        loop {
            let rest = bytes.get(from..)?;
            let at = from + rest.iter().position(|byte| *byte == first)?;
            from = at + 1;
            let (before, after) = (bytes.get(..at)?, bytes.get(at..)?);
            if after.starts_with(word) && begins(before) && ends(after.get(word.len())) {
                from = at + word.len();
                return Some(at);
            }
        }
    })
}

fn ends(next: Option<&u8>) -> bool {
    next.is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// Whether a word may begin after these bytes: letters that belong to an escape are none.
fn begins(before: &[u8]) -> bool {
    match before {
        [] => true,
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f'] => true,
        [.., b'\\', b'u', a, b, c, d] => [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{CHUNK, Needle, NotErasable};

    fn needle(text: &str) -> Needle {
        Needle::new(text).expect("an address")
    }

    #[test]
    fn an_address_is_a_whole_word() {
        let one = needle("bc1q7");
        for text in ["bc1q7", "to bc1q7, and", "\"bc1q7\"", "a\\nbc1q7\\n", "\\u0009bc1q7", "x:bc1q7|y", "_bc1q7_"] {
            assert!(one.is_in(text.as_bytes()), "{text}");
            assert!(one.is_read_in(text.as_bytes()).unwrap(), "{text}");
        }
        for text in ["bc1q78", "xbc1q7", "0bc1q7", "BC1Q7", "bc1q", "\\xbc1q7", "u0009bc1q7", ""] {
            assert!(!one.is_in(text.as_bytes()), "{text}");
            assert!(!one.is_read_in(text.as_bytes()).unwrap(), "{text}");
        }
        assert_eq!(one.replaced("[\"bc1q7\",\"bc1q78\",\"of bc1q7\"]", "e").unwrap(), "[\"e\",\"bc1q78\",\"of e\"]");
        assert_eq!(one.replaced("bc1q78", "e"), None);
    }

    #[test]
    fn what_json_writes_otherwise_is_found_too() {
        let odd = needle("a\"b\\c\u{e9}");
        let json = serde_json::json!({ "of": "a\"b\\c\u{e9}" }).to_string();
        assert!(odd.is_in(json.as_bytes()) && odd.is_in("a\"b\\c\u{e9}".as_bytes()));
        assert_eq!(odd.replaced(&json, "e").unwrap(), "{\"of\":\"e\"}");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(Needle::new(""), Err(NotErasable::Length));
        assert_eq!(Needle::new(&"a".repeat(257)), Err(NotErasable::Length));
        for text in ["a b", " a", "a\n", "a\0"] {
            assert_eq!(Needle::new(text), Err(NotErasable::Characters), "{text:?}");
        }
        assert_eq!(Needle::new("erased-00"), Err(NotErasable::Erased));
    }

    #[test]
    fn a_compressed_file_is_looked_through() {
        let packed = zstd::encode_all("names bc1q7 once".as_bytes(), 1).unwrap();
        assert!(needle("bc1q7").is_read_in(packed.as_slice()).unwrap());
        assert!(needle("bc1q7").is_read_in(&packed[..packed.len() - 1]).is_err(), "cut off");
        assert!(!needle("bc1q7").is_read_in(&b"\x28\xb5\x2f"[..]).unwrap());
    }

    #[test]
    fn texts_that_stand_side_by_side_are_looked_through_for_any_occurrence() {
        let one = needle("bc1q7");
        for shift in 0..8 {
            let mut text = vec![b'x'; CHUNK - 4 + shift];
            assert!(!one.is_anywhere_in(text.as_slice()).unwrap());
            text.extend_from_slice(b"bc1q7bc1q8");
            assert!(one.is_anywhere_in(text.as_slice()).unwrap(), "{shift}");
            assert!(one.is_anywhere_in(zstd::encode_all(text.as_slice(), 1).unwrap().as_slice()).unwrap());
            assert!(!one.is_read_in(text.as_slice()).unwrap());
        }
    }

    proptest! {
        #[test]
        fn where_pieces_end_makes_no_difference(shift in 0_usize..40, before in any::<bool>(), after in any::<bool>()) {
            let short = if before { "xbc1q7" } else { "bc1q7" };
            prop_assert_eq!(needle("bc1q7").is_read_in(short.as_bytes()).unwrap(), !before);
            let mut text = vec![b' '; CHUNK - 20 + shift];
            if before { text.push(b'x'); }
            text.extend_from_slice(b"bc1q7");
            if after { text.push(b'x'); }
            prop_assert_eq!(needle("bc1q7").is_read_in(text.as_slice()).unwrap(), !before && !after);
            text.extend_from_slice(&[b' '; 100]);
            prop_assert_eq!(needle("bc1q7").is_read_in(text.as_slice()).unwrap(), !before && !after);
        }
    }
}
