//! Rules v2: pay for information.
//!
//! What a submission says about a day's alerts is their order. Each place in the order is worth the share of illicit
//! alerts that such places had ([`curve`]), so that a submission becomes a *column*: one standardised number per alert, in
//! whole 2048ths ([`mod@column`]). Once outcomes are known, the second moments of all columns and the outcomes over a window of
//! thirty rounds ([`moments`]) say how much each miner tells that chance, public knowledge and the others do not
//! ([`price`]). A miner is paid in proportion to a power of that ([`pay`]), and the weights that come with it are the
//! voices in the canonical score ([`voice`]).
//!
//! Everything here takes numbers and slices and returns values: no store, no clock, no chain. Miners are places in a
//! list that is **in ascending order of hotkeys**; references (columns that nobody is paid for) follow after the last
//! miner. Days are counted since 1970-01-01. Scores are probabilities, finite and from 0 to 1, of the alerts of a batch
//! *without traps* unless something else is said.
//!
//! # A day
//!
//! | step | function |
//! |---|---|
//! | which rounds and outcomes count today | [`window::Window`] |
//! | an address counts once, however often it alerts | [`once::weigh`] |
//! | second moments, one round after another | [`moments::Moments::add`] |
//! | weights, points, curve, calibration | [`standing::Standings::settle`] |
//! | columns of the references of the new round | [`references`] |
//! | the order, the column and the parts of a submission | [`order::Order`], [`column::Worths`] |
//! | whose voice counts in today's canonical scores | [`voice::voices`], [`voice::canonical`] |
//! | tier 1, traps, signs of life | [`record`], [`advantage::advantage`] |
//! | shares of pay, and what nobody earned | [`newcomers::parts`], [`pay::pay`] |
//! | why somebody is paid what it is paid, in words | [`explain::explain`] |
//!
//! # The same bits everywhere
//!
//! Two validators with the same stored values compute the same bits, whatever their machines, threads and compilers'
//! optimisation. Sums over alerts are sums of integers (columns, counts, scores in 2^-32), so that no order of alerts and
//! no order in which outcomes arrive can show; sums over rounds run by day, sums over miners in the order of hotkeys, from
//! left to right. Square roots and the four operations are exact by IEEE 754; powers come from the crate `libm`.

pub mod advantage;
pub mod calibration;
pub mod column;
pub mod constants;
pub mod curve;
pub mod explain;
pub mod moments;
pub mod newcomers;
pub mod once;
pub mod order;
pub mod pay;
pub mod price;
pub mod record;
pub mod references;
pub mod standing;
pub mod voice;
pub mod weights;
pub mod window;

pub use constants::Constants;
