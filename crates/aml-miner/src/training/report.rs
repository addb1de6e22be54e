//! The report: everything about the models of a directory on one self-contained page, and the same as JSON.

mod compared;
mod figures;
mod importance;
mod markup;
mod model;
mod page;
mod shap;

pub use figures::DrawError;
pub use importance::Importance;
pub(super) use importance::gains;
pub(super) use markup::{escaped, put};
pub(super) use model::held_out;
pub use model::{Bar, ModelReport, Reliability, model_report};
pub use page::{compared, html, with_section};
pub use shap::ShapLine;
