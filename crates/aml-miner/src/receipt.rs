//! Signed receipts: which model turned which request into which answer.
