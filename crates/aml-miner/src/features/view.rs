//! A batch as the rows of a matrix see it: its tables joined, and what is computed over all of it.

mod addresses;
mod alerts;
mod dealings;
mod flow_figures;
mod flow_graph;
mod joined;
mod spreads;

pub use alerts::AlertsView;
pub use spreads::Comparisons;

pub(crate) use addresses::Addresses;
pub(crate) use joined::{JoinedRows, rows_of_ids};
