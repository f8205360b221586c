//! Nested conditionals.

/// Which branches of nested `OP_IF`s are taken (Core: `ConditionStack`, `script/interpreter.cpp`).
///
/// Only whether all are taken can be observed, so the depth and the place of the first branch that is not taken say it
/// all, and nesting is as cheap at a depth of a thousand as at one.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    depth: usize,
    first_untaken: Option<usize>,
}

impl Conditions {
    pub(super) fn is_empty(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn all_taken(&self) -> bool {
        self.first_untaken.is_none()
    }

    /// Enters a conditional.
    pub(super) fn enter(&mut self, taken: bool) {
        if self.first_untaken.is_none() && !taken {
            self.first_untaken = Some(self.depth);
        }
        self.depth += 1;
    }

    /// Turns to the other branch of the innermost conditional; there must be one.
    pub(super) fn toggle(&mut self) {
        let innermost = self.depth - 1;
        match self.first_untaken {
            None => self.first_untaken = Some(innermost),
            Some(first) if first == innermost => self.first_untaken = None,
            // An outer branch is not taken, so nothing in here can be observed.
            Some(_) => {}
        }
    }

    /// Leaves the innermost conditional; there must be one.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
        if self.first_untaken == Some(self.depth) {
            self.first_untaken = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The short form answers as the plain list of branches would.
        #[test]
        fn equals_a_list_of_booleans(steps in prop::collection::vec(0u8..4, 0..60)) {
            let (mut short, mut list) = (Conditions::default(), Vec::new());
            for step in steps {
                match step {
                    0 | 1 => { short.enter(step == 1); list.push(step == 1); }
                    2 if !list.is_empty() => { short.toggle(); let last = list.last_mut().unwrap(); *last = !*last; }
                    3 if !list.is_empty() => { short.leave(); list.pop(); }
                    _ => {}
                }
                prop_assert_eq!(short.is_empty(), list.is_empty());
                prop_assert_eq!(short.all_taken(), list.iter().all(|&taken| taken));
            }
        }
    }
}
