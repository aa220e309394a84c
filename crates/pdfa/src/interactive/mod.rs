//! Annotations, actions and interactive forms.

mod actions;
mod annotations;
mod forms;
mod three_d;

use cos::Source;

use crate::checker::Checker;
pub(crate) use forms::fields;

pub(crate) fn check<S: Source>(checker: &Checker<'_, S>) {
    annotations::check(checker);
    forms::check(checker);
    actions::check(checker);
    three_d::check(checker);
}
