//! One feature builder for training and serving: from a batch to a matrix under a schema.
//!
//! A [`Schema`] names columns; [`FeatureBuilder::new`] turns each name into a computation once; [`FeatureBuilder::alerts`]
//! and [`FeatureBuilder::clusters`] carry them out. What is missing in the batch is NaN in the matrix, never 0. An
//! alert's row depends on the other alerts of the batch only where the schema says so ([`Schema::batch_relative`]).

mod address;
mod alert;
mod bind;
mod catalogue;
mod cluster;
mod cluster_rows;
mod custom;
mod flow;
mod formula;
mod needs;
mod relative;
mod resolve;
mod view;

pub mod builder;
pub mod default_schema;
pub mod matrix;
pub mod schema;
pub mod selector;

pub use builder::{BuildError, Built, FeatureBuilder, Lacking};
pub use catalogue::{Family, Feature, Group, Kind, families, features};
pub use custom::{CustomFeature, PerAlert};
pub use matrix::Matrix;
pub use needs::Part;
pub use resolve::SchemaError;
pub use schema::{RowKind, SCHEMA_VERSION, Schema};
pub use selector::{FeatureSelector, Selection};
pub use view::AlertsView;
