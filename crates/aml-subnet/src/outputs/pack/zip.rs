//! A ZIP file whose members are stored as they are. Nothing else of the format is needed, and every reader knows this part.

use std::io::{self, Write};

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
    use super::{Zip, crc32, word};

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
}
