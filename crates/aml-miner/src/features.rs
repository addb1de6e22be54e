//! One feature builder for training and serving: from a batch to a matrix under a schema.
//!
//! A [`Schema`] names columns; [`FeatureBuilder::new`] turns each name into a computation once; [`FeatureBuilder::alerts`]
//! and [`FeatureBuilder::clusters`] carry them out. What is missing in the batch is NaN in the matrix, never 0. An
//! alert's row depends on the other alerts of the batch only where the schema says so ([`Schema::batch_relative`]).
//!
//! The files form layers, and each imports from the ones before it only: `vocabulary` (schemas, tables, matrices),
//! `expressions` (what a feature is, columns by name), `groups` (the features themselves), `catalogue` (all of them, and
//! the families of names), `view` (a batch with its tables joined), `custom` (features of the caller's own), `bind` (from
//! names to numbers), `register` (which of the caller's own there are), `builder` (whole matrices, default schemas). `selector` needs the vocabulary alone.

mod bind;
mod builder;
mod catalogue;
mod custom;
mod expressions;
mod groups;
mod register;
mod view;
mod vocabulary;

pub mod selector;

pub use bind::SchemaError;
pub use builder::{BuildError, Built, FeatureBuilder, Lacking};
pub use catalogue::{Family, families, features};
pub use custom::{CustomFeature, PerAlert};
pub use expressions::{Feature, Group, Kind};
pub use register::{RegisterError, register};
pub use selector::{FeatureSelector, Selection};
pub use view::{AlertsView, Comparisons};
pub(crate) use vocabulary::Reads;
pub use vocabulary::{Matrix, Part, RowKind, SCHEMA_VERSION, Schema};
