//! Files of the conformance package: what is stored in `conformance/` must be what the code says.
//!
//! With `AML_WRITE_CONFORMANCE` set (`conformance/make.sh` does so) the files are written instead. Both crates use this file.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Version of the package: raised when an expected value of an existing case changes.
pub(crate) const VERSION: u32 = 1;

/// A file of the package.
pub(crate) struct Vectors {
    /// Its name in the folder.
    pub(crate) name: &'static str,
    /// The pages of the documentation that say what it holds.
    pub(crate) pages: &'static [&'static str],
    /// What all cases share, by name.
    pub(crate) shared: Vec<(&'static str, Value)>,
    /// The cases; each has a `name` that no other one has.
    pub(crate) cases: Vec<Value>,
}

/// Where the package lies.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance")
}

/// Whether files are to be written.
pub(crate) fn is_writing() -> bool {
    std::env::var_os("AML_WRITE_CONFORMANCE").is_some()
}

impl Vectors {
    /// Fails unless the stored file says exactly this.
    #[track_caller]
    pub(crate) fn must_be_stored(&self) {
        let mut names: Vec<&str> = self.cases.iter().filter_map(|case| case["name"].as_str()).collect();
        assert_eq!(names.len(), self.cases.len(), "every case of {} has a name", self.name);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), self.cases.len(), "no two cases of {} have one name", self.name);
        let (path, text) = (folder().join(self.name), self.text());
        if is_writing() {
            std::fs::write(&path, &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            return;
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        let other = stored.lines().zip(text.lines()).find(|(stored, own)| stored != own);
        assert!(
            stored == text,
            "conformance/{} is not what the code says (conformance/make.sh writes it anew):\nstored {}\nnow    {}",
            self.name,
            other.map_or("another number of lines", |(stored, _)| stored),
            other.map_or("", |(_, own)| own),
        );
    }

    /// JSON with a line for each case.
    fn text(&self) -> String {
        let mut lines = vec![format!("\"format\":\"aml-conformance\",\n\"version\":{VERSION}")];
        lines.push(format!("\"pages\":{}", Value::from(self.pages)));
        lines.extend(self.shared.iter().map(|(name, value)| format!("\"{name}\":{value}")));
        let cases: Vec<String> = self.cases.iter().map(Value::to_string).collect();
        lines.push(format!("\"cases\":[\n{}\n]", cases.join(",\n")));
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }
}
