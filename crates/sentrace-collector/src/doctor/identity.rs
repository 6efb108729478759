//! Missing releases and environments.

use std::collections::HashSet;

use super::view::View;
use crate::model::{Remark, RemarkKind};

pub(super) fn check(view: &View<'_>) -> Vec<Remark> {
    let mut seen = HashSet::new();
    let mut remarks = Vec::new();
    for (index, transaction) in view.transactions() {
        let service = view.service(index);
        let said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let missing = [
            (RemarkKind::MissingRelease, "release", said(&transaction.release)),
            (RemarkKind::MissingEnvironment, "environment", said(&transaction.environment)),
        ];
        for (kind, word, said) in missing {
            if !said && seen.insert((kind, service.clone())) {
                let what = format!("{service} reports no {word}");
                remarks.push(view.remark(kind, transaction.span_id, what, ""));
            }
        }
    }
    remarks
}
