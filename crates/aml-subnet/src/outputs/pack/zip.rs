//! ZIP files whose members are stored as they are, written and read. Nothing else of the format is needed, and every reader knows
//! this part.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

/// The only date that is ever written: 1 January 1980, midnight.
const DATE: u16 = 0x0021;
/// Version 1.0 of the format is enough to read it.
const NEEDED: u16 = 10;

/// CRC-32 of every byte, by its value.
const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8))
}

/// A member that was written.
struct Member {
    name: String,
    crc: u32,
    bytes: u32,
    at: u32,
}

impl Member {
    /// What local and central headers have alike: from the version that is needed to the length of the extra field.
    fn shared(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::with_capacity(26);
        for half in [NEEDED, 0, 0, 0, DATE] {
            head.extend(half.to_le_bytes());
        }
        for word in [self.crc, self.bytes, self.bytes] {
            head.extend(word.to_le_bytes());
        }
        head.extend(short(self.name.len())?.to_le_bytes());
        head.extend(0_u16.to_le_bytes());
        Ok(head)
    }
}

/// A ZIP file that is being written.
pub(super) struct Zip<W> {
    out: W,
    at: u64,
    members: Vec<Member>,
}

impl<W: Write> Zip<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, at: 0, members: Vec::new() }
    }

    /// Adds a member; names are ASCII.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (length, at) = (word(bytes.len() as u64)?, word(self.at)?);
        let member = Member { name: name.to_owned(), crc: crc32(bytes), bytes: length, at };
        self.write(b"PK\x03\x04")?;
        self.write(&member.shared()?)?;
        self.write(name.as_bytes())?;
        self.write(bytes)?;
        self.members.push(member);
        Ok(())
    }

    /// Writes the directory, and gives back where everything was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let start = word(self.at)?;
        for member in std::mem::take(&mut self.members) {
            self.write(b"PK\x01\x02")?;
            self.write(&NEEDED.to_le_bytes())?;
            self.write(&member.shared()?)?;
            // No comment, disk 0, no attributes.
            self.write(&[0; 10])?;
            self.write(&member.at.to_le_bytes())?;
            self.write(member.name.as_bytes())?;
            self.members.push(member);
        }
        let (count, length) = (short(self.members.len())?, word(self.at - u64::from(start))?);
        self.write(b"PK\x05\x06\0\0\0\0")?;
        self.write(&[count.to_le_bytes(), count.to_le_bytes()].concat())?;
        self.write(&[length.to_le_bytes(), start.to_le_bytes()].concat())?;
        self.write(&[0; 2])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// What ends a ZIP file, without a comment.
const END: usize = 22;
/// A member's entry in the directory, without its name.
const ENTRY: usize = 46;
/// What stands before a member, without its name.
const LOCAL: usize = 30;

/// Bytes that are no ZIP file of this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAZip(&'static str);

/// Where the members of a ZIP file lie, by name. Only members that are stored as they are, and each name once.
pub(super) fn members(file: &[u8]) -> Result<BTreeMap<String, Range<usize>>, NotAZip> {
    let end = file.len().checked_sub(END).ok_or(NotAZip("it is too short for a ZIP file"))?;
    if file.get(end..end + 4) != Some(b"PK\x05\x06") {
        return Err(NotAZip("it does not end as a ZIP file"));
    }
    let (count, mut at) = (half_at(file, end + 10)?, word_at(file, end + 16)?);
    let mut members = BTreeMap::new();
    for _ in 0..count {
        let name = half_at(file, at + 28)?;
        let rest = half_at(file, at + 30)? + half_at(file, at + 32)?;
        let (name, range) = member(file, at, name)?;
        let next = at + ENTRY + name.len() + rest;
        if members.insert(name, range).is_some() {
            return Err(NotAZip("a member is there twice"));
        }
        at = next;
    }
    if at == end { Ok(members) } else { Err(NotAZip("its directory is not as long as it says")) }
}

/// The member of the entry at `at`, whose name is so long.
fn member(file: &[u8], at: usize, name: usize) -> Result<(String, Range<usize>), NotAZip> {
    if file.get(at..at + 4) != Some(b"PK\x01\x02") {
        return Err(NotAZip("its directory is damaged"));
    }
    let plain = half_at(file, at + 10)? == 0 && half_at(file, at + 8)? & 1 == 0;
    let (packed, whole) = (word_at(file, at + 20)?, word_at(file, at + 24)?);
    if !plain || packed != whole {
        return Err(NotAZip("a member is not stored as it is"));
    }
    let named = file.get(at + ENTRY..at + ENTRY + name).filter(|name| name.is_ascii());
    let name = named.and_then(|name| std::str::from_utf8(name).ok()).ok_or(NotAZip("a name is not ASCII"))?;
    let local = word_at(file, at + 42)?;
    let start = local + LOCAL + half_at(file, local + 26)? + half_at(file, local + 28)?;
    let head = file.get(local..local + 4) == Some(b"PK\x03\x04");
    let same = file.get(local + LOCAL..local + LOCAL + name.len()) == Some(name.as_bytes());
    if !head || !same || start.checked_add(whole).is_none_or(|end| end > file.len()) {
        return Err(NotAZip("a member is not where the directory says"));
    }
    Ok((name.to_owned(), start..start + whole))
}

fn half_at(file: &[u8], at: usize) -> Result<usize, NotAZip> {
    let two = file.get(at..).and_then(|rest| rest.first_chunk::<2>());
    two.map(|two| usize::from(u16::from_le_bytes(*two))).ok_or(NotAZip("it is cut off"))
}

fn word_at(file: &[u8], at: usize) -> Result<usize, NotAZip> {
    let four = file.get(at..).and_then(|rest| rest.first_chunk::<4>());
    let word = four.map(|four| u32::from_le_bytes(*four)).ok_or(NotAZip("it is cut off"))?;
    usize::try_from(word).map_err(|_| NotAZip("it is too large"))
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "an evidence pack holds less than 4 GiB and 65,536 members")
}

/// All ones mean that another field has the number, which is not written here.
fn word(number: u64) -> io::Result<u32> {
    u32::try_from(number).ok().filter(|number| *number < u32::MAX).ok_or_else(too_large)
}

fn short(number: usize) -> io::Result<u16> {
    u16::try_from(number).ok().filter(|number| *number < u16::MAX).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::{Zip, crc32, members, word};

    #[test]
    fn the_checksum_is_the_one_of_the_format() {
        assert_eq!((crc32(b"123456789"), crc32(b"")), (0xCBF4_3926, 0));
    }

    #[test]
    fn a_file_is_what_other_programs_write_for_the_same_members() {
        let mut zip = Zip::new(Vec::new());
        zip.add("a", b"hi").unwrap();
        // As Python's `zipfile` has it, but for the file's mode, which is left open.
        let expected = "504b03040a000000000000002100ac2a93d8020000000200000001000000616869504b01020a000a\
                        000000000000002100ac2a93d8020000000200000001000000000000000000000000000000000061\
                        504b050600000000010001002f000000210000000000";
        assert_eq!(hex::encode(zip.finish().unwrap()), expected);
        assert!(word(u64::from(u32::MAX)).is_err());
    }

    #[test]
    fn what_was_written_is_read_and_nothing_that_is_damaged() {
        let mut zip = Zip::new(Vec::new());
        for (name, content) in [("a", "hi"), ("b/c", ""), ("d", "there")] {
            zip.add(name, content.as_bytes()).unwrap();
        }
        let file = zip.finish().unwrap();
        let read = members(&file).unwrap();
        let content: Vec<&[u8]> = read.values().map(|range| &file[range.clone()]).collect();
        assert_eq!(content, [b"hi".as_slice(), b"", b"there"]);
        for length in 0..file.len() {
            assert!(members(&file[..length]).is_err(), "cut off after {length}");
        }
        // Whatever a byte is changed to: an error, or ranges within the file.
        for at in 0..file.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= change;
                if let Ok(read) = members(&changed) {
                    assert!(read.values().all(|range| range.start <= range.end && range.end <= file.len()));
                }
            }
        }
        let mut twice = Zip::new(Vec::new());
        twice.add("a", b"1").unwrap();
        twice.add("a", b"2").unwrap();
        assert!(members(&twice.finish().unwrap()).unwrap_err().to_string().contains("twice"));
    }
}
