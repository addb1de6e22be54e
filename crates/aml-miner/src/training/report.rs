//! The report: everything about the models of a directory on one self-contained page, and the same as JSON.

mod figures;
mod importance;
mod model;
mod page;
mod shap;

pub use figures::DrawError;
pub use importance::Importance;
pub use model::{Bar, ModelReport, Reliability, model_report};
pub use page::html;
pub use shap::ShapLine;
