//! Training, tuning, evaluation and reports.
