//! Ids within texts: found as whole words, whatever characters they are made of, the longest first.

use std::collections::{BTreeSet, HashMap};

/// Ids, and what stands in their place.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    fresh: HashMap<String, String>,
    /// Of ids, in bytes.
    lengths: BTreeSet<usize>,
    /// What an id begins with: most words are passed over by it.
    begins: BTreeSet<u8>,
}

impl Names {
    /// Adds an id, also in the form that it has within JSON; the first word of a name stays what it is.
    pub(super) fn add(&mut self, old: &str, fresh: &str) {
        let quoted = serde_json::Value::from(old).to_string();
        let within = quoted.get(1..quoted.len() - 1).unwrap_or(old);
        for form in [old, within] {
            let Some(&first) = form.as_bytes().first() else { continue };
            self.begins.insert(first);
            self.lengths.insert(form.len());
            self.fresh.entry(form.to_owned()).or_insert_with(|| fresh.to_owned());
        }
    }

    /// `text` with every id replaced that stands there as a word of its own.
    pub(super) fn replaced(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(letter) = rest.chars().next() {
            let inside = before.is_some_and(char::is_alphanumeric) && letter.is_alphanumeric();
            match self.first_of(rest).filter(|_| !inside) {
                Some((old, fresh)) => {
                    out.push_str(fresh);
                    before = old.chars().next_back();
                    rest = &rest[old.len()..];
                }
                None => {
                    out.push(letter);
                    before = Some(letter);
                    rest = &rest[letter.len_utf8()..];
                }
            }
        }
        out
    }

    /// The longest id that `text` begins with, and what stands in its place.
    fn first_of<'a>(&self, text: &'a str) -> Option<(&'a str, &str)> {
        if !self.begins.contains(text.as_bytes().first()?) {
            return None;
        }
        self.lengths.iter().rev().find_map(|&length| {
            let (old, after) = text.split_at_checked(length)?;
            let goes_on = |letter: char| letter.is_alphanumeric();
            let whole = !(old.chars().next_back().is_some_and(goes_on) && after.chars().next().is_some_and(goes_on));
            whole.then(|| self.fresh.get(old)).flatten().map(|fresh| (old, fresh.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn ids_are_found_as_whole_words_of_any_characters() {
        let mut names = Names::default();
        for (old, fresh) in [("a1", "A"), ("a1/2", "B"), ("#7", "C"), ("x \u{e9}", "D"), ("q\"q", "E"), ("a1", "F")] {
            names.add(old, fresh);
        }
        let cases = [
            ("a1", "A"),
            ("a1.", "A."),
            ("a11 ba1 a1_a1", "a11 ba1 A_A"),
            ("a1/2 and a1/3", "B and A/3"),
            ("no. #7, #77", "no. C, #77"),
            ("x \u{e9}, x \u{e9}x", "D, x \u{e9}x"),
            (r#"{"of":"q\"q"}"#, r#"{"of":"E"}"#),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(names.replaced(text), expected);
        }
        assert_eq!(Names::default().replaced("a1 \u{1f600}"), "a1 \u{1f600}");
    }
}
