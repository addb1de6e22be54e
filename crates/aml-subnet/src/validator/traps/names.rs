//! What the names of a batch (ids, addresses) look like, and fresh ones that look the same.
//!
//! A name is cut into runs of letters and digits and what stands between them. Runs that hardly vary are copied, numbers
//! stay within those that were seen, other runs take at each place a character that was seen there. Addresses with a
//! checksum (ss58, mixed-case hex of Ethereum) get a valid one.

use std::collections::{BTreeMap, BTreeSet};

use super::checksums::fresh_address;
use super::draw::Draw;

/// Forms of names that are told apart: more would be no format.
const MAX_FORMS: usize = 64;
/// Examples that are kept of a form.
const MAX_EXAMPLES: usize = 256;
/// Values beyond which a run is not looked at for being one of a few.
const MAX_WORDS: usize = 64;
/// Characters of a run that are looked at; longer runs keep their end.
const MAX_RUN: usize = 128;
/// Tries before a looser rule is used.
const TRIES: usize = 64;

/// What the names of one column look like.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    forms: BTreeMap<String, Form>,
}

/// Names with the same separators.
#[derive(Clone, Debug, Default)]
struct Form {
    count: usize,
    /// Each with its first run.
    examples: Vec<(String, String)>,
    runs: Vec<Run>,
}

/// One run of letters and digits.
#[derive(Clone, Debug, Default)]
struct Run {
    words: BTreeSet<String>,
    /// Smallest and largest, while all are numbers.
    numbers: Option<(u64, u64)>,
    other_than_numbers: bool,
    padded: bool,
    /// By length: what stands at each place.
    alphabets: BTreeMap<usize, Vec<BTreeSet<char>>>,
}

impl Shape {
    /// What `names` look like; empty ones are no names.
    pub(super) fn learn<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut shape = Self::default();
        names.filter(|name| !name.is_empty()).for_each(|name| shape.add(name));
        shape
    }

    fn add(&mut self, name: &str) {
        let (separators, runs) = cut(name);
        if !self.forms.contains_key(&separators) && self.forms.len() == MAX_FORMS {
            return;
        }
        let form = self.forms.entry(separators).or_default();
        form.count += 1;
        if form.examples.len() < MAX_EXAMPLES {
            form.examples.push((runs.first().copied().unwrap_or_default().to_owned(), name.to_owned()));
        }
        form.runs.resize(runs.len(), Run::default());
        form.runs.iter_mut().zip(runs).for_each(|(run, text)| run.add(text));
    }

    /// A name that is not `taken` and looks like one of these, or like `model` where none was seen.
    pub(super) fn fresh(&self, model: &str, draw: &mut Draw, taken: &dyn Fn(&str) -> bool) -> String {
        if self.forms.is_empty() {
            let alone = Self::learn([if model.is_empty() { "a0" } else { model }].into_iter());
            return alone.fresh(model, draw, &|name| name == model || taken(name));
        }
        // Many miners use up the numbers next to those seen: later tries go further.
        let further = (0..TRIES).map(|attempt| Freedom::Beyond(attempt / 8));
        let tries = [Freedom::Seen; TRIES].into_iter().chain(further).chain([Freedom::Any; TRIES]);
        for freedom in tries {
            let name = self.attempt(model, draw, freedom);
            if !taken(&name) {
                return name;
            }
        }
        // Names without a letter or digit to vary: longer ones there always are.
        let mut name = self.attempt(model, draw, Freedom::Any);
        while taken(&name) {
            name.push(char::from(b'0' + u8::try_from(draw.below(10)).unwrap_or(0)));
        }
        name
    }

    fn attempt(&self, model: &str, draw: &mut Draw, freedom: Freedom) -> String {
        let (form, example) = self.example(model, draw);
        if let Some(address) = fresh_address(example, draw) {
            return address;
        }
        let (_, runs) = cut(example);
        let fixed: Vec<bool> = form.runs.iter().map(|run| run.hardly_varies(form.count)).collect();
        let last = runs.len().saturating_sub(1);
        let all_fixed = fixed.iter().all(|fixed| *fixed);
        let mut name = String::with_capacity(example.len());
        let mut rest = example;
        for (index, run) in runs.iter().enumerate() {
            let at = rest.find(run).unwrap_or(0);
            name.push_str(&rest[..at]);
            rest = &rest[at + run.len()..];
            let varied = !fixed[index] || freedom == Freedom::Any || (all_fixed && index == last);
            name.push_str(&if varied { form.runs[index].vary(run, draw, freedom) } else { (*run).to_owned() });
        }
        name.push_str(rest);
        name
    }

    /// A random example, of those that begin like `model` where there are any.
    fn example(&self, model: &str, draw: &mut Draw) -> (&Form, &str) {
        let wanted = cut(model).1.first().copied().unwrap_or_default();
        let mut alike = Vec::new();
        for form in self.forms.values().filter(|form| form.runs.first().is_some_and(Run::few_words)) {
            let same = form.examples.iter().filter(|(first, _)| first == wanted);
            alike.extend(same.map(|(_, name)| (form, name.as_str())));
        }
        if !alike.is_empty() {
            return alike[draw.below(alike.len())];
        }
        let mut at = draw.below(self.forms.values().map(|form| form.count).sum());
        for form in self.forms.values() {
            if at < form.count {
                return (form, &form.examples[at % form.examples.len()].1);
            }
            at -= form.count;
        }
        unreachable!("a number below the sum of the counts falls into one of them")
    }
}

/// How far a fresh name may go from those that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freedom {
    /// Numbers within those seen, characters as seen.
    Seen,
    /// Numbers above those seen, the further the higher this is.
    Beyond(usize),
    /// Any letter for a letter, any digit for a digit.
    Any,
}

impl Run {
    fn add(&mut self, text: &str) {
        if self.words.len() <= MAX_WORDS {
            self.words.insert(text.to_owned());
        }
        match text.parse::<u64>().ok().filter(|_| text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(number) => {
                let (low, high) = self.numbers.unwrap_or((number, number));
                self.numbers = Some((low.min(number), high.max(number)));
                self.padded |= text.len() > 1 && text.starts_with('0');
            }
            None => self.other_than_numbers = true,
        }
        let length = text.chars().count();
        if self.alphabets.len() < MAX_FORMS || self.alphabets.contains_key(&length) {
            let places = self.alphabets.entry(length).or_default();
            places.resize(length.min(MAX_RUN), BTreeSet::new());
            places.iter_mut().zip(text.chars()).for_each(|(seen, letter)| {
                seen.insert(letter);
            });
        }
    }

    fn few_words(&self) -> bool {
        self.words.len() <= MAX_WORDS
    }

    /// Whether it is one of a few words, such as a kind or a day.
    fn hardly_varies(&self, names: usize) -> bool {
        self.few_words() && self.words.len() <= (names / 8).max(1)
    }

    fn vary(&self, text: &str, draw: &mut Draw, freedom: Freedom) -> String {
        if freedom == Freedom::Any {
            return text.chars().map(|letter| of_its_kind(letter, draw)).collect();
        }
        if let (Some((low, high)), false) = (self.numbers, self.other_than_numbers) {
            let (from, span) = match freedom {
                Freedom::Seen => (low, high - low + 1),
                Freedom::Beyond(doubled) => (high + 1, ((high - low) / 4 + 10) << doubled),
                Freedom::Any => (0, 1),
            };
            let number = from + draw.below(usize::try_from(span).unwrap_or(usize::MAX)) as u64;
            let width = if self.padded { text.len() } else { 0 };
            return format!("{number:0width$}");
        }
        let places = self.alphabets.get(&text.chars().count());
        let seen = |at: usize| places.and_then(|places| places.get(at)).filter(|seen| !seen.is_empty());
        let pick = |(at, letter): (usize, char)| match seen(at) {
            Some(seen) => seen.iter().nth(draw.below(seen.len())).copied().unwrap_or(letter),
            None => letter,
        };
        text.chars().enumerate().map(pick).collect()
    }
}

fn of_its_kind(letter: char, draw: &mut Draw) -> char {
    let mut of = |first: u8, count: usize| char::from(first + u8::try_from(draw.below(count)).unwrap_or(0));
    match letter {
        '0'..='9' => of(b'0', 10),
        'a'..='z' => of(b'a', 26),
        'A'..='Z' => of(b'A', 26),
        other => other,
    }
}

/// What stands between the runs (each run as one letter), and the runs.
fn cut(name: &str) -> (String, Vec<&str>) {
    let mut separators = String::new();
    let mut runs = Vec::new();
    let mut start = None;
    for (at, letter) in name.char_indices() {
        match (letter.is_alphanumeric(), start) {
            (true, None) => {
                start = Some(at);
                separators.push('x');
            }
            (false, open) => {
                runs.extend(open.map(|open| &name[open..at]));
                start = None;
                separators.push(letter);
            }
            (true, Some(_)) => {}
        }
    }
    runs.extend(start.map(|open| &name[open..]));
    (separators, runs)
}
