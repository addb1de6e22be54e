//! As much of FlatBuffers as a `.cbm` file needs: tables with fields by number, lists, texts. Every offset is checked.

/// A file's bytes.
#[derive(Clone, Copy)]
pub(super) struct Buffer<'a>(pub(super) &'a [u8]);

/// A table within it.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    buffer: Buffer<'a>,
    at: usize,
    /// Where the table of its fields is, and the bytes of that.
    fields: usize,
    fields_end: usize,
}

/// A list: so many elements from here.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    buffer: Buffer<'a>,
    at: usize,
    pub(super) length: usize,
}

/// The bytes contradict each other.
const BROKEN: &str = "the file is cut or damaged: copy it again";

type Read<T> = Result<T, &'static str>;

impl<'a> Buffer<'a> {
    fn bytes<const N: usize>(self, at: usize) -> Read<[u8; N]> {
        let end = at.checked_add(N).ok_or(BROKEN)?;
        self.0.get(at..end).and_then(|bytes| bytes.try_into().ok()).ok_or(BROKEN)
    }

    fn u32(self, at: usize) -> Read<usize> {
        Ok(u32::from_le_bytes(self.bytes(at)?) as usize)
    }

    fn u16(self, at: usize) -> Read<usize> {
        Ok(usize::from(u16::from_le_bytes(self.bytes(at)?)))
    }

    /// Where the offset at `at` leads.
    fn follow(self, at: usize) -> Read<usize> {
        at.checked_add(self.u32(at)?).filter(|to| *to < self.0.len()).ok_or(BROKEN)
    }

    /// The outermost table.
    pub(super) fn root(self) -> Read<Table<'a>> {
        Table::at(self, self.follow(0)?)
    }
}

impl<'a> Table<'a> {
    fn at(buffer: Buffer<'a>, at: usize) -> Read<Self> {
        let back = i64::from(i32::from_le_bytes(buffer.bytes(at)?));
        let fields = i64::try_from(at).ok().and_then(|at| at.checked_sub(back));
        let fields = fields.and_then(|fields| usize::try_from(fields).ok()).ok_or(BROKEN)?;
        let fields_end = fields.checked_add(buffer.u16(fields)?).filter(|end| *end <= buffer.0.len()).ok_or(BROKEN)?;
        Ok(Self { buffer, at, fields, fields_end })
    }

    /// Where the field of this number is; `None` where it has its default.
    fn field(self, number: usize) -> Read<Option<usize>> {
        let entry = self.fields + 4 + 2 * number;
        if entry + 2 > self.fields_end {
            return Ok(None);
        }
        let offset = self.buffer.u16(entry)?;
        Ok((offset != 0).then_some(self.at + offset))
    }

    pub(super) fn table(self, number: usize) -> Read<Option<Self>> {
        let Some(at) = self.field(number)? else { return Ok(None) };
        Self::at(self.buffer, self.buffer.follow(at)?).map(Some)
    }

    /// A list; an empty one where there is none. `width` is the size of an element.
    pub(super) fn list(self, number: usize, width: usize) -> Read<List<'a>> {
        let Some(at) = self.field(number)? else { return Ok(List { buffer: self.buffer, at: 0, length: 0 }) };
        let at = self.buffer.follow(at)?;
        let length = self.buffer.u32(at)?;
        let end = length.checked_mul(width).and_then(|bytes| (at + 4).checked_add(bytes));
        match end {
            Some(end) if end <= self.buffer.0.len() => Ok(List { buffer: self.buffer, at: at + 4, length }),
            _ => Err(BROKEN),
        }
    }

    pub(super) fn text(self, number: usize) -> Read<&'a str> {
        let list = self.list(number, 1)?;
        let bytes = self.buffer.0.get(list.at..list.at + list.length).ok_or(BROKEN)?;
        str::from_utf8(bytes).map_err(|_| "a text in it is not UTF-8")
    }

    pub(super) fn f64(self, number: usize, default: f64) -> Read<f64> {
        self.field(number)?.map_or(Ok(default), |at| self.buffer.bytes(at).map(f64::from_le_bytes))
    }

    pub(super) fn i32(self, number: usize, default: i32) -> Read<i32> {
        self.field(number)?.map_or(Ok(default), |at| self.buffer.bytes(at).map(i32::from_le_bytes))
    }

    pub(super) fn u8(self, number: usize, default: u8) -> Read<u8> {
        self.field(number)?.map_or(Ok(default), |at| self.buffer.bytes::<1>(at).map(|[byte]| byte))
    }
}

impl<'a> List<'a> {
    pub(super) fn tables(self) -> impl Iterator<Item = Read<Table<'a>>> {
        (0..self.length).map(move |place| Table::at(self.buffer, self.buffer.follow(self.at + 4 * place)?))
    }

    pub(super) fn f64s(self) -> Read<Vec<f64>> {
        (0..self.length).map(|place| self.buffer.bytes(self.at + 8 * place).map(f64::from_le_bytes)).collect()
    }

    pub(super) fn f32s(self) -> Read<Vec<f32>> {
        (0..self.length).map(|place| self.buffer.bytes(self.at + 4 * place).map(f32::from_le_bytes)).collect()
    }

    pub(super) fn i32s(self) -> Read<Vec<i32>> {
        (0..self.length).map(|place| self.buffer.bytes(self.at + 4 * place).map(i32::from_le_bytes)).collect()
    }
}
