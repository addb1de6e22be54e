//! LightGBM's C library from many threads at once: its number of threads is one global, and the binding's lock guards it.

use std::ops::ControlFlow;
use std::thread;

use aml_miner::metrics::roc_auc;
use aml_miner::training::boost::{Measured, Task, grow};
use aml_miner::training::config::Boosting;
use aml_miner::training::lightgbm::{Finished, LightGbmError};
use aml_miner::training::samples::{Samples, Target, Targets};

use crate::training_support::samples;

/// A model grown with so many threads of the library's own.
fn grown(data: &Samples, threads: usize) -> String {
    let options = Boosting { rounds: 12, early_stopping: 0, ..Boosting::default() };
    let targets = Targets::new(data, Target::Illicit, 1.0);
    let labels = data.labels();
    let measure = |scores: &[f64]| roc_auc(&labels, scores).expect("both classes");
    let task = Task {
        parameters: options.parameters("binary", 42, threads),
        features: &data.schema.features,
        rounds: 12,
        patience: 0,
        train: Measured { rows: targets.rows(data), measure: &measure },
        validation: None,
    };
    grow(&task, &mut |_| ControlFlow::Continue(())).expect("a model").model_text
}

#[test]
fn models_are_trained_and_asked_on_many_threads_at_once() {
    let data = samples(8, 150, 3);
    let rows: Vec<f64> = data.days.iter().flat_map(|day| day.matrix.values().to_vec()).collect();
    let text = grown(&data, 1);
    let expected = Finished::from_text(&text).and_then(|model| model.answers(&rows)).expect("answers");
    thread::scope(|scope| {
        for worker in 0..8 {
            let (data, rows, text, expected) = (&data, &rows, &text, &expected);
            scope.spawn(move || {
                for round in 0..4 {
                    if worker % 2 == 0 {
                        let threads = [1, 2, 8, 3][(worker / 2 + round) % 4];
                        assert_eq!(grown(data, threads), *text, "the threads change no byte");
                    } else {
                        let model = Finished::from_text(text).expect("loads");
                        assert_eq!(model.answers(rows).expect("answers"), *expected);
                        assert_eq!(model.raw_scores(&rows[..4]).expect("one row").len(), 1);
                        assert_eq!(model.contributions(rows).expect("contributions").len(), rows.len() / 4 * 5);
                    }
                }
            });
        }
    });
}

#[test]
fn half_a_row_and_a_damaged_text_are_refused() {
    let model = Finished::from_text(&grown(&samples(4, 100, 5), 1)).expect("loads");
    assert!(matches!(model.answers(&[0.5; 6]), Err(LightGbmError::Columns { values: 6, columns: 4 })));
    assert!(matches!(Finished::from_text("tree\0"), Err(LightGbmError::Nul(_))));
    assert!(matches!(Finished::from_text("not a model"), Err(LightGbmError::Library(_))));
}
