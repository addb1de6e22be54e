//! Types in words: for messages, and for what is read byte by byte.

use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, Type, TypeDef};

/// How deep types are shown.
const MAX_DEPTH: usize = 12;
/// Types that are looked at within one.
const MAX_STEPS: usize = 20_000;
/// How many bytes of text a type may take.
const MAX_TEXT: usize = 300;
/// Types that are known by their names.
const KNOWN: [&str; 2] = ["AccountId32", "H256"];

/// A type for people: names where they say more than structure.
pub(super) fn shown(types: &PortableRegistry, ty: u32) -> String {
    let mut text = Text { types, named: true, out: String::new() };
    text.write(ty, 0);
    cut(text.out)
}

/// A type by what its bytes are: without the names of types and fields.
pub(super) fn bare(types: &PortableRegistry, ty: u32) -> String {
    let mut text = Text { types, named: false, out: String::new() };
    text.write(ty, 0);
    text.out
}

/// Several types by what their bytes are, one after the other.
pub(super) fn bare_fields(types: &PortableRegistry, fields: &[Field<PortableForm>]) -> String {
    let each: Vec<String> = fields.iter().map(|field| bare(types, field.ty.id)).collect();
    format!("({})", each.join(", "))
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

struct Text<'a> {
    types: &'a PortableRegistry,
    named: bool,
    out: String,
}

impl Text<'_> {
    fn write(&mut self, ty: u32, depth: usize) {
        let types = self.types;
        let Some(found) = types.resolve(ty) else { return self.out.push('?') };
        if depth > MAX_DEPTH || self.out.len() > 2 * MAX_TEXT {
            return self.out.push('…');
        }
        let name = last_name(found);
        if self.named && KNOWN.contains(&name) {
            return self.out.push_str(name);
        }
        match &found.type_def {
            TypeDef::Composite(composite) => self.composite(name, &composite.fields, depth),
            TypeDef::Tuple(tuple) => self.list("(", ")", tuple.fields.iter().map(|field| field.id), depth),
            TypeDef::Variant(variants) => {
                self.out.push_str(if name.is_empty() { "enum" } else { name });
                let some = variants.variants.iter().find(|variant| variant.name == "Some");
                if let Some(some) = some.filter(|_| name == "Option") {
                    self.list("<", ">", some.fields.iter().map(|field| field.ty.id), depth);
                }
            }
            TypeDef::Sequence(of) => self.list("Vec<", ">", std::iter::once(of.type_param.id), depth),
            TypeDef::Array(of) => {
                self.list("[", "", std::iter::once(of.type_param.id), depth);
                self.out.push_str(&format!("; {}]", of.len));
            }
            TypeDef::Primitive(primitive) => self.out.push_str(&format!("{primitive:?}").to_lowercase()),
            TypeDef::Compact(of) => self.list("Compact<", ">", std::iter::once(of.type_param.id), depth),
            TypeDef::BitSequence(_) => self.out.push_str("bits"),
        }
    }

    fn composite(&mut self, name: &str, fields: &[Field<PortableForm>], depth: usize) {
        match fields {
            // A new type around another one.
            [field] if field.name.is_none() || !self.named => self.write(field.ty.id, depth + 1),
            _ if !self.named => self.list("(", ")", fields.iter().map(|field| field.ty.id), depth),
            _ => {
                self.out.push_str(name);
                self.out.push_str(" { ");
                for (at, field) in fields.iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    if let Some(name) = &field.name {
                        self.out.push_str(name);
                        self.out.push_str(": ");
                    }
                    self.write(field.ty.id, depth + 1);
                    if self.out.len() > 2 * MAX_TEXT {
                        break;
                    }
                }
                self.out.push_str(" }");
            }
        }
    }

    fn list(&mut self, open: &str, close: &str, types: impl Iterator<Item = u32>, depth: usize) {
        self.out.push_str(open);
        for (at, ty) in types.enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.write(ty, depth + 1);
            if self.out.len() > 2 * MAX_TEXT {
                break;
            }
        }
        self.out.push_str(close);
    }
}

/// The last part of a type's path.
fn last_name(ty: &Type<PortableForm>) -> &str {
    ty.path.segments.last().map_or("", String::as_str)
}

/// The type with a unit of its own that stands where a number should be, if one does: its bytes would be read as a number of
/// another unit. Looks through lists, tuples, options, new types, and the named fields of structs.
pub(super) fn fixed_point(types: &PortableRegistry, ty: u32, read: &[&str]) -> Option<String> {
    look(types, (ty, 0), read, &mut 0)
}

fn look(types: &PortableRegistry, (ty, depth): (u32, usize), read: &[&str], steps: &mut usize) -> Option<String> {
    *steps += 1;
    if *steps > MAX_STEPS {
        return Some("type of too many parts".to_owned());
    }
    let found = types.resolve(ty).filter(|_| depth <= MAX_DEPTH)?;
    let mut within = |id: u32| look(types, (id, depth + 1), read, steps);
    match &found.type_def {
        TypeDef::Composite(composite) => match composite.fields.as_slice() {
            [field] if is_unit(found, field) && is_number(types, field.ty.id, depth) => {
                Some(last_name(found).to_owned())
            }
            [field] => within(field.ty.id),
            fields => {
                let is_read = |field: &&Field<PortableForm>| {
                    field.name.as_deref().is_none_or(|name| read.is_empty() || read.contains(&name))
                };
                fields.iter().filter(is_read).find_map(|field| within(field.ty.id))
            }
        },
        TypeDef::Tuple(tuple) => tuple.fields.iter().find_map(|field| within(field.id)),
        TypeDef::Variant(variants) if last_name(found) == "Option" => {
            variants.variants.iter().flat_map(|variant| &variant.fields).find_map(|field| within(field.ty.id))
        }
        TypeDef::Sequence(of) => within(of.type_param.id),
        // Nothing stands in it.
        TypeDef::Array(of) if of.len == 0 => None,
        TypeDef::Array(of) => within(of.type_param.id),
        TypeDef::Compact(of) => within(of.type_param.id),
        _ => None,
    }
}

/// Whether a type around a number says in which unit it counts: by its name, or because the one field has a name, which is so
/// of fixed-point numbers alone. `PerU16` counts in the unit in which a `u16` did.
fn is_unit(ty: &Type<PortableForm>, field: &Field<PortableForm>) -> bool {
    let name = last_name(ty);
    let by_name = name.starts_with("Fixed") || ["Percent", "Permill", "Perbill", "Perquintill"].contains(&name);
    by_name || field.name.is_some()
}

fn is_number(types: &PortableRegistry, ty: u32, depth: usize) -> bool {
    let Some(found) = types.resolve(ty).filter(|_| depth <= MAX_DEPTH) else { return false };
    match &found.type_def {
        TypeDef::Primitive(primitive) => !matches!(
            primitive,
            scale_info::TypeDefPrimitive::Bool | scale_info::TypeDefPrimitive::Str | scale_info::TypeDefPrimitive::Char
        ),
        TypeDef::Composite(composite) => match composite.fields.as_slice() {
            [field] => is_number(types, field.ty.id, depth + 1),
            _ => false,
        },
        _ => false,
    }
}
