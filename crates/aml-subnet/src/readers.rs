//! What readers of canonical scores are told beside the score. Pure: numbers and texts in, numbers and texts out.
//!
//! | file | what |
//! |---|---|
//! | [`addresses`] | addresses by number |
//! | [`calibration`] | from a score to the probability that the alert is confirmed, with an interval |
//! | [`reliability`] | probabilities held against outcomes |
//! | [`cases`] | alerts by actor |
//! | [`drift`] | months of scores held against each other, by slice |
//! | [`flows`] | which part of the money flow around an address is drawn |
//! | [`queues`] | alerts in the forms of case systems |
//! | [`reasons`] | why an alert is scored as it is, merged from what miners explain |
//! | [`plan`] | what a number of reviews finds |
//! | [`searching`] | the alerts of a day by id, address, typology and severity |
//! | [`sheet`] | cells that a spreadsheet does not run |

pub mod addresses;
pub mod calibration;
pub mod cases;
pub mod comparing;
pub mod drift;
pub mod flows;
pub mod plan;
pub mod queues;
pub mod reasons;
pub mod reliability;
pub mod searching;
pub mod sheet;
