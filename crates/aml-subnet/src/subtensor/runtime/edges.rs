//! Values at the edges of a type, encoded: what a decoder has to cope with.

use parity_scale_codec::{Compact, Encode as _};
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};

use super::need::Edge;

/// How deep types may lie within one another.
const MAX_DEPTH: usize = 40;
/// How many types are looked at for one value.
const MAX_STEPS: usize = 20_000;

/// A type has no value that can be written down within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its type is too deep or too wide, or names a type that is not there")]
pub(super) struct NoValue;

/// The encoding of a value at an edge of a type.
pub(super) fn value(types: &PortableRegistry, ty: u32, edge: Edge) -> Result<Vec<u8>, NoValue> {
    let mut writer = Writer { types, edge, out: Vec::new(), steps: 0 };
    writer.write(ty, 0)?;
    Ok(writer.out)
}

struct Writer<'a> {
    types: &'a PortableRegistry,
    edge: Edge,
    out: Vec<u8>,
    steps: usize,
}

impl Writer<'_> {
    fn write(&mut self, ty: u32, depth: usize) -> Result<(), NoValue> {
        self.steps += 1;
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            return Err(NoValue);
        }
        let types = self.types;
        match &types.resolve(ty).ok_or(NoValue)?.type_def {
            TypeDef::Composite(composite) => self.all(composite.fields.iter().map(|field| field.ty.id), depth),
            TypeDef::Tuple(tuple) => self.all(tuple.fields.iter().map(|field| field.id), depth),
            TypeDef::Variant(variants) => {
                // Of an option there is something, of any other choice the first.
                let some = variants.variants.iter().find(|variant| variant.name == "Some");
                let variant = some.or_else(|| variants.variants.iter().min_by_key(|variant| variant.index));
                let variant = variant.ok_or(NoValue)?;
                self.out.push(variant.index);
                self.all(variant.fields.iter().map(|field| field.ty.id), depth)
            }
            TypeDef::Sequence(of) => {
                let count = if self.edge == Edge::Greatest { 2u32 } else { 1 };
                Compact(count).encode_to(&mut self.out);
                self.all((0..count).map(|_| of.type_param.id), depth)
            }
            TypeDef::Array(of) => self.all((0..of.len).map(|_| of.type_param.id), depth),
            TypeDef::Primitive(primitive) => {
                primitive_at(primitive, self.edge, &mut self.out);
                Ok(())
            }
            TypeDef::Compact(of) => self.compact(of.type_param.id, depth + 1),
            TypeDef::BitSequence(_) => {
                Compact(0u32).encode_to(&mut self.out);
                Ok(())
            }
        }
    }

    fn all(&mut self, types: impl Iterator<Item = u32>, depth: usize) -> Result<(), NoValue> {
        for ty in types {
            self.write(ty, depth + 1)?;
        }
        Ok(())
    }

    /// A compact number, perhaps within types of one field.
    fn compact(&mut self, ty: u32, depth: usize) -> Result<(), NoValue> {
        self.steps += 1;
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            return Err(NoValue);
        }
        let types = self.types;
        let greatest = self.edge == Edge::Greatest;
        match &types.resolve(ty).ok_or(NoValue)?.type_def {
            TypeDef::Composite(composite) => match composite.fields.as_slice() {
                [] => Ok(()),
                [field] => self.compact(field.ty.id, depth + 1),
                _ => Err(NoValue),
            },
            TypeDef::Tuple(tuple) => match tuple.fields.as_slice() {
                [] => Ok(()),
                [field] => self.compact(field.id, depth + 1),
                _ => Err(NoValue),
            },
            TypeDef::Primitive(primitive) => {
                let most = most(primitive).ok_or(NoValue)?;
                Compact(if greatest { most } else { 0 }).encode_to(&mut self.out);
                Ok(())
            }
            _ => Err(NoValue),
        }
    }
}

/// The greatest value of an unsigned number.
const fn most(primitive: &TypeDefPrimitive) -> Option<u128> {
    Some(match primitive {
        TypeDefPrimitive::U8 => u8::MAX as u128,
        TypeDefPrimitive::U16 => u16::MAX as u128,
        TypeDefPrimitive::U32 => u32::MAX as u128,
        TypeDefPrimitive::U64 => u64::MAX as u128,
        TypeDefPrimitive::U128 => u128::MAX,
        _ => return None,
    })
}

fn primitive_at(primitive: &TypeDefPrimitive, edge: Edge, out: &mut Vec<u8>) {
    let width = match primitive {
        TypeDefPrimitive::Bool => return out.push(u8::from(edge == Edge::Greatest)),
        TypeDefPrimitive::Str => return "x".encode_to(out),
        TypeDefPrimitive::Char => return u32::from('x').encode_to(out),
        TypeDefPrimitive::U8 | TypeDefPrimitive::I8 => 1,
        TypeDefPrimitive::U16 | TypeDefPrimitive::I16 => 2,
        TypeDefPrimitive::U32 | TypeDefPrimitive::I32 => 4,
        TypeDefPrimitive::U64 | TypeDefPrimitive::I64 => 8,
        TypeDefPrimitive::U128 | TypeDefPrimitive::I128 => 16,
        TypeDefPrimitive::U256 | TypeDefPrimitive::I256 => 32,
    };
    let signed = matches!(
        primitive,
        TypeDefPrimitive::I8
            | TypeDefPrimitive::I16
            | TypeDefPrimitive::I32
            | TypeDefPrimitive::I64
            | TypeDefPrimitive::I128
            | TypeDefPrimitive::I256
    );
    // Lowest byte first; the sign is in the last one.
    let (bytes, last) = match edge {
        Edge::Greatest => (u8::MAX, if signed { 0x7f } else { u8::MAX }),
        Edge::Least if signed => (0, 0x80),
        Edge::Least | Edge::Nought => (0, 0),
    };
    out.extend(std::iter::repeat_n(bytes, width - 1));
    out.push(last);
}

#[cfg(test)]
mod tests {
    use scale_info::{MetaType, PortableRegistry, Registry, TypeInfo, meta_type};

    use super::{Edge, NoValue, value};

    fn registry(of: MetaType) -> (PortableRegistry, u32) {
        let mut registry = Registry::new();
        let id = registry.register_type(&of).id;
        (registry.into(), id)
    }

    #[track_caller]
    fn must_be<T: TypeInfo + parity_scale_codec::Encode + 'static>(edge: Edge, expected: &T) {
        let (types, id) = registry(meta_type::<T>());
        assert_eq!(value(&types, id, edge), Ok(expected.encode()));
    }

    #[test]
    fn values_lie_at_the_edges_of_their_types() {
        must_be(Edge::Greatest, &vec![(u16::MAX, i32::MAX), (u16::MAX, i32::MAX)]);
        must_be(Edge::Least, &vec![(0u16, i32::MIN)]);
        must_be(Edge::Nought, &(Some(0u64), [false; 3], "x".to_owned()));
        must_be(Edge::Greatest, &parity_scale_codec::Compact(u64::MAX));
    }

    #[derive(TypeInfo)]
    #[allow(dead_code, reason = "only its type is looked at")]
    struct Endless(Box<Endless>);

    #[derive(TypeInfo)]
    #[allow(dead_code, reason = "only its type is looked at")]
    struct Wide([(); 4_000_000_000]);

    #[test]
    fn a_type_without_end_has_no_value() {
        for of in [meta_type::<Endless>(), meta_type::<Wide>(), meta_type::<parity_scale_codec::Compact<()>>()] {
            let (types, id) = registry(of);
            let found = value(&types, id, Edge::Nought);
            assert!(found == Err(NoValue) || found == Ok(Vec::new()));
        }
        let (types, _) = registry(meta_type::<Endless>());
        assert_eq!(value(&types, 99, Edge::Nought), Err(NoValue), "a type that is not there");
    }
}
